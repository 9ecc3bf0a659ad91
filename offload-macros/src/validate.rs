//! The rules, one small function each, and the [`Plan`] that is left when they have been asked.
//!
//! A plan is made even of a method that breaks rules: its signature is final, and is still emitted, so that
//! callers see no second error.

use crate::args::{Args, ExecutorArg};
use crate::argument::{self, Argument, Crossing};
use crate::attributes::{Attribute, Destination};
use crate::errors::Errors;
use crate::method::{Method, NotAFunction};
use crate::receiver::{self, Form};
use crate::tokens::{is_ident, is_punct};
use crate::types;
use proc_macro2::{Ident, Literal, TokenStream, TokenTree};
use quote::quote;

/// A method with every decision made; `expand.rs` only reads it.
pub(crate) struct Plan {
    pub(crate) method: Method,
    pub(crate) output: Output,
    pub(crate) executor: Executor,
    /// The name of the synchronous twin.
    pub(crate) twin: Option<Ident>,
    /// Whether the body, as it stands, is that of an `async fn` with this signature. Asked only if rules are broken.
    pub(crate) fits_unchanged: bool,
    /// The path of `offload_runtime`.
    pub(crate) runtime: TokenStream,
}

/// What calling the method gives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// `async fn`.
    Future,
    /// A `JobHandle`, submitted already.
    Handle,
    /// A boxed future, as async-trait writes it.
    BoxedFuture,
}

/// How the executor is found.
pub(crate) enum Executor {
    /// `default_executor()`.
    Default,
    /// `self.executor`, where nothing else is said.
    UsualField,
    /// `self.io`.
    Field(Ident),
    /// `self.0`.
    Index(Literal),
    /// Any expression.
    Expression(Vec<TokenTree>),
}

/// Asks every rule and decides what to write.
pub(crate) fn validate(args: Args, method: Method, errors: &mut Errors) -> Plan {
    not_twice(&method, errors);
    no_async(&method, errors);
    no_const(&method, errors);
    no_foreign_abi(&method, errors);
    body_or_boxed_declaration(&args, &method, errors);
    receiver_crosses(&method, errors);
    arguments_are_read(&method, errors);
    arguments_cross(&method, errors);
    result_is_owned(&method, errors);
    result_can_be_boxed(&args, &method, errors);
    one_output(&args, errors);
    twin_has_its_own_name(&args, &method, errors);
    caller_is_not_tracked(&args, &method, errors);
    let output = match (args.handle, args.boxed) {
        (Some(_), _) => Output::Handle,
        (None, Some(_)) if !is_impl_trait(&method) => Output::BoxedFuture,
        (None, _) => Output::Future,
    };
    let borrows = method.result.as_deref().is_some_and(|result| types::find_borrow(result).is_some());
    let fits_unchanged = output == Output::Future && method.unread.is_empty() && !borrows;
    let twin = args.sync.filter(|name| *name != method.name);
    let runtime = args.runtime.unwrap_or_else(|| quote!(::offload_runtime));
    Plan { executor: executor(args.executor, &method), output, twin, fits_unchanged, runtime, method }
}

/// Reports what the attribute stands on instead of a function.
pub(crate) fn not_a_function(found: &NotAFunction, errors: &mut Errors) {
    let advice = match found.keyword.as_deref() {
        Some("impl" | "trait") => "put it on each method instead",
        _ => "put it on a method or a function with a body",
    };
    let what = found.keyword.as_ref().map_or_else(|| "this".to_owned(), |keyword| format!("`{keyword}`"));
    errors.at(found.at, format!("`#[blocking]` cannot stand on {what}; {advice}"));
}

fn executor(given: Option<ExecutorArg>, method: &Method) -> Executor {
    match (given, &method.receiver) {
        (None, None) => Executor::Default,
        (None, Some(_)) => Executor::UsualField,
        (Some(ExecutorArg::Name(name)), Some(_)) => Executor::Field(name),
        (Some(ExecutorArg::Name(name)), None) => Executor::Expression(vec![name.into()]),
        (Some(ExecutorArg::Index(index)), Some(_)) => Executor::Index(index),
        (Some(ExecutorArg::Index(index)), None) => Executor::Expression(vec![index.into()]),
        (Some(ExecutorArg::Expression(tokens)), _) => Executor::Expression(tokens),
    }
}

fn not_twice(method: &Method, errors: &mut Errors) {
    let again = method.attrs.iter().find(|attr| attr.is_blocking()).and_then(Attribute::name);
    if let Some(name) = again {
        errors.at(name.span(), "`#[blocking]` stands on this method twice; remove one of the two");
    }
}

fn no_async(method: &Method, errors: &mut Errors) {
    if let Some(word) = &method.qualifiers.asyncness {
        errors.at(
            word.span(),
            "`#[blocking]` makes a method async by itself, and its body must be plain blocking code; remove `async`",
        );
    }
}

/// Reports an `async fn` inside `#[async_trait]`, at its `async`: that is where async-trait places the word `fn`.
pub(crate) fn async_trait_was_first(method: &Method, errors: &mut Errors) {
    let name = &method.name;
    let advice = match method.body {
        Some(_) => format!("remove `async`: inside `#[async_trait]` write `#[blocking(boxed)] fn {name}(..)`"),
        None => format!("in the trait, declare `async fn {name}(..)` without `#[blocking]`"),
    };
    errors.at(method.fn_token.span(), format!("`#[blocking]` makes a method async by itself; {advice}"));
}

