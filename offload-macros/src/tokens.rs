//! Reading tokens by position: the few questions the attribute asks of unparsed Rust.
//!
//! Signatures are split at their commas, colons and arrows and otherwise kept as the user wrote
//! them. No syntax tree is built, which keeps expansion cheap and lets half-typed code through.
//!
//! Groups without delimiters wrap what a `macro_rules!` fragment (`$t:ty`) captured. They are
//! looked through when reading and kept when writing, as they carry precedence; but for lifetimes, which are opened.

use crate::types::regroup;
use proc_macro2::{Delimiter, Group, Ident, Spacing, Span, TokenStream, TokenTree};

/// Whether `token` is the punctuation character `ch`.
pub(crate) fn is_punct(token: Option<&TokenTree>, ch: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == ch)
}

/// Whether `token` is the identifier or keyword `name`.
pub(crate) fn is_ident(token: Option<&TokenTree>, name: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if ident == name)
}

/// The group with these delimiters, if `token` is one.
pub(crate) fn as_group(token: Option<&TokenTree>, delimiter: Delimiter) -> Option<&Group> {
    match token {
        Some(TokenTree::Group(group)) if group.delimiter() == delimiter => Some(group),
        _ => None,
    }
}

/// Whether `::` starts at `at`; in `name: ::std::path` the first colon starts none.
pub(crate) fn is_path_separator(tokens: &[TokenTree], at: usize) -> bool {
    let is_joint = matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.spacing() == Spacing::Joint);
    is_joint && is_punct(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':')
}

/// Whether the token at `at` ends an arrow (`->` or `=>`), so that its `>` closes no list.
fn ends_arrow(tokens: &[TokenTree], at: usize) -> bool {
    at > 0 && (is_punct(tokens.get(at - 1), '-') || is_punct(tokens.get(at - 1), '='))
}

/// Keeps count of the `<` and `>` around a position in a type.
#[derive(Default)]
pub(crate) struct Angles {
    depth: usize,
}

impl Angles {
    /// Takes the token at `at` into account.
    pub(crate) fn step(&mut self, tokens: &[TokenTree], at: usize) {
        if is_punct(tokens.get(at), '<') {
            self.depth += 1;
        } else if is_punct(tokens.get(at), '>') && !ends_arrow(tokens, at) {
            self.depth = self.depth.saturating_sub(1);
        }
    }

    /// Whether the position is outside every angle bracket.
    pub(crate) fn is_outside(&self) -> bool {
        self.depth == 0
    }
}

/// Splits a list of types, parameters or bounds at its own commas; an empty last part is dropped.
pub(crate) fn split_commas(tokens: &[TokenTree]) -> Vec<&[TokenTree]> {
    let mut parts = Vec::new();
    let mut angles = Angles::default();
    let mut start = 0;
    for at in 0..tokens.len() {
        angles.step(tokens, at);
        if angles.is_outside() && is_punct(tokens.get(at), ',') {
            parts.push(&tokens[start..at]);
            start = at + 1;
        }
    }
    if start < tokens.len() {
        parts.push(&tokens[start..]);
    }
    parts
}

