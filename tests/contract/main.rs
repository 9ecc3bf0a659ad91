//! The contract of the design, clause by clause: one file per clause, or two, each test named after its clause.
//!
//! Most run against `ThreadPool`, where all clauses hold; those that every executor has to keep run against each of ours, and, as
//! `offload_runtime::conformance`, against anyone's (`conformance.rs`). Races that a test cannot force are explored by the loom models
//! in `offload-runtime`.
//!
//! # What was run by hand
//! * `ci/soak.sh`: ten million jobs, the books balanced (figures in `tests/soak/main.rs`).
//! * `ci/valgrind.sh`, valgrind 3.19, memcheck: 174 tests of the contract, 13 of the faults, a soak of 5 000 jobs. No error, no leak but
//!   the two that `ci/valgrind.supp` names.
//! * `ci/sanitizers.sh address`, nightly 1.97: the same tests and a soak of 60 000 jobs. No error, the same two leaks.
//! * Not `-Zsanitizer=thread`, which takes a standard library built for it, nor helgrind and DRD, which do not know Rust's locks: the
//!   scripts say why. The soak found what is now `c10_a_nested_job_of_a_view_loses_no_thread` and
//!   `c10_a_view_with_a_capacity_is_a_view_of_its_pool_too`.
//!
//! # What the tests miss
//! `ci/mutants.sh`, cargo-mutants 27.1, over `job/`, `pool/`, `limited.rs` and `cancel.rs`. Caught means that a test failed or hung; unviable,
//! that it did not compile:
//!
//! ```text
//! files                                            mutants  caught  unviable  survivors
//! job/{queue,list,inbox,cell,context,views,..}.rs      211     142        67          2
//! job/state.rs                                         135     113        14          8
//! job/{handle,owned}.rs, limited.rs, cancel.rs         177     145        31          1
//! pool/{pace,sleep}.rs                                 136     109        26          1
//! pool/, the rest                                      224     168        53          3
//! ```
//!
//! Survivors are those that are left now: what a first run had left was run again, with the tests that were written for it. The
//! announcements of figures are not the tool's to move: seven places were made to tell under the lock, by hand, one at a time, and
//! `tests/observe` fails each time. Three it does not come to: a job that is cancelled before it is queued, one that is too late for the
//! inbox (with the feature `metrics` nothing is posted there), and those that are refused as no thread can be started.
//!
//! That run was of the pool before several threads could be on their way at once, and before those who await short jobs were woken together.
//! Of what changed then there are 178 mutants, and 76 of `pool/held.rs` as it is now: all are caught, or unviable, but 3 that are named below.
//! Of `job/glance.rs` and what changed with it there are 148: but 3 that are named below, and 2 in its tests, all are caught or unviable.
//! Of who has caught up, of who stands by and takes part, of `pool/search.rs` and of how the inbox is passed by there are 214: 179 caught, 28
//! unviable, 2 in tests, and 5 that are named below (one is for the models only).
//!
//! Apart from that, 548 single statements of the same files were left out, or conditions held true or false, one at a time. What a test does
//! not see of them and of the mutants is this:
//! * **A cell or a waker that leaks in a race**, a waker written while it is read: the loom models see it.
//! * **Shortcuts**, with the same end by a longer way. Before a thread sleeps: a search that is a yield longer, a wait of no length, a look at
//!   the very nanosecond at which its time is over. In the cell: a value without destructor, a waker that is there already, a handle that is
//!   the last side. Outside a job: no look at the table of views. In a view: nobody is notified if nobody waits. A count of ended jobs that
//!   nothing asks for.
//! * **Unlocking early**, before a thread is woken or figures are put together: the same, with the lock held for longer.
//! * **Who is held for no gain.** Whether the job before was awaited only makes a wake-up sooner or later, and a thread that comes from its
//!   sleep may wake those who are held though another would.
//! * **A pool's places as a view**, for which nobody asks.
//! * **Bits that are set where they are clear**: `|` or `^`, in `job/state.rs` and `job/glance.rs`, and a shift by none. How the addresses of
//!   sites are mixed for a table of them.
//! * **Which generator** chooses the jobs that are timed.

mod c01_exactly_once;
mod c02_drop_is_cancel;
mod c02_hooks;
mod c02_nested;
mod c03_never_blocks_the_loop;
mod c03_ready_results;
mod c04_panics;
mod c05_permits;
mod c05_places;
mod c05_refusal_is_typed;
mod c06_no_user_code_under_a_lock;
mod c07_hooks;
mod c07_nothing_lingers;
mod c08_elastic;
mod c08_hooks;
mod c09_shutdown;
mod c09_told;
mod c09_views;
mod c10_elsewhere;
mod c10_nested;
mod c10_polls;
mod c11_context;
mod c12_runtime_neutral;
