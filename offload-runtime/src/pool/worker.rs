//! A worker's life: started, at work, gone.

use std::io;
use std::time::Duration;

use super::current::{Worker, become_worker};
use super::shutdown;
use super::spin;
use super::state::{Hooks, Pool, State, Wake};
use super::watch;
use crate::error::Error;
use crate::idle::Idlers;
use crate::job::{self, Claimed, Guard, Owner, Queue, Wait};
use crate::sync::Arc;
use crate::unwind::{contain, discard};
use crate::wait::wake as wake_all;

impl Owner for Pool {
    type Guarded = State;
    type Wake = Wake;

    #[inline]
    fn settle(guard: &mut Guard<'_, Self>) -> Wake {
        let coming = guard.coming(|| guard.has_awaited());
        if !guard.publish(coming) {
            let idlers = Idlers::take(guard);
            return if idlers.is_empty() { Wake::Nothing } else { Wake::Idle(idlers) };
        }
        let wake = guard.choose();
        // If there are still more jobs, that worker wakes the next.
        let coming = guard.coming(|| guard.has_awaited());
        let _ = guard.publish(coming);
        wake
    }

    #[inline]
    fn perform(queue: &Arc<Queue<Self>>, wake: Wake) {
        match wake {
            Wake::Nothing => {}
            Wake::Worker(worker) => worker.wake.notify_one(),
            Wake::Start => _ = start(queue),
            Wake::Idle(idlers) => wake_all(idlers),
        }
    }

    fn cancelled(queue: &Arc<Queue<Self>>, job: &Claimed) {
        queue.shared.accounts.cancelled(job);
    }

    fn is_alone(&self) -> bool {
        self.is_alone.get()
    }

    fn refused(queue: &Arc<Queue<Self>>, job: Claimed, why: &Error) {
        queue.shared.accounts.refuse([job], why);
    }

    fn wait(state: &mut State, wait: Wait) {
        match wait {
            Wait::Begins => state.waiting += 1,
            Wait::Ends => state.waiting -= 1,
        }
    }
}

/// Starts `n` threads that no job needs yet, or as many as there may be and the system gives.
pub(super) fn start_ahead(queue: &Arc<Queue<Pool>>, n: usize) {
    for _ in 0..n {
        let mut state = queue.lock();
        if state.threads >= state.max_threads {
            return;
        }
        state.searching += 1;
        state.add_thread();
        state.finish();
        if !start(queue) {
            return;
        }
    }
}

/// Sets how many threads there may be.
pub(super) fn set_max_threads(queue: &Arc<Queue<Pool>>, n: usize) {
    let pool = &queue.shared;
    let mut state = queue.lock();
    let before = std::mem::replace(&mut state.max_threads, n);
    pool.is_alone.set(pool.config.is_alone_of(n));
    let freed = pool.accounts.resize(before, n);
    // Parked threads that were to stay may be too many now.
    let idle = if n < before { state.idle.clone() } else { Vec::new() };
    // More jobs may run now.
    state.finish();
    for worker in idle {
        worker.wake.notify_one();
    }
    wake_all(freed);
}

/// Starts a thread, which is counted as searching. Returns whether the system gave one.
#[cold]
pub(super) fn start(queue: &Arc<Queue<Pool>>) -> bool {
    let name = {
        let mut state = queue.lock();
        state.next_name += 1;
        format!("{}-{}", queue.shared.config.name, state.next_name - 1)
    };
    let of_thread = Arc::clone(queue);
    // The thread is never joined: it says itself when it has gone.
    match queue.shared.config.thread(name.clone()).spawn(move || live(of_thread, name)) {
        // Here and not on the new thread: a recorder that waits for a job of this pool may need that very thread.
        Ok(_) => {
            queue.shared.gauges.one_more();
            true
        }
        Err(error) => {
            start_failed(queue, error);
            false
        }
    }
}

/// The operating system refused the thread. Jobs wait for the threads that there are, and the next submitter tries again. Jobs for which no
/// thread will come are refused: all of them if there is no thread, only awaited ones if every thread waits for a job.
fn start_failed(queue: &Arc<Queue<Pool>>, error: io::Error) {
    let mut state = queue.lock();
    state.threads -= 1;
    state.searching -= 1;
    let why = Error::Spawn(error);
    let refused = if state.threads == 0 {
        state.pop_all()
    } else if state.idle.is_empty() && state.running() <= state.waiting {
        std::iter::from_fn(|| state.pop_awaited()).map(|(job, _)| job).collect()
    } else {
        Vec::new()
    };
    let mut wakers = shutdown::take_wakers(&mut state);
    if state.threads == 0 || !state.idle.is_empty() {
        state.finish();
    } else {
        // Not `finish`, which would try again at once, and so without end.
        let _ = state.publish(Some(0));
        wakers.append(&mut Idlers::take(&mut state));
        drop(state);
    }
    queue.shared.accounts.refuse(refused, &why);
    wake_all(wakers);
}

/// The whole of a thread.
fn live(queue: Arc<Queue<Pool>>, name: String) {
    let worker = become_worker(&queue.shared.config.name, name);
    let mut state = queue.lock();
    state.workers.push(Arc::clone(&worker));
    let hooks = state.hooks.clone();
    drop(state);
    watch::start(&queue);
    prepare(&queue, &hooks);
    job::serve(&queue, || work(&queue, &worker, &hooks));
    call_hook(hooks.thread_stop.as_deref());
    queue.shared.gauges.one_less();
    // What the hooks have captured goes before the thread counts itself out.
    discard(hooks);
    leave(&queue, &worker);
    discard(queue);
}

