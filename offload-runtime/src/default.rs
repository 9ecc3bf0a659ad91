//! The executor of functions that have no field to name one: set once, or an elastic pool.

use std::fmt;
use std::sync::OnceLock;

use crate::executor::Executor;
use crate::pool::ThreadPool;

static DEFAULT: OnceLock<Box<dyn Executor>> = OnceLock::new();

/// The executor that `#[blocking]` uses for functions without `self`.
///
/// The one given to [`set_default_executor`], or else a [`ThreadPool::default`] whose threads are named `offload-N`, made by
/// the first call. A child of `fork` has no threads of its parent's: see [`ThreadPool`](ThreadPool#fork).
///
/// # Examples
/// ```
/// use offload_runtime::{ExecutorExt, default_executor};
///
/// assert_eq!(pollster::block_on(default_executor().submit(|| 6 * 7)).unwrap(), 42);
/// ```
pub fn default_executor() -> &'static dyn Executor {
    &**DEFAULT.get_or_init(|| Box::new(ThreadPool::default()))
}

/// Sets the executor that [`default_executor`] returns. To be called once, before the first use.
///
/// # Errors
/// [`AlreadySet`], with the executor given back, if one was set or the default has been used before.
///
/// # Examples
/// ```
/// use offload_runtime::{ThreadPool, set_default_executor};
///
/// set_default_executor(ThreadPool::new(8)).expect("first thing in `main`");
/// assert!(set_default_executor(ThreadPool::new(8)).is_err());
/// ```
pub fn set_default_executor<E: Executor + 'static>(executor: E) -> Result<(), AlreadySet<E>> {
    let mut given = Some(executor);
    DEFAULT.get_or_init(|| match given.take() {
        Some(executor) => Box::new(executor),
        None => unreachable!("a `OnceLock` calls its initialiser once"),
    });
    given.map_or(Ok(()), |executor| Err(AlreadySet(executor)))
}

/// The default executor was set, or used, before. Holds the executor that came too late.
///
/// # Examples
/// ```
/// use offload_runtime::{Inline, default_executor, set_default_executor};
///
/// let _ = default_executor();
/// let too_late = set_default_executor(Inline).unwrap_err();
/// assert_eq!(too_late.to_string(), "the default executor is set, or in use, already");
/// let _inline: Inline = too_late.0;
/// ```
pub struct AlreadySet<E>(pub E);

impl<E> fmt::Debug for AlreadySet<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AlreadySet").finish_non_exhaustive()
    }
}

impl<E> fmt::Display for AlreadySet<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the default executor is set, or in use, already")
    }
}

impl<E> std::error::Error for AlreadySet<E> {}
