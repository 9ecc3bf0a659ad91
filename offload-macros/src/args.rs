//! The options: what stands in the parentheses of `#[blocking(...)]`.
//!
//! Every option is read even after a mistake in another, so that all mistakes are reported at once.
//! Which options may stand together is decided in `validate.rs`.

use crate::errors::Errors;
use crate::tokens::{self, is_path_separator, is_punct};
use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use std::fmt::Write as _;

/// The options of one attribute.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) executor: Option<ExecutorArg>,
    pub(crate) sync: Option<Ident>,
    /// The word `handle`, where it stands.
    pub(crate) handle: Option<Span>,
    /// The word `boxed`, where it stands.
    pub(crate) boxed: Option<Span>,
    /// Where `offload_runtime` lives.
    pub(crate) runtime: Option<TokenStream>,
}

/// The value of `executor = ...`.
pub(crate) enum ExecutorArg {
    /// One name: a field of `self`, or a path where there is no `self`.
    Name(Ident),
    /// A number: a field of a tuple struct.
    Index(Literal),
    /// Any other expression.
    Expression(Vec<TokenTree>),
}

const OPTIONS: [&str; 5] = ["executor", "sync", "handle", "boxed", "crate"];

impl Args {
    /// Reads the options; what cannot be read is reported and left out.
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let tokens = tokens::list(tokens);
        let mut args = Self::default();
        let mut seen: Vec<String> = Vec::new();
        for option in split_options(&tokens, errors) {
            let Some(TokenTree::Ident(name)) = option.first() else {
                errors.under(option, format!("expected an option: {}", list_of_options()));
                continue;
            };
            let text = name.to_string();
            if OPTIONS.contains(&text.as_str()) && seen.contains(&text) {
                errors.at(name.span(), format!("`{text}` is given twice; keep one of the two"));
                continue;
            }
            args.read(&text, name, &option[1..], errors);
            seen.push(text);
        }
        args
    }

    fn read(&mut self, text: &str, name: &Ident, rest: &[TokenTree], errors: &mut Errors) {
        match text {
            "executor" => self.executor = value(name, rest, "executor = io", errors).and_then(|v| executor(v, errors)),
            "sync" => self.sync = value(name, rest, "sync = find_sync", errors).and_then(|v| twin_name(v, errors)),
            "crate" => {
                self.runtime = value(name, rest, "crate = my_crate::offload_runtime", errors)
                    .and_then(|value| path(value, errors));
            }
            "handle" if is_flag(name, rest, errors) => self.handle = Some(name.span()),
            "boxed" if is_flag(name, rest, errors) => self.boxed = Some(name.span()),
            "handle" | "boxed" => {}
            _ => errors.at(name.span(), unknown(text)),
        }
    }
}

/// Splits at commas, except those of generic arguments: `executor = pool::<A, B>(), handle`.
///
/// Where a comma is missing before an option, it is reported and taken for given.
fn split_options<'a>(tokens: &'a [TokenTree], errors: &mut Errors) -> Vec<&'a [TokenTree]> {
    let mut options = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < tokens.len() {
        let opens_a_list = is_punct(tokens.get(at), '<')
            && (at > 1 && is_path_separator(tokens, at - 2) || at > 0 && is_punct(tokens.get(at - 1), '='));
        if opens_a_list {
            at = tokens::behind_angles(tokens, at);
        } else if is_punct(tokens.get(at), ',') {
            options.push(&tokens[start..at]);
            at += 1;
            start = at;
        } else {
            if let Some(name) = lacks_comma(&tokens[start..], at - start) {
                errors.at(name.span(), format!("expected `,` before `{name}`"));
                options.push(&tokens[start..at]);
                start = at;
            }
            at += 1;
        }
    }
    if start < tokens.len() {
        options.push(&tokens[start..]);
    }
    options
}

