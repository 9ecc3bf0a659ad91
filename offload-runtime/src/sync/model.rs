//! The types that loom explores.

pub(crate) use loom::cell::UnsafeCell;
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicIsize, AtomicPtr, AtomicU64, Ordering};
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};

/// loom's threads know no time.
pub(crate) mod thread {
    pub(crate) use loom::thread::*;

    /// Parks for good: in a model a timeout that is needed for progress shows as a deadlock.
    pub(crate) fn park_timeout(_: std::time::Duration) {
        park();
    }
}

/// loom's macro does not know `const { }` initialisers.
macro_rules! thread_local_model {
    ($(#[$attribute:meta])* static $name:ident: $type:ty = const { $init:expr };) => {
        loom::thread_local! { $(#[$attribute])* static $name: $type = $init; }
    };
}
pub(crate) use thread_local_model as thread_local;
