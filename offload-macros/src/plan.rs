//! The rules, one small function each, and the [`Plan`] that is left when they have been checked.
//!
//! A plan is made even of a method that breaks rules: its signature is final, and is still emitted, so that
//! callers see no second error.

use crate::arguments::{Argument, Crossing, Part, Surroundings};
use crate::attributes::{self, Mark, MarkKind};
use crate::errors::Errors;
use crate::function::Function;
use crate::options::{ExecutorArg, Options, Place};
use crate::remote_rules;
use crate::self_rewrite::{self, Rewritten};
use crate::state;
use crate::stream::{self, Stream};
use crate::tokens::{self, list};
use crate::types::{self, shown};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::ext::IdentExt as _;
use syn::{FnArg, Lifetime, Path, Type};

/// A method with every decision made; the modules behind this one only read it.
pub(crate) struct Plan {
    pub(crate) options: Options,
    pub(crate) function: Function,
    /// One for each input of the signature; `self` is the first.
    pub(crate) arguments: Vec<Argument>,
    pub(crate) body: Option<Rewritten>,
    pub(crate) output: Output,
    pub(crate) executor: Executor,
    pub(crate) access: Access,
    pub(crate) twin: Option<Twin>,
    /// Whether `Self` is known to be the type that the method belongs to.
    pub(crate) has_self_type: bool,
    /// Whether the body, as it stands, is that of an `async fn` with this signature. Needed only if rules are broken.
    pub(crate) fits_unchanged: bool,
}

/// What calling the method gives.
pub(crate) enum Output {
    /// `async fn`.
    Future,
    /// A `JobHandle`, submitted already.
    Handle,
    /// A boxed future: with the given lifetime, or with the lifetimes that async-trait writes.
    Boxed { lifetime: Option<Lifetime>, is_send: bool },
    /// A `BlockingStream`, submitted when it is first polled.
    Stream(Stream),
}

/// How the executor is found.
pub(crate) enum Executor {
    /// `default_executor()`.
    Default,
    /// `self.io` or `self.0`.
    Field(TokenStream, Span),
    /// Any expression.
    Expression(TokenStream),
}

/// How a call has its executor.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Borrowed,
    /// A clone, because the value that holds it moves to the worker, be it `self` or an argument.
    Cloned,
    /// A stream keeps its executor, so it has a clone. A static, which need not be `Clone`, is used by reference.
    Kept,
}

/// The synchronous method that is kept.
pub(crate) struct Twin {
    pub(crate) name: Ident,
    /// The path by which the job calls it.
    pub(crate) path: TokenStream,
    /// Whether it must not stand in the impl of a trait: there, `Self::name` could be another method.
    pub(crate) is_guarded: bool,
}

