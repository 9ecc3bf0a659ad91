//! Questions about plain tokens, for what stays unparsed: bodies, other attributes, expressions.

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

/// Whether the brace group at `at` is a body, not a constant argument as in `Ring<{ N + 1 }>`.
pub(crate) fn is_body(tokens: &[TokenTree], at: usize) -> bool {
    let inside_a_list = at > 0
        && (is_punct(tokens.get(at - 1), '<')
            || is_punct(tokens.get(at - 1), ',') && is_punct(tokens.get(at + 1), '>'));
    as_group(tokens.get(at), Delimiter::Brace).is_some()
        && !inside_a_list
        && !(is_punct(tokens.get(at + 1), '>') || is_punct(tokens.get(at + 1), ','))
}

/// The tokens as a list.
pub(crate) fn list(tokens: TokenStream) -> Vec<TokenTree> {
    tokens.into_iter().collect()
}

/// The same group around other tokens.
pub(crate) fn regroup(group: &Group, inside: TokenStream) -> Group {
    let mut new = Group::new(group.delimiter(), inside);
    new.set_span(group.span());
    new
}

/// Whether `name` occurs as an identifier, at any depth, or as a word of a string, which may be code or a format.
pub(crate) fn mentions(tokens: &[TokenTree], name: &str) -> bool {
    tokens.iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(&list(group.stream()), name),
        TokenTree::Literal(literal) => has_word(&literal.to_string(), name),
        TokenTree::Punct(_) => false,
    })
}

/// Whether an expression reads the variable `name`: a field, a method or a part of a path of that name does not count.
pub(crate) fn reads(tokens: &[TokenTree], name: &str) -> bool {
    tokens.iter().enumerate().any(|(at, token)| match token {
        TokenTree::Ident(ident) if ident == name => {
            let behind_dot =
                at > 0 && is_punct(tokens.get(at - 1), '.') && !(at > 1 && is_punct(tokens.get(at - 2), '.'));
            let behind_separator = at > 1 && is_path_separator(tokens, at - 2);
            !behind_dot && !behind_separator && !is_path_separator(tokens, at + 1)
        }
        TokenTree::Group(group) => reads(&list(group.stream()), name),
        TokenTree::Literal(literal) => {
            let text = literal.to_string();
            let mut opened = text.split('{').skip(1).filter_map(|inside| inside.trim_start().strip_prefix(name));
            opened.any(|behind| behind.trim_start().starts_with(['}', ':']))
        }
        TokenTree::Ident(_) | TokenTree::Punct(_) => false,
    })
}

fn has_word(text: &str, name: &str) -> bool {
    text.starts_with(['"', 'r']) && text.split(|ch: char| !ch.is_alphanumeric() && ch != '_').any(|word| word == name)
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
    let place = |mut token: TokenTree| {
        token.set_span(token.span().located_at(at));
        token
    };
    tokens.into_iter().map(place).collect()
}
