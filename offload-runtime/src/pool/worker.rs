//! A thread's life: started, at work, gone.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::pace::Search;
use super::queue::{Hook, Pool, State};
use super::running::Running;
use super::shutdown;
use super::sleep::{self, Call, Woken};
use super::watch;
use crate::clock::Moment;
use crate::error::Error;
use crate::job::{self, Awaiter, Begun, Guard, Queue, Taken, discard};
use crate::metrics::Notes;
use crate::sync::{self, Arc, Condvar, Mutex, thread, thread_local};

/// What others know of a thread.
pub(crate) struct Worker {
    pub(crate) name: String,
    /// What the pool is called.
    #[cfg_attr(not(feature = "tracing"), expect(unused, reason = "told by `trace.rs`"))]
    pub(crate) pool: Arc<str>,
    /// Where the thread sleeps, with the queue's lock.
    pub(super) wake: Condvar,
    pub(crate) running: Running,
    /// Who was held, and is woken by this thread now; or by others, if one of their wakers does not return.
    pub(super) waking: Mutex<VecDeque<Awaiter>>,
}

impl Worker {
    pub(super) fn new(pool: &Pool, name: String) -> Arc<Self> {
        let pool = Arc::clone(&pool.config.name);
        let waking = Mutex::new(VecDeque::new());
        Arc::new(Self { name, pool, wake: Condvar::new(), running: Running::new(), waking })
    }
}

thread_local! {
    /// The pool's thread that this is.
    static CURRENT: RefCell<Option<Arc<Worker>>> = const { RefCell::new(None) };
}

/// Starts a thread, which `Call::decide` has counted, and made a scout.
#[cold]
pub(super) fn start_scout(queue: &Arc<Queue<Pool>>) {
    if let Err(error) = start(queue, || None) {
        start_failed(queue, error);
    }
}

/// Starts a thread, counted by the caller: as a scout, or counted as running with a `first` job.
pub(super) fn start(
    queue: &Arc<Queue<Pool>>,
    first: impl FnOnce() -> Option<Begun> + Send + 'static,
) -> io::Result<()> {
    let name = {
        let mut state = queue.lock();
        state.next_name += 1;
        format!("{}-{}", queue.shared.config.name, state.next_name - 1)
    };
    let of_thread = Arc::clone(queue);
    // The thread is never joined: it says itself when it has gone.
    builder(&queue.shared, name.clone()).spawn(move || live(&of_thread, name, first())).map(drop)
}

/// A thread of the pool, not yet started.
pub(super) fn builder(pool: &Pool, name: String) -> thread::Builder {
    let builder = thread::Builder::new().name(name);
    match pool.config.stack_size {
        Some(bytes) => builder.stack_size(bytes),
        None => builder,
    }
}

/// The operating system refused the thread. Jobs wait for the threads that there are; without any, they are refused (C5).
fn start_failed(queue: &Arc<Queue<Pool>>, error: io::Error) {
    let mut state = queue.lock();
    state.threads -= 1;
    state.scouts -= 1;
    let mut call = Call::Nobody;
    let mut refused = Vec::new();
    let why = Error::Spawn(error);
    if state.threads == 0 {
        // With those that come meanwhile: who comes after that is to try again.
        loop {
            refused.append(&mut state.drain(&why));
            if state.ask() {
                break;
            }
        }
    } else if state.is_empty() || !state.idle.is_empty() {
        // A thread fell asleep while this call counted as the scout. It is there: no thread has to be started.
        call = Call::attend(&mut state, &queue.shared);
    }
    let ended = shutdown::take_wakers(&mut state);
    drop(state);
    call.carry_out(queue);
    for (job, ticket) in refused {
        ticket.announce();
        job.refuse(why.duplicate());
    }
    shutdown::wake(ended);
}

/// The whole of a thread.
fn live(queue: &Arc<Queue<Pool>>, name: String, first: Option<Begun>) {
    let worker = Worker::new(&queue.shared, name);
    queue.lock().workers.push(Arc::clone(&worker));
    watch::start(queue);
    with_hooks(&queue.shared, &worker, || {
        job::host(queue, || {
            // Here, since a recorder may wait for a job of the pool: it waits as a job would (C10).
            queue.shared.published.one_more();
            work(queue, &worker, first);
        });
    });
    queue.shared.published.one_less();
    leave(queue, &worker);
}

