//! Attributes on the method: where each one is sent, and what it reads.
//!
//! The async function keeps them all. The synchronous twin gets the compiler's own ones; attributes of other
//! macros (`#[tracing::instrument]`) go to the async function alone, so that they act once.

use crate::tokens::{self, is_ident, is_punct};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::ext::IdentExt as _;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Attribute, FnArg, Meta, PatType, Path, Receiver, Token, parse_quote};

/// What an attribute of ours says of an argument.
pub(crate) struct Mark {
    pub(crate) kind: MarkKind,
    pub(crate) attr: Attribute,
}

/// The attributes that an argument may bear.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum MarkKind {
    /// `#[into] key: Vec<u8>`: the caller gives an `impl Into<Vec<u8>>`.
    Into,
    /// `#[as_ref] path: &Path`: the caller gives an `impl AsRef<Path>`.
    AsRef,
    /// `#[state] conn: &mut Connection`: the worker's thread owns it.
    State,
    /// `#[out] rows: &mut Yielder<Row>`: what the body of a stream sends to.
    Out,
}

impl Mark {
    /// Takes the mark of an argument from among its attributes.
    pub(crate) fn take(input: &mut FnArg) -> Option<Self> {
        let (FnArg::Receiver(Receiver { attrs, .. }) | FnArg::Typed(PatType { attrs, .. })) = input;
        let kind = |attr: &Attribute| match attr.path().get_ident()?.to_string().as_str() {
            "into" => Some(MarkKind::Into),
            "as_ref" => Some(MarkKind::AsRef),
            "state" => Some(MarkKind::State),
            "out" => Some(MarkKind::Out),
            _ => None,
        };
        let (at, kind) = attrs.iter().enumerate().find_map(|(at, attr)| Some((at, kind(attr)?)))?;
        Some(Self { kind, attr: attrs.remove(at) })
    }

    /// Where it stands.
    pub(crate) fn at(&self) -> Span {
        self.attr.path().span()
    }
}

/// Which of the two functions gets an attribute.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Destination {
    /// The async function and the synchronous twin: `cfg`, lint levels, `must_use`, `deprecated`.
    Both,
    /// Both; but an expectation about the body is met in the twin only, so the async function allows it.
    Expectation,
    /// The async function: docs, and attributes of other macros.
    Async,
    /// The twin; without one it is a mistake: `track_caller`.
    Twin,
}

fn destination(meta: &Meta) -> Destination {
    const BUILT_IN: [&str; 13] = [
        "cfg",
        "cfg_attr",
        "must_use",
        "deprecated",
        "allow",
        "warn",
        "deny",
        "forbid",
        "inline",
        "cold",
        "target_feature",
        "optimize",
        "coverage",
    ];
    const TOOLS: [&str; 5] = ["clippy", "rustfmt", "diagnostic", "miri", "rust_analyzer"];
    let Some(first) = meta.path().segments.first().map(|first| first.ident.to_string()) else {
        return Destination::Async;
    };
    let is_alone = meta.path().segments.len() == 1;
    match first.as_str() {
        "expect" if is_alone => Destination::Expectation,
        "track_caller" if is_alone => Destination::Twin,
        // `doc(hidden)`, but no text: its examples would run twice, and show `.await` on a function that blocks.
        "doc" if is_alone && matches!(meta, Meta::List(_)) => Destination::Both,
        name if is_alone && BUILT_IN.contains(&name) => Destination::Both,
        name if !is_alone && TOOLS.contains(&name) => Destination::Both,
        _ => Destination::Async,
    }
}

/// Before: `cfg_attr(unix, must_use, instrument)`. After: `unix` and the attributes it stands for.
fn conditional(meta: &Meta) -> Option<(TokenStream, Vec<Meta>)> {
    let Meta::List(list) = meta else { return None };
    if !list.path.is_ident("cfg_attr") {
        return None;
    }
    let tokens = tokens::list(list.tokens.clone());
    let comma = tokens.iter().position(|token| is_punct(Some(token), ','))?;
    let attrs: TokenStream = tokens[comma + 1..].iter().cloned().collect();
    let attrs = syn::parse::Parser::parse2(Punctuated::<Meta, Token![,]>::parse_terminated, attrs).ok()?;
    Some((tokens[..comma].iter().cloned().collect(), attrs.into_iter().collect()))
}

