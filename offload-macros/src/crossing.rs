//! What crosses to the worker, and how it is received there.
//!
//! Each value makes two steps: a `let` on the caller's side that makes it ready (`detach`, `send`), and one on the
//! worker's side, with the user's own pattern, that opens it (`borrow`, `take`). All of them cross, whether or not
//! the body mentions them, and are dropped there in the order of a plain function.

use crate::arguments::{Argument, Crossing, Inside, Part};
use crate::attributes::MarkKind;
use crate::options::Capture;
use crate::plan::{Output, Plan, Twin};
use crate::self_rewrite;
use crate::signature::generic_arguments;
use crate::tokens::{self, hidden, is_ident, is_punct, local, placed_at};
use crate::types;
use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{FnArg, Type};

/// What crosses to the worker, and what is called there.
#[derive(Default)]
pub(crate) struct Call {
    /// Statements of the call itself, before any future: where a boxed future must not hold the arguments.
    pub(crate) eager: TokenStream,
    /// Statements on the caller's side, when the job is submitted.
    pub(crate) outside: TokenStream,
    /// The closure's body.
    pub(crate) inside: TokenStream,
}

/// What crosses to the worker, and what is called there.
pub(crate) fn call(plan: &Plan) -> Call {
    let mut call = Call::default();
    if plan.options.remote.is_some() {
        return call;
    }
    let hygiene = plan.receiver().map_or_else(Span::mixed_site, |receiver| receiver.whole().outside.span());
    call.outside.extend(plan.options.with.iter().map(|capture| send_capture(capture, hygiene)));
    for argument in plan.arguments.iter().filter(|argument| argument.crosses && argument.is_given()) {
        let is_eager = match &plan.output {
            Output::Boxed { lifetime, .. } => lifetime.is_some() || argument.is_converted(),
            Output::Future | Output::Handle | Output::Stream(_) => false,
        };
        if is_eager && !argument.is_self { &mut call.eager } else { &mut call.outside }.extend(send(argument));
    }
    call.inside = match (&plan.twin, &plan.body) {
        (Some(twin), _) => call_twin(plan, twin),
        (None, Some(body)) => {
            let crossing = plan.arguments.iter().filter(|argument| argument.crosses);
            let received = plan.options.with.iter().map(receive_capture).chain(crossing.map(receive));
            let body = in_place(body.renamed.clone(), &body.written);
            quote!({ #(#received)* #body })
        }
        (None, None) => TokenStream::new(),
    };
    call
}

/// The body keeps its braces, and so its own scope; only their place is chosen here.
///
/// Where the compiler has complained about an unfinished body already, it finds the same mistake again and drops it,
/// as long as the closing brace stands where it stood. Around a single expression the braces are hidden from the lint
/// that finds them superfluous.
fn in_place(mut body: Group, written: &Group) -> Group {
    let tokens = tokens::list(body.stream());
    let is_unfinished = is_ident(tokens.first(), "let") || is_punct(tokens.last(), '.');
    let is_one_expression = !is_unfinished && !tokens.iter().any(|token| is_punct(Some(token), ';'));
    body.set_span(if is_one_expression { hidden(written.span()) } else { written.span_close() });
    body
}

/// After: `Self::find_sync(__offload::borrow(&__offload_self), __offload::borrow(&email))`.
fn call_twin(plan: &Plan, twin: &Twin) -> TokenStream {
    let mut parts = TokenStream::new();
    let mut values = Vec::new();
    for argument in &plan.arguments {
        let attrs = argument.handed_on();
        let value = if argument.pattern.is_some() {
            for part in &argument.parts {
                let (way, value) = (&part.way, received(argument, part));
                parts.extend(quote_spanned!(way.span()=> #(#attrs)* let #way = #value;));
            }
            argument.opened(|part| &part.way).into_token_stream()
        } else {
            received(argument, argument.whole())
        };
        values.push(quote!(#(#attrs)* #value));
    }
    let (path, generics) = (&twin.path, generic_arguments(&plan.function.sig));
    let path = path.clone().into_iter().map(|mut token| {
        token.set_span(hidden(token.span()).resolved_at(token.span()));
        token
    });
    let invocation = quote!(#(#path)* #generics(#(#values),*));
    let invocation = match &plan.function.sig.safety {
        syn::Safety::Unsafe(_) => quote!(unsafe { #invocation }),
        _ => invocation,
    };
    if parts.is_empty() && matches!(plan.function.sig.safety, syn::Safety::Default) {
        invocation
    } else {
        quote!({ #parts #invocation })
    }
}

/// After: `let email = __offload::Argument(email).__offload_detach();`, on the caller's side.
///
/// All of it stands at the type, so that a value that cannot cross is an error there, and only one.
fn send(argument: &Argument) -> TokenStream {
    let attrs = argument.handed_on();
    let (wrapper, verb) = match argument.crossing {
        Crossing::ClonedSelf => ("Receiver", "__offload_detach"),
        Crossing::Borrowed | Crossing::OptionalBorrow | Crossing::Cow => ("Argument", "__offload_detach"),
        _ => ("Argument", "send"),
    };
    let send = |part: &Part| {
        let at = hidden(if argument.pattern.is_some() { part.way.span() } else { argument.at });
        let (way, wrapper, verb) = (&part.way, Ident::new(wrapper, at), Ident::new(verb, at));
        let value = converted(argument, placed_at(part.outside.to_token_stream(), at));
        let is_used_underscore = part.is_read && part.outside.to_string().starts_with('_');
        let allowance = is_used_underscore.then(|| quote!(#[allow(clippy::used_underscore_binding)]));
        quote_spanned!(at=> #allowance #(#attrs)* let #way = __offload::#wrapper(#value).#verb();)
    };
    argument.parts.iter().map(send).collect()
}

/// After: `::core::convert::Into::<Vec<u8>>::into(key)`, where the caller gives an `impl Into<Vec<u8>>`. An `Arc` is cloned.
pub(crate) fn converted(argument: &Argument, value: TokenStream) -> TokenStream {
    let (at, ty) = (hidden(argument.at), &argument.ty);
    match argument.mark {
        _ if argument.crossing == Crossing::ClonedArc => quote_spanned!(at=> __offload::Clone::clone(&#value)),
        Some(MarkKind::Into) => quote_spanned!(at=> ::core::convert::Into::<#ty>::into(#value)),
        Some(MarkKind::AsRef) => {
            let target = ty.as_ref().map(types::referent);
            quote_spanned!(at=> ::core::convert::AsRef::<#target>::as_ref(&#value))
        }
        _ => value,
    }
}

/// After: `let mut email = __offload::borrow(&email);`, on the worker's side.
///
/// A pattern takes its value apart in place, so that the parts which it does not bind live as long as the rest.
fn receive(argument: &Argument) -> TokenStream {
    let (attrs, at) = (&argument.attrs, hidden(argument.at));
    let receive = |part: &Part| {
        let (way, value) = (&part.way, received(argument, part));
        match &part.inside {
            Inside::Name(mutability, name) => {
                // It has been used already, even if the body does not mention it, and it shadows the one that was.
                let allowance = part.is_read.then(|| {
                    quote!(#[allow(unused_variables, clippy::shadow_reuse, clippy::shadow_same, clippy::shadow_unrelated)])
                });
                quote_spanned!(at=> #allowance #(#attrs)* let #mutability #name = #value;)
            }
            Inside::Nothing => quote_spanned!(at=> #(#attrs)* let #way = #value;),
            Inside::Pattern(pattern, is_mutable) => {
                let (mutability, handed_on) = (is_mutable.then(|| Ident::new("mut", at)), argument.handed_on());
                quote_spanned!(at=> #(#handed_on)* let #mutability #way = #value; #(#attrs)* let #pattern = #way;)
            }
        }
    };
    argument.parts.iter().map(receive).collect()
}

/// After: `__offload::borrow(&email)` or `__offload::take(email)`.
pub(crate) fn received(argument: &Argument, part: &Part) -> TokenStream {
    let at = hidden(argument.at);
    let way = placed_at(part.way.to_token_stream(), at);
    match argument.crossing {
        Crossing::Moved | Crossing::ClonedArc | Crossing::Cow => quote_spanned!(at=> __offload::take(#way)),
        Crossing::ClonedSelf | Crossing::Borrowed => quote_spanned!(at=> __offload::borrow(&#way)),
        Crossing::OptionalBorrow => quote_spanned!(at=> __offload::borrow_option(&#way)),
        Crossing::Lent if is_shared(argument) => quote_spanned!(at=> &*#way),
        Crossing::Lent | Crossing::Out => way,
    }
}

/// Whether a state is borrowed as `&T`.
fn is_shared(argument: &Argument) -> bool {
    let ty = argument.ty.as_ref().map(types::peel);
    matches!(ty, Some(Type::Reference(reference)) if reference.mutability.is_none())
}

/// After: `let inner = __offload::Argument(self.inner.clone()).send();`, on the caller's side.
fn send_capture(capture: &Capture, hygiene: Span) -> TokenStream {
    let at = hidden(capture.value.span());
    let name = local(&capture.name.to_string(), capture.name.span());
    let value = self_rewrite::on_callers_side(capture.value.to_token_stream(), hygiene);
    quote_spanned!(at=> let #name = __offload::Argument(#value).send();)
}

/// After: `let inner = __offload::take(inner);`, on the worker's side.
fn receive_capture(capture: &Capture) -> TokenStream {
    let (binding, at) = (&capture.name, hidden(capture.name.span()));
    let name = local(&capture.name.to_string(), at);
    quote_spanned!(at=> let #binding = __offload::take(#name);)
}

/// After: `let mut key: Vec<u8> = Into::into(key);`, at the start of a twin's body.
pub(crate) fn opening_of_twin(plan: &Plan) -> TokenStream {
    let inputs = plan.function.sig.inputs.iter().zip(&plan.arguments);
    let open = |(input, argument): (&FnArg, &Argument)| match input {
        FnArg::Typed(typed) if argument.is_converted() => {
            let (attrs, at, pattern, ty) = (&argument.attrs, hidden(argument.at), &typed.pat, &typed.ty);
            let value = converted(argument, argument.whole().outside.to_token_stream());
            Some(quote_spanned!(at=> #(#attrs)* let #pattern: #ty = #value;))
        }
        _ => None,
    };
    inputs.filter_map(open).collect()
}
