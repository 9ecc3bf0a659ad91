//! Who awaits very short jobs, and is woken together with others.
//!
//! A wake-up takes longer than such a job does, and who is woken finds one job done and sleeps again for the next: a producer that submits 64
//! empty jobs and then awaits them needed 1.4 times as long (`benches`, rows `producers`). So whoever awaits one is *held*, while others wait
//! behind it, and woken together with those who await the next ones. Not if the job before was awaited as it ended, too: then callers come one
//! by one, and there is no company to be had that is worth the wait.
//!
//! Held are those in [`State::held`], under the pool's lock, and while they are being woken, in [`Worker::waking`]. That nobody is forgotten
//! there is an invariant of the protocol in `sleep.rs`: somebody stands by, and comes if no job is taken. Wakers are run
//! before a job is taken, or after it has run: they are the user's code, and may need it.

use std::collections::VecDeque;
use std::mem;

use super::pace::Flow;
use super::queue::{Pool, State};
use super::worker::{self, Worker};
use crate::job::{Awaiter, Guard};
use crate::metrics::Place;
use crate::sync::{self, Arc};

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
    /// How many threads wake those who were held.
    waking: usize,
}

impl Held {
    #[inline]
    fn len(&self) -> usize {
        self.awaiters.len()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.awaiters.is_empty()
    }
}

impl State {
    /// Whether anybody is held, or is to be woken by a thread that wakes another before.
    pub(super) fn is_anybody_held(&self) -> bool {
        let is_behind = |worker: &Arc<Worker>| !sync::lock(&worker.waking).is_empty();
        !self.held.is_empty() || self.held.waking > 0 && self.workers.iter().any(is_behind)
    }

    /// Whether the thread that is called next looks after some who are held.
    pub(super) fn looks_after_others(&self) -> bool {
        let stands_by = |worker| self.flow.standby.as_ref().is_some_and(|standby| Arc::ptr_eq(standby, worker));
        self.idle.last().is_some_and(stands_by) && self.is_anybody_held()
    }

    /// Holds `awaiter`, who is woken later.
    #[inline]
    pub(super) fn hold(&mut self, awaiter: Awaiter) {
        if self.held.is_empty() {
            self.held.since = self.flow.taken;
        }
        self.held.awaiters.push_back(awaiter);
    }

    /// Takes one of those who are held, or are to be woken by a thread that wakes another before.
    fn next_held(&mut self) -> Option<Awaiter> {
        let of_worker = |worker: &Arc<Worker>| sync::lock(&worker.waking).pop_front();
        self.workers.iter().find_map(of_worker).or_else(|| self.held.awaiters.pop_front())
    }
}

#[cfg(all(test, not(offload_loom)))]
impl State {
    /// As if `worker` stood in a waker, and `awaiter` came next.
    pub(super) fn hold_behind(&mut self, worker: &Worker, awaiter: Awaiter) {
        sync::lock(&worker.waking).push_back(awaiter);
        self.held.waking += 1;
    }
}

impl Guard<'_, Pool> {
    /// Whether who awaits a job that ends now is woken together with others: one stands by, a job waits, and they are few.
    /// `running`: how many threads run jobs, or take the next at once.
    #[inline]
    fn holds_wakes(&self, running: usize) -> bool {
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

/// A job has ended that `awaiter` awaits, and its thread has come back. Wakes it, and those who were held; or holds it, too, if the next job
/// is as short. `expect`: for how long a job of a site will keep the thread, if that is known.
#[inline]
pub(super) fn hold_or_wake<'a>(
    mut state: Guard<'a, Pool>,
    worker: &Worker,
    awaiter: Awaiter,
    expect: impl FnOnce(Place) -> Option<u64>,
) -> Guard<'a, Pool> {
    // With this thread, which goes on.
    let running = state.running + 1;
    let holds = state.holds_wakes(running)
        && state.next_place().and_then(expect).is_some_and(|keep| Flow::of_use_to(keep) <= running);
    if !awaiter.is_nobody() {
        state.hold(awaiter);
    }
    if holds { state } else { wake_held(state, worker) }
}

/// Wakes those who are held, in that order, without the lock.
#[inline]
pub(super) fn wake_held<'a>(state: Guard<'a, Pool>, worker: &Worker) -> Guard<'a, Pool> {
    if state.held.is_empty() { state } else { wake_all(state, worker) }
}

fn wake_all<'a>(mut state: Guard<'a, Pool>, worker: &Worker) -> Guard<'a, Pool> {
    let queue = state.queue();
    // What is there is nothing, but room for those to come.
    mem::swap(&mut state.held.awaiters, &mut sync::lock(&worker.waking));
    state.held.waking += 1;
    drop(state);
    let next = || sync::lock(&worker.waking).pop_front();
    // One by one: if a waker does not return, who stands by finds the others there.
    while let Some(awaiter) = next() {
        drop(awaiter);
    }
    state = queue.lock_to_pop();
    state.held.waking -= 1;
    state
}

