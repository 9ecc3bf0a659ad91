//! The `#[blocking]` attribute of [`offload-runtime`](https://docs.rs/offload-runtime), which re-exports it.
//!
//! Depend on that crate, not on this one: generated code names it, and the two are pinned to one another.
//!
//! Inside, an expansion goes one way: `options` and `function` read the tokens, `plan` checks the rules and decides
//! (about each argument in `arguments`), `expand` writes what was decided (by `signature` and `crossing`). The
//! signature is parsed; the body stays tokens, in which `self_rewrite` renames `self`. Each module names only those
//! that stand before it in this list.

mod arguments;
mod attributes;
mod crossing;
mod errors;
mod expand;
mod function;
mod impl_block;
mod options;
mod plan;
mod self_rewrite;
mod signature;
mod tokens;
mod types;

#[cfg(test)]
mod tests;

use crate::errors::Errors;
use crate::function::Function;
use crate::options::Options;
use crate::plan::Plan;
use proc_macro::TokenStream;

/// Makes a blocking method async: a call submits it to `self.executor` and awaits the result.
///
/// ```
/// use offload_runtime::{ThreadPool, blocking};
/// use std::io;
///
/// #[derive(Clone)]
/// struct Files {
///     executor: ThreadPool,
/// }
///
/// impl Files {
///     /// Counts the lines of a file.
///     #[blocking]
///     fn count_lines(&self, path: &str) -> io::Result<usize> {
///         Ok(std::fs::read_to_string(path)?.lines().count())
///     }
/// }
///
/// # pollster::block_on(async {
/// let files = Files { executor: ThreadPool::new(4) };
/// assert!(files.count_lines("Cargo.toml").await? > 1);
/// # io::Result::Ok(())
/// # }).unwrap();
/// ```
///
/// The body stays what it was: plain code that may block, with `self`, `?`, `return` and macros as usual. The
/// signature becomes that of an `async fn` with the same arguments and the same result.
///
/// # What it becomes
///
/// For `fn find(&self, email: &str) -> Option<User> { self.users.get(email).cloned() }`:
///
/// ```text
#[doc = include_str!("../snapshots/smallest.rs")]
/// ```
///
/// # Options
///
/// | Option | Meaning |
/// |---|---|
/// | none | run on `self.executor`; on a function without `self`, on `default_executor()` |
/// | `executor = io` | run on the field `self.io` (`executor = 0`: on `self.0`); on a function without `self`, on the static `io` |
/// | `executor = self.pools.io`, `executor = &*POOL`, `executor = self.pool_for(key)` | any expression, evaluated by the caller when the future is first polled; it sees `self` and those arguments that are plain names |
/// | `sync = find_sync` | keep the synchronous method too, under that name |
/// | `handle` | return `JobHandle<Ret>`: submitted by the call itself, `'static`, can be spawned, detached, cancelled |
/// | `boxed` | return `Pin<Box<dyn Future<Output = Ret> + Send + '_>>` with the lifetimes that async-trait writes, for traits used as `dyn` |
/// | `crate = path` | where `offload_runtime` lives, for re-exports and renamed dependencies |
///
/// ```
/// use offload_runtime::{JobHandle, ThreadPool, blocking};
///
/// #[derive(Clone)]
/// struct Images {
///     io: ThreadPool,
///     cpu: ThreadPool,
/// }
///
/// impl Images {
///     #[blocking(executor = io)]
///     fn load(&self, name: &str) -> std::io::Result<Vec<u8>> {
///         std::fs::read(name)
///     }
///
///     #[blocking(executor = cpu, sync = brightness_sync)]
///     fn brightness(&self, pixels: Vec<u8>) -> u64 {
///         pixels.iter().map(|&pixel| u64::from(pixel)).sum()
///     }
///
///     #[blocking(executor = cpu, handle)]
///     fn darken(&self, mut pixels: Vec<u8>) -> Vec<u8> {
///         pixels.iter_mut().for_each(|pixel| *pixel /= 2);
///         pixels
///     }
/// }
///
/// # pollster::block_on(async {
/// let images = Images { io: ThreadPool::new(8), cpu: ThreadPool::new(2) };
/// let pixels = images.load("Cargo.toml").await?;
/// let darker: JobHandle<Vec<u8>> = images.darken(pixels.clone()); // runs already
/// assert!(images.brightness(pixels).await > images.brightness_sync(darker.await?));
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
///
/// # Where it stands
///
/// On inherent methods, methods of trait impls, default methods of traits, associated functions and free functions.
/// A trait may declare its method as `async fn` or as `fn .. -> impl Future<Output = Ret> + Send`. Inside an
/// `#[async_trait]` impl, and in a trait used as `dyn`, write `#[blocking(boxed)]`; on a method without a body that
/// declares one:
///
/// ```
/// use offload_runtime::{ThreadPool, blocking};
/// use std::sync::Arc;
///
/// trait Repo: Send + Sync {
///     #[blocking(boxed)]
///     fn find(&self, email: &str) -> Option<u32>;
/// }
///
/// #[derive(Clone)]
/// struct InMemory {
///     executor: ThreadPool,
///     emails: Arc<Vec<String>>,
/// }
///
/// impl Repo for InMemory {
///     #[blocking(boxed)]
///     fn find(&self, email: &str) -> Option<u32> {
///         self.emails.iter().position(|known| known == email)?.try_into().ok()
///     }
/// }
///
/// # pollster::block_on(async {
/// let repo: Arc<dyn Repo> =
///     Arc::new(InMemory { executor: ThreadPool::new(1), emails: vec!["ada@example.com".into()].into() });
/// assert_eq!(repo.find("ada@example.com").await, Some(0));
/// # });
/// ```
///
/// Other attributes are kept. `#[cfg]`, docs, lint levels, `#[must_use]` and `#[deprecated]` go to the twin as well.
/// `#[tracing::instrument]` above `#[blocking]` makes its span on the worker, below it makes it around the await; there, too,
/// it records `self` and the arguments.
///
/// # What crosses to the worker
///
/// One rule: **what is borrowed is cloned, what is owned is moved.** Inside the body every name has the type that it
/// was declared with.
///
/// | Written | Crosses as | Needs |
/// |---|---|---|
/// | `&self` | a clone, if the body mentions `self` | `Self: Clone + Send + 'static` |
/// | `self: &Arc<Self>` | a clone of the `Arc` | `Self: Send + Sync + 'static` |
/// | `self`, `mut self`, `self: Box<Self>` | itself; the executor is cloned before | an executor that is `Clone` |
/// | `self: Arc<Self>` | itself | `Self: Send + Sync + 'static` |
/// | `&str`, `&[T]`, `&Path`, `&T`, `Option<&T>`, `Cow<'_, T>` | its owned form, by `ToOwned` | `T::Owned: Send + 'static` |
/// | everything else | itself, whether or not the body names it | `Send + 'static` |
/// | the result | itself | `Send + 'static` |
///
/// The clone of `self` is made for every call: let `Self` be a handle, with an `Arc` around what is shared or is dear
/// to clone. Arguments are dropped on the worker, after the body, in the order of a plain function: a `_permit: Permit`
/// is held until the body has ended.
///
/// # What it refuses
///
/// `async fn`, `const fn`, `extern` functions, `&mut self` and `&mut T` (take it by value and return it), `Rc<Self>`,
/// `Pin<..>`, a result that borrows, a borrow inside another type (`&[&str]`, `Vec<&str>`). Each error says what to
/// write instead.
///
/// # Cancel safety
///
/// The future is lazy: nothing is cloned and nothing submitted before it is first polled, so dropping it before does
/// nothing at all. Dropping it afterwards cancels the job: one that is still queued never runs, and what was captured
/// for it is freed at once; one that runs is told (`is_cancelled()`, `on_cancel(..)`) and otherwise runs to its end,
/// unobserved. With `handle`, the same is true of the handle, and the job is submitted by the call.
///
/// # Panics
///
/// If the body panics, the panic goes on in the caller, with the same payload. If the executor refuses the job (it is shut
/// down, its queue is full, no thread could be had) and the result has no place for that, see below, awaiting panics with
/// the method's name and the reason.
///
/// # Errors
///
/// A refusal becomes `Err(E::from(error))` where the result is a `Result<T, E>` with `E: From<offload_runtime::Error>`.
/// The type decides, not its spelling: `io::Result<T>`, your own alias, `anyhow::Result<T>` and a generic
/// `E` all do.
///
/// ```
/// use offload_runtime::{Error, ThreadPool, blocking};
///
/// #[derive(Clone)]
/// struct Service {
///     executor: ThreadPool,
/// }
///
/// impl Service {
///     #[blocking]
///     fn fallible(&self) -> Result<u32, Error> {
///         Ok(1)
///     }
/// }
///
/// # pollster::block_on(async {
/// let service = Service { executor: ThreadPool::new(1) };
/// service.executor.close();
/// assert!(matches!(service.fallible().await, Err(Error::ShutDown)));
/// # });
/// ```
///
/// # What the compiler says, and what to write
///
/// Mistakes that the attribute cannot see, because it is shown one method and no more, are found by the compiler:
///
/// | Message | Write |
/// |---|---|
/// | no field `executor` on type `&Service` | a field `executor: ThreadPool`; or name another: `executor = io`; or `executor = offload_runtime::default_executor()` |
/// | no field `POOL` on type `&Service` | `executor = *POOL` for a static named `POOL`: with `self`, a single name is a field |
/// | lifetime parameters or bounds on method `find` do not match the trait declaration | `#[blocking(boxed)]`: the trait, or `#[async_trait]` on it, declares a boxed future |
/// | expected `JobHandle<User>` to be a future that resolves to `User` | no `handle` in the impl of a trait that declares an `async fn` |
/// | method `find_sync` is not a member of trait `Find` | no `sync` in a trait impl: there is no room for a twin; keep it in an `impl Service` |
/// | the `?` operator can only be applied to values that implement `Try` (in a body that calls another such method) | the synchronous twin: `sync = find_sync` there, `self.find_sync(..)?` here; a body that blocks does not await |
/// | cannot add `impl Future` to `u32` (in a body that calls itself) | the same: recursion goes through the twin |
/// | `users` does not live long enough, argument requires that `users` is borrowed for `'static` (in `spawn`) | an `async move` block around a clone, or `handle`, which borrows nothing |
/// | cannot move out of value because it is borrowed (with `self` by value and `executor = self.pool()`) | `executor = *self.pool()`: what is cloned before `self` moves is the executor, not the reference |
/// | future cannot be sent between threads safely (with `boxed`, at an argument `&T`) | a `T` that is `Sync`, or take it by value: until it is polled, the boxed future holds the reference |
/// | method `find` has an incompatible type for trait, found `Future<Output = u32> + Send` | no `?Send` on the `#[async_trait]`: what is boxed here is always `Send` |
/// | type annotations needed (in a closure that is the result, of type `impl Fn(&str)`) | the types of its parameters, `\|text: &str\| ..`; the body cannot be told those of an `impl Trait` |
/// | `dyn Error` cannot be sent between threads safely | `Box<dyn Error + Send + Sync>`; likewise `Box<dyn Fn() + Send>`, `Arc<dyn Trait + Send + Sync>` |
///
/// # Limits
///
/// * What is a borrow, an `Arc` or an `Option` is read from the spelling; an alias that hides one is taken for an owned
///   value, and the compiler then says what is missing.
/// * Inside the body, `self` has another name. Macros receive that name (`println!("{}", self.n)` works), so a
///   macro that looks for the very word `self` does not find it, and one that shows the text of its input says
///   `__offload_self`: `assert!`, `ensure!`, `dbg!`, `stringify!`, and the fields which `info!(self.n)` and `info!(?self)`
///   name. Where that matters write `info!(n = self.n)`, or begin with `let this = self;`. `{self}` inside of a format
///   string works in the macros of `std`, `log`, `tracing` and `anyhow`; in others write `{}` and pass `self`.
/// * A default method of a trait has no fields: name its executor by an expression, as in `executor = self.pool()`. Whether its
///   future is `Send` is for each caller to see; with `boxed` it always is.
/// * In an `#[async_trait]`, write `for<'a> fn(&'a str)` for `fn(&str)`: async-trait gives the latter a lifetime of the call.
/// * `mockall::automock` stands above `#[async_trait]`, on a trait that declares an `async fn`. Above declarations by
///   `#[blocking(boxed)]` it would repeat the attribute on the mock, which has no executor.
/// * `&'static self` is cloned, as any `&self` is.
/// * `sync` is for methods that the trait, if there is one, does not have to know; in a trait impl there is no room for
///   a twin.
/// * Names that begin with `__offload` are this attribute's.
#[proc_macro_attribute]
pub fn blocking(args: TokenStream, item: TokenStream) -> TokenStream {
    expansion(args.into(), item.into()).into()
}

/// The attribute on plain tokens: options and item in, items out.
fn expansion(args: proc_macro2::TokenStream, item: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    let mut errors = Errors::default();
    if let Some(block) = impl_block::expand(&args, &item, &mut errors) {
        return [errors.into_tokens(), block].into_iter().collect();
    }
    let options = Options::parse(args, &mut errors);
    let function = match Function::parse(&item, &mut errors) {
        Ok(function) => function,
        Err(found) => {
            found.report(&mut errors);
            return [item, errors.into_tokens()].into_iter().collect();
        }
    };
    if function.is_boxed_already() {
        function.report_async_trait(&mut errors);
        return [errors.into_tokens(), item].into_iter().collect();
    }
    let plan = Plan::new(options, function, &mut errors);
    let items =
        if plan.is_right(&errors) { expand::items(&plan) } else { expand::items_despite_errors(&plan, &mut errors) };
    [errors.into_tokens(), items].into_iter().collect()
}
