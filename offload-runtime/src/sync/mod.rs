//! Synchronisation types of the crate: `std`, or `loom` when a model runs (`--cfg offload_loom`).
//!
//! Nothing else in the crate names `std::sync` atomics, locks, threads or `UnsafeCell`, so that every
//! model sees every access. `Arc` is always `std`'s: its protocol is not ours to check.

mod count;

pub(crate) use count::{Counter, LooseFlag};
pub(crate) use std::sync::Arc;

#[cfg(offload_loom)]
mod model;
#[cfg(offload_loom)]
pub(crate) use model::*;

#[cfg(not(offload_loom))]
mod real;
#[cfg(not(offload_loom))]
pub(crate) use real::*;

/// Locks `mutex`, whatever happened to a thread that held it before.
///
/// No user code runs under a lock, so a poisoned lock guards consistent data all the same.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
