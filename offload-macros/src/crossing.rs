//! What crosses to the worker, and how it is received there.
//!
//! Each value makes two steps: a `let` on the caller's side that makes it ready (`detach`, `send`), and one on the
//! worker's side, with the user's own pattern, that opens it (`borrow`, `take`). All of them cross, whether or not
//! the body mentions them, and are dropped there in the order of a plain function.

use crate::arguments::{Argument, Binding, Conversion, Crossing, Part};
use crate::options::Capture;
use crate::plan::{Output, Plan, Twin};
use crate::self_rewrite;
use crate::signature::{callers_name, generic_arguments, opened};
use crate::tokens::{self, hidden, is_ident, is_punct, local};
use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::Pat;
use syn::spanned::Spanned as _;
use syn::visit_mut::VisitMut;

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
    let hygiene = plan.receiver().and_then(|receiver| receiver.this(Span::call_site()));
    let hygiene = hygiene.map_or_else(Span::mixed_site, |this| this.span());
    call.outside.extend(plan.captures.iter().map(|capture| send_capture(capture, hygiene)));
    for argument in plan.arguments.iter().filter(|argument| argument.crosses && argument.is_given()) {
        let is_eager = match &plan.output {
            Output::Boxed { lifetime, .. } => lifetime.is_some() || argument.conversion != Conversion::None,
            Output::Future | Output::Handle | Output::Stream(_) => false,
        };
        let is_self = matches!(argument.binding, Binding::Receiver { .. });
        let is_eager = is_eager && !is_self;
        if is_eager { &mut call.eager } else { &mut call.outside }.extend(send(argument));
    }
    call.inside = match (&plan.twin, &plan.body) {
        (Some(twin), _) => call_twin(plan, twin),
        (None, Some(body)) => {
            let crossing = plan.arguments.iter().filter(|argument| argument.crosses);
            let received =
                plan.captures.iter().map(receive_capture).chain(crossing.map(|argument| receive(argument, body.name)));
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
        let value = match &argument.binding {
            Binding::Parts(pattern, names) => {
                for part in names {
                    let name = local(&part.name.to_string(), part.name.span());
                    parts.extend(quote_spanned!(name.span()=> #(#attrs)* let #name = __offload::take(#name);));
                }
                let name_of = |part: &Part| local(&part.name.to_string(), part.name.span());
                opened(pattern, names, &name_of).into_token_stream()
            }
            _ => received(argument),
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
    let (attrs, at, name) = (argument.handed_on(), hidden(argument.at), &argument.name);
    match &argument.binding {
        Binding::Parts(_, parts) => {
            let sent = parts.iter().map(|part| {
                let at = hidden(part.name.span());
                let (name, value) = (local(&part.name.to_string(), at), callers_name(part));
                quote_spanned!(at=> #(#attrs)* let #name = __offload::Argument(#value).send();)
            });
            sent.collect()
        }
        Binding::Receiver { .. } => {
            let this = argument.this(at);
            let value = match argument.crossing {
                Crossing::ClonedSelf => quote_spanned!(at=> __offload::Receiver(#this).__offload_detach()),
                Crossing::ClonedArc => {
                    quote_spanned!(at=> __offload::Argument(__offload::Clone::clone(&#this)).send())
                }
                Crossing::Borrowed => quote_spanned!(at=> __offload::Argument(#this).__offload_detach()),
                _ => quote_spanned!(at=> __offload::Argument(#this).send()),
            };
            quote_spanned!(at=> let #name = #value;)
        }
        binding => {
            let value = match binding {
                Binding::Name(part) => callers_name(part),
                _ => name.clone(),
            };
            let value = converted(argument, tokens::placed_at(value.into_token_stream(), at));
            let verb = match argument.crossing {
                Crossing::Borrowed | Crossing::OptionalBorrow | Crossing::Cow => Ident::new("__offload_detach", at),
                _ => Ident::new("send", at),
            };
            let is_read = |part: &Part| part.is_read && part.name.to_string().starts_with('_');
            let allowance =
                argument.parts().iter().any(is_read).then(|| quote!(#[allow(clippy::used_underscore_binding)]));
            quote_spanned!(at=> #allowance #(#attrs)* let #name = __offload::Argument(#value).#verb();)
        }
    }
}

/// After: `__offload::Into::<Vec<u8>>::into(key)`, where the caller gives an `impl Into<Vec<u8>>`.
pub(crate) fn converted(argument: &Argument, value: TokenStream) -> TokenStream {
    let at = hidden(argument.at);
    match (argument.conversion, &argument.ty) {
        (Conversion::Into, Some(ty)) => quote_spanned!(at=> ::core::convert::Into::<#ty>::into(#value)),
        (Conversion::AsRef, Some(ty)) => match crate::types::peel(ty) {
            syn::Type::Reference(reference) => {
                let target = &reference.elem;
                quote_spanned!(at=> ::core::convert::AsRef::<#target>::as_ref(&#value))
            }
            _ => value,
        },
        _ => value,
    }
}

/// After: `let mut email = __offload::borrow(&email);`, on the worker's side.
///
/// A pattern takes its value apart in place, so that the parts which it does not bind live as long as the rest.
fn receive(argument: &Argument, this: &str) -> TokenStream {
    let (attrs, at, name) = (&argument.attrs, hidden(argument.at), &argument.name);
    let value = received(argument);
    match &argument.binding {
        Binding::Receiver { token, mutability, .. } => {
            let binding = self_rewrite::binding(this, token);
            quote_spanned!(at=> let #mutability #binding = #value;)
        }
        Binding::Name(part) => receive_part(argument, part, &value),
        Binding::Parts(_, parts) => {
            let take = |part: &Part| {
                let name = local(&part.name.to_string(), part.name.span());
                receive_part(argument, part, &quote_spanned!(at=> __offload::take(#name)))
            };
            parts.iter().map(take).collect()
        }
        Binding::Ignored => quote_spanned!(at=> #(#attrs)* let #name = #value;),
        Binding::Pattern(pattern) => {
            let mutability = binds_mutably(pattern).then(|| Ident::new("mut", at));
            let handed_on = argument.handed_on();
            quote_spanned!(at=> #(#handed_on)* let #mutability #name = #value; #(#attrs)* let #pattern = #name;)
        }
    }
}

fn receive_part(argument: &Argument, part: &Part, value: &TokenStream) -> TokenStream {
    let (attrs, at, Part { name, mutability, .. }) = (&argument.attrs, hidden(argument.at), part);
    // It has been used already, even if the body does not mention it, and it shadows the one that was.
    let allowance = part.is_read.then(
        || quote!(#[allow(unused_variables, clippy::shadow_reuse, clippy::shadow_same, clippy::shadow_unrelated)]),
    );
    quote_spanned!(at=> #allowance #(#attrs)* let #mutability #name = #value;)
}

/// After: `__offload::borrow(&email)` or `__offload::take(email)`.
fn received(argument: &Argument) -> TokenStream {
    let at = hidden(argument.at);
    let name = tokens::placed_at(argument.name.to_token_stream(), at);
    match argument.crossing {
        Crossing::Moved | Crossing::ClonedArc | Crossing::Cow => quote_spanned!(at=> __offload::take(#name)),
        Crossing::ClonedSelf | Crossing::Borrowed => quote_spanned!(at=> __offload::borrow(&#name)),
        Crossing::OptionalBorrow => quote_spanned!(at=> __offload::borrow_option(&#name)),
        Crossing::Lent if is_shared(argument) => quote_spanned!(at=> &*#name),
        Crossing::Lent | Crossing::Out => name,
    }
}

/// Whether a state is borrowed as `&T`.
fn is_shared(argument: &Argument) -> bool {
    let ty = argument.ty.as_ref().map(crate::types::peel);
    matches!(ty, Some(syn::Type::Reference(reference)) if reference.mutability.is_none())
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

/// Whether a pattern says `ref mut` somewhere, which borrows from a mutable place.
fn binds_mutably(pattern: &Pat) -> bool {
    struct Find(bool);
    impl VisitMut for Find {
        fn visit_pat_ident_mut(&mut self, found: &mut syn::PatIdent) {
            self.0 |= found.by_ref.is_some() && found.mutability.is_some();
        }
    }
    let mut find = Find(false);
    find.visit_pat_mut(&mut pattern.clone());
    find.0
}

/// After: `key: Vec<u8> = Into::into(key)`, at the start of a twin's body.
pub(crate) fn opening_of_twin(plan: &Plan) -> TokenStream {
    let converted_ones = plan.arguments.iter().filter(|argument| argument.conversion != Conversion::None);
    let open = |argument: &Argument| {
        let (attrs, at, name, ty) = (&argument.attrs, hidden(argument.at), &argument.name, &argument.ty);
        let value = converted(argument, name.to_token_stream());
        let pattern: TokenTree;
        let pattern = match &argument.binding {
            Binding::Name(part) => {
                let Part { name, mutability, .. } = part;
                quote!(#mutability #name)
            }
            Binding::Pattern(pattern) | Binding::Parts(pattern, _) => pattern.to_token_stream(),
            Binding::Ignored | Binding::Receiver { .. } => {
                pattern = Ident::new("_", at).into();
                pattern.into()
            }
        };
        quote_spanned!(at=> #(#attrs)* let #pattern: #ty = #value;)
    };
    converted_ones.map(open).collect()
}
