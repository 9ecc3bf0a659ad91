//! A thread's life: started, at work, gone.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;

use super::held;
use super::queue::{Hook, Pool, State};
use super::running::Running;
use super::search::Search;
use super::shutdown;
use super::sleep::{self, Call, Woken};
use super::watch;
use crate::error::Error;
use crate::job::{self, Awaiter, Begun, Guard, Queue, Taken};
use crate::metrics::Notes;
use crate::sync::{Arc, Condvar, Mutex, thread, thread_local};

/// What others know of a thread.
pub(crate) struct Worker {
    pub(crate) name: String,
    /// What the pool is called.
    #[cfg_attr(not(feature = "tracing"), expect(unused, reason = "told by `trace.rs`"))]
    pub(crate) pool: Arc<str>,
    /// Where the thread sleeps, with the queue's lock.
    pub(super) wake: Condvar,
    pub(crate) running: Running,
    /// Who was held, and is woken by this thread next; or by others, if a waker before does not return.
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
    } else {
        // Whoever submits the next job tries again.
        state.stir();
    }
    let ended = shutdown::take_wakers(&mut state);
    drop(state);
    call.carry_out(queue);
    job::refuse_all(refused, &why);
    shutdown::wake(ended);
}

/// The whole of a thread.
fn live(queue: &Arc<Queue<Pool>>, name: String, first: Option<Begun>) {
    let worker = Worker::new(&queue.shared, name);
    let mut state = queue.lock();
    state.workers.push(Arc::clone(&worker));
    let call = if first.is_none() { prepare(&mut state, &queue.shared) } else { Call::Nobody };
    drop(state);
    call.carry_out(queue);
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

/// A scout has been started. If it runs code of the user's before it comes to the queue, it is none until then.
fn prepare(state: &mut Guard<'_, Pool>, pool: &Pool) -> Call {
    if !pool.prepares {
        return Call::Nobody;
    }
    state.scouts -= 1;
    state.preparing += 1;
    Call::attend(state, pool)
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
    if scout && pool.prepares {
        state.preparing -= 1;
        state.scouts += 1;
    }
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
            let company = state.has_company(had_awaiter);
            drop(state);
            call.carry_out(queue);
            let since = notes.began(place, stamp);
            let awaiter = worker.running.run(job, since, |ran| {
                notes.ended(ran);
                end(pool);
            });
            had_awaiter = !awaiter.is_nobody();
            // Without company it is dropped here, and so woken.
            let awaiter = company.then_some(awaiter);
            notes.came_back();
            state = come_back(queue);
            if let Some(awaiter) = awaiter {
                state = held::hold_or_wake(state, worker, awaiter, |place| notes.expects(place));
            }
            continue;
        }
        if state.closed {
            state.scouts -= usize::from(scout);
            return resign(&mut state, worker);
        }
        if !scout && !state.held.is_empty() {
            // What waited as they were held was cancelled meanwhile, or is being.
            state = held::wake_held(state, worker);
            continue;
        }
        if let Some(look) = search.plan(&mut state, pool, scout, stands_by) {
            if !scout {
                scout = true;
                state.scouts += 1;
            }
            state.looking.push(Arc::clone(worker));
            state.open();
            drop(state);
            let began = search.look(queue, &look);
            state = queue.lock();
            state.patience.searched_since(began);
            if let Some(place) = state.looking.iter().position(|other| Arc::ptr_eq(other, worker)) {
                state.looking.swap_remove(place);
            } else {
                // Whoever took it out has counted it as running.
                scout = false;
                handed = state.take_handed(worker);
            }
            continue;
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
        if stands_by && scout && state.is_anybody_held() {
            state = held::relieve(state);
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

/// A thread that has taken a job is no scout any more; if more jobs wait, it calls the next.
#[inline]
pub(super) fn pass_on(state: &mut Guard<'_, Pool>, pool: &Pool, scout: bool) -> Call {
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
    if let Some(hook) = hook {
        job::contain(|| hook());
    }
}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::executor::ExecutorExt;
    use crate::pool::ThreadPool;
    use crate::pool::pace::Patience;
    use crate::pool::queue::{Counting, post_nothing};
    use crate::pool::sleep::MOST_SCOUTS;

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

    /// The only thread runs a job, and the one that was to come for another does not: whoever submits the next one tries again.
    #[test]
    fn c05_where_a_thread_could_not_be_had_it_is_tried_again() {
        let pool = ThreadPool::builder().max_threads(2).build();
        let mut state = pool.queue().lock();
        (state.threads, state.running, state.scouts) = (2, 1, 1);
        state.open();
        drop(state);
        let left = pool.submit(|| 1);
        start_failed(pool.queue(), io::Error::other("no room"));
        assert!(pool.queue().is_stirred() && !left.is_finished());
        let next = pool.submit(|| 2);
        assert_eq!(pollster::block_on(left).unwrap() + pollster::block_on(next).unwrap(), 3);
        let mut state = pool.queue().lock();
        (state.threads, state.running) = (state.threads - 1, state.running - 1);
        drop(state);
        pollster::block_on(pool.shutdown());
    }

    /// The pool was closed meanwhile, and the thread that is not coming was its last: who waits for the pool's end is told.
    #[test]
    fn c09_a_start_that_fails_may_be_the_end() {
        let pool = ThreadPool::builder().max_threads(1).build();
        {
            let mut state = pool.queue().lock();
            state.scouts = 1;
            state.one_more_thread();
        }
        let told = Arc::new(Counting::default());
        let waker = std::task::Waker::from(Arc::clone(&told));
        let mut shutdown = std::pin::pin!(pool.shutdown());
        let mut cx = std::task::Context::from_waker(&waker);
        assert!(shutdown.as_mut().poll(&mut cx).is_pending());
        start_failed(pool.queue(), io::Error::other("no room"));
        assert!(told.wakes() == 1);
        assert!(shutdown.as_mut().poll(&mut cx).is_ready());
    }

    /// Nobody counts on a thread that comes to a closed pool, finds nothing, and leaves.
    #[test]
    fn c09_who_comes_to_a_closed_pool_is_on_the_way_no_more() {
        let pool = ThreadPool::builder().max_threads(1).build();
        {
            let mut state = pool.queue().lock();
            (state.scouts, state.closed) = (1, true);
            state.one_more_thread();
        }
        start_scout(pool.queue());
        pollster::block_on(pool.shutdown());
        let state = pool.queue().lock();
        assert_eq!((state.threads, state.scouts), (0, 0));
    }

    /// A thread that comes back from a job and finds none looks for the next, though another is on its way, and on two cores even if
    /// more look than there are; but not if as many look as may, or are of use, or on a single core.
    #[test]
    fn c08_who_is_there_looks_for_work_while_another_is_on_its_way() {
        for (looking, max_scouts, keep, looks) in [
            (0, 1, None, true),
            (0, 2, Some(0), true),
            (1, 1, None, false),
            (1, 2, None, true),
            (1, 2, Some(0), false),
            (1, 2, Some(400), true),
            (MOST_SCOUTS - 1, 2, Some(400), true),
            (MOST_SCOUTS - 1, 2, None, true),
            (MOST_SCOUTS, 2, None, false),
        ] {
            // With a capacity, its jobs leave the inbox as it was: who looks has to open it.
            let pool = ThreadPool::builder().max_threads(1).max_scouts(max_scouts).queue_capacity(8).build();
            let inner = pool.clone();
            let job = pool.submit(move || {
                let mut state = inner.queue().lock();
                // As if others had been woken, or looked.
                state.scouts = looking.max(1);
                state.looking = (0..looking).map(|_| Worker::new(&inner.queue().shared, String::new())).collect();
                state.patience = Patience::default();
                state.flow.takes(keep);
            });
            pollster::block_on(job).unwrap();
            let deadline = Instant::now() + Duration::from_secs(30);
            let mut state = loop {
                let state = pool.queue().lock();
                if !state.idle.is_empty() {
                    break state;
                }
                drop(state);
                assert!(Instant::now() < deadline, "it does not fall asleep");
                thread::yield_now();
            };
            assert_eq!(state.patience.has_searched(), looks, "{looking} look, {max_scouts} cores; {keep:?}");
            assert_eq!((state.scouts, state.looking.len()), (looking.max(1), looking));
            assert_eq!(pool.queue().is_stirred(), !looks, "the other will come: nobody asks who did not before");
            (state.scouts, state.looking) = (0, Vec::new());
            state.ask();
        }
    }

    /// No more threads are on their way, woken or being started, than jobs wait for, than cores may bring, or than are of use.
    #[test]
    fn c08_few_threads_at_a_time_are_called() {
        let pool = ThreadPool::builder().max_threads(8).max_scouts(3).build();
        let shared = &pool.queue().shared;
        let worker = || Worker::new(shared, String::new());
        pool.queue().lock().idle.extend([worker(), worker(), worker(), worker()]);
        let lock_with_one_more_job = || {
            drop(post_nothing(pool.queue()));
            pool.queue().lock()
        };
        for jobs in 1..=3 {
            let mut state = lock_with_one_more_job();
            let last = state.idle.last().map(Arc::clone);
            let Call::Wake(called) = Call::attend(&mut state, shared) else {
                panic!("none is called for the {jobs}th")
            };
            assert!(Arc::ptr_eq(&called, &last.unwrap()), "not the last to fall asleep");
            assert_eq!(state.scouts, jobs);
            assert_eq!(pool.queue().is_stirred(), jobs < 3, "whether the next is to call");
            assert!(matches!(Call::attend(&mut state, shared), Call::Nobody), "one more than jobs");
        }
        let mut state = lock_with_one_more_job();
        assert!(matches!(Call::attend(&mut state, shared), Call::Nobody), "one more than may come");
        // Of jobs that short three are of use.
        state.flow.takes(Some(800));
        for (running, called) in [(1, false), (0, true)] {
            (state.scouts, state.running) = (2, running);
            assert_eq!(matches!(Call::attend(&mut state, shared), Call::Wake(_)), called, "{running} run");
        }
        // None is started while one is on its way.
        state.flow.takes(None);
        for (scouts, threads, called) in [(1, 1, false), (0, 1, true), (0, 8, false)] {
            (state.scouts, state.threads) = (scouts, threads);
            assert_eq!(
                matches!(Call::attend(&mut state, shared), Call::Start),
                called,
                "{scouts} scouts, {threads} threads"
            );
        }
        drop(state.drain(&Error::ShutDown));
        (state.threads, state.scouts) = (0, 0);
        state.ask();
    }
}