/// Runs `f` as `worker`, between the hooks of the builder.
pub(super) fn with_hooks(pool: &Pool, worker: &Arc<Worker>, f: impl FnOnce()) {
    CURRENT.with(|current| *current.borrow_mut() = Some(Arc::clone(worker)));
    call_hook(pool.config.on_thread_start.as_ref());
    f();
    call_hook(pool.config.on_thread_stop.as_ref());
}

/// Runs jobs until there is nothing to stay for, and resigns. With a `first` job the thread is counted as running, without it is
/// a scout.
fn work(queue: &Arc<Queue<Pool>>, worker: &Arc<Worker>, first: Option<Begun>) {
    let pool = &queue.shared;
    let mut scout = first.is_none();
    let mut handed = first;
    let mut notes = Notes::new();
    let mut search = Search::default();
    // Whether somebody awaited the last job as it ended.
    let mut had_awaiter = false;
    let mut state = queue.lock();
    loop {
        if let Some(job) = handed.take() {
            drop(state);
            job.run_with(|job, since, note| {
                worker.running.run(job, since, |ran| {
                    note(ran);
                    end(pool);
                })
            });
            state = come_back(queue);
        }
        let stands_by = scout && !state.is_empty() && state.needs_standby(pool);
        if !stands_by && let Some(Taken { job, stamp, place }) = state.pop() {
            state.one_more_runs(pool);
            let keep = notes.meet(state.ledger(), place);
            state.flow.takes(keep);
            let call = pass_on(&mut state, pool, scout);
            scout = false;
            let (company, first) = (state.has_company(had_awaiter), state.is_to_wake_first());
            drop(state);
            call.carry_out(queue);
            if first {
                drop(wake_held(queue.lock_to_pop(), worker));
            }
            let since = notes.began(place, stamp);
            let mut awaiter = worker.running.run(job, since, |ran| {
                notes.ended(ran);
                end(pool);
            });
            had_awaiter = !awaiter.is_nobody();
            if !company {
                awaiter = Awaiter::nobody();
            }
            notes.came_back();
            state = come_back(queue);
            if company {
                state = hold_or_wake(state, worker, awaiter);
            }
            continue;
        }
        if state.closed {
            state.scouts -= usize::from(scout);
            return resign(&mut state, worker);
        }
        if !scout && state.scouts == 0 {
            let patience = state.patience.length();
            if patience.is_zero() {
                state.patience.searched_since(Moment::now());
            } else {
                (scout, state.scouts) = (true, 1);
                state.open();
                drop(state);
                let began = search.look(queue, patience);
                state = queue.lock();
                state.patience.searched_since(began);
                continue;
            }
        }
        if scout {
            scout = false;
            state.scouts -= 1;
        }
        if !stands_by && state.scouts == 0 && !state.ask() {
            continue;
        }
        let woken;
        (state, woken) = sleep::sleep(state, pool, worker, stands_by);
        match woken {
            Woken::Called => scout = true,
            Woken::Handed(job) => handed = Some(job),
            Woken::Closed => {}
            Woken::Retired => return resign(&mut state, worker),
        }
        if stands_by && (scout || handed.is_some()) && state.is_anybody_held() {
            state = relieve(state, worker, scout);
            scout = false;
        }
    }
}

/// A job has ended, and nobody knows yet: notes that its place is free.
#[inline]
fn end(pool: &Pool) {
    if let Some(ended) = &pool.ended {
        ended.note();
    }
}

/// The thread runs no job any more.
#[inline]
fn come_back(queue: &Arc<Queue<Pool>>) -> Guard<'_, Pool> {
    let mut state = queue.lock_to_pop();
    state.running -= 1;
    if let Some(ended) = &queue.shared.ended {
        ended.come_back();
    }
    state
}

/// A job has ended that `awaiter` awaits, and its thread has come back. Wakes it, and those who were held; or holds it, too.
#[inline]
fn hold_or_wake<'a>(mut state: Guard<'a, Pool>, worker: &Worker, awaiter: Awaiter) -> Guard<'a, Pool> {
    // With this thread, which goes on.
    let holds = state.holds_wakes(state.running + 1);
    if !awaiter.is_nobody() {
        state.hold(awaiter);
    }
    if holds || state.held.is_empty() { state } else { wake_held(state, worker) }
}

