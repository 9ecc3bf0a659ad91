//! The options: what stands in the parentheses of `#[blocking(...)]`.
//!
//! Every option is read even after a mistake in another, so that all mistakes are reported at once.
//! Which options cannot stand together is the table in [`Options::check`].

use crate::errors::Errors;
use crate::types::shown;
use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::spanned::Spanned as _;
use syn::{Expr, ExprLit, Lifetime, Lit, LitStr, Path, Result, Token, TypeParamBound, parenthesized};

/// The options of one attribute.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) executor: Option<ExecutorArg>,
    /// The twin's name, or the path that leads to it.
    pub(crate) sync: Option<Path>,
    /// The word `handle`, where it stands.
    pub(crate) handle: Option<Span>,
    pub(crate) boxed: Option<BoxedArg>,
    pub(crate) refused: Option<ConversionArg>,
    pub(crate) panicked: Option<ConversionArg>,
    pub(crate) with: Vec<Capture>,
    /// The word `wait`, where it stands.
    pub(crate) wait: Option<Span>,
    /// The word `stream`, where it stands.
    pub(crate) stream: Option<Span>,
    /// The word `remote`, where it stands.
    pub(crate) remote: Option<Span>,
    /// What a remote function is called.
    pub(crate) name: Option<LitStr>,
    /// Where `offload_runtime` lives.
    pub(crate) runtime: Option<Path>,
    /// Written by the attribute on an impl block into the attributes of its methods.
    pub(crate) place: Option<Place>,
}

/// The value of `executor = ...`.
pub(crate) enum ExecutorArg {
    /// One name: an argument, a static or a field of `self`.
    Name(Ident),
    /// A number: a field of a tuple struct.
    Index(Literal),
    /// Any other expression.
    Expression(TokenStream),
}

/// `boxed`, `boxed = '_` or `boxed = ?Send`.
pub(crate) struct BoxedArg {
    pub(crate) at: Span,
    /// The one lifetime of the boxed future. Without it, the future has the lifetimes that async-trait writes.
    pub(crate) lifetime: Option<Lifetime>,
    pub(crate) is_send: bool,
}

/// The value of `refused = ...` or `panicked = ...`.
pub(crate) enum ConversionArg {
    /// `refused = panic`, `panicked = resume`.
    None(Span),
    By(Box<Expr>),
}

impl ConversionArg {
    pub(crate) fn span(&self) -> Span {
        match self {
            Self::None(at) => *at,
            Self::By(path) => path.span(),
        }
    }
}

/// `name = expression` inside `with(...)`.
pub(crate) struct Capture {
    pub(crate) name: Ident,
    pub(crate) value: Expr,
}

/// What is known of the impl block around a method.
pub(crate) struct Place {
    /// The trait, if it is the impl of one: `<Self as Trait>::name` is the method. Else `Self::name` is.
    pub(crate) of: Option<Path>,
    /// Whether its type borrows: `impl Cursor<'a>`.
    pub(crate) borrows: bool,
}

/// Every option: its name, how it is written, and what people write for it beside a slight misspelling.
pub(crate) const OPTIONS: [(&str, &str, &[&str]); 12] = [
    ("executor", "executor = ...", &["exec", "pool", "on", "run_on", "field", "runtime", "threads"]),
    ("sync", "sync = ...", &["blocking", "keep", "twin", "synchronous", "sync_fn"]),
    ("wait", "wait", &["reserve", "room", "wait_for_room", "backpressure", "queue", "block"]),
    ("handle", "handle", &["job", "job_handle", "spawn", "detach"]),
    ("boxed", "boxed", &["box", "dyn", "async_trait", "pin"]),
    ("stream", "stream", &["iter", "iterator", "items", "generate", "generator", "yield", "yields"]),
    ("refused", "refused = ...", &["refusal", "error", "on_error", "map_err", "err"]),
    ("panicked", "panicked = ...", &["panic", "on_panic", "catch", "catch_unwind"]),
    ("with", "with(...)", &["capture", "captures", "clone", "move"]),
    ("remote", "remote", &["process", "processes", "distributed", "rpc", "worker"]),
    ("name", "name = ...", &["id", "key", "rename", "function"]),
    ("crate", "crate = ...", &["krate", "path", "offload", "offload_runtime"]),
];

/// Whether an option is called so.
pub(crate) fn is_option(name: &Ident) -> bool {
    OPTIONS.iter().any(|(option, ..)| name == option)
}

impl Options {
    /// The path of `offload_runtime`.
    pub(crate) fn runtime(&self) -> TokenStream {
        self.runtime.as_ref().map_or_else(|| quote!(::offload_runtime), ToTokens::to_token_stream)
    }

