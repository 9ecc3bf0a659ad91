//! The options: what stands in the parentheses of `#[blocking(...)]`.
//!
//! Every option is read even after a mistake in another, so that all mistakes are reported at once.
//! Which options may stand together is decided in `plan.rs`.

use crate::errors::Errors;
use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::spanned::Spanned as _;
use syn::{Expr, Lifetime, Lit, LitStr, Path, Result, Token, parenthesized};

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

/// What the impl block around a method is.
pub(crate) enum Place {
    /// `impl Type` or `trait Name`: `Self::name` is the method.
    Type,
    /// `impl Trait for Type`: `<Self as Trait>::name` is.
    Trait(Path),
}

/// The names of all options.
pub(crate) const OPTIONS: [&str; 12] =
    ["executor", "sync", "wait", "handle", "boxed", "stream", "refused", "panicked", "with", "remote", "name", "crate"];

/// What people write for an option, beside its own name slightly misspelled.
const ALSO: [(&str, &[&str]); 12] = [
    ("executor = ...", &["exec", "pool", "on", "run_on", "field", "runtime", "threads"]),
    ("sync = ...", &["blocking", "keep", "twin", "synchronous", "sync_fn"]),
    ("wait", &["reserve", "room", "wait_for_room", "backpressure", "queue", "block"]),
    ("handle", &["job", "job_handle", "spawn", "detach"]),
    ("boxed", &["box", "dyn", "async_trait", "pin"]),
    ("stream", &["iter", "iterator", "items", "generate", "generator", "yield", "yields"]),
    ("refused = ...", &["refusal", "error", "on_error", "map_err", "err"]),
    ("panicked = ...", &["panic", "on_panic", "catch", "catch_unwind"]),
    ("with(...)", &["capture", "captures", "clone", "move"]),
    ("remote", &["process", "processes", "distributed", "rpc", "worker"]),
    ("name = ...", &["id", "key", "rename", "function"]),
    ("crate = ...", &["krate", "path", "offload", "offload_runtime"]),
];

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
        options
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
        let Ok(name) = input.fork().call(Ident::parse_any) else {
            let at = input.span();
            return Err(syn::Error::new(at, format!("expected an option: {}", list_of_options())));
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
            text => return Err(syn::Error::new(name.span(), unknown(text))),
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
    if input.is_empty() || input.peek(Token![,]) || next_option(input).is_some() {
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

fn twin(input: ParseStream) -> Result<Path> {
    let message = "expected a name for the synchronous method; write `sync = find_sync`";
    let begin = input.fork();
    let path = input.parse::<Path>().map_err(|_| syn::Error::new_spanned(rest_of_option(&begin), message))?;
    match path.segments.last() {
        Some(last) if last.arguments.is_none() => Ok(path),
        _ => Err(syn::Error::new_spanned(path, message)),
    }
}

fn runtime(input: ParseStream) -> Result<Path> {
    let begin = input.fork();
    let message = "expected a path to `offload_runtime`; write `crate = my_crate::offload_runtime`";
    let path = input.call(Path::parse_mod_style);
    match path {
        Ok(path) if input.is_empty() || input.peek(Token![,]) || next_option(input).is_some() => Ok(path),
        _ => Err(syn::Error::new_spanned(rest_of_option(&begin), message)),
    }
}

fn function_name(input: ParseStream) -> Result<LitStr> {
    let message = "expected what the function is called on every build; write `name = \"pictures.scale\"`";
    let begin = input.fork();
    let text: LitStr = input.parse().map_err(|_| syn::Error::new_spanned(rest_of_option(&begin), message))?;
    if text.value().is_empty() { Err(syn::Error::new(text.span(), message)) } else { Ok(text) }
}

fn boxed(name: &Ident, input: ParseStream) -> Result<BoxedArg> {
    let mut boxed = BoxedArg { at: name.span(), lifetime: None, is_send: true };
    if !input.peek(Token![=]) {
        flag(name, input)?;
        return Ok(boxed);
    }
    input.parse::<Token![=]>()?;
    loop {
        if input.peek(Lifetime) && boxed.lifetime.is_none() {
            boxed.lifetime = Some(input.parse()?);
        } else if input.peek(Token![?]) && boxed.is_send {
            input.parse::<Token![?]>()?;
            let word = input.call(Ident::parse_any)?;
            if word != "Send" {
                return Err(syn::Error::new(word.span(), "expected `Send`; write `boxed = ?Send`"));
            }
            boxed.is_send = false;
        } else {
            let message = "expected a lifetime or `?Send`; write `boxed`, `boxed = '_` or `boxed = ?Send`";
            return Err(syn::Error::new_spanned(rest_of_option(input), message));
        }
        if !input.peek(Token![+]) {
            return Ok(boxed);
        }
        input.parse::<Token![+]>()?;
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
    if content.is_empty() { Ok(Place::Type) } else { content.parse().map(Place::Trait) }
}

/// The name of the option that follows, if one does.
fn next_option(input: ParseStream) -> Option<Ident> {
    let name = input.fork().call(Ident::parse_any).ok()?;
    OPTIONS.iter().any(|option| name == option).then_some(name)
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
    let quoted: Vec<String> = OPTIONS.iter().map(|name| format!("`{name}`")).collect();
    let (last, others) = quoted.split_last().expect("there are options");
    format!("{} or {last}", others.join(", "))
}

fn unknown(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let also = ALSO.iter().find(|(_, names)| names.contains(&lower.as_str())).map(|(meant, _)| *meant);
    let close = || {
        let distances = OPTIONS.iter().zip(ALSO).map(|(option, (meant, _))| (distance(&lower, option), meant));
        distances.filter(|(distance, _)| *distance <= 2).min().map(|(_, meant)| meant)
    };
    match also.or_else(close) {
        Some(meant) => format!("unknown option `{name}`; did you mean `{meant}`?"),
        None => format!("unknown option `{name}`; expected {}", list_of_options()),
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
