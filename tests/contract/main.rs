//! The contract of the design, clause by clause: one file per clause, each test named after it.
//!
//! Most run against `ThreadPool`, where all clauses hold; those that every executor has to keep run against each of ours, and, as
//! `offload_runtime::conformance`, against anyone's (`conformance.rs`). Races that a test cannot force are explored by the loom models
//! in `offload-runtime`.
//!
//! # What was run by hand
//! * `ci/soak.sh`: ten million jobs, the books balanced (figures in `tests/soak/main.rs`).
//! * `ci/valgrind.sh`, valgrind 3.19, memcheck: 129 tests of the contract, 11 of the faults, a soak of 8 006 jobs. No error, no leak but
//!   the one that `ci/valgrind.supp` names.
//! * `ci/sanitizers.sh address`, nightly 1.97: the same tests and a soak of 60 000 jobs. No error, the same one leak.
//! * Not `-Zsanitizer=thread`, which takes a standard library built for it, nor helgrind and DRD, which do not know Rust's locks: the
//!   scripts say why. The soak found what is now `c10_a_nested_job_of_a_view_loses_no_thread` and
//!   `c10_a_view_with_a_capacity_is_a_view_of_its_pool_too`.

mod c01_exactly_once;
mod c02_drop_is_cancel;
mod c02_hooks;
mod c03_never_blocks_the_loop;
mod c04_panics;
mod c05_places;
mod c05_refusal_is_typed;
mod c06_no_user_code_under_a_lock;
mod c07_nothing_lingers;
mod c08_elastic;
mod c09_shutdown;
mod c09_told;
mod c10_elsewhere;
mod c10_nested;
mod c11_context;
mod c12_runtime_neutral;