    /// Reads the options; what cannot be read is reported and left out.
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        let read = |input: ParseStream| {
            options.read_all(input, errors);
            Ok(())
        };
        if let Err(mistake) = read.parse2(tokens) {
            errors.push(mistake);
        }
        options.check(errors);
        options
    }

    /// Reports the options that contradict one another, each at the first of the two.
    fn check(&self, errors: &mut Errors) {
        let &Self { handle, wait, stream, remote, .. } = self;
        let boxed = self.boxed.as_ref().map(|boxed| boxed.at);
        let lifetime = self.boxed.as_ref().and_then(|boxed| boxed.lifetime.as_ref()).map(Lifetime::span);
        let [refused, panicked] = [&self.refused, &self.panicked].map(|by| by.as_ref().map(ConversionArg::span));
        let sync = self.sync.as_ref().and_then(|path| path.segments.last()).map(|last| last.ident.span());
        let with = self.with.first().map(|capture| capture.name.span());
        let is_resolved = "a `JobHandle` resolves to the refusal or the panic itself; remove this option, or `handle`";
        let contradictions = [
            (boxed, handle, "`boxed` and `handle` are two different results; keep one of the two"),
            (handle, stream, "`stream` and `handle` are two different results; keep one of the two"),
            (boxed, stream, "`stream` and `boxed` are two different results; a `BlockingStream` needs no box"),
            (refused, handle, is_resolved),
            (panicked, handle, is_resolved),
            (
                wait,
                handle,
                "`handle` submits in the call itself, which cannot wait; remove `handle`, or remove `wait` and submit \
                 by `executor.reserve().await?.submit(..)`",
            ),
            (
                lifetime,
                wait,
                "with a lifetime, `boxed` takes the arguments in the call itself, before there is room; write `boxed` \
                 alone, or remove `wait`",
            ),
            (
                wait,
                stream,
                "`stream` and `wait` cannot stand together; await `reserve()` on the executor before you poll the \
                 stream",
            ),
            (wait, remote, "a remote executor has no line to wait in: its `queue_capacity` refuses; remove `wait`"),
            (
                remote,
                stream,
                "`stream` and `remote` cannot stand together: the items of a remote call would cross one by one",
            ),
            (
                sync,
                remote,
                "`remote` and `sync` cannot stand together; put the body into a function of your own, and call that",
            ),
            (with, remote, "what `with` captures stays in this process; make it an argument"),
            (
                with,
                sync,
                "`with` and `sync` cannot stand together: the twin has no `self` to take it from; call a method of \
                 your own",
            ),
        ];
        for (one, other, message) in contradictions {
            if let (Some(at), Some(_)) = (one, other) {
                errors.at(at, message);
            }
        }
        if let (Some(name), None) = (&self.name, remote) {
            errors.at(name.span(), "a `name` is for remote functions; write `remote, name = ...`, or remove it");
        }
    }

    fn read_all(&mut self, input: ParseStream, errors: &mut Errors) {
        let mut seen: Vec<Ident> = Vec::new();
        while !input.is_empty() {
            match self.read(input, &mut seen) {
                Ok(()) if input.is_empty() || input.peek(Token![,]) => {}
                Ok(()) => match next_option(input) {
                    // What follows is read as if the comma were there.
                    Some(name) => {
                        errors.at(name.span(), format!("expected `,` before `{name}`"));
                        continue;
                    }
                    None => errors.under(rest_of_option(input), "expected `,` and another option"),
                },
                Err(mistake) => {
                    errors.push(mistake);
                    rest_of_option(input);
                }
            }
            if let Ok(None) = input.parse::<Option<Token![,]>>() {
                rest_of_option(input);
            }
        }
    }

    fn read(&mut self, input: ParseStream, seen: &mut Vec<Ident>) -> Result<()> {
        let (at, behind) = (input.span(), input.fork());
        let Some(name) = behind.call(Ident::parse_any).ok().filter(|name| is_option(name) || name == "impl") else {
            return Err(syn::Error::new(at, no_option(&rest_of_option(input))));
        };
        input.call(Ident::parse_any)?;
        if seen.contains(&name) {
            return Err(syn::Error::new(name.span(), format!("`{name}` is given twice; keep one of the two")));
        }
        seen.push(name.clone());
        match name.to_string().as_str() {
            "executor" => self.executor = value(&name, "executor = io", input, executor)?,
            "sync" => self.sync = value(&name, "sync = find_sync", input, twin)?,
            "crate" => self.runtime = value(&name, "crate = my_crate::offload_runtime", input, runtime)?,
            "refused" => self.refused = value(&name, "refused = Error::from_refusal", input, refused)?,
            "panicked" => self.panicked = value(&name, "panicked = Error::from_panic", input, panicked)?,
            "handle" => self.handle = Some(flag(&name, input)?),
            "wait" => self.wait = Some(flag(&name, input)?),
            "stream" => self.stream = Some(flag(&name, input)?),
            "remote" => self.remote = Some(flag(&name, input)?),
            "name" => self.name = value(&name, "name = \"pictures.scale\"", input, function_name)?,
            "boxed" => self.boxed = Some(boxed(&name, input)?),
            "with" => self.with = captures(&name, input)?,
            "impl" => self.place = Some(place(input)?),
            _ => {}
        }
        Ok(())
    }
}