/// Runs the start hook. Meanwhile no job relies on this thread.
fn prepare(queue: &Arc<Queue<Pool>>, hooks: &Hooks) {
    if hooks.thread_start.is_none() {
        return;
    }
    let mut state = queue.lock();
    state.searching -= 1;
    state.preparing += 1;
    state.finish();
    job::serve_hook(queue, || call_hook(hooks.thread_start.as_deref()));
    let mut state = queue.lock();
    state.preparing -= 1;
    state.searching += 1;
    state.finish();
}

fn call_hook(hook: Option<&(dyn Fn() + Send + Sync)>) {
    if let Some(hook) = hook {
        contain(hook);
    }
}

/// Runs jobs until there is nothing to stay for, and resigns. The thread is counted as searching.
fn work(queue: &Arc<Queue<Pool>>, worker: &Arc<Worker>, hooks: &Hooks) {
    let mut state = queue.lock();
    // Whether this thread is counted as searching, and whether it has searched since its last job.
    let (mut is_searching, mut has_searched) = (true, false);
    // Whether its keep-alive is over, and whether its retire hook has been called, if there is one.
    let (mut retires, mut has_retired) = (false, hooks.thread_retire.is_none());
    loop {
        let is_beyond = state.is_beyond();
        let next = if is_beyond { state.pop_awaited() } else { state.pop() };
        if let Some((job, stamp)) = next {
            state.searching -= usize::from(is_searching);
            (is_searching, has_searched) = (false, false);
            state.retiring -= usize::from(std::mem::take(&mut retires));
            has_retired = hooks.thread_retire.is_none();
            let is_lent = state.waiting > 0 && job.is_awaited();
            state.lent += usize::from(is_lent);
            begin(&mut state, &queue.shared);
            // Rule 2: before the job is run.
            state.finish();
            queue.shared.accounts.run(job, stamp, Some(worker));
            state = queue.lock();
            state.lent -= usize::from(is_lent);
            continue;
        }
        if state.closed || retires {
            state.searching -= usize::from(std::mem::take(&mut is_searching));
            if has_retired {
                state.retiring -= usize::from(retires);
                return resign(state);
            }
            // Meanwhile it is busy, as with a job. Then it looks for one again.
            has_retired = true;
            state.finish();
            job::serve_hook(queue, || call_hook(hooks.thread_retire.as_deref()));
            state = queue.lock();
            continue;
        }
        if !is_beyond && !has_searched {
            state.searching += usize::from(!is_searching);
            (is_searching, has_searched) = (true, true);
            let limit = state.spin.begin();
            state.finish();
            spin::search(limit, &queue.shared.long_search, || queue.has_jobs());
            state = queue.lock();
            continue;
        }
        state.searching -= usize::from(is_searching);
        match park(state, worker) {
            Parked::Called(locked) => (state, is_searching, has_searched) = (locked, true, false),
            Parked::Retires(locked) => (state, is_searching, retires) = (locked, false, true),
        }
    }
}

/// A job was taken out of the queue, to run on this thread.
#[inline]
fn begin(state: &mut Guard<'_, Pool>, pool: &Pool) {
    state.peak_running = state.peak_running.max(state.running());
    watch::wake(state, &pool.watch);
}

/// How a park ended.
enum Parked<'a> {
    /// By a call: the thread is counted as searching. Or by the pool's end.
    Called(Guard<'a, Pool>),
    /// By itself: the keep-alive is over.
    Retires(Guard<'a, Pool>),
}

/// Parks until called. The thread is in none of the states that [`State`] counts.
fn park<'a>(mut state: Guard<'a, Pool>, worker: &Arc<Worker>) -> Parked<'a> {
    let queue = state.queue();
    let config = &queue.shared.config;
    state.idle.push(Arc::clone(worker));
    // A job that came meanwhile may call this very thread back.
    let wake = Pool::settle(&mut state);
    if !matches!(wake, Wake::Nothing) {
        drop(state);
        Pool::perform(queue, wake);
        state = queue.lock();
    }
    let mut timed_out = false;
    loop {
        let Some(position) = state.idle.iter().position(|idle| Arc::ptr_eq(idle, worker)) else {
            return Parked::Called(state);
        };
        if state.closed {
            state.idle.remove(position);
            state.searching += 1;
            return Parked::Called(state);
        }
        if timed_out && state.threads - state.retiring > state.min_threads(config) {
            state.idle.remove(position);
            state.retiring += 1;
            return Parked::Retires(state);
        }
        (state, timed_out) = wait(state, worker, if timed_out { Duration::MAX } else { config.keep_alive });
    }
}

fn wait<'a>(state: Guard<'a, Pool>, worker: &Worker, time: Duration) -> (Guard<'a, Pool>, bool) {
    if time == Duration::MAX {
        return (state.wait(&worker.wake), false);
    }
    if time.is_zero() {
        // As a wait of no length would, without unlocking.
        return (state, true);
    }
    state.wait_timeout(&worker.wake, time)
}

/// From here on no job relies on this thread: another may be started in its place while it still leaves.
fn resign(mut state: Guard<'_, Pool>) {
    state.threads -= 1;
    state.leaving += 1;
    state.finish();
}

/// The thread goes.
fn leave(queue: &Arc<Queue<Pool>>, worker: &Arc<Worker>) {
    let mut state = queue.lock();
    state.workers.retain(|other| !Arc::ptr_eq(other, worker));
    if state.workers.is_empty() {
        // The watch goes with the last thread, however it waits.
        watch::wake(&mut state, &queue.shared.watch);
        queue.shared.watch.notify_one();
    }
    shutdown::count_out(state);
}
