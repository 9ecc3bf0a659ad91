//! The one visitor that touches a body: `self` becomes the name that the worker's side binds.
//!
//! It works on tokens, so it reaches into macro calls (`println!("{}", self.n)`, `vec![self.n]`) and is not
//! disturbed by code that is half typed. Left alone are:
//! - paths (`self::helper()`), `use` trees, `pub(self)` and `pub(in self::..)`,
//! - items inside of the body that have a `self` of their own: `fn`, `impl`, `trait`, `mod`,
//! - `$self` of a `macro_rules!` inside of the body.
//!
//! For `{self}` inside of a format string, `self = self_` is handed to the format macros of `std`, `log`, `tracing` and
//! `anyhow`.
//! Limits: a string in any other macro is data, and stays; a macro that looks for the very word `self` among its
//! input does not find it.

use crate::tokens::{is_body, is_ident, is_path_separator, is_punct, list, regroup};
use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

/// A body as it was written and with `self` renamed, and whether `self` was mentioned at all.
pub(crate) struct Rewritten {
    pub(crate) written: Group,
    pub(crate) renamed: Group,
    pub(crate) mentions_self: bool,
    /// What `self` is called.
    pub(crate) name: &'static str,
}

/// Before: `{ self.db.find(email) }`. After: `{ self_.db.find(email) }`.
pub(crate) fn rewrite(body: &Group, name: &'static str) -> Rewritten {
    let inside = rewrite_stream(body.stream(), name);
    let mentions_self = inside.is_some();
    let renamed = inside.map_or_else(|| body.clone(), |inside| regroup(body, inside));
    // What is not mentioned is not reported as unused.
    let name = if mentions_self { name } else { "__offload_self" };
    Rewritten { written: body.clone(), renamed, mentions_self, name }
}

/// What `self` is called on the worker's side, with the hygiene of the word it replaces.
///
/// That of this macro would take errors about the value for errors in the macro. Instead, the name is one that neither
/// the body nor an argument mentions.
pub(crate) fn binding(name: &str, word: Span) -> Ident {
    Ident::new(name, word)
}

/// Renames at one level; `None` if there is nothing to rename, which spares building the tokens anew.
fn rewrite_stream(stream: TokenStream, name: &str) -> Option<TokenStream> {
    let mut tokens = list(stream);
    let mut changed = false;
    let mut at = 0;
    while at < tokens.len() {
        if let Some(end) = end_of_item(&tokens, at) {
            at = end;
            continue;
        }
        let new = match &tokens[at] {
            TokenTree::Ident(word) if word == "self" && is_value(&tokens, at) => {
                Some(binding(name, word.span()).into())
            }
            TokenTree::Group(group) => rewrite_group(&tokens, at, group, name),
            _ => None,
        };
        if let Some(new) = new {
            tokens[at] = new;
            changed = true;
        }
        at += 1;
    }
    changed.then(|| tokens.into_iter().collect())
}

fn rewrite_group(tokens: &[TokenTree], at: usize, group: &Group, this: &str) -> Option<TokenTree> {
    let is_visibility = at > 0 && is_ident(tokens.get(at - 1), "pub") && group.delimiter() == Delimiter::Parenthesis;
    if is_visibility {
        return None;
    }
    let inside = rewrite_stream(group.stream(), this);
    let position = format_position(tokens, at);
    let format = position.and_then(|at| rewrite_format(inside.clone().unwrap_or_else(|| group.stream()), at, this));
    format.or(inside).map(|inside| regroup(group, inside).into())
}

/// Whether the `self` at `at` is a value: no path (`self::`), no metavariable (`$self`).
fn is_value(tokens: &[TokenTree], at: usize) -> bool {
    !is_behind(tokens, at, '$') && !is_path_separator(tokens, at + 1)
}