/// The attribute with each part of it put through `send`, which may drop or change it.
fn sent(attr: &Attribute, send: &dyn Fn(&Meta) -> Option<Meta>) -> Option<Attribute> {
    let meta = match conditional(&attr.meta) {
        Some((condition, attrs)) => {
            let attrs: Vec<Meta> = attrs.iter().filter_map(send).collect();
            if attrs.is_empty() {
                return None;
            }
            parse_quote!(cfg_attr(#condition, #(#attrs),*))
        }
        None => send(&attr.meta)?,
    };
    Some(Attribute { meta, ..attr.clone() })
}

/// The attributes of the async function; with a twin, what is expected of the body is expected there.
pub(crate) fn for_async(attrs: &[Attribute], has_twin: bool) -> Vec<Attribute> {
    let send = |meta: &Meta| match destination(meta) {
        Destination::Twin => None,
        Destination::Expectation if has_twin => Some(as_allowance(meta)),
        _ => Some(meta.clone()),
    };
    let attrs = attrs.iter().filter(|attr| !is_blocking(attr));
    attrs.filter_map(|attr| sent(attr, &send)).collect()
}

/// The attributes of the twin.
pub(crate) fn for_twin(attrs: &[Attribute]) -> Vec<Attribute> {
    let send = |meta: &Meta| (destination(meta) != Destination::Async).then(|| meta.clone());
    attrs.iter().filter_map(|attr| sent(attr, &send)).collect()
}

/// The attributes for where an argument is handed on: what it expects of its binding is only found at the `let`
/// with the user's pattern, and is allowed elsewhere.
pub(crate) fn handed_on(attrs: &[Attribute]) -> Vec<Attribute> {
    let send = |meta: &Meta| {
        Some(if destination(meta) == Destination::Expectation { as_allowance(meta) } else { meta.clone() })
    };
    attrs.iter().filter_map(|attr| sent(attr, &send)).collect()
}

/// Before: `expect(lint, reason = "..")`. After: `allow(lint, reason = "..")`.
fn as_allowance(meta: &Meta) -> Meta {
    let mut meta = meta.clone();
    if let Meta::List(list) = &mut meta {
        list.path = Ident::new("allow", list.path.segments[0].ident.span()).into();
    }
    meta
}

/// The name of an attribute: `instrument` of `#[tracing::instrument]`.
pub(crate) fn name(attr: &Attribute) -> Option<&Ident> {
    Some(&attr.path().segments.last()?.ident)
}

/// Whether it is `#[blocking]`, under whatever path.
pub(crate) fn is_blocking(attr: &Attribute) -> bool {
    name(attr).is_some_and(|name| name == "blocking")
}

/// The `track_caller` of a method, if it has one.
pub(crate) fn track_caller(attrs: &[Attribute]) -> Option<&Attribute> {
    attrs.iter().find(|attr| destination(&attr.meta) == Destination::Twin)
}

/// The `test` of a method, if it has one, as the compiler or the macro of a runtime wrote it.
pub(crate) fn plain_test(attrs: &[Attribute]) -> Option<&Path> {
    let is_test =
        |path: &&Path| path.is_ident("test") || path.segments.len() > 2 && path.segments[1].ident == "prelude";
    attrs
        .iter()
        .map(Attribute::path)
        .find(|path| is_test(path) && path.segments.last().is_some_and(|last| last.ident == "test"))
}

/// Whether another macro is given the async function by one of the attributes.
pub(crate) fn are_read(attrs: &[Attribute]) -> bool {
    attrs.iter().any(sees_the_signature)
}

fn sees_the_signature(attr: &Attribute) -> bool {
    let is_macro = |meta: &Meta| destination(meta) == Destination::Async && !meta.path().is_ident("doc");
    match conditional(&attr.meta) {
        Some((_, attrs)) => attrs.iter().any(is_macro),
        None => is_macro(&attr.meta) && !is_blocking(attr),
    }
}

/// Whether another macro uses the argument `name`: `#[instrument]` records it, unless told to skip it.
pub(crate) fn use_argument(attrs: &[Attribute], name: &str) -> bool {
    attrs.iter().filter(|attr| sees_the_signature(attr)).any(|attr| {
        let inside = tokens::list(attr.meta.to_token_stream());
        if !tokens::mentions(&inside, "instrument") {
            return tokens::mentions(&inside, name);
        }
        let (skipped, recorded) = split_skip(&inside);
        let is_skipped = tokens::mentions(&recorded, "skip_all") || tokens::mentions(&skipped, name);
        !is_skipped || tokens::mentions(&recorded, name)
    })
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

/// Whether one of the attributes is `#[name]`, such as `deprecated`, or `cfg`, which may take away what it stands on.
pub(crate) fn have(attrs: &[Attribute], name: &str) -> bool {
    attrs.iter().any(|attr| attr.path().is_ident(name))
}

/// What the twin's docs say in place of the method's.
pub(crate) fn docs_of_twin(name: &Ident) -> TokenStream {
    let text = format!(" The synchronous form of `{}`: it blocks the calling thread.", name.unraw());
    quote!(#[doc = #text])
}
