//! The contract of the design, clause by clause: one file per clause, each test named after it.
//!
//! Most run against `ThreadPool`, where all clauses hold; those that every executor has to keep run against each of ours, and, as
//! `offload_runtime::conformance`, against anyone's (`conformance.rs`). Races that a test cannot force are explored by the loom models
//! in `offload-runtime`.

mod c01_exactly_once;
mod c02_drop_is_cancel;
mod c03_never_blocks_the_loop;
mod c04_panics;
mod c05_refusal_is_typed;
mod c06_no_user_code_under_a_lock;
mod c07_nothing_lingers;
mod c08_elastic;
mod c09_shutdown;
mod c10_nested;
mod c11_context;
mod c12_runtime_neutral;