/// Wakes those whom this thread looked after as it slept, as a scout. Meanwhile it counts as running: wakers are the user's code. Nobody
/// stands by: if one of them does not return, those behind are woken by whoever comes back from a job and takes another.
#[cold]
pub(super) fn relieve(mut state: Guard<'_, Pool>) -> Guard<'_, Pool> {
    let queue = state.queue();
    state.running += 1;
    if let Some(ended) = &queue.shared.ended {
        // It runs no job: its place is free.
        ended.note();
    }
    let call = worker::pass_on(&mut state, &queue.shared, true);
    drop(state);
    call.carry_out(queue);
    state = queue.lock_to_pop();
    while let Some(awaiter) = state.next_held() {
        drop(state);
        drop(awaiter);
        state = queue.lock_to_pop();
    }
    state.running -= 1;
    if let Some(ended) = &queue.shared.ended {
        ended.come_back();
    }
    state
}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use std::task::Wake;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::error::Error;
    use crate::executor::ExecutorExt;
    use crate::job::JobHandle;
    use crate::pool::ThreadPool;
    use crate::pool::queue::{Counting, post_nothing};
    use crate::pool::sleep::Call;
    use crate::sync::{Mutex, thread};

    /// Whoever awaits a short job is woken with others, if somebody looks after them, a job waits that will end soon, and they are few.
    #[test]
    fn c08_who_awaits_short_jobs_is_woken_with_others() {
        let woken = Arc::new(Counting::default());
        let awaiter = || Awaiter::of(Arc::clone(&woken).into());
        let count = || woken.wakes();
        let pool = ThreadPool::builder().max_threads(4).build();
        let queue = pool.queue();
        drop(post_nothing(queue));
        let worker = Worker::new(&queue.shared, String::new());
        let short = |_| Some(0);
        let mut state = queue.lock();
        state.running = 0;
        state.flow.takes(Some(0));
        assert!(!state.has_company(false));
        state = hold_or_wake(state, &worker, awaiter(), short);
        assert_eq!(count(), 1, "nobody stands by");
        state.stand_by(&worker);
        for held in 0..COMPANY {
            state.running = 1;
            assert!(state.has_company(false));
            state.running = 0;
            state = hold_or_wake(state, &worker, awaiter(), short);
            assert_eq!((count(), state.held.len()), (1, held + 1));
            state.flow.takes(Some(0));
        }
        state = hold_or_wake(state, &worker, Awaiter::nobody(), short);
        assert_eq!((count(), state.held.len()), (1 + COMPANY, 0), "they are too many");
        assert_eq!(state.held.waking, 0);
        state = hold_or_wake(state, &worker, Awaiter::nobody(), short);
        assert!(state.held.is_empty(), "nobody awaits it");
        state = hold_or_wake(state, &worker, awaiter(), short);
        for _ in 0..PASSED {
            state = hold_or_wake(state, &worker, Awaiter::nobody(), short);
            assert_eq!(state.held.len(), 1);
            state.flow.takes(Some(0));
        }
        state = hold_or_wake(state, &worker, Awaiter::nobody(), short);
        assert!(state.held.is_empty(), "he waits for too many jobs");
        // One thread less than are of use runs, nothing is known of the jobs that run or of the next one, or that is longer, or the pool closes.
        for (keep, expected, closed) in [
            (Some(400), Some(0), false),
            (None, Some(0), false),
            (Some(0), None, false),
            (Some(0), Some(400), false),
            (Some(0), Some(0), true),
        ] {
            state.flow.takes(Some(0));
            state = hold_or_wake(state, &worker, awaiter(), short);
            let before = count();
            state.closed = closed;
            state.flow.takes(keep);
            assert!(state.has_company(true), "others are held");
            state = hold_or_wake(state, &worker, awaiter(), |_| expected);
            assert_eq!((count(), state.held.len()), (before + 2, 0), "{keep:?} {expected:?} {closed}");
            state.closed = false;
        }
        state.running = 1;
        assert!(state.has_company(false) && !state.has_company(true), "the last one was awaited");
        state.running = 0;
        let before = count();
        state.flow.takes(Some(0));
        state = hold_or_wake(state, &worker, awaiter(), short);
        drop(state.drain(&Error::ShutDown));
        assert!(state.has_company(false));
        state = hold_or_wake(state, &worker, awaiter(), short);
        assert_eq!(count(), before + 2, "no job waits");
        assert!(!state.has_company(false));
        (state.running, state.flow.standby) = (0, None);
    }

    /// A thread that wakes others runs no job: who is woken finds its place free.
    #[test]
    fn c05_who_is_woken_by_one_who_slept_finds_a_place() {
        struct Submits(ThreadPool, Mutex<Option<JobHandle<()>>>);
        impl Wake for Submits {
            fn wake(self: Arc<Self>) {
                *sync::lock(&self.1) = Some(self.0.submit(|| ()));
            }
        }
        let pool = ThreadPool::builder().max_threads(2).queue_capacity(0).build();
        let queue = pool.queue();
        let submits = Arc::new(Submits(pool.clone(), Mutex::new(None)));
        let mut state = queue.lock();
        (state.threads, state.running, state.scouts) = (2, 1, 1);
        state.hold(Awaiter::of(Arc::clone(&submits).into()));
        drop(relieve(state));
        let submitted = sync::lock(&submits.1).take().expect("it was woken");
        assert!(!submitted.is_finished(), "it was refused");
        let occupied = pool.submit(|| ());
        assert!(matches!(pollster::block_on(occupied), Err(Error::QueueFull)), "two have the two places");
        let mut state = queue.lock();
        (state.threads, state.running, state.scouts) = (0, 0, 0);
        drop(state.drain(&Error::ShutDown));
    }

    /// A waker that does not return keeps none of those asleep who were held with it, and no job waiting.
    #[test]
    fn c03_who_comes_to_wake_those_who_are_held_wakes_those_of_others_too() {
        let pool = ThreadPool::builder().max_threads(2).build();
        let queue = pool.queue();
        let worker = || Worker::new(&queue.shared, String::new());
        let (stands_in_a_waker, sleeps) = (worker(), worker());
        let woken = Arc::new(Counting::default());
        let awaiter = || Awaiter::of(Arc::clone(&woken).into());
        sync::lock(&stands_in_a_waker.waking).extend([awaiter(), awaiter()]);
        let mut state = queue.lock();
        state.workers.push(Arc::clone(&stands_in_a_waker));
        state.idle.push(Arc::clone(&sleeps));
        (state.threads, state.running, state.scouts) = (2, 1, 1);
        assert!(!state.is_anybody_held());
        state.held.waking = 1;
        assert!(state.is_anybody_held() && !state.looks_after_others());
        state.flow.takes(Some(0));
        state.stand_by(&sleeps);
        assert!(state.looks_after_others());
        state.flow.standby = None;
        state.hold(awaiter());
        drop(state);
        drop(post_nothing(queue));
        state = relieve(queue.lock());
        assert_eq!(woken.wakes(), 3);
        assert!(!state.is_anybody_held());
        assert!(state.idle.is_empty(), "nobody is called for the job meanwhile");
        assert_eq!((state.running, state.scouts), (1, 1));
        state.workers.clear();
        (state.threads, state.running, state.scouts, state.held.waking) = (0, 0, 0, 0);
        drop(state.drain(&Error::ShutDown));
        state.ask();
    }

    /// The pool, locked, in which a job runs and is taken for a short one, and another thread stands by; and a job that waits.
    fn until_one_stands_by(pool: &ThreadPool) -> (Guard<'_, Pool>, JobHandle<()>) {
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut short: Option<JobHandle<()>> = None;
        loop {
            assert!(Instant::now() < deadline, "nobody stands by for as long as it takes to see it");
            let mut state = pool.queue().lock();
            if state.flow.standby.is_some()
                && let Some(short) = short.take()
            {
                return (state, short);
            }
            if short.as_ref().is_none_or(JobHandle::is_finished) {
                // As if nothing were known but that the job that runs is short.
                state.flow = Flow::default();
                state.flow.takes(Some(0));
                drop(state);
                short = Some(pool.submit(|| ()));
            }
        }
    }

    /// It would come to that job after the wakers, or to them after the job; and each may need the other.
    #[test]
    fn c10_a_job_that_is_waited_for_is_not_given_to_who_looks_after_others() {
        struct Tell(std::sync::mpsc::Sender<()>);
        impl Wake for Tell {
            fn wake(self: Arc<Self>) {
                let _: Result<(), _> = self.0.send(());
            }
        }
        let pool = ThreadPool::builder().max_threads(3).build();
        let inner = pool.clone();
        let outer = pool.submit(move || {
            let (tell, told) = std::sync::mpsc::channel();
            let (mut state, short) = until_one_stands_by(&inner);
            state.hold(Awaiter::of(Arc::new(Tell(tell)).into()));
            drop(state);
            let needs_waker = inner.submit(move || told.recv_timeout(Duration::from_secs(30)).is_ok());
            drop(short);
            pollster::block_on(needs_waker).unwrap()
        });
        assert!(pollster::block_on(outer).unwrap(), "the waker and the job wait for the same thread");
        pollster::block_on(pool.shutdown());
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
        let (mut state, short) = until_one_stands_by(&pool);
        state.hold(Awaiter::of(Arc::clone(&woken).into()));
        // As if the job that runs were known to be long by now.
        state.flow.takes(None);
        let call = Call::decide(&mut state, &queue.shared);
        assert!(matches!(call, Call::Wake(_)) && state.flow.standby.is_none());
        // It finds no job: who takes one wakes them anyway.
        let refused = state.drain(&Error::ShutDown);
        drop(state);
        drop((refused, short));
        call.carry_out(queue);
        while woken.wakes() == 0 {
            assert!(Instant::now() < deadline, "he who was held is left there");
            thread::yield_now();
        }
        open.send(()).unwrap();
        pollster::block_on(long).unwrap();
        pollster::block_on(pool.shutdown());
    }
}