/// Wakes those who were held, in that order, without the lock.
fn wake_held<'a>(mut state: Guard<'a, Pool>, worker: &Worker) -> Guard<'a, Pool> {
    let queue = state.queue();
    // What is there is nothing, but room for those to come.
    mem::swap(&mut state.held, &mut sync::lock(&worker.waking));
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
fn relieve<'a>(mut state: Guard<'a, Pool>, worker: &Worker, scout: bool) -> Guard<'a, Pool> {
    let queue = state.queue();
    state.running += usize::from(scout);
    let others = state.workers.clone();
    let call = pass_on(&mut state, &queue.shared, scout);
    drop(state);
    call.carry_out(queue);
    for other in &others {
        wake_all(other);
    }
    state = wake_held(queue.lock_to_pop(), worker);
    state.running -= usize::from(scout);
    state
}

/// A thread that has taken a job is no scout any more; if more jobs wait, it calls the next.
#[inline]
fn pass_on(state: &mut Guard<'_, Pool>, pool: &Pool, scout: bool) -> Call {
    if scout {
        state.scouts -= 1;
    }
    Call::attend(state, pool)
}

/// From here on nobody counts on this thread: another may be started in its place while it still leaves.
fn resign(state: &mut State, worker: &Arc<Worker>) {
    debug_assert!(!state.idle.iter().any(|idle| Arc::ptr_eq(idle, worker)), "who leaves is not to be called");
    state.threads -= 1;
    state.leaving += 1;
}

/// Says good-bye, after all else.
fn leave(queue: &Arc<Queue<Pool>>, worker: &Arc<Worker>) {
    let mut state = queue.lock();
    state.leaving -= 1;
    state.workers.retain(|other| !Arc::ptr_eq(other, worker));
    if state.workers.is_empty() {
        // The watch goes with the last thread, however it waits.
        watch::wake(&mut state, &queue.shared.watch);
        queue.shared.watch.notify_one();
    }
    let ended = shutdown::take_wakers(&mut state);
    drop(state);
    shutdown::wake(ended);
}

