//! The forms of `self`, and how each one crosses to the worker.
//!
//! A receiver is recognised by its spelling: `Arc<Self>` under any path is an `Arc`. Forms that cannot cross
//! are kept as [`Form::Refused`] with the reason, which `validate.rs` reports.

use crate::tokens::{self, hidden, is_ident, is_punct};
use proc_macro2::{Ident, Span, TokenTree};

/// A method's `self` parameter.
pub(crate) struct Receiver {
    pub(crate) form: Form,
    /// The parameter as written, attributes included.
    pub(crate) tokens: Vec<TokenTree>,
    /// The word `self`.
    pub(crate) token: Ident,
    /// The `mut` of `mut self`.
    pub(crate) mutability: Option<Ident>,
    /// The hygiene of `self` on the caller's side.
    ///
    /// It is that of this macro, so that a `self` which the rewrite of the body missed cannot mean the caller's. Where
    /// another attribute sees the signature, it is the user's: that attribute may say `self`, too.
    pub(crate) hygiene: Span,
}

/// What `self` is.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// `&self`, `&'a self`, `self: &Self`: the worker gets a clone.
    Borrowed,
    /// `self: &Arc<Self>`: the worker gets a clone of the `Arc`.
    BorrowedArc,
    /// `self`, `mut self`, `self: Self`, `self: Box<Self>`: moved, after a clone of the executor was taken.
    Owned,
    /// `self: Arc<Self>`: a clone moves, so that the caller can reach the executor meanwhile.
    Arc,
    /// Cannot cross, and where that is to be seen.
    Refused(Refused, Span),
}

/// Why a receiver cannot cross.
#[derive(Clone, Copy)]
pub(crate) enum Refused {
    Mutable,
    Rc,
    Pinned,
    Unknown,
}

impl Receiver {
    /// Reads a parameter, the attributes of which end at `start`; `None` if it is an ordinary argument.
    pub(crate) fn parse(parameter: &[TokenTree], start: usize) -> Option<Self> {
        let mut at = start;
        let reference = is_punct(parameter.get(at), '&').then(|| parameter[at].span());
        if reference.is_some() {
            at += 1;
            if is_punct(parameter.get(at), '\'') {
                at += 2;
            }
        }
        let mutability = match parameter.get(at) {
            Some(TokenTree::Ident(word)) if word == "mut" => Some(word.clone()),
            _ => None,
        };
        at += usize::from(mutability.is_some());
        let Some(TokenTree::Ident(token)) = parameter.get(at) else { return None };
        let ends = parameter.len() == at + 1;
        let typed = is_punct(parameter.get(at + 1), ':') && !tokens::is_path_separator(parameter, at + 1);
        if token != "self" || !(ends || typed) {
            return None;
        }
        let form = match (reference, &mutability) {
            (Some(_), Some(word)) => Form::Refused(Refused::Mutable, word.span()),
            (Some(_), None) => Form::Borrowed,
            (None, _) if typed => form_of_type(&parameter[at + 2..], token.span()),
            (None, _) => Form::Owned,
        };
        let hygiene = hidden(token.span());
        Some(Self { form, tokens: parameter.to_vec(), token: token.clone(), mutability, hygiene })
    }

    /// Lets other attributes see `self`.
    pub(crate) fn show(&mut self) {
        self.hygiene = self.token.span();
    }

    /// The word `self` on the caller's side, at `at`.
    pub(crate) fn this(&self, at: Span) -> Ident {
        Ident::new("self", self.hygiene.located_at(at))
    }

    /// The parameter for the new signature: `mut self` loses its `mut`, which moves to the worker's side.
    pub(crate) fn in_signature(&self) -> Vec<TokenTree> {
        let by_value = matches!(self.form, Form::Owned | Form::Arc);
        let tokens = self.tokens.iter().filter(|token| !(by_value && is_ident(Some(token), "mut")));
        let tokens = tokens.map(|token| match token {
            TokenTree::Ident(word) if word == "self" => self.this(word.span()).into(),
            token => token.clone(),
        });
        tokens.collect()
    }
}

/// The form of `self: type`.
fn form_of_type(ty: &[TokenTree], at: Span) -> Form {
    let ty = tokens::peel(ty.to_vec());
    let Some(first) = ty.first() else { return Form::Refused(Refused::Unknown, at) };
    if is_punct(Some(first), '&') {
        let mut rest = &ty[1..];
        if is_punct(rest.first(), '\'') {
            rest = rest.get(2..).unwrap_or_default();
        }
        if let Some(word) = rest.first().filter(|word| is_ident(Some(word), "mut")) {
            return Form::Refused(Refused::Mutable, word.span());
        }
        return match form_of_type(rest, first.span()) {
            Form::Owned if is_plain_self(rest) => Form::Borrowed,
            Form::Arc => Form::BorrowedArc,
            Form::Refused(why, span) => Form::Refused(why, span),
            _ => Form::Refused(Refused::Unknown, first.span()),
        };
    }
    let Some((wrapper, inside)) = tokens::last_segment(&ty) else {
        return if is_plain_self(&ty) { Form::Owned } else { Form::Refused(Refused::Unknown, first.span()) };
    };
    match wrapper.to_string().as_str() {
        "Arc" if is_plain_self(inside) => Form::Arc,
        "Box" if is_plain_self(inside) => Form::Owned,
        "Rc" => Form::Refused(Refused::Rc, wrapper.span()),
        "Pin" => Form::Refused(Refused::Pinned, wrapper.span()),
        _ => Form::Refused(Refused::Unknown, first.span()),
    }
}

fn is_plain_self(ty: &[TokenTree]) -> bool {
    matches!(tokens::peel(ty.to_vec()).as_slice(), [TokenTree::Ident(word)] if word == "Self")
}
