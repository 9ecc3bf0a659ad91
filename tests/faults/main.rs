//! The pool under faults: threads that cannot be had, user code that panics where it can, threads that come and go under load,
//! processes that end in the middle.
//!
//! What takes a process of its own (little memory, an end) runs this very test binary again, see `child.rs`.

mod child;
mod churn;
mod exit;
mod large;
mod misbehaving;
#[cfg(target_os = "linux")]
mod priorities;
mod spawn;