/// Reads the `=` behind an option's name, and the value.
fn value<T>(name: &Ident, like: &str, input: ParseStream, read: fn(ParseStream) -> Result<T>) -> Result<Option<T>> {
    let lacks_value = |at| Err(syn::Error::new(at, format!("`{name}` needs a value; write `{like}`")));
    if input.is_empty() || input.peek(Token![,]) {
        return lacks_value(name.span());
    }
    let Ok(equals) = input.parse::<Token![=]>() else {
        let message = format!("expected `=` and a value behind `{name}`; write `{like}`");
        return Err(syn::Error::new_spanned(rest_of_option(input), message));
    };
    if input.is_empty() || input.peek(Token![,]) {
        return lacks_value(equals.span);
    }
    read(input).map(Some)
}

fn flag(name: &Ident, input: ParseStream) -> Result<Span> {
    if is_at_end(input) {
        return Ok(name.span());
    }
    let message = format!("`{name}` takes no value; write `{name}` alone");
    Err(syn::Error::new_spanned(rest_of_option(input), message))
}

fn executor(input: ParseStream) -> Result<ExecutorArg> {
    let expression: Expr = input.parse()?;
    let wrong = |literal: &dyn ToTokens, name: &str| {
        let message = format!("expected a field or an expression; write `executor = {name}`");
        Err(syn::Error::new_spanned(literal.to_token_stream(), message))
    };
    match &expression {
        Expr::Path(path) if path.attrs.is_empty() && path.qself.is_none() => match path.path.get_ident() {
            Some(name) if name != "self" => Ok(ExecutorArg::Name(name.clone())),
            _ => Ok(ExecutorArg::Expression(path.to_token_stream())),
        },
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) if number.suffix().is_empty() => Ok(ExecutorArg::Index(number.token())),
            Lit::Str(text) if syn::parse_str::<Ident>(&text.value()).is_ok() => wrong(text, &text.value()),
            other => wrong(other, "io"),
        },
        other => Ok(ExecutorArg::Expression(other.to_token_stream())),
    }
}

/// Reads a value that fills the option, or says what it should be.
fn whole<T: Parse>(input: ParseStream, message: &str) -> Result<T> {
    let begin = input.fork();
    match input.parse() {
        Ok(value) if is_at_end(input) => Ok(value),
        _ => Err(syn::Error::new_spanned(rest_of_option(&begin), message)),
    }
}

/// Reads a path without generic arguments.
fn plain_path(input: ParseStream, message: &str) -> Result<Path> {
    let path: Path = whole(input, message)?;
    let is_plain = path.segments.last().is_some_and(|last| last.arguments.is_none());
    if is_plain { Ok(path) } else { Err(syn::Error::new_spanned(path, message)) }
}

fn twin(input: ParseStream) -> Result<Path> {
    plain_path(input, "expected a name for the synchronous method; write `sync = find_sync`")
}

fn runtime(input: ParseStream) -> Result<Path> {
    plain_path(input, "expected a path to `offload_runtime`; write `crate = my_crate::offload_runtime`")
}

fn function_name(input: ParseStream) -> Result<LitStr> {
    let message = "expected what the function is called on every build; write `name = \"pictures.scale\"`";
    let text: LitStr = whole(input, message)?;
    if text.value().is_empty() { Err(syn::Error::new(text.span(), message)) } else { Ok(text) }
}

/// Reads what may stand behind `boxed`: `= '_ + ?Send`, one of the two, or nothing.
fn boxed(name: &Ident, input: ParseStream) -> Result<BoxedArg> {
    let mut boxed = BoxedArg { at: name.span(), lifetime: None, is_send: true };
    if !input.peek(Token![=]) {
        flag(name, input)?;
        return Ok(boxed);
    }
    input.parse::<Token![=]>()?;
    let message = "expected a lifetime or `?Send`; write `boxed`, `boxed = '_` or `boxed = ?Send`";
    loop {
        let begin = input.fork();
        match input.parse() {
            Ok(TypeParamBound::Lifetime(lifetime)) if boxed.lifetime.is_none() => boxed.lifetime = Some(lifetime),
            Ok(TypeParamBound::Trait(found)) if found.maybe.is_some() && found.path.is_ident("Send") => {
                boxed.is_send = false;
            }
            _ => return Err(syn::Error::new_spanned(rest_of_option(&begin), message)),
        }
        if input.parse::<Option<Token![+]>>()?.is_none() {
            return Ok(boxed);
        }
    }
}

