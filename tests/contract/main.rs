//! The contract, clause by clause: one file per clause, or a few, each test named after its clause.
//!
//! * C1. An accepted job runs at most once. Its handle resolves exactly once.
//! * C2. Dropping the handle of a queued job frees its captures at once, and the body never runs. Dropping that of a running job sets its
//!   cancellation flag and runs its `on_cancel` callbacks. Both hold for the jobs that it awaits, too.
//! * C3. Submitting, polling and dropping never wait for a job, a join, or a lock that is held across user code. Ready results do not starve other
//!   tasks.
//! * C4. A panic is caught on the worker and resumed in the awaiter with its payload.
//! * C5. A refusal is typed. No job is silently lost.
//! * C6. No user code runs under a lock.
//! * C7. When the await returns, no clone of `self`, of the arguments or of the result is left.
//! * C8. Threads grow to the maximum while jobs wait, and leave after the keep-alive.
//! * C9. Shutdown seals the queue, drains it, has a deadline, never joins on an async thread, and reports what still runs.
//! * C10. A job that waits for a job of its own pool cannot deadlock on the pool's size.
//! * C11. The tracing span and the tokio handle inside a job are the caller's.
//! * C12. Only a `Waker` is asked of the caller.
//!
//! Most tests run against `ThreadPool`, where all clauses hold. What every executor has to keep runs against each of ours, and, as
//! `offload_runtime::conformance`, against others (`conformance.rs`). The loom models in `offload-runtime` explore the races that a test cannot
//! force.
//!
//! # What is run by hand
//! * `ci/soak.sh`: ten million jobs, the books balanced (`tests/soak/main.rs`).
//! * `ci/valgrind.sh` and `ci/sanitizers.sh address`: these tests, those of the faults, and a shorter soak; the first also those of
//!   streams, states, readers and writers. `ci/valgrind.supp` names the two leaks that are known.
//! * Not `-Zsanitizer=thread`, which needs a standard library built for it, nor helgrind and DRD, which do not know Rust's locks.
//! * `ci/mutants.sh` changes the code in all ways that it knows. No test can see these kinds of change:
//!   * **A cell or a waker that leaks in a race**, a waker that is written while it is read: the loom models see it.
//!   * **Shortcuts** with the same end by a longer way: a longer search before a thread parks, a value without destructor, a waker that is there
//!     already, a view that notifies without waiters.
//!   * **Unlocking early**, before a thread is woken or metrics are copied: the same, with the lock held for longer.
//!   * **`|` or `^` on bits that are clear**, and which generator chooses the jobs that are timed.

mod c01_exactly_once;
mod c02_drop_is_cancel;
mod c02_hooks;
mod c02_nested;
mod c03_never_blocks_the_loop;
mod c03_ready_results;
mod c04_panics;
mod c05_order;
mod c05_permits;
mod c05_places;
mod c05_refusal_is_typed;
mod c06_no_user_code_under_a_lock;
mod c07_hooks;
mod c07_nothing_lingers;
mod c08_elastic;
mod c08_hooks;
mod c09_shutdown;
mod c09_views;
mod c09_waiters;
mod c10_elsewhere;
mod c10_nested;
mod c10_polls;
mod c11_context;
mod c12_runtime_neutral;