/// The position of the first single `:` outside angle brackets, as between a pattern and its type.
pub(crate) fn find_colon(tokens: &[TokenTree]) -> Option<usize> {
    let mut angles = Angles::default();
    let mut at = 0;
    while at < tokens.len() {
        angles.step(tokens, at);
        if is_path_separator(tokens, at) {
            at += 2;
            continue;
        }
        if angles.is_outside() && is_punct(tokens.get(at), ':') {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// The position behind the `>` that closes the `<` at `open`, or the end of the tokens.
pub(crate) fn behind_angles(tokens: &[TokenTree], open: usize) -> usize {
    let mut angles = Angles::default();
    for at in open..tokens.len() {
        angles.step(tokens, at);
        if angles.is_outside() {
            return at + 1;
        }
    }
    tokens.len()
}

/// Whether the brace group at `at` is a body, not a constant argument as in `Ring<{ N + 1 }>`.
pub(crate) fn is_body(tokens: &[TokenTree], at: usize) -> bool {
    let inside_a_list = at > 0
        && (is_punct(tokens.get(at - 1), '<')
            || is_punct(tokens.get(at - 1), ',') && is_punct(tokens.get(at + 1), '>'));
    as_group(tokens.get(at), Delimiter::Brace).is_some()
        && !inside_a_list
        && !(is_punct(tokens.get(at + 1), '>') || is_punct(tokens.get(at + 1), ','))
}

/// Looks through groups without delimiters, and through parentheses that hold a single type.
pub(crate) fn peel(tokens: Vec<TokenTree>) -> Vec<TokenTree> {
    match tokens.as_slice() {
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::None => peel(group.stream().into_iter().collect()),
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::Parenthesis => {
            let inside: Vec<TokenTree> = group.stream().into_iter().collect();
            if inside.is_empty() || inside.iter().any(|token| is_punct(Some(token), ',')) {
                tokens
            } else {
                peel(inside)
            }
        }
        _ => tokens,
    }
}

/// Takes lifetimes out of the groups that `$lt:lifetime` fragments leave, at any depth; they carry no precedence.
pub(crate) fn open_lifetimes(tokens: Vec<TokenTree>) -> Vec<TokenTree> {
    opened_lifetimes(&tokens).unwrap_or(tokens)
}

/// `None` if there is nothing to take out, so that groups without such fragments stay what they are.
fn opened_lifetimes(tokens: &[TokenTree]) -> Option<Vec<TokenTree>> {
    let mut out = Vec::with_capacity(tokens.len());
    let mut changed = false;
    for token in tokens {
        let TokenTree::Group(group) = token else {
            out.push(token.clone());
            continue;
        };
        let inside = list(group.stream());
        let is_lifetime = group.delimiter() == Delimiter::None
            && matches!(inside.as_slice(), [tick, TokenTree::Ident(_)] if is_punct(Some(tick), '\''));
        if is_lifetime {
            out.extend(inside);
            changed = true;
        } else if let Some(inside) = opened_lifetimes(&inside) {
            out.push(regroup(group, inside.into_iter().collect()).into());
            changed = true;
        } else {
            out.push(token.clone());
        }
    }
    changed.then_some(out)
}

/// The tokens as a list.
pub(crate) fn list(tokens: TokenStream) -> Vec<TokenTree> {
    tokens.into_iter().collect()
}

/// Whether `name` occurs as an identifier, at any depth, or inside of a string that is formatted: `"{name:?}"`.
pub(crate) fn mentions(tokens: &[TokenTree], name: &str) -> bool {
    tokens.iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(&list(group.stream()), name),
        TokenTree::Literal(literal) => {
            let text = literal.to_string();
            let mut opened = text.split('{').skip(1).filter_map(|inside| inside.trim_start().strip_prefix(name));
            opened.any(|behind| behind.trim_start().starts_with(['}', ':']))
        }
        TokenTree::Punct(_) => false,
    })
}

/// A local name of generated code: reads as `name`, invisible to the user's code, placed at `at`.
pub(crate) fn local(name: &str, at: Span) -> Ident {
    let span = hidden(at);
    match name.strip_prefix("r#") {
        Some(raw) => Ident::new_raw(raw, span),
        // A keyword in this crate's edition, but not in each that users have.
        None if name == "gen" => Ident::new_raw(name, span),
        None => Ident::new(name, span),
    }
}

/// The place of `at` with the hygiene of generated code.
///
/// Lints that speak to authors of code keep quiet about such tokens, and errors still stand at
/// the user's own.
pub(crate) fn hidden(at: Span) -> Span {
    Span::mixed_site().located_at(at)
}

/// Gives every token of `tokens` the place `at`, keeping what the names refer to.
pub(crate) fn placed_at(tokens: TokenStream, at: Span) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut token| {
            token.set_span(token.span().located_at(at));
            token
        })
        .collect()
}

/// Splits a generic path at its last segment: `std::sync::Arc<Self>` gives `Arc` and `Self`.
pub(crate) fn last_segment(ty: &[TokenTree]) -> Option<(&Ident, &[TokenTree])> {
    let open = ty.iter().position(|token| is_punct(Some(token), '<'))?;
    let is_last = behind_angles(ty, open) == ty.len() && is_punct(ty.last(), '>');
    let (path, list) = ty.split_at(open);
    let path = if is_punct(path.last(), ':') { &path[..path.len().saturating_sub(2)] } else { path };
    match path.last() {
        Some(TokenTree::Ident(name)) if is_last => Some((name, &list[1..list.len() - 1])),
        _ => None,
    }
}