/// If an item with its own `self`, or with none, begins at `at`: where it ends.
///
/// In the input of a macro these words may mean anything, so the whole head must look like that of an item.
fn end_of_item(tokens: &[TokenTree], at: usize) -> Option<usize> {
    let TokenTree::Ident(word) = &tokens[at] else { return None };
    let is_use = word == "use";
    let named = matches!(tokens.get(at + 1), Some(TokenTree::Ident(_))) || is_punct(tokens.get(at + 1), '$');
    let begins = match word.to_string().as_str() {
        "fn" | "mod" | "trait" => named,
        // `use<'a>` among bounds is no import.
        "impl" | "use" => !is_punct(tokens.get(at + 1), if is_use { '<' } else { '=' }),
        _ => false,
    };
    if !begins {
        return None;
    }
    let ends = |&end: &usize| is_punct(tokens.get(end), ';') || (!is_use && is_body(tokens, end));
    let end = (at + 1..tokens.len()).find(ends);
    let head = &tokens[at + 1..end.unwrap_or(tokens.len())];
    let is_value = |(at, token): (usize, &TokenTree)| {
        is_ident(Some(token), "self") && !is_path_separator(head, at + 1) || is_punct(Some(token), '.')
    };
    let has_value = !is_use && head.iter().enumerate().any(is_value)
        || is_use && head.iter().any(|token| is_punct(Some(token), '.') || is_punct(Some(token), '='));
    (!has_value).then(|| end.map_or(tokens.len(), |end| end + 1))
}

/// The first `.await` of the body itself: not one of an `async` block, of an item or of a macro's input.
pub(crate) fn find_await(body: TokenStream) -> Option<Span> {
    let is_found = |tokens: &[TokenTree], at| is_ident(tokens.get(at), "await") && is_behind(tokens, at, '.');
    Some(find(body, false, &is_found)?.span())
}

/// The first `?` of the body itself. Where there may be a closure, none is found: it could be the closure's.
pub(crate) fn find_question_mark(body: TokenStream) -> Option<Span> {
    let may_be_closure = find(body.clone(), false, &|tokens, at| is_punct(tokens.get(at), '|')).is_some();
    // Behind a `:` or a `+` it belongs to a bound, `?Sized`.
    let is_operator = |tokens: &[TokenTree], at| {
        is_punct(tokens.get(at), '?') && at > 0 && !is_behind(tokens, at, ':') && !is_behind(tokens, at, '+')
    };
    if may_be_closure { None } else { Some(find(body, false, &is_operator)?.span()) }
}

/// The first word by which a body names its value or its type: `self`, or `Self`.
pub(crate) fn find_own(body: TokenStream) -> Option<TokenTree> {
    let is_own = |tokens: &[TokenTree], at: usize| match &tokens[at] {
        TokenTree::Ident(word) => word == "Self" || word == "self" && is_value(tokens, at),
        _ => false,
    };
    find(body, true, &is_own)
}

