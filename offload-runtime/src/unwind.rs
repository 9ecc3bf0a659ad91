//! Ends panics of user code that the crate calls or drops on its own account: wakers, hooks, destructors, recorders.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls `f` and discards its panic. Never unwinds.
pub(crate) fn contain(f: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
        discard_payload(payload);
    }
}

/// Drops `value` and discards a panic of its destructor. Never unwinds.
pub(crate) fn discard<T>(value: T) {
    // Decided at compile time: most results leave no code here.
    if std::mem::needs_drop::<T>() {
        contain(|| drop(value));
    }
}

/// The payload of a panic may panic when it is dropped, with a payload that does the same. The second payload is leaked.
#[cold]
fn discard_payload(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}