fn refused(input: ParseStream) -> Result<ConversionArg> {
    conversion(input, "panic")
}

fn panicked(input: ParseStream) -> Result<ConversionArg> {
    conversion(input, "resume")
}

/// Reads a function or a closure, or the word for no conversion.
fn conversion(input: ParseStream, none: &str) -> Result<ConversionArg> {
    let expression: Expr = input.parse()?;
    if let Expr::Path(path) = &expression
        && let Some(word) = path.path.get_ident().filter(|word| *word == none)
    {
        return Ok(ConversionArg::None(word.span()));
    }
    Ok(ConversionArg::By(Box::new(expression)))
}

/// Reads `with(inner = self.inner.clone(), ..)`.
fn captures(name: &Ident, input: ParseStream) -> Result<Vec<Capture>> {
    const LIKE: &str = "`with` lists what crosses; write `with(inner = self.inner.clone())`";
    if !input.peek(syn::token::Paren) {
        return Err(syn::Error::new(name.span(), LIKE));
    }
    let content;
    parenthesized!(content in input);
    let capture = |input: ParseStream| {
        let name = input.parse().map_err(|mistake: syn::Error| syn::Error::new(mistake.span(), LIKE))?;
        input.parse::<Token![=]>().map_err(|mistake| syn::Error::new(mistake.span(), LIKE))?;
        Ok(Capture { name, value: input.parse()? })
    };
    Ok(content.parse_terminated(capture, Token![,])?.into_iter().collect())
}

fn place(input: ParseStream) -> Result<Place> {
    let content;
    parenthesized!(content in input);
    let borrows = content.parse::<Option<Token![&]>>()?.is_some();
    let of = if content.is_empty() { None } else { Some(content.parse()?) };
    Ok(Place { of, borrows })
}

/// The name of the option that follows, if one does.
fn next_option(input: ParseStream) -> Option<Ident> {
    input.fork().call(Ident::parse_any).ok().filter(is_option)
}

/// Whether an option ends here; the comma behind it may be missing.
fn is_at_end(input: ParseStream) -> bool {
    input.is_empty() || input.peek(Token![,]) || next_option(input).is_some()
}

/// Takes what is left of an option, up to its comma.
fn rest_of_option(input: ParseStream) -> TokenStream {
    let mut rest = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        rest.extend(input.parse::<TokenTree>());
    }
    rest
}

/// After: "`executor`, `sync` or `handle`".
fn list_of_options() -> String {
    let quoted = OPTIONS.map(|(name, ..)| format!("`{name}`"));
    let (last, others) = quoted.split_last().expect("there are options");
    format!("{} or {last}", others.join(", "))
}

/// What to say of something else than an option: it is misspelled, or it is an executor.
fn no_option(tokens: &TokenStream) -> String {
    let first = tokens.clone().into_iter().next().map(|first| first.to_string()).unwrap_or_default();
    let executor = match syn::parse2(tokens.clone()) {
        Ok(Expr::Path(path)) if path.path.get_ident().is_none() => Some(shown(&path)),
        Ok(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) if syn::parse_str::<Ident>(&text.value()).is_ok() => {
            Some(text.value())
        }
        Ok(found @ (Expr::Field(_) | Expr::MethodCall(_) | Expr::Reference(_) | Expr::Unary(_) | Expr::Index(_))) => {
            Some(shown(&found))
        }
        _ => None,
    };
    if let Some(executor) = executor.map(|executor| executor.replace(" (", "(")) {
        return format!("expected an option; to run on `{executor}`, write `executor = {executor}`");
    }
    let lower = first.to_ascii_lowercase();
    let also = OPTIONS.iter().find(|(.., also)| also.contains(&lower.as_str()));
    let close = || OPTIONS.iter().filter(|(option, ..)| distance(&lower, option) <= 2);
    let meant = also.or_else(|| close().min_by_key(|(option, ..)| distance(&lower, option)));
    match meant {
        Some((_, shown, _)) => format!("unknown option `{first}`; did you mean `{shown}`?"),
        None if !lower.starts_with(char::is_alphabetic) => format!("expected an option: {}", list_of_options()),
        None if tokens.clone().into_iter().nth(1).is_none() => {
            format!(
                "unknown option `{first}`; for an executor write `executor = {first}`; expected {}",
                list_of_options()
            )
        }
        None => format!("unknown option `{first}`; expected {}", list_of_options()),
    }
}

/// How many letters must be put in, taken out or replaced to make `to` of `from`.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, letter) in from.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (to_at, other) in to.bytes().enumerate() {
            let replaced = diagonal + usize::from(letter != other);
            diagonal = row[to_at + 1];
            row[to_at + 1] = replaced.min(diagonal + 1).min(row[to_at] + 1);
        }
    }
    row[to.len()]
}