fn no_const(method: &Method, errors: &mut Errors) {
    if let Some(word) = &method.qualifiers.constness {
        errors.at(word.span(), "a `const fn` cannot be sent to a worker; remove `const`");
    }
}

fn no_foreign_abi(method: &Method, errors: &mut Errors) {
    if let Some(word) = &method.qualifiers.external {
        errors.at(
            word.span(),
            "an `extern` function cannot return a future; remove `extern`, or call it from a `#[blocking]` method",
        );
    }
}

fn body_or_boxed_declaration(args: &Args, method: &Method, errors: &mut Errors) {
    if method.body.is_some() {
        return;
    }
    if args.boxed.is_none() {
        let name = &method.name;
        errors.at(
            name.span(),
            format!(
                "`#[blocking]` found no body to run; in a trait, declare `async fn {name}(..)` without the attribute, \
                 or write `#[blocking(boxed)]` for a trait used as `dyn`"
            ),
        );
    }
    if args.boxed.is_some() && (args.executor.is_some() || args.sync.is_some()) {
        errors.at(
            method.name.span(),
            "a declaration runs nothing; give `executor` and `sync` where the method has its body",
        );
    }
}

fn receiver_crosses(method: &Method, errors: &mut Errors) {
    let Some(Form::Refused(why, at)) = method.receiver.as_ref().map(|receiver| receiver.form) else { return };
    errors.at(
        at,
        match why {
            receiver::Refused::Mutable => {
                "`&mut self` cannot cross to another thread; take `&self` and keep what changes in a `Mutex`, \
                 or take `self` and return it"
            }
            receiver::Refused::Rc => "an `Rc` cannot cross to another thread; take `self: Arc<Self>`",
            receiver::Refused::Pinned => "a pinned `self` cannot cross to another thread; take `self: Arc<Self>`",
            receiver::Refused::Unknown => {
                "this form of `self` is not known to `#[blocking]`; take `&self`, `self`, `self: Arc<Self>`, \
                 `self: &Arc<Self>` or `self: Box<Self>`"
            }
        },
    );
}

fn arguments_are_read(method: &Method, errors: &mut Errors) {
    for parameter in &method.unread {
        errors.under(parameter, "expected an argument with its type; write `name: Type`");
    }
}

fn arguments_cross(method: &Method, errors: &mut Errors) {
    for argument in &method.arguments {
        argument_crosses(argument, errors);
    }
}

fn argument_crosses(argument: &Argument, errors: &mut Errors) {
    let Crossing::Refused(why, at) = argument.crossing else { return };
    errors.at(
        at,
        match why {
            argument::Refused::Mutable => {
                "a `&mut` argument cannot cross to another thread; take it by value and return it"
            }
            argument::Refused::Nested => {
                "a borrow inside another type cannot be cloned for the worker; take owned values, \
                 such as `Vec<String>` for `&[&str]`"
            }
        },
    );
}

fn result_is_owned(method: &Method, errors: &mut Errors) {
    let Some(result) = &method.result else { return };
    if result.is_empty() {
        errors.at(method.name.span(), "expected a type behind `->`");
    } else if matches!(result.as_slice(), [only] if is_punct(Some(only), '!')) {
        errors.under(result, "a method that never returns would keep its worker for ever; return `()`");
    } else if let Some(at) = types::find_borrow(result) {
        errors.at(
            at,
            "the result borrows from a value that stays on the worker; return an owned one, such as `String` for \
             `&str`",
        );
    }
}

fn result_can_be_boxed(args: &Args, method: &Method, errors: &mut Errors) {
    let found = method.result.iter().flatten().find(|token| is_ident(Some(token), "impl"));
    if let (Some(_), Some(word)) = (args.boxed, found) {
        errors.at(
            word.span(),
            "`impl Trait` cannot be the result of a boxed future; name the type, or return a `Box<dyn Trait + Send>`",
        );
    }
}

fn is_impl_trait(method: &Method) -> bool {
    method.result.iter().flatten().any(|token| is_ident(Some(token), "impl"))
}

fn one_output(args: &Args, errors: &mut Errors) {
    if let (Some(_), Some(at)) = (args.handle, args.boxed) {
        errors.at(at, "`boxed` and `handle` are two different results; keep one of the two");
    }
}

fn twin_has_its_own_name(args: &Args, method: &Method, errors: &mut Errors) {
    if let Some(name) = args.sync.as_ref().filter(|name| **name == method.name) {
        errors.at(name.span(), format!("the async method is called `{name}`; write `sync = {name}_sync`"));
    }
}

fn caller_is_not_tracked(args: &Args, method: &Method, errors: &mut Errors) {
    let tracked = |attr: &&Attribute| attr.destination() == Destination::Twin;
    if let (None, Some(name)) = (&args.sync, method.attrs.iter().find(tracked).and_then(Attribute::name)) {
        errors.at(
            name.span(),
            "the body runs on a worker, which has no caller to track; remove `#[track_caller]`, or keep a synchronous \
             method by `sync = ...`",
        );
    }
}