impl Plan {
    /// Checks every rule and decides what to write.
    pub(crate) fn new(options: Options, function: Function, errors: &mut Errors) -> Self {
        check_attributes(&options, &function, errors);
        check_qualifiers(&function, errors);
        check_body(&options, &function, errors);
        state::check(&options, &function, errors);
        check_executor(&options, &function, errors);
        let executor = Executor::of(options.executor.as_ref(), &function);
        let captured: TokenStream = options.with.iter().map(|capture| capture.value.to_token_stream()).collect();
        let captured = list(captured);
        let reads = |name: &str| {
            attributes::use_argument(&function.attrs, name) || executor.reads(name) || tokens::reads(&captured, name)
        };
        let body = function.body.as_ref().map(|body| {
            let is_taken = |tokens: TokenStream| tokens::mentions(&list(tokens), "self_");
            let is_taken = is_taken(body.stream()) || is_taken(function.sig.inputs.to_token_stream());
            self_rewrite::rewrite(body, if is_taken { "__offload_self" } else { "self_" })
        });
        let around = Surroundings {
            reads: &reads,
            is_seen: attributes::are_read(&function.attrs),
            has_twin: options.sync.is_some(),
            self_name: body.as_ref().map_or("self_", |body| body.name),
        };
        let inputs = function.inputs().enumerate();
        let mut arguments: Vec<Argument> =
            inputs.map(|(number, input)| Argument::decide(number, input, &around, errors)).collect();
        check_result(&options, &function, errors);
        remote_rules::check(&options, &function, &arguments, errors);
        let stream = stream::decide(&options, &function, errors);
        let leaves_self = options.sync.is_none() && body.as_ref().is_some_and(|body| !body.mentions_self);
        for argument in &mut arguments {
            let is_clone = matches!(argument.crossing, Crossing::ClonedSelf | Crossing::Borrowed);
            argument.crosses &= !(argument.is_self && is_clone && leaves_self);
        }
        check_self(&options, &arguments, errors);
        let has_self_type = options.place.is_some() || function.names_self_type();
        let twin = options.sync.as_ref().and_then(|path| twin(path, &options, &function, has_self_type, errors));
        let output = match (options.handle, &options.boxed) {
            _ if stream.is_some() => stream.map_or(Output::Future, Output::Stream),
            (Some(_), _) => Output::Handle,
            (None, Some(boxed)) if function.result().and_then(types::find_impl_trait).is_none() => {
                Output::Boxed { lifetime: boxed.lifetime.clone(), is_send: boxed.is_send }
            }
            (None, _) => Output::Future,
        };
        let fits_unchanged = check_question_mark(&function, errors)
            && matches!(output, Output::Future)
            && function.is_complete
            && options.with.is_empty()
            && arguments.iter().all(|argument| argument.mark.is_none())
            && function.result().and_then(types::find_borrow).is_none();
        let access = match &output {
            Output::Stream(_) if !executor.is_static() => Access::Kept,
            Output::Future | Output::Handle | Output::Boxed { .. }
                if options.remote.is_none() && executor.moves_with(&arguments) =>
            {
                Access::Cloned
            }
            _ => Access::Borrowed,
        };
        Self { options, function, arguments, body, output, executor, access, twin, has_self_type, fits_unchanged }
    }

    /// Whether it can be carried out.
    pub(crate) fn is_right(&self, errors: &Errors) -> bool {
        errors.is_empty() && self.function.is_complete
    }

    /// What the worker's thread owns, if the body borrows it.
    pub(crate) fn state(&self) -> Option<&Argument> {
        self.arguments.iter().find(|argument| argument.crossing == Crossing::Lent)
    }

    /// The method's `self`, if it has one.
    pub(crate) fn receiver(&self) -> Option<&Argument> {
        self.arguments.first().filter(|argument| argument.is_self)
    }
}

impl Executor {
    fn of(arg: Option<&ExecutorArg>, function: &Function) -> Self {
        let has_self = function.sig.receiver().is_some();
        match arg {
            None if !has_self => Self::Default,
            None => {
                let at = Span::call_site().resolved_at(function.sig.ident.span());
                Self::Field(Ident::new("executor", at).into_token_stream(), at)
            }
            Some(ExecutorArg::Name(name)) if has_self && !is_value(name) && !is_argument(name, function) => {
                Self::Field(name.to_token_stream(), name.span())
            }
            Some(ExecutorArg::Index(index)) if has_self => Self::Field(index.to_token_stream(), index.span()),
            Some(ExecutorArg::Name(name)) => Self::Expression(name.to_token_stream()),
            Some(ExecutorArg::Index(index)) => Self::Expression(index.to_token_stream()),
            Some(ExecutorArg::Expression(tokens)) => Self::Expression(tokens.clone()),
        }
    }

    /// Whether it names the variable `name`.
    fn reads(&self, name: &str) -> bool {
        matches!(self, Self::Expression(tokens) if tokens::reads(&list(tokens.clone()), name))
    }

    /// Whether a value that holds it moves to the worker, be it `self` or an argument.
    fn moves_with(&self, arguments: &[Argument]) -> bool {
        let mut moved = arguments.iter().filter(|argument| argument.crossing == Crossing::Moved);
        match self {
            Self::Default => false,
            Self::Field(..) => moved.any(|argument| argument.is_self),
            Self::Expression(tokens) => moved.any(|argument| {
                let is_read = |part: &Part| self.reads(&part.outside.to_string());
                if argument.is_self { self_rewrite::mentions_self(tokens) } else { argument.parts.iter().any(is_read) }
            }),
        }
    }

