//! Who awaits very short jobs, and is woken together with others.
//!
//! A wake-up takes longer than such a job does, and who is woken finds one job done and sleeps again for the next: a producer that submits 64
//! empty jobs and then awaits them needed 1.4 times as long (`benches`, rows `producers`). So whoever awaits one is *held*, while others wait
//! behind it, and woken together with those who await the next ones. Not if the job before was awaited as it ended, too: then callers come one
//! by one, and there is no company to be had that is worth the wait.
//!
//! Held are those in [`State::held`], under the pool's lock, and while they are being woken, in [`Worker::waking`]. That nobody is forgotten
//! there is an invariant of the protocol in `sleep.rs`: somebody stands by, and comes if no job is taken.

use std::collections::VecDeque;
use std::mem;

use super::queue::{Pool, State};
use super::worker::{self, Worker};
use crate::job::{Awaiter, Guard};
use crate::sync;

/// So many are held at most. With 4 it was as fast, with 2 not; of 32 callers, with 32, all were asleep at times.
const COMPANY: usize = 8;
/// While no more jobs than that are taken: what they take is less than a wake-up does.
const PASSED: u64 = 32;

/// Who is held.
#[derive(Default)]
pub(super) struct Held {
    awaiters: VecDeque<Awaiter>,
    /// How many jobs had been taken as the first of them came.
    since: u64,
}

impl Held {
    #[inline]
    fn len(&self) -> usize {
        self.awaiters.len()
    }

    #[inline]
    fn is_empty(&self) -> bool {
        self.awaiters.is_empty()
    }
}

impl State {
    /// Whether those who are held are to be woken before the job runs that was taken: it may be long.
    #[inline]
    pub(super) fn is_to_wake_first(&self) -> bool {
        !self.held.is_empty() && !self.flow.is_served_by(self.running)
    }

    /// Whether anybody is held, or is being woken and not yet by the turn.
    pub(super) fn is_anybody_held(&self) -> bool {
        !self.held.is_empty() || self.workers.iter().any(|worker| !sync::lock(&worker.waking).is_empty())
    }

    /// Holds `awaiter`, who is woken later.
    #[inline]
    pub(super) fn hold(&mut self, awaiter: Awaiter) {
        if self.held.is_empty() {
            self.held.since = self.flow.taken;
        }
        self.held.awaiters.push_back(awaiter);
    }
}

impl Guard<'_, Pool> {
    /// Whether who awaits a job that ends now is woken together with others: one stands by, a job waits that is as short, and they are few.
    /// `running`: how many threads run jobs, or take the next at once.
    #[inline]
    pub(super) fn holds_wakes(&self, running: usize) -> bool {
        self.flow.standby.is_some()
            && self.flow.is_served_by(running)
            && !self.is_empty()
            && !self.closed
            && (self.held.is_empty() || self.held.len() < COMPANY && self.flow.taken - self.held.since < PASSED)
    }

    /// Whether the thread that has just taken a job may not wake at once who awaits it. `awaited`: whether the last one was, as it ended.
    #[inline]
    pub(super) fn has_company(&self, awaited: bool) -> bool {
        !self.held.is_empty() || !awaited && self.holds_wakes(self.running)
    }
}

/// A job has ended that `awaiter` awaits, and its thread has come back. Wakes it, and those who were held; or holds it, too.
#[inline]
pub(super) fn hold_or_wake<'a>(mut state: Guard<'a, Pool>, worker: &Worker, awaiter: Awaiter) -> Guard<'a, Pool> {
    // With this thread, which goes on.
    let holds = state.holds_wakes(state.running + 1);
    if !awaiter.is_nobody() {
        state.hold(awaiter);
    }
    if holds || state.held.is_empty() { state } else { wake_held(state, worker) }
}

/// Wakes those who were held, in that order, without the lock.
pub(super) fn wake_held<'a>(mut state: Guard<'a, Pool>, worker: &Worker) -> Guard<'a, Pool> {
    let queue = state.queue();
    // What is there is nothing, but room for those to come.
    mem::swap(&mut state.held.awaiters, &mut sync::lock(&worker.waking));
    drop(state);
    wake_all(worker);
    queue.lock_to_pop()
}

/// Wakes those whom `worker` was to wake.
fn wake_all(worker: &Worker) {
    let next = || sync::lock(&worker.waking).pop_front();
    // One by one: if a waker does not return, the others are there still.
    while let Some(awaiter) = next() {
        drop(awaiter);
    }
}

