//! Attributes on the method: which are there, and where each one is sent.
//!
//! The async function keeps them all. The synchronous twin gets the compiler's own ones; attributes of other
//! macros (`#[tracing::instrument]`) go to the async function alone, so that they act once.

use crate::tokens::{self, as_group, is_ident, is_punct};
use crate::types::regroup;
use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt as _};

/// One attribute, written `#[...]` before the item or `#![...]` at the start of the body.
#[derive(Clone)]
pub(crate) struct Attribute {
    hash: Span,
    brackets: Group,
}

/// Who gets an attribute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Destination {
    /// The async function and the synchronous twin: `cfg`, docs, lint levels, `must_use`, `deprecated`.
    Both,
    /// Both; but an expectation about the body is met in the twin only, so the async function allows it.
    Expectation,
    /// The async function: attributes of other macros.
    Async,
    /// The twin; without one, nobody: `track_caller`.
    Twin,
}

impl Attribute {
    /// The last segment of the attribute's path: `instrument` of `#[tracing::instrument(skip(self))]`.
    pub(crate) fn name(&self) -> Option<Ident> {
        let inside = tokens::list(self.brackets.stream());
        let path = inside.iter().take_while(|token| match token {
            TokenTree::Ident(_) => true,
            TokenTree::Punct(punct) => punct.as_char() == ':',
            _ => false,
        });
        path.filter_map(|token| if let TokenTree::Ident(name) = token { Some(name) } else { None }).last().cloned()
    }

    /// Where the attribute is sent.
    pub(crate) fn destination(&self) -> Destination {
        const BUILT_IN: [&str; 18] = [
            "cfg",
            "cfg_attr",
            "doc",
            "must_use",
            "deprecated",
            "allow",
            "warn",
            "deny",
            "forbid",
            "inline",
            "cold",
            "diagnostic",
            "target_feature",
            "rustfmt",
            "clippy",
            "skip",
            "optimize",
            "coverage",
        ];
        let name = self.name().map(|name| name.to_string());
        match name.as_deref() {
            Some("expect") => Destination::Expectation,
            Some("track_caller") => Destination::Twin,
            Some(name) if BUILT_IN.contains(&name) => Destination::Both,
            _ => Destination::Async,
        }
    }

    /// Whether another macro is given the async function by it.
    pub(crate) fn sees_the_signature(&self) -> bool {
        let is_conditional = self.name().is_some_and(|name| name == "cfg_attr");
        is_conditional || self.destination() == Destination::Async && !self.is_blocking()
    }

    /// Whether another macro uses the argument `name`: `#[instrument]` records it, unless told to skip it.
    pub(crate) fn uses(&self, name: &str) -> bool {
        let inside = tokens::list(self.brackets.stream());
        if !self.sees_the_signature() {
            return false;
        }
        if !tokens::mentions(&inside, "instrument") {
            return tokens::mentions(&inside, name);
        }
        let (skipped, recorded) = split_skip(&inside);
        let is_skipped = tokens::mentions(&recorded, "skip_all") || tokens::mentions(&skipped, name);
        !is_skipped || tokens::mentions(&recorded, name)
    }

    /// Whether it is `#[blocking]` once more.
    pub(crate) fn is_blocking(&self) -> bool {
        self.name().is_some_and(|name| name == "blocking")
    }

    /// The attribute; an expectation is made an allowance.
    pub(crate) fn without_expectation(&self) -> Self {
        if self.destination() == Destination::Expectation { self.as_allowance() } else { self.clone() }
    }

    /// Before: `#[expect(lint, reason = "..")]`. After: `#[allow(lint, reason = "..")]`.
    fn as_allowance(&self) -> Self {
        let inside = self.brackets.stream().into_iter().map(|token| match token {
            TokenTree::Ident(word) if word == "expect" => Ident::new("allow", word.span()).into(),
            token => token,
        });
        Self { hash: self.hash, brackets: regroup(&self.brackets, inside.collect()) }
    }
}

impl ToTokens for Attribute {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let mut hash = Punct::new('#', Spacing::Alone);
        hash.set_span(self.hash);
        tokens.append(hash);
        tokens.append(self.brackets.clone());
    }
}

/// Reads the attributes that an item begins with, and how many tokens they take.
pub(crate) fn parse_outer(tokens: &[TokenTree]) -> (Vec<Attribute>, usize) {
    let mut attrs = Vec::new();
    let mut at = 0;
    while is_punct(tokens.get(at), '#') {
        let Some(brackets) = as_group(tokens.get(at + 1), Delimiter::Bracket) else { break };
        attrs.push(Attribute { hash: tokens[at].span(), brackets: brackets.clone() });
        at += 2;
    }
    (attrs, at)
}

/// How many tokens the attributes take that a parameter begins with.
pub(crate) fn outer_len(tokens: &[TokenTree]) -> usize {
    parse_outer(tokens).1
}

/// Before: `instrument(level = "debug", skip(self, key))`. After: `self, key`, and `instrument`, `level`, ..
fn split_skip(tokens: &[TokenTree]) -> (Vec<TokenTree>, Vec<TokenTree>) {
    let (mut skipped, mut recorded) = (Vec::new(), Vec::new());
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) if at > 0 && is_ident(tokens.get(at - 1), "skip") => skipped.extend(group.stream()),
            TokenTree::Group(group) => {
                let inside = split_skip(&tokens::list(group.stream()));
                skipped.extend(inside.0);
                recorded.extend(inside.1);
            }
            token => recorded.push(token.clone()),
        }
    }
    (skipped, recorded)
}

/// Moves the inner attributes of a body out, to where they act on the whole function.
///
/// Before: `{ #![allow(unused)] work() }`. After: `#[allow(unused)]` among `attrs`, and `{ work() }`.
pub(crate) fn hoist_inner(body: &Group, attrs: &mut Vec<Attribute>) -> Group {
    if !is_punct(body.stream().into_iter().next().as_ref(), '#') {
        return body.clone();
    }
    let inside = tokens::list(body.stream());
    let mut at = 0;
    while is_punct(inside.get(at), '#') && is_punct(inside.get(at + 1), '!') {
        let Some(brackets) = as_group(inside.get(at + 2), Delimiter::Bracket) else { break };
        attrs.push(Attribute { hash: inside[at].span(), brackets: brackets.clone() });
        at += 3;
    }
    regroup(body, inside[at..].iter().cloned().collect())
}