    /// Whether it is `'static` as it is: the default executor, the name of a static or a path to one.
    fn is_static(&self) -> bool {
        match self {
            Self::Default => true,
            Self::Field(..) => false,
            Self::Expression(tokens) => syn::parse2::<Path>(tokens.clone())
                .is_ok_and(|path| path.segments.last().is_some_and(|last| is_value(&last.ident))),
        }
    }
}

/// Whether a name is written as that of a static, a constant or a unit struct, which no field is: `POOL`, `Inline`.
fn is_value(name: &Ident) -> bool {
    name.unraw().to_string().trim_start_matches('_').starts_with(char::is_uppercase)
}

/// Whether callers give an argument of this name. A state may be called as the field of its executor.
fn is_argument(name: &Ident, function: &Function) -> bool {
    function.inputs().any(|(input, mark)| match input {
        FnArg::Typed(typed) if !matches!(mark, Some(Mark { kind: MarkKind::State, .. })) => {
            tokens::reads(&list(typed.pat.to_token_stream()), &name.to_string())
        }
        _ => false,
    })
}

/// Decides how the job calls the twin.
fn twin(path: &Path, options: &Options, function: &Function, has_self_type: bool, errors: &mut Errors) -> Option<Twin> {
    let name = path.segments.last()?.ident.clone();
    if name == function.sig.ident {
        errors.at(name.span(), format!("the async method is called `{name}`; write `sync = {name}_sync`"));
        return None;
    }
    let at = name.span();
    let mut owner = path.clone();
    owner.segments.pop();
    owner.segments.pop_punct();
    let is_plain = owner.segments.is_empty();
    let path = match &options.place {
        Some(Place { of: Some(of), .. }) if is_plain => quote_spanned!(at=> <Self as #of>::#name),
        _ if !is_plain && !owner.is_ident("Self") => quote_spanned!(at=> <Self as #owner>::#name),
        _ if has_self_type || !is_plain => quote_spanned!(at=> Self::#name),
        _ => quote_spanned!(at=> #name),
    };
    let is_inherent = !matches!(function.vis, syn::Visibility::Inherited);
    let is_guarded = is_plain && has_self_type && options.place.is_none() && !is_inherent;
    Some(Twin { name, path, is_guarded })
}

fn check_attributes(options: &Options, function: &Function, errors: &mut Errors) {
    if let Some(again) = function.attrs.iter().find(|attr| attributes::is_blocking(attr)).and_then(attributes::name) {
        errors.at(again.span(), "`#[blocking]` stands on this method twice; remove one of the two");
    }
    if let (None, Some(attr)) = (&options.sync, attributes::track_caller(&function.attrs)) {
        errors.under(
            attr.path(),
            "the body runs on a worker, which has no caller to track; remove `#[track_caller]`, or keep a synchronous \
             method by `sync = ...`",
        );
    }
    if let Some(test) = attributes::plain_test(&function.attrs) {
        errors.under(test, "a test that blocks needs no `#[blocking]`; where it must be async, write `#[tokio::test]` below `#[blocking]`");
    }
}

fn check_qualifiers(function: &Function, errors: &mut Errors) {
    let sig = &function.sig;
    if let Some(word) = &sig.asyncness {
        errors.at(
            word.span,
            "`#[blocking]` makes a method async by itself, and its body must be plain blocking code; remove `async`; \
             an attribute that asks for it, such as `#[tokio::test]`, stands below `#[blocking]`",
        );
    }
    if let Some(word) = &sig.constness {
        errors.at(word.span, "a `const fn` cannot be sent to a worker; remove `const`");
    }
    if let Some(abi) = &sig.abi {
        errors.at(
            abi.extern_token.span,
            "an `extern` function cannot return a future; remove `extern`, or call it from a `#[blocking]` method",
        );
    }
    if let Some(variadic) = &sig.variadic {
        errors.under(variadic, "expected an argument with its type; write `name: Type`");
    }
}

/// The compiler says of it that data escapes, and not what to do.
fn check_self(options: &Options, arguments: &[Argument], errors: &mut Errors) {
    let borrows = options.place.as_ref().is_some_and(|place| place.borrows) && options.remote.is_none();
    if let Some(receiver) = arguments.first().filter(|argument| argument.is_self && argument.crosses && borrows) {
        errors.at(
            receiver.at,
            "`self` borrows, by the lifetime of its type, and the body runs on another thread; own the fields, or send \
             only what the body needs: `with(name = self.name.to_owned())`",
        );
    }
}

fn check_executor(options: &Options, function: &Function, errors: &mut Errors) {
    let Some(ExecutorArg::Name(name)) = &options.executor else { return };
    if function.sig.generics.type_params().any(|parameter| parameter.ident == *name) {
        errors.at(
            name.span(),
            format!(
                "`{name}` is a type; write a value of it, `executor = {name}::default()`, or the name of an argument"
            ),
        );
    }
}

/// Types of which it is known that `?` cannot return them.
const PLAIN: [&str; 14] =
    ["bool", "char", "u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "isize", "String", "f64"];

fn check_body(options: &Options, function: &Function, errors: &mut Errors) {
    let name = &function.sig.ident;
    let Some(body) = &function.body else {
        if options.stream.is_some() {
            let message = format!(
                "`#[blocking]` found no body to run; in a trait, declare `fn {name}(..) -> BlockingStream<Item>` without \
                 the attribute"
            );
            errors.at(name.span(), message);
        } else if options.boxed.is_none() {
            let message = format!(
                "`#[blocking]` found no body to run; in a trait, declare `async fn {name}(..)` without the attribute, \
                 or write `#[blocking(boxed)]` for a trait used as `dyn`"
            );
            errors.at(name.span(), message);
        } else if options.executor.is_some() && options.place.is_none() || options.sync.is_some() {
            let message = "a declaration runs nothing; give `executor` and `sync` where the method has its body";
            errors.at(name.span(), message);
        }
        return;
    };
    if let (None, Some(at)) = (&function.sig.asyncness, self_rewrite::find_await(body.stream())) {
        errors.at(at, "a blocking body cannot await; await in the caller, and pass the value as an argument");
    }
}

/// Reports a `?` that has nothing to return to: the compiler would speak of a closure that the user did not write.
fn check_question_mark(function: &Function, errors: &mut Errors) -> bool {
    let is_plain = match function.result() {
        Some(Type::Path(path)) => path.path.get_ident().is_some_and(|name| PLAIN.iter().any(|plain| name == plain)),
        Some(ty) => matches!(ty, Type::Tuple(_) | Type::Array(_)),
        None => true,
    };
    let body = function.body.as_ref().filter(|_| is_plain);
    let Some(at) = body.and_then(|body| self_rewrite::find_question_mark(body.stream())) else { return true };
    let returned = function.result().map_or_else(|| "()".to_owned(), shown);
    errors.at(at, format!("`?` needs a method that returns a `Result` or an `Option`; this one returns `{returned}`"));
    false
}

fn check_result(options: &Options, function: &Function, errors: &mut Errors) {
    let Some(result) = function.result() else { return };
    if matches!(result, Type::Never(_)) {
        errors.under(result, "a method that never returns would keep its worker for ever; return `()`");
    } else if let (None, Some((at, item))) = (options.stream, types::find_blocking_iterator(result)) {
        let item = item.map_or_else(|| "_".to_owned(), |item| shown(&types::owned(&item)));
        let message = format!(
            "an iterator would block in the hands of the caller, each time it is asked for an item; end the body in \
             `.collect()` and return `Vec<{item}>`, or write `#[blocking(stream)]` to await the items one by one"
        );
        errors.at(at, message);
    } else if let Some(at) = types::find_borrow(result) {
        let (written, owned) = (shown(result), shown(&types::owned(result)));
        let advice = if written == owned {
            "return a value that owns what it needs".to_owned()
        } else {
            format!("return `{owned}`")
        };
        errors.at(at, format!("the result borrows from a value that stays on the worker; {advice}"));
    } else if let Some((at, instead)) = types::find_local(result) {
        errors.at(at, format!("this cannot leave the worker's thread; return {instead}"));
    } else if let (Some(_), Some(at)) = (&options.boxed, types::find_impl_trait(result)) {
        let message =
            "`impl Trait` cannot be the result of a boxed future; name the type, or return a `Box<dyn Trait + Send>`";
        errors.at(at, message);
    }
}
