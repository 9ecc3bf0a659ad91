//! The contract of the design, clause by clause: one file per clause, or two, each test named after its clause.
//!
//! Most run against `ThreadPool`, where all clauses hold; those that every executor has to keep run against each of ours, and, as
//! `offload_runtime::conformance`, against anyone's (`conformance.rs`). Races that a test cannot force are explored by the loom models
//! in `offload-runtime`.
//!
//! # What was run by hand
//! * `ci/soak.sh`: ten million jobs, the books balanced (figures in `tests/soak/main.rs`).
//! * `ci/valgrind.sh`, valgrind 3.19, memcheck: 166 tests of the contract, 13 of the faults, a soak of 5 000 jobs. No error, no leak but
//!   the two that `ci/valgrind.supp` names.
//! * `ci/sanitizers.sh address`, nightly 1.97: the same tests and a soak of 60 000 jobs. No error, the same two leaks.
//! * Not `-Zsanitizer=thread`, which takes a standard library built for it, nor helgrind and DRD, which do not know Rust's locks: the
//!   scripts say why. The soak found what is now `c10_a_nested_job_of_a_view_loses_no_thread` and
//!   `c10_a_view_with_a_capacity_is_a_view_of_its_pool_too`.
//!
//! # What the tests miss
//! `ci/mutants.sh`, cargo-mutants 27.1, over `job/`, `pool/`, `limited.rs` and `cancel.rs`, file by file, while tests were being written for
//! what it showed. Caught means that a test failed or hung; unviable, that it did not compile:
//!
//! ```text
//! files                                            mutants  caught  unviable  survivors
//! pool/{worker,queue,sleep,nested,shutdown}.rs         160     117        36          7
//! job/{cell,context,handle,owned,queue}.rs             139      75        55          9
//! job/state.rs, by its unit tests                      135     112        14          9
//! limited.rs, cancel.rs, before they kept figures      105      95         9          1
//! ```
//!
//! Survivors are those that are left now: the others that a first run had left were run again, with the tests that were written for them.
//! What is built, shown and counted (the rest of `pool/` and `job/`) was run in part: 26 of 96, of which 8 were caught and 18 unviable.
//!
//! After that run came the inbox (`job/queue.rs`), `pool/pace.rs` and standing by (`pool/sleep.rs`). Broken on purpose, one at a time, each of
//! these fails: to ask although jobs came, and to sleep then; to unlink a job that is still being posted; to let the queue go while its inbox is
//! open; never to see that a flow stalls; to stand by no more without asking; to refuse what is owed to a view.
//! Of 136 mutants of `pool/{pace,sleep}.rs` the unit tests alone caught 85, 26 were unviable, and 25 survived: seven of the search (which is
//! shorter then, or gives its core away more often), the others not run again with the tests that were written since.
//!
//! Apart from that, 548 single statements of the same files were left out, or conditions held true or false, one at a time. What a test does
//! not see of them and of the mutants is this:
//! * **A cell or a waker that leaks in a race**, a waker written while it is read: the loom models see it.
//! * **Shortcuts**, with the same end by a longer way. Before a thread sleeps: the search and its hint (`pool/sleep.rs`), a wait of no
//!   length. In the cell: a value without destructor, a waker that is there already, a handle that is the last side. Outside a job: no
//!   look at the table of views. In a view: nobody is notified if nobody waits. A count of ended jobs that nothing asks for.
//! * **Unlocking early**, before a thread is woken or figures are put together: the same, with the lock held for longer.
//! * **What a closed pool says of its scout**, as no job comes any more, and a pool's places as a view, for which nobody asks.
//! * **Bits that are set where they are clear**: `|` or `^`, in `job/state.rs`.
//! * What is counted and shown (samples of waits, the watch, what is published) is not the contract's; see `tests/metrics`.

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
