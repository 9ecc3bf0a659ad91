//! Reports jobs that run for long: by a thread of its own, there only where a pool is told to [`warn_after`] and while it has threads.
//!
//! It sleeps until the first running job may be due. Where no job runs it sleeps until one begins, so that an idle pool costs nothing. It reads
//! what the workers show anyway: a job pays for it only where it wakes a watch that sleeps.
//!
//! [`warn_after`]: super::ThreadPoolBuilder::warn_after

use std::time::Duration;

use super::running::RunningJob;
use super::shutdown;
use super::state::{Pool, State, Watch};
use crate::job::{Guard, Queue};
use crate::sync::{Arc, Condvar};
use crate::trace;
use crate::unwind::{contain, discard};

/// Starts the watch, if slow jobs are to be reported and no watch runs. Called by each worker as it begins.
pub(super) fn start(queue: &Arc<Queue<Pool>>) {
    let Some(after) = queue.shared.config.warn_after else { return };
    let mut state = queue.lock();
    if state.watch != Watch::Off {
        return;
    }
    state.watch = Watch::On;
    drop(state);
    let of_thread = Arc::clone(queue);
    let name = format!("{}-watch", queue.shared.config.name);
    let started = queue.shared.config.thread(name).spawn(move || watch(&of_thread, after));
    if started.is_err() {
        // The next thread of the pool tries again.
        queue.lock().watch = Watch::Off;
    }
}

/// A job begins, or the last thread has gone. Called under the lock.
#[inline]
pub(super) fn wake(state: &mut State, condvar: &Condvar) {
    if state.watch == Watch::Asleep {
        state.watch = Watch::On;
        condvar.notify_one();
    }
}

fn watch(queue: &Arc<Queue<Pool>>, after: Duration) {
    loop {
        let workers = {
            let mut state = queue.lock();
            if state.workers.is_empty() {
                state.watch = Watch::Off;
                return;
            }
            state.workers.clone()
        };
        let mut next = after;
        for worker in &workers {
            match worker.shown.overdue(after) {
                Ok(sight) => report(queue, &RunningJob::of(&sight, worker)),
                Err(left) => next = next.min(left),
            }
        }
        drop(workers);
        rest(queue.lock(), &queue.shared.watch, next);
    }
}

/// Calls the hook. Meanwhile the pool's end waits for this thread, which holds what the hook has captured.
fn report(queue: &Arc<Queue<Pool>>, job: &RunningJob) {
    let mut state = queue.lock();
    state.leaving += 1;
    let hook = state.hooks.slow_job.clone();
    drop(state);
    contain(|| {
        trace::slow_job(&queue.shared.config.name, job.thread_name(), job.site(), job.elapsed(), job.is_cancelled());
    });
    if let Some(hook) = &hook {
        contain(|| hook(job));
    }
    discard(hook);
    shutdown::count_out(queue.lock());
}

/// Waits until there may be something to report: for `next`, or until a job begins if none runs.
fn rest(mut state: Guard<'_, Pool>, condvar: &Condvar, next: Duration) {
    if state.workers.is_empty() {
        // They went while it reported, and no thread will wake it.
        return;
    }
    if state.running() > 0 {
        // Nothing shortens this but the pool's last thread: what begins meanwhile is not due before.
        drop(state.wait_timeout(condvar, next));
        return;
    }
    state.watch = Watch::Asleep;
    while state.watch == Watch::Asleep {
        state = state.wait(condvar);
    }
}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use std::time::Instant;

    use super::super::state::Wake;
    use super::*;
    use crate::job::Owner;
    use crate::sync::thread;
    use crate::{ExecutorExt, ThreadPool};

    #[track_caller]
    fn wait_until_asleep(queue: &Arc<Queue<Pool>>) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while queue.lock().watch != Watch::Asleep {
            assert!(Instant::now() < deadline, "it looks again and again, at nothing");
            thread::yield_now();
        }
    }

    /// Where nothing begins it sleeps for good, however short the period.
    #[test]
    fn the_watch_of_an_idle_pool_sleeps() {
        let pool = ThreadPool::builder().max_threads(1).warn_after(Duration::from_millis(1)).build();
        let (queue, of_job) = (pool.queue(), Arc::clone(pool.queue()));
        // A thread that finds no job: it was cancelled before.
        assert!(matches!(queue.lock().choose(), Wake::Start));
        Pool::perform(queue, Wake::Start);
        wait_until_asleep(queue);
        // As `wake` does, but without the notification.
        queue.lock().watch = Watch::On;
        for _ in 0..1_000 {
            assert_eq!(queue.lock().watch, Watch::On, "it was awake");
            thread::yield_now();
        }
        let mut state = queue.lock();
        state.watch = Watch::Asleep;
        wake(&mut state, &queue.shared.watch);
        assert_eq!(state.watch, Watch::On);
        drop(state);
        // A job that begins wakes it.
        wait_until_asleep(queue);
        assert_eq!(pollster::block_on(pool.submit(move || of_job.lock().watch)).unwrap(), Watch::On);
        wait_until_asleep(queue);
        pollster::block_on(pool.shutdown());
    }

    /// As where the last thread went while the hook was called for its job.
    #[test]
    fn the_watch_of_a_pool_without_threads_does_not_rest() {
        let pool = ThreadPool::new(1);
        for running in [0, 1] {
            let (queue, (over, is_over)) = (Arc::clone(pool.queue()), std::sync::mpsc::channel());
            let rests = thread::spawn(move || {
                let mut state = queue.lock();
                state.threads = running;
                rest(state, &queue.shared.watch, Duration::MAX);
                queue.lock().threads = 0;
                over.send(()).unwrap();
            });
            is_over.recv_timeout(Duration::from_secs(30)).expect("it stays for as long as a job may take");
            rests.join().unwrap();
        }
    }
}
