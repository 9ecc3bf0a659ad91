//! Behaviour by topic: what the documentation of the runtime says, and what Tornado's tests ask of such a library.
//!
//! The clauses of the contract are in `tests/contract`, what only happens under faults in `tests/faults`. What is process-wide, the
//! default executor, has test binaries of its own: `default_executor.rs` and `default_pool.rs`.

mod bad_input;
mod errors;
mod executors;
mod limited;
mod manual;
mod many_views;
mod on_cancel;
mod room;
mod sites;
mod sizes;
mod tornado;
mod wait;