/// The pool's thread that this is, or stands in for.
pub(crate) fn current() -> Option<Arc<Worker>> {
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

/// Whether this thread is one of the pool's, or stands in for one.
pub(super) fn is_worker_of(state: &State) -> bool {
    current().is_some_and(|current| state.workers.iter().any(|worker| Arc::ptr_eq(worker, &current)))
}

fn call_hook(hook: Option<&Hook>) {
    if let Some(hook) = hook
        && let Err(payload) = catch_unwind(AssertUnwindSafe(|| hook()))
    {
        discard(payload);
    }
}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::pace::Flow;
    use super::*;
    use crate::executor::ExecutorExt;
    use crate::job::{Job, Origin, Work};
    use crate::pool::ThreadPool;
    use crate::sync;

    /// While a thread was being started the only other one fell asleep, and a job came, for which the coming thread was counted on. It does
    /// not come: the one that sleeps is called.
    #[test]
    fn c05_a_thread_that_sleeps_is_called_when_another_cannot_be_had() {
        let pool = ThreadPool::builder().max_threads(2).min_threads(1).build();
        pollster::block_on(pool.submit(|| ())).unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let mut state = pool.queue().lock();
            if state.idle.len() == 1 && state.scouts == 0 {
                // As `Call::decide` does for a thread that is to be started.
                state.scouts = 1;
                state.one_more_thread();
                break;
            }
            drop(state);
            assert!(Instant::now() < deadline, "the thread does not fall asleep");
            thread::yield_now();
        }
        let job = pool.submit(|| 7);
        start_failed(pool.queue(), io::Error::other("no room"));
        let deadline = Instant::now() + Duration::from_secs(30);
        while !job.is_finished() {
            assert!(Instant::now() < deadline, "nobody was called for the job");
            thread::yield_now();
        }
        assert_eq!(pollster::block_on(job).unwrap(), 7);
        pollster::block_on(pool.shutdown());
    }

    /// The pool was closed meanwhile, and the thread that is not coming was its last: who waits for the pool's end is told.
    #[test]
    fn c09_a_start_that_fails_may_be_the_end() {
        struct Told(std::sync::atomic::AtomicBool);
        impl std::task::Wake for Told {
            fn wake(self: Arc<Self>) {
                self.0.store(true, std::sync::atomic::Ordering::SeqCst);
            }
        }
        let pool = ThreadPool::builder().max_threads(1).build();
        {
            let mut state = pool.queue().lock();
            state.scouts = 1;
            state.one_more_thread();
        }
        let told = Arc::new(Told(std::sync::atomic::AtomicBool::new(false)));
        let waker = std::task::Waker::from(Arc::clone(&told));
        let mut shutdown = std::pin::pin!(pool.shutdown());
        let mut cx = std::task::Context::from_waker(&waker);
        assert!(shutdown.as_mut().poll(&mut cx).is_pending());
        start_failed(pool.queue(), io::Error::other("no room"));
        assert!(told.0.load(std::sync::atomic::Ordering::SeqCst));
        assert!(shutdown.as_mut().poll(&mut cx).is_ready());
    }

    /// No more threads are on their way, woken or being started, than jobs wait for, than cores may bring, or than are of use.
    #[test]
    fn c08_few_threads_at_a_time_are_called() {
        let pool = ThreadPool::builder().max_threads(4).with_scouts(3).build();
        let shared = &pool.queue().shared;
        let worker = || Worker::new(shared, String::new());
        let (first, last) = (worker(), worker());
        pool.queue().lock().idle.extend([Arc::clone(&first), Arc::clone(&last)]);
        let lock_with_one_more_job = || {
            drop(pool.queue().post(Job::unobserved(Origin::of_caller(), Nothing)));
            pool.queue().lock()
        };
        for (jobs, sleeping) in [(1, Some(last)), (2, Some(first)), (3, None)] {
            let mut state = lock_with_one_more_job();
            let called = Call::attend(&mut state, shared);
            match (called, sleeping) {
                (Call::Wake(woken), Some(sleeping)) => {
                    assert!(Arc::ptr_eq(&woken, &sleeping), "not the last to fall asleep");
                }
                (Call::Start, None) => assert_eq!(state.threads, 1),
                _ => panic!("neither woken nor started for the {jobs}th"),
            }
            assert_eq!(state.scouts, jobs);
            assert_eq!(pool.queue().is_stirred(), jobs < 3, "whether the next is to call");
            assert!(matches!(Call::attend(&mut state, shared), Call::Nobody), "one more than jobs");
        }
        let mut state = lock_with_one_more_job();
        assert!(matches!(Call::attend(&mut state, shared), Call::Nobody), "one more than may come");
        // Of jobs that short three are of use.
        for (running, called) in [(0, true), (1, false)] {
            (state.scouts, state.running) = (2, running);
            state.flow.takes(Some(800));
            assert_eq!(matches!(Call::attend(&mut state, shared), Call::Start), called, "{running} run");
        }
        (state.threads, state.running, state.scouts) = (4, 0, 1);
        state.flow.takes(None);
        assert!(matches!(Call::attend(&mut state, shared), Call::Nobody), "a thread beyond the maximum");
        assert_eq!(state.scouts, 1);
        drop(state.drain(&Error::ShutDown));
        (state.threads, state.scouts) = (0, 0);
        state.ask();
    }

    /// Counts who was woken.
    #[derive(Default)]
    struct Counting(std::sync::atomic::AtomicUsize);

    impl std::task::Wake for Counting {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    }

    /// Whoever awaits a short job is woken with others, if somebody looks after them, a job waits that will end soon, and they are few.
    #[test]
    fn c08_who_awaits_short_jobs_is_woken_with_others() {
        let woken = Arc::new(Counting::default());
        let awaiter = || Awaiter::of(Arc::clone(&woken).into());
        let count = || woken.0.load(std::sync::atomic::Ordering::SeqCst);
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
        for held in 0..Flow::COMPANY {
            state.running = 1;
            assert!(state.has_company(false) && !state.is_to_wake_first());
            state.running = 0;
            state = hold_or_wake(state, &worker, awaiter());
            assert_eq!((count(), state.held.len()), (1, held + 1));
            state.flow.takes(Some(0));
        }
        state = hold_or_wake(state, &worker, Awaiter::nobody());
        assert_eq!((count(), state.held.len()), (1 + Flow::COMPANY, 0), "they are too many");
        state = hold_or_wake(state, &worker, Awaiter::nobody());
        assert!(state.held.is_empty(), "nobody awaits it");
        state = hold_or_wake(state, &worker, awaiter());
        for _ in 0..Flow::PASSED {
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
        impl std::task::Wake for Here {
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
            assert_eq!(woken.0.load(std::sync::atomic::Ordering::SeqCst), 3);
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
                drop(state);
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
        while woken.0.load(std::sync::atomic::Ordering::SeqCst) == 0 {
            assert!(Instant::now() < deadline, "he who was held is left there");
            thread::yield_now();
        }
        open.send(()).unwrap();
        pollster::block_on(long).unwrap();
        pollster::block_on(pool.shutdown());
    }

    struct Nothing;

    impl Work for Nothing {
        type Output = ();

        fn run(self) {}
    }
}