/// The option at `at`, if what stands before it is a whole option: no expression has two names side by side.
fn lacks_comma(tokens: &[TokenTree], at: usize) -> Option<&Ident> {
    let (Some(TokenTree::Ident(name)), Some(before)) = (tokens.get(at), at.checked_sub(1)) else { return None };
    let is_ended = match &tokens[before] {
        TokenTree::Ident(word) => word == "self" || syn::parse2::<Ident>(word.to_token_stream()).is_ok(),
        TokenTree::Group(_) | TokenTree::Literal(_) => true,
        TokenTree::Punct(_) => false,
    };
    (is_ended && OPTIONS.contains(&name.to_string().as_str())).then_some(name)
}

/// What stands behind `name =`.
fn value<'a>(name: &Ident, rest: &'a [TokenTree], like: &str, errors: &mut Errors) -> Option<&'a [TokenTree]> {
    match rest {
        [equals, value @ ..] if is_punct(Some(equals), '=') && !value.is_empty() => Some(value),
        [] => {
            errors.at(name.span(), format!("`{name}` needs a value; write `{like}`"));
            None
        }
        [equals] if is_punct(Some(equals), '=') => {
            errors.at(equals.span(), format!("`{name}` needs a value; write `{like}`"));
            None
        }
        _ => {
            errors.under(rest, format!("expected `=` and a value behind `{name}`; write `{like}`"));
            None
        }
    }
}

fn is_flag(name: &Ident, rest: &[TokenTree], errors: &mut Errors) -> bool {
    if !rest.is_empty() {
        errors.under(rest, format!("`{name}` takes no value; write `{name}` alone"));
    }
    rest.is_empty()
}

fn executor(value: &[TokenTree], errors: &mut Errors) -> Option<ExecutorArg> {
    match value {
        [TokenTree::Ident(name)] if name != "self" => Some(ExecutorArg::Name(name.clone())),
        [TokenTree::Literal(literal)] => {
            let text = literal.to_string();
            if text.bytes().all(|byte| byte.is_ascii_digit()) {
                return Some(ExecutorArg::Index(literal.clone()));
            }
            let name = text.trim_matches('"');
            let is_a_name = text.starts_with('"') && !name.is_empty();
            let name = if is_a_name { name } else { "io" };
            errors.at(literal.span(), format!("expected a field or an expression; write `executor = {name}`"));
            None
        }
        _ => Some(ExecutorArg::Expression(value.to_vec())),
    }
}

fn twin_name(value: &[TokenTree], errors: &mut Errors) -> Option<Ident> {
    // No keyword is one.
    if let Ok(name) = syn::parse2(value.iter().cloned().collect()) {
        return Some(name);
    }
    errors.under(value, "expected a name for the synchronous method; write `sync = find_sync`");
    None
}

fn path(value: &[TokenTree], errors: &mut Errors) -> Option<TokenStream> {
    let is_a_path = value.iter().all(|token| match token {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => matches!(punct.as_char(), ':' | '$'),
        TokenTree::Group(group) => group.delimiter() == proc_macro2::Delimiter::None,
        TokenTree::Literal(_) => false,
    });
    if is_a_path {
        return Some(value.iter().cloned().collect());
    }
    errors.under(value, "expected a path to `offload_runtime`; write `crate = my_crate::offload_runtime`");
    None
}

fn list_of_options() -> String {
    let mut text = String::new();
    for (at, name) in OPTIONS.iter().enumerate() {
        let separator = match at {
            0 => "",
            _ if at + 1 == OPTIONS.len() => " or ",
            _ => ", ",
        };
        write!(text, "{separator}`{name}`").expect("writing to a `String` never fails");
    }
    text
}

fn unknown(name: &str) -> String {
    let meant = match name.to_ascii_lowercase().as_str() {
        "exec" | "executer" | "executors" | "pool" | "on" | "run_on" | "field" | "runtime" => "executor = ...",
        "blocking" | "keep" | "twin" | "synchronous" | "sync_fn" => "sync = ...",
        "handles" | "job" | "job_handle" | "spawn" | "detach" => "handle",
        "box" | "dyn" | "async_trait" | "pin" => "boxed",
        "krate" | "path" | "offload" | "offload_runtime" => "crate = ...",
        _ => return format!("unknown option `{name}`; expected {}", list_of_options()),
    };
    format!("unknown option `{name}`; did you mean `{meant}`?")
}