/// Wakes those whom this thread looked after as it slept: it is a scout now, or has a job. Meanwhile it counts as running: wakers are the
/// user's code.
#[cold]
pub(super) fn relieve<'a>(mut state: Guard<'a, Pool>, worker: &Worker, scout: bool) -> Guard<'a, Pool> {
    let queue = state.queue();
    state.running += usize::from(scout);
    let others = state.workers.clone();
    let call = worker::pass_on(&mut state, &queue.shared, scout);
    drop(state);
    call.carry_out(queue);
    for other in &others {
        wake_all(other);
    }
    state = wake_held(queue.lock_to_pop(), worker);
    state.running -= usize::from(scout);
    state
}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::error::Error;
    use crate::executor::ExecutorExt;
    use crate::job::{Job, Origin, Work};
    use crate::pool::ThreadPool;
    use crate::pool::pace::Flow;
    use crate::pool::sleep::Call;
    use crate::sync::{Arc, Mutex, thread};

    struct Nothing;

    impl Work for Nothing {
        type Output = ();

        fn run(self) {}
    }

    /// Counts who was woken.
    #[derive(Default)]
    struct Counting(AtomicUsize);

    impl Wake for Counting {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Whoever awaits a short job is woken with others, if somebody looks after them, a job waits that will end soon, and they are few.
    #[test]
    fn c08_who_awaits_short_jobs_is_woken_with_others() {
        let woken = Arc::new(Counting::default());
        let awaiter = || Awaiter::of(Arc::clone(&woken).into());
        let count = || woken.0.load(Ordering::SeqCst);
        let pool = ThreadPool::builder().max_threads(4).build();
        let queue = pool.queue();
        drop(queue.post(Job::unobserved(Origin::of_caller(), Nothing)));
        let worker = Worker::new(&queue.shared, String::new());
        let mut state = queue.lock();
        state.running = 0;
        state.flow.takes(Some(0));
        assert!(!state.has_company(false));
        state = hold_or_wake(state, &worker, awaiter());
        assert_eq!(count(), 1, "nobody stands by");
        state.stand_by(&worker);
        for held in 0..COMPANY {
            state.running = 1;
            assert!(state.has_company(false) && !state.is_to_wake_first());
            state.running = 0;
            state = hold_or_wake(state, &worker, awaiter());
            assert_eq!((count(), state.held.len()), (1, held + 1));
            state.flow.takes(Some(0));
        }
        state = hold_or_wake(state, &worker, Awaiter::nobody());
        assert_eq!((count(), state.held.len()), (1 + COMPANY, 0), "they are too many");
        state = hold_or_wake(state, &worker, Awaiter::nobody());
        assert!(state.held.is_empty(), "nobody awaits it");
        state = hold_or_wake(state, &worker, awaiter());
        for _ in 0..PASSED {
            state = hold_or_wake(state, &worker, Awaiter::nobody());
            assert_eq!(state.held.len(), 1);
            state.flow.takes(Some(0));
        }
        state = hold_or_wake(state, &worker, Awaiter::nobody());
        assert!(state.held.is_empty(), "he waits for too many jobs");
        // One thread less than are of use runs, nothing is known of the next job, or the pool closes.
        for (keep, closed) in [(Some(400), false), (None, false), (Some(0), true)] {
            state.flow.takes(Some(0));
            state = hold_or_wake(state, &worker, awaiter());
            let before = count();
            state.closed = closed;
            state.flow.takes(keep);
            assert!(state.has_company(false), "others are held");
            state.running = 1;
            assert_eq!(state.is_to_wake_first(), keep != Some(0), "it may be long, and they are held");
            state.running = 0;
            state = hold_or_wake(state, &worker, awaiter());
            assert_eq!((count(), state.held.len()), (before + 2, 0), "{keep:?} {closed}");
            assert!(!state.is_to_wake_first(), "nobody is held");
            state.closed = false;
        }
        let before = count();
        state.flow.takes(Some(0));
        state = hold_or_wake(state, &worker, awaiter());
        drop(state.drain(&Error::ShutDown));
        assert!(state.has_company(false));
        state = hold_or_wake(state, &worker, awaiter());
        assert_eq!(count(), before + 2, "no job waits");
        assert!(!state.has_company(false));
        (state.running, state.flow.standby) = (0, None);
    }

    /// He who is held behind a job that may be long is woken by its thread first, and not by the one that stands by, later.
    #[test]
    fn c08_those_who_are_held_do_not_wait_for_a_job_that_may_be_long() {
        struct Here(Mutex<Option<thread::ThreadId>>);
        impl Wake for Here {
            fn wake(self: Arc<Self>) {
                *sync::lock(&self.0) = Some(thread::current().id());
            }
        }
        let pool = ThreadPool::builder().max_threads(1).build();
        let here = Arc::new(Here(Mutex::new(None)));
        let (seen, told) = (Arc::clone(&here), Arc::clone(&here));
        let (open, gate) = std::sync::mpsc::channel::<()>();
        pool.submit(move || gate.recv().unwrap()).detach();
        let job = pool.submit(move || *sync::lock(&seen.0) == Some(thread::current().id()));
        pool.queue().lock().hold(Awaiter::of(told.into()));
        open.send(()).unwrap();
        assert!(pollster::block_on(job).unwrap(), "he is left there while the job runs");
        pollster::block_on(pool.shutdown());
    }

    /// A waker that does not return keeps none of those asleep who were held with it, and no job waiting.
    #[test]
    fn c03_who_comes_to_wake_those_who_are_held_wakes_those_of_others_too() {
        let pool = ThreadPool::builder().max_threads(2).build();
        let queue = pool.queue();
        let worker = || Worker::new(&queue.shared, String::new());
        for scout in [true, false] {
            let (stands_in_a_waker, sleeps, comes) = (worker(), worker(), worker());
            let woken = Arc::new(Counting::default());
            let awaiter = || Awaiter::of(Arc::clone(&woken).into());
            sync::lock(&stands_in_a_waker.waking).extend([awaiter(), awaiter()]);
            let mut state = queue.lock();
            state.workers.push(Arc::clone(&stands_in_a_waker));
            state.idle.push(Arc::clone(&sleeps));
            (state.threads, state.running, state.scouts) = (2, 1, usize::from(scout));
            assert!(state.is_anybody_held());
            state.hold(awaiter());
            drop(state);
            drop(queue.post(Job::unobserved(Origin::of_caller(), Nothing)));
            state = relieve(queue.lock(), &comes, scout);
            assert_eq!(woken.0.load(Ordering::SeqCst), 3);
            assert!(!state.is_anybody_held());
            assert!(state.idle.is_empty(), "nobody is called for the job meanwhile");
            assert_eq!((state.running, state.scouts), (1, 1));
            state.workers.clear();
            (state.threads, state.running, state.scouts) = (0, 0, 0);
            drop(state.drain(&Error::ShutDown));
            state.ask();
        }
    }

    /// Nobody else does: they were held because it stood by.
    #[test]
    fn c08_who_stood_by_and_is_called_wakes_those_who_were_held() {
        let pool = ThreadPool::builder().max_threads(2).build();
        let queue = pool.queue();
        let (open, gate) = std::sync::mpsc::channel::<()>();
        let (begun, wait_for_begun) = std::sync::mpsc::channel();
        let long = pool.submit(move || {
            begun.send(()).unwrap();
            gate.recv().unwrap();
        });
        wait_for_begun.recv().unwrap();
        let woken = Arc::new(Counting::default());
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut short = None;
        loop {
            assert!(Instant::now() < deadline, "nobody stands by for as long as it takes to see it");
            let mut state = queue.lock();
            if state.flow.standby.is_some() {
                state.hold(Awaiter::of(Arc::clone(&woken).into()));
                // As if the job that runs were known to be long by now.
                state.flow.takes(None);
                let call = Call::decide(&mut state, &queue.shared);
                assert!(matches!(call, Call::Wake(_)) && state.flow.standby.is_none());
                // It finds no job: who takes one wakes them anyway.
                let refused = state.drain(&Error::ShutDown);
                drop(state);
                drop(refused);
                break call.carry_out(queue);
            }
            if short.as_ref().is_none_or(crate::JobHandle::is_finished) {
                // As if nothing were known but that the job that runs is short.
                state.flow = Flow::default();
                state.flow.takes(Some(0));
                drop(state);
                short = Some(pool.submit(|| ()));
            }
        }
        while woken.0.load(Ordering::SeqCst) == 0 {
            assert!(Instant::now() < deadline, "he who was held is left there");
            thread::yield_now();
        }
        open.send(()).unwrap();
        pollster::block_on(long).unwrap();
        pollster::block_on(pool.shutdown());
    }
}
