//! Reports jobs that run for long: by a thread of its own, there only where a pool is told to [`warn_after`] and while it has threads.
//!
//! It sleeps until the first running job may be due. Where nothing has begun for a whole period it sleeps until something does, so that
//! an idle pool costs nothing. It reads what the workers show anyway: jobs pay nothing for it.
//!
//! [`warn_after`]: super::ThreadPoolBuilder::warn_after

use std::collections::HashMap;
use std::time::Duration;

use super::current::Worker;
use super::running::RunningJob;
use super::shutdown;
use super::state::{Pool, State, Watch};
use crate::clock::Moment;
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
    let pool = &queue.shared;
    let mut reported = Reported::default();
    let mut begun = 0;
    loop {
        let workers = {
            let mut state = queue.lock();
            if state.workers.is_empty() {
                state.watch = Watch::Off;
                return;
            }
            state.workers.clone()
        };
        let (due, next) = reported.look(&workers, after);
        drop(workers);
        if !due.is_empty() {
            report(queue, &due);
        }
        begun = rest(queue.lock(), pool, begun, next);
    }
}

/// Calls the hook. Meanwhile the pool's end waits for this thread, which holds what the hook has captured.
fn report(queue: &Arc<Queue<Pool>>, jobs: &[RunningJob]) {
    let mut state = queue.lock();
    state.leaving += 1;
    let hook = state.hooks.slow_job.clone();
    drop(state);
    for job in jobs {
        contain(|| {
            trace::slow_job(
                &queue.shared.config.name,
                job.thread_name(),
                job.site(),
                job.elapsed(),
                job.is_cancelled(),
            );
        });
        if let Some(hook) = &hook {
            contain(|| hook(job));
        }
    }
    discard(hook);
    shutdown::count_out(queue.lock());
}

/// Waits until there may be something to report: for `next`, or until a job begins, if none has since `begun` had and none runs. Returns how
/// many have.
fn rest(mut state: Guard<'_, Pool>, pool: &Pool, begun: u64, next: Duration) -> u64 {
    if state.workers.is_empty() {
        // They went while it reported, and no thread will wake it.
        return begun;
    }
    let now = state.begun;
    if state.running() == 0 && now == begun {
        state.watch = Watch::Asleep;
        while state.watch == Watch::Asleep {
            state = state.wait(&pool.watch);
        }
    } else {
        // Nothing shortens this but the pool's last thread: what begins meanwhile is not due before.
        drop(state.wait_timeout(&pool.watch, next));
    }
    now
}

/// What has been reported: of each thread the jobs that it still runs, one inside the other, by when they began.
#[derive(Default)]
struct Reported(HashMap<*const Worker, Vec<Moment>>);

impl Reported {
    /// Returns the jobs that are due, and for how long no other will be.
    fn look(&mut self, workers: &[Arc<Worker>], after: Duration) -> (Vec<RunningJob>, Duration) {
        let (mut due, mut next) = (Vec::new(), after);
        self.0.retain(|known, _| workers.iter().any(|worker| Arc::as_ptr(worker) == *known));
        for worker in workers {
            let Some((job, since)) = worker.see() else {
                self.0.remove(&Arc::as_ptr(worker));
                continue;
            };
            let reported = self.0.entry(Arc::as_ptr(worker)).or_default();
            reported.retain(|known| *known <= since);
            if reported.contains(&since) {
                continue;
            }
            let left = after.saturating_sub(job.elapsed());
            if left.is_zero() {
                reported.push(since);
                due.push(job);
            } else {
                next = next.min(left);
            }
        }
        (due, next)
    }
}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use std::time::Instant;

    use super::super::state::Wake;
    use super::*;
    use crate::job::Owner;
    use crate::sync::thread;
    use crate::{ExecutorExt, ThreadPool, ThreadPoolBuilder};

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
        let queue = pool.queue();
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
        pollster::block_on(pool.shutdown());
    }

    /// As where the last thread went while the hook was called for its job.
    #[test]
    fn the_watch_of_a_pool_without_threads_does_not_rest() {
        let pool = ThreadPool::new(1);
        for (running, begun) in [(0, 0), (1, 0), (0, 1)] {
            let (queue, (over, is_over)) = (Arc::clone(pool.queue()), std::sync::mpsc::channel());
            let rests = thread::spawn(move || {
                let mut state = queue.lock();
                (state.threads, state.begun) = (running, begun);
                rest(state, &queue.shared, 0, Duration::MAX);
                queue.lock().threads = 0;
                over.send(()).unwrap();
            });
            is_over.recv_timeout(Duration::from_secs(30)).expect("it stays for as long as a job may take");
            rests.join().unwrap();
        }
    }

    #[test]
    fn each_job_that_begins_counts_for_the_watch() {
        for (warn_after, counted) in [(None, 0), (Some(Duration::from_millis(1)), 3), (Some(Duration::MAX), 3)] {
            let builder = ThreadPool::builder().max_threads(1);
            let pool = warn_after.into_iter().fold(builder, ThreadPoolBuilder::warn_after).build();
            for _ in 0..3 {
                pollster::block_on(pool.submit(|| ())).unwrap();
            }
            assert_eq!(pool.queue().lock().begun, counted, "{warn_after:?}");
            if warn_after == Some(Duration::from_millis(1)) {
                wait_until_asleep(pool.queue());
                pollster::block_on(pool.submit(|| ())).unwrap();
                assert_eq!(pool.queue().lock().begun, counted + 1);
                wait_until_asleep(pool.queue());
            }
            pollster::block_on(pool.shutdown());
        }
    }
}
