//! The `#[blocking]` attribute of [`offload-runtime`](https://docs.rs/offload-runtime), which re-exports it.
//!
//! Depend on that crate, not on this one: generated code names it, and the two are pinned to one another.
//!
//! Inside, an expansion goes one way: `options` and `function` read the tokens, `plan` checks the rules and decides
//! (about each argument in `arguments`), `expand` writes what was decided (by `signature` and `crossing`). The
//! signature is parsed; the body stays tokens, in which `self_rewrite` renames `self`. No module names one that comes after
//! it; `tests/layers.rs` has their order.

mod arguments;
mod attributes;
mod crossing;
mod errors;
mod expand;
mod function;
mod impl_block;
mod options;
mod plan;
mod remote;
mod remote_rules;
mod self_rewrite;
mod signature;
mod state;
mod stream;
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
#[doc = include_str!("blocking.md")]
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
    let Some(function) = Function::parse(&item, &mut errors) else {
        return [item, errors.into_tokens()].into_iter().collect();
    };
    if function.report_async_trait(&mut errors) {
        return [errors.into_tokens(), item].into_iter().collect();
    }
    let plan = Plan::new(options, function, &mut errors);
    let items =
        if plan.is_right(&errors) { expand::items(&plan) } else { expand::items_despite_errors(&plan, &mut errors) };
    [errors.into_tokens(), items].into_iter().collect()
}
