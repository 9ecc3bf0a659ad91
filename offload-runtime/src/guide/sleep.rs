//! How a pool sleeps and wakes: an overview for the curious, and what an idle pool costs.
//!
//! Nothing here has to be known to use a pool. The protocol itself, with its invariants, stands at the head of
//! [`pool/sleep.rs`](../../../src/offload_runtime/pool/sleep.rs.html), the constants in
//! [`pool/pace.rs`](../../../src/offload_runtime/pool/pace.rs.html); its races are explored by loom models beside them.
//!
//! # What an idle pool costs
//! | | Threads | Time | Memory |
//! |---|---|---|---|
//! | made, not used yet | none | none | the pool's own state: some hundred bytes |
//! | idle since less than [`keep_alive`](crate::ThreadPoolBuilder::keep_alive) | those that were needed at once | none, but for the last 50 microseconds at most, or 80 after jobs of about one: each sleeps, with one timeout | a stack per thread, as far as it was touched |
//! | idle for longer | [`min_threads`](crate::ThreadPoolBuilder::min_threads), by default none | none: those sleep without a timeout | as before, for those |
//!
//! While nothing runs, no thread looks at a clock again and again, and there is no thread that looks after the others: a worker retires
//! itself, when its own sleep times out (C8). One that is told to [`warn_after`](crate::ThreadPoolBuilder::warn_after) has a thread for that, while it has
//! others; where nothing runs it sleeps, too.
//! ```
//! use offload_runtime::{ExecutorExt, ThreadPool};
//! use std::sync::mpsc;
//! use std::time::Duration;
//!
//! let (left, leaves) = mpsc::channel();
//! let pool = ThreadPool::builder()
//!     .max_threads(4)
//!     .keep_alive(Duration::from_millis(1))
//!     .on_thread_stop(move || drop(left.send(())))
//!     .build();
//! pollster::block_on(pool.submit(|| ())).unwrap(); // starts a thread
//! leaves.recv().unwrap(); // which leaves, though the pool is there still
//! pollster::block_on(pool.submit(|| ())).unwrap(); // starts another
//! ```
//!
//! # Who is woken
//! A job is put into the queue's inbox by one atomic step, without a lock. What its submitter found there tells it whether that is all:
//!
//! | What the submitter finds in the inbox | What follows |
//! |---|---|
//! | it is open, or holds other jobs | nothing: a thread is looking for work, or comes back from its job soon, and will see it; in the first case whoever awaits the job may look, too |
//! | it asks | the submitter locks the queue and decides: the thread that fell asleep last is woken, or one is started |
//! | it is sealed | the pool is closed: the job is refused |
//!
//! Threads take the whole inbox at once, when they come to the queue under its lock. Who comes back from a job passes it by where others wait
//! anyway, while it takes one in 16 of those, or half of them where 32 or more wait: each look takes the inbox from whoever submits. A thread
//! that goes to sleep, and knows of no other that comes, lets the inbox ask, in the same step in which it sees that it is empty; so no job can
//! be missed. (A pool with a [`queue_capacity`](crate::ThreadPoolBuilder::queue_capacity) has to count each job at once: there, submitting takes
//! the lock. So it does with the feature `metrics`.)
//!
//! A thread on its way to the queue is called a *scout*. None is called beside others but for a job that waits beside as many, none beyond one
//! more than there are cores, and four (on a single core, one); and one is started only if no other is on its way. A scout takes a job, and
//! before it runs it, calls the next scout if more jobs wait. So:
//!
//! * **A burst does not cost its submitter a wake-up per job.** A wake-up is a system call; most of them are made along the chain of
//!   scouts, on the workers' time.
//! * **Threads are woken a few at a time, and started one after the other**, by those before them, for as long as jobs wait. A burst of very
//!   short jobs is over before the chain is long, and most of the threads that it might have had are never started.
//! * **Last in, first out.** The thread with the warm cache is woken, and under a small load the others sleep on until they retire. The
//!   number of threads follows the load, not its peak.
//! * **Nobody relies on a thread in its hook.** While one runs [`on_thread_start`](crate::ThreadPoolBuilder::on_thread_start) it is no scout:
//!   others are woken and started beside it, as many as jobs wait.
//! * **No job is forgotten.** The role of scout is given up under the lock only, with the queue seen there.
//!
//! # When fewer threads are faster
//! Jobs that keep a thread for less than some hundred nanoseconds are not worth a second one: waking it, and two threads at one lock, cost
//! more than it brings. Of each method (or other place that jobs come from) a worker knows how long its last ones have kept it, waking
//! their callers included. While they are that short, it calls nobody for those that wait behind; with jobs of 400 nanoseconds two threads
//! are of use, with jobs of 4 microseconds eleven, and so on. A burst of 50,000 empty jobs takes five sixths of the time that way.
//!
//! If one of them turns out to be long after all, another thread is at hand: it sleeps for 200 microseconds at a time while calls are
//! withheld, and takes over if jobs wait and none was begun meanwhile. Then all threads are called again for the next thousand jobs,
//! and for longer if it happens again. So what was expected wrongly costs the jobs behind it 400 microseconds at most.
//!
//! The thread at hand takes part, too, if it sees some jobs wait at two looks in a row, from 64 to 1,024: then those who submit them wait for one
//! thread, that spends half of its time waking them, while a core has nothing to do. Sixteen threads that submit 64 empty jobs each and await
//! them need 0.72 of the time that way. Not if more wait: in a burst the other core is with who submits it, and nobody has to be woken.
//!
//! Who awaits such a job is not always woken at once, either. A wake-up takes longer than the job did, and a thread that submits many jobs and
//! then awaits them is woken for the first that is not done, to fall asleep again for the next. So while the jobs are that short, more of them
//! wait, and the one before was not awaited yet as it ended, who awaits one is woken together with others: after 32 jobs at most, after 8
//! wake-ups, if the queue is empty, and before a job of which not as much is known. If one of them turns out to be long after all, by the thread
//! that is at hand, after 400 microseconds at most; and so if one of the wakers does not return. The result is there all the time
//! ([`is_finished`](crate::JobHandle::is_finished)), and a pool of one thread never does this.
//!
//! # Why it looks before it sleeps
//! A thread that finds the queue empty does not sleep at once, where that has been of use. For some microseconds it looks for work without the
//! lock, in a tight loop, giving its core away now and then. A caller that awaits one job after the other, the most usual pattern of all, submits the
//! next just then, and nobody has to be woken.
//!
//! How long that should be depends on the caller: one that sleeps until it has its result needs some time to wake up, 5 to 20 microseconds on a
//! virtual machine, and a look that is over by then is wasted. So it is learnt. If a thread is woken for a job within 50 microseconds of its
//! last look, the next look is as long as would have been needed, and as much again; if later, each time half as long, until there is none:
//! a pool that is called now and then sleeps at once. It is a bet with a bound: at most those 50 microseconds, by no more threads than
//! four (one on a single core), and than are of use; once per sleep, and that is about what the sleep costs. Where somebody else wants the
//! core, looking stops, and is not tried again for a while.
//!
//! Where jobs that keep a thread for 400 nanoseconds to 2.4 microseconds come one after the other (one in 20 microseconds at least), and another
//! thread of the pool runs or looks, the bet is another: up to four threads look for eight times 10 microseconds, and give their core away
//! nearly all of the time; in between they see whether jobs wait that others have taken in. If they slept between such jobs, they would be
//! woken one behind the other on one core. 32 callers of jobs of a microsecond need 0.78 of the time that way.
//!
//! A thread that comes back from a job looks even if another that was called meanwhile is still on its way: it is there already.
//!
//! # Who awaits looks, too
//! A short job that a thread was looking for has ended before its caller could fall asleep, and to be woken takes the caller's thread longer
//! than the job takes: to leave the waker, to find nothing else to do, to sleep, to be woken, to poll again. So the first poll of such a job
//! looks for its result, for a microsecond at most, in a tight loop, before it leaves a waker. That is the whole of it: it looks if this
//! thread has submitted the job just before, no other job was waiting, a thread of the pool is awake, and nothing else that this thread
//! has submitted is on its way; then nobody is kept from anything but that microsecond. Where the jobs of a site turn out to take longer,
//! it looks at one in five of them. And since a caller who finds all his results at the first poll would never let the other
//! tasks of his thread have their turn, he gives way after sixteen: the poll that finds the next one by looking for it wakes its own task and
//! returns `Pending`, and the one after it returns the result.
//!
//! So does who has submitted some jobs, and then awaits them one by one, as soon as he has caught up with the thread that runs them, and there
//! are no more than 128 to come: a core that fell asleep for the last of them would need longer to wake up than they take. A batch of 64 empty
//! jobs takes 12 microseconds instead of 24, and less CPU time (AMD Zen 4, Linux 6.18; row `producers/1`, where a core needs 14 microseconds
//! to wake up). While more are to come he sleeps, since they are done by the time that he is awake.
//!
//! A caller that awaits one empty job after the other, on a current-thread runtime or by `block_on`, needs 0.8 to 1.2 microseconds per call,
//! where it needed 6 to 18, and keeps its thread for 0.8 microseconds of each call, where it kept it for 1.7 to 4.4 (Intel Xeon, Linux 6.18,
//! with the benches' row `round-trip`, and by the thread's CPU clock).
//!
//! # What was measured
//! On a virtual machine with two cores, four threads in the pool: what a call needs if one thing is done otherwise, over what it needs as it
//! is. Medians of five runs each, by turns, beside two other pools as a measure:
//!
//! | | one caller, current-thread runtime | one caller, `block_on` alone | burst of 50,000 | 256 callers |
//! |---|---|---|---|---|
//! | a look of 4 microseconds at most | 10 | 3.0 | 1.0 | 1.1 |
//! | the core given away every 0.2 instead of every 5 microseconds | 2.1 | 1.6 | 1.0 | 1.0 |
//! | as many threads as there may be, however short the jobs | 0.8 | 0.6 | 1.2 | 1.2 |
//! | the queue's lock for each submit, instead of the inbox | 0.8 | 0.9 | 1.9 | 1.3 |
//!
//! And on another (Intel, Linux 6.18), where waking a core that sleeps takes 15 to 30 microseconds; medians of five to fifteen runs each:
//!
//! | | 32 callers, jobs of 10 microseconds | 1 to 8 threads that submit 64 empty jobs and await them | a call every third of a millisecond, two workers |
//! |---|---|---|---|
//! | one thread at a time on its way | 1.4 | 1.0 | 1.0 |
//! | whoever awaits a short job woken at once | 1.0 | 1.1 to 1.5 | 1.0 |
//! | a look of 3 microseconds after each job, at least | 1.0 | 1.0 | 3 |
//!
//! And there again, medians of four to seven runs each, all with empty jobs:
//!
//! | | one caller, current-thread runtime | one caller, two workers | 256 callers, current-thread runtime | 32 callers, 20,000 calls, two workers |
//! |---|---|---|---|---|
//! | who awaits leaves a waker at once | 14 | 8 | 1.0 | 1.0 |
//! | who awaits looks, whatever else its thread has on its way | 1.0 | 1.0 | 1.3 | 1.4 |
//! | no look for work while another thread is on its way | 1.0 | 1.0 | 1.0 | 1.5 to 2 |
//!
//! (The first two columns of the first table are from before callers looked themselves.) One caller after the other is good for what is far
//! from 1 only:
//! two threads that hand a job over to and fro do so in one of two ways, on one core or on two, each stable
//! for seconds, and one takes some ten times as long as the other. That is so for every pool here. What one job costs beside its body, beside
//! other pools, is in the `benches` of the repository.
//!
//! # What follows for you
//! * The first job after a pause of more than `keep_alive` pays for starting a thread, some tens of microseconds.
//!   [`min_threads(1)`](crate::ThreadPoolBuilder::min_threads) or a longer `keep_alive` spares it that, where it matters.
//! * Before that, the first job after a pause pays for waking a thread, about half as much. A pool that is called all the time pays
//!   neither.
//! * `max_threads` may be generous where the resource allows it: what is not needed is not started, and what is not needed any more
//!   leaves.
//! * Do not "warm up" a pool by submitting empty jobs: a burst of jobs that end at once is served by few threads.
//! * `keep_alive(Duration::ZERO)` makes each pause cost a thread. It is for tests.
