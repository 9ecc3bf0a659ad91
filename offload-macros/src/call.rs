//! What crosses to the worker, and how it is received there.
//!
//! Each value makes two steps: a `let` on the caller's side that makes it ready (`detach`, `send`), and one on the
//! worker's side, with the user's own pattern, that opens it (`borrow`, `take`). All of them cross, whether or not
//! the body mentions them, and are dropped there in the order of a plain function.

use crate::argument::{Argument, Crossing, Pattern};
use crate::receiver::{Form, Receiver};
use crate::self_rewrite;
use crate::tokens::{self, hidden, is_ident, is_punct, local};
use crate::validate::{Executor, Plan};
use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens as _, quote, quote_spanned};

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

/// What crosses to the worker, and what is called there.
#[derive(Default)]
pub(crate) struct Call {
    /// Statements on the caller's side.
    pub(crate) outside: TokenStream,
    /// The closure's body.
    pub(crate) inside: TokenStream,
}

impl Plan {
    /// What crosses to the worker, and what is called there.
    pub(crate) fn call(&self, body: &Group) -> Call {
        let mut call = Call::default();
        if self.calls_twin() {
            self.call_twin(&mut call);
            return call;
        }
        let rewritten = self_rewrite::rewrite(body);
        let mut inside = TokenStream::new();
        if let Some(receiver) = &self.method.receiver {
            let is_borrowed = matches!(receiver.form, Form::Borrowed | Form::BorrowedArc);
            if !is_borrowed || rewritten.mentions_self {
                call.outside.extend(send_self(receiver));
                inside.extend(receive_self(receiver));
            }
        }
        for (number, argument) in self.arguments() {
            let is_dropped_reference = matches!(argument.pattern, Pattern::Ignored)
                && matches!(argument.crossing, Crossing::Borrowed | Crossing::OptionalBorrow);
            if !is_dropped_reference {
                call.outside.extend(self.send(number, argument));
                // It has been used already, even if the body does not mention it.
                let is_used = self.executor_mentions(argument) || self.attributes_use(argument);
                let allowance = is_used.then(|| quote!(#[allow(unused_variables)]));
                inside.extend(allowance);
                inside.extend(receive(number, argument));
            }
        }
        let body = in_place(rewritten.body, body);
        call.inside = quote!({ #inside #body });
        call
    }

    /// After: `Self::find_sync(__offload::borrow(&__offload_self), __offload::borrow(&email))`.
    fn call_twin(&self, call: &mut Call) {
        let twin = self.twin.as_ref().map(|twin| local(&twin.to_string(), twin.span()));
        let mut values = Vec::new();
        if let Some(receiver) = &self.method.receiver {
            call.outside.extend(send_self(receiver));
            values.push(received_self(receiver));
        }
        for (number, argument) in self.arguments() {
            call.outside.extend(self.send(number, argument));
            values.push(received(number, argument));
        }
        let names = self.method.generic_names();
        let generics = (!names.is_empty()).then(|| quote!(::<#(#names),*>));
        let invocation = quote!(Self::#twin #generics(#(#values),*));
        call.inside = match &self.method.qualifiers.safety {
            Some(word) if word == "unsafe" => quote!({ unsafe { #invocation } }),
            _ => invocation,
        };
    }

    /// Whether the job calls the twin rather than holding a second copy of its body.
    ///
    /// Without `self` or `Self` in the signature, no path is known to lead to the twin; and an argument that a `cfg`
    /// may take away cannot be passed on.
    pub(crate) fn calls_twin(&self) -> bool {
        let all_certain = self.method.arguments.iter().all(|argument| argument.attrs.is_empty());
        self.twin.is_some() && all_certain && self.method.belongs_to_self()
    }

    fn arguments(&self) -> impl Iterator<Item = (usize, &Argument)> {
        self.method.arguments.iter().enumerate().map(|(index, argument)| (index + 1, argument))
    }

    /// After: `let email = __offload::Argument(email).__offload_detach();`, on the caller's side.
    ///
    /// All of it stands at the type, so that a value that cannot cross is an error there, and only one.
    fn send(&self, number: usize, argument: &Argument) -> TokenStream {
        let (attrs, at) = (argument.handed_on(), hidden(argument.type_span()));
        let crossing = crossing_name(number, argument);
        let parameter = tokens::placed_at(self.parameter_name(number, argument).into_token_stream(), at);
        let verb = match argument.crossing {
            Crossing::Owned | Crossing::Refused(..) => Ident::new("send", at),
            Crossing::Borrowed | Crossing::OptionalBorrow | Crossing::Cow => Ident::new("__offload_detach", at),
        };
        quote_spanned!(at=> #(#attrs)* let #crossing = __offload::Argument(#parameter).#verb();)
    }

    /// What an argument is called in the new signature.
    ///
    /// It reads as the user's name, but only the `let` on the worker's side binds that: lints about unused or
    /// shadowed names look there. Arguments that the executor's expression or another attribute uses keep their own
    /// name.
    pub(crate) fn parameter_name(&self, number: usize, argument: &Argument) -> Ident {
        match &argument.pattern {
            Pattern::Name { name, .. } if self.executor_mentions(argument) || self.attributes_use(argument) => {
                name.clone()
            }
            _ => crossing_name(number, argument),
        }
    }

    /// Whether the executor's expression needs the argument on the caller's side.
    pub(crate) fn executor_mentions(&self, argument: &Argument) -> bool {
        match (&self.executor, &argument.pattern) {
            (Executor::Expression(tokens), Pattern::Name { name, .. }) => tokens::mentions(tokens, &name.to_string()),
            _ => false,
        }
    }

    /// Whether another attribute of the async function uses the argument, as a span that records it does.
    fn attributes_use(&self, argument: &Argument) -> bool {
        match &argument.pattern {
            Pattern::Name { name, .. } => self.method.attrs.iter().any(|attr| attr.uses(&name.to_string())),
            Pattern::Ignored | Pattern::Other(_) => false,
        }
    }
}

/// After: `let __offload_self = __offload::Receiver(self).__offload_detach();`, on the caller's side.
fn send_self(receiver: &Receiver) -> TokenStream {
    let at = hidden(receiver.token.span());
    let (this, name) = (receiver.this(at), local(self_rewrite::SELF, at));
    match receiver.form {
        Form::Borrowed => quote_spanned!(at=> let #name = __offload::Receiver(#this).__offload_detach();),
        Form::BorrowedArc => quote_spanned!(at=> let #name = __offload::Argument(#this).__offload_detach();),
        Form::Owned | Form::Refused(..) => quote_spanned!(at=> let #name = __offload::Argument(#this).send();),
        Form::Arc => {
            quote_spanned!(at=> let #name = __offload::Argument(__offload::Clone::clone(&#this)).send();)
        }
    }
}

/// After: `let __offload_self = __offload::borrow(&__offload_self);`, on the worker's side.
fn receive_self(receiver: &Receiver) -> TokenStream {
    let at = hidden(receiver.token.span());
    let (binding, value) = (self_rewrite::binding(&receiver.token), received_self(receiver));
    let mutability = &receiver.mutability;
    quote_spanned!(at=> let #mutability #binding = #value;)
}

fn received_self(receiver: &Receiver) -> TokenStream {
    let at = hidden(receiver.token.span());
    let name = local(self_rewrite::SELF, at);
    match receiver.form {
        Form::Borrowed | Form::BorrowedArc => quote_spanned!(at=> __offload::borrow(&#name)),
        Form::Owned | Form::Arc | Form::Refused(..) => quote_spanned!(at=> __offload::take(#name)),
    }
}

/// After: `let mut email = __offload::borrow(&email);`, on the worker's side.
///
/// A pattern takes its value apart in place, so that the parts which it does not bind live as long as the rest.
fn receive(number: usize, argument: &Argument) -> TokenStream {
    let (attrs, value) = (&argument.attrs, received(number, argument));
    let at = hidden(argument.type_span());
    match &argument.pattern {
        Pattern::Name { mutability, name } => quote_spanned!(at=> #(#attrs)* let #mutability #name = #value;),
        Pattern::Ignored => {
            let name = crossing_name(number, argument);
            quote_spanned!(at=> #(#attrs)* let #name = #value;)
        }
        Pattern::Other(pattern) => {
            let name = crossing_name(number, argument);
            let mutability = binds_mutably(pattern).then(|| Ident::new("mut", at));
            let handed_on = argument.handed_on();
            quote_spanned!(at=> #(#handed_on)* let #mutability #name = #value; #(#attrs)* let #(#pattern)* = #name;)
        }
    }
}

/// Whether a pattern says `ref mut` somewhere, which borrows from a mutable place.
fn binds_mutably(pattern: &[TokenTree]) -> bool {
    pattern.iter().enumerate().any(|(at, token)| match token {
        TokenTree::Ident(word) => word == "ref" && is_ident(pattern.get(at + 1), "mut"),
        TokenTree::Group(group) => binds_mutably(&tokens::list(group.stream())),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// After: `__offload::borrow(&email)` or `__offload::take(email)`.
fn received(number: usize, argument: &Argument) -> TokenStream {
    let at = hidden(argument.type_span());
    let name = tokens::placed_at(crossing_name(number, argument).into_token_stream(), at);
    match argument.crossing {
        Crossing::Owned | Crossing::Cow | Crossing::Refused(..) => quote_spanned!(at=> __offload::take(#name)),
        Crossing::Borrowed => quote_spanned!(at=> __offload::borrow(&#name)),
        Crossing::OptionalBorrow => quote_spanned!(at=> __offload::borrow_option(&#name)),
    }
}

/// What an argument is called on its way: the user's name with the hygiene of this macro, or a number.
fn crossing_name(number: usize, argument: &Argument) -> Ident {
    match &argument.pattern {
        Pattern::Name { name, .. } => local(&name.to_string(), name.span()),
        Pattern::Ignored | Pattern::Other(_) => local(&format!("__offload_arg{number}"), argument.type_span()),
    }
}