/// The first token that is searched for: in the body itself, or in its `async` blocks and the input of macros as well.
fn find(body: TokenStream, everywhere: bool, is_found: &dyn Fn(&[TokenTree], usize) -> bool) -> Option<TokenTree> {
    let tokens = list(body);
    let mut at = 0;
    while at < tokens.len() {
        if let Some(end) = end_of_item(&tokens, at) {
            at = end;
            continue;
        }
        match &tokens[at] {
            found if is_found(&tokens, at) => return Some(found.clone()),
            TokenTree::Ident(word) if word == "async" && !everywhere => {
                at = (at..tokens.len()).find(|&at| is_body(&tokens, at)).unwrap_or(tokens.len());
            }
            // Behind it: `!`, a name and the rules.
            TokenTree::Ident(word) if word == "macro_rules" && !everywhere => at += 3,
            TokenTree::Group(group) if everywhere || !is_behind(&tokens, at, '!') => {
                if let Some(found) = find(group.stream(), everywhere, is_found) {
                    return Some(found);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Whether the token before the one at `at` is the punctuation character `ch`.
fn is_behind(tokens: &[TokenTree], at: usize, ch: char) -> bool {
    at > 0 && is_punct(tokens.get(at - 1), ch)
}

/// Which part of a macro's input is its format string.
#[derive(Clone, Copy)]
enum Position {
    /// The first part, if it is a string.
    First,
    /// The first part that is nothing but a string, from this number on: `write!(f, "{self}")` from 1 on,
    /// `info!(target: "db", n = 1, "found {self}")` from 0 on.
    From(usize),
}

/// If the group at `at` is the input of a macro known to format: where its format string stands.
fn format_position(tokens: &[TokenTree], at: usize) -> Option<Position> {
    let (Some(TokenTree::Ident(name)), true) = (tokens.get(at.checked_sub(2)?), is_punct(tokens.get(at - 1), '!'))
    else {
        return None;
    };
    Some(match name.to_string().as_str() {
        "println" | "print" | "eprintln" | "eprint" | "format" | "format_args" | "panic" | "todo" | "unimplemented"
        | "unreachable" | "anyhow" | "bail" => Position::First,
        "write" | "writeln" | "assert" | "debug_assert" | "ensure" => Position::From(1),
        "assert_eq" | "assert_ne" | "debug_assert_eq" | "debug_assert_ne" => Position::From(2),
        "trace" | "debug" | "info" | "warn" | "error" | "log" | "event" | "span" | "trace_span" | "debug_span"
        | "info_span" | "warn_span" | "error_span" => Position::From(0),
        _ => return None,
    })
}

/// Before: `"{self:?} of {n}", x`. After: `"{self:?} of {n}", x, self = self_`.
fn rewrite_format(input: TokenStream, position: Position, this: &str) -> Option<TokenStream> {
    let mut tokens = list(input);
    let parts = tokens.split(|token| is_punct(Some(token), ','));
    let mut strings = parts.enumerate().filter_map(|(part, tokens)| match (position, tokens) {
        (Position::First, _) if part > 0 => None,
        (Position::From(number), _) if part < number => None,
        (_, [TokenTree::Literal(literal)]) => Some(literal),
        _ => None,
    });
    let string = strings.next().filter(|string| captures_self(string))?;
    let at = string.span();
    let comma = tokens.last().is_some_and(|last| !is_punct(Some(last), ',')).then(|| Punct::new(',', Spacing::Alone));
    let (name, value) = (Ident::new("self", at), binding(this, at));
    tokens.extend(comma.map(TokenTree::from));
    tokens.extend([name.into(), Punct::new('=', Spacing::Alone).into(), value.into()]);
    Some(tokens.into_iter().collect())
}

/// Whether a string, raw or not, says `{self}` or `{self:..}`; `{{self}}` is text.
fn captures_self(literal: &Literal) -> bool {
    let text = literal.to_string();
    let mut rest = text.as_str();
    while let Some(open) = rest.find('{') {
        rest = &rest[open + 1..];
        if let Some(behind) = rest.strip_prefix('{') {
            rest = behind;
        } else if rest.strip_prefix("self").is_some_and(|behind| behind.starts_with([':', '}'])) {
            return text.starts_with(['"', 'r']);
        }
    }
    false
}

/// Whether `self` is mentioned as a value.
pub(crate) fn mentions_self(tokens: &TokenStream) -> bool {
    rewrite_stream(tokens.clone(), "self_").is_some()
}

/// The tokens of an expression with each `self` made the one of the caller's side, which has this hygiene.
///
/// A field (`self.pools.io`) has it as a whole, so that the compiler takes it for one expression when it advises.
pub(crate) fn on_callers_side(tokens: TokenStream, hygiene: Span) -> TokenStream {
    let tokens = list(tokens);
    let is_field =
        is_ident(tokens.first(), "self") && tokens.iter().skip(1).step_by(2).all(|token| is_punct(Some(token), '.'));
    let adopt = |mut token: TokenTree| match token {
        TokenTree::Group(group) => regroup(&group, on_callers_side(group.stream(), hygiene)).into(),
        _ if is_field || is_ident(Some(&token), "self") => {
            token.set_span(hygiene.located_at(token.span()));
            token
        }
        token => token,
    };
    tokens.into_iter().map(adopt).collect()
}
