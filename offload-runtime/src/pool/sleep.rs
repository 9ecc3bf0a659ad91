//! Who is woken, who looks for work, who sleeps, who retires.
//!
//! # The protocol
//! All decisions are taken under the queue's lock, in four functions: [`Call::decide`] (wake or start a thread), [`Search`]
//! (look for work before sleeping), [`sleep`] and, in it, retiring. What follows from a decision (a system call) is done after unlocking.
//!
//! * **At most one scout.** A *scout* is a thread on its way to the queue: being started, being woken, or looking for work.
//!   While there is one, submitting wakes nobody: the scout will see the job. (Wake-ups are system calls, and a burst of jobs would
//!   pay one each.)
//! * **The chain.** A scout that has taken a job calls the next scout, if more jobs wait, *before* it runs the job. So as long as
//!   jobs wait and there are threads to be had, some thread is on its way: threads grow to the cap, one after the other.
//! * **No lost job.** A thread gives the role up, to sleep or to run, only under the lock and with the queue seen there: empty, or
//!   followed by a call. So a queue that is not empty has a scout, or all threads that there may be are running jobs and
//!   will come back to it.
//! * **Last in, first out.** The thread that fell asleep last is woken first: its cache is warm, and the others reach their
//!   keep-alive and retire (C8).
//! * **Retiring** is a timeout of a sleep that nobody has ended: still in `idle`, under the lock, hence nobody counts on it.

use std::time::{Duration, Instant};

use super::queue::{Pool, State};
use super::worker::{self, Worker};
use crate::job::{Begun, Guard, Queue};
use crate::sync::{Arc, thread};

/// Who has to be called for a job that waits.
#[must_use]
pub(super) enum Call {
    /// Nobody: a scout is on its way, or all threads run jobs and will come.
    Nobody,
    /// This thread, which sleeps.
    Wake(Arc<Worker>),
    /// A new thread.
    Start,
}

impl Call {
    /// Decides, under the lock, after a job was added or a scout has taken one and left others. What is returned has to be carried out.
    #[inline]
    pub(super) fn decide(state: &mut State, pool: &Pool) -> Self {
        if state.scout {
            return Self::Nobody;
        }
        if let Some(worker) = state.idle.pop() {
            state.scout = true;
            return Self::Wake(worker);
        }
        if state.threads < pool.config.max_threads {
            state.scout = true;
            state.one_more_thread();
            return Self::Start;
        }
        Self::Nobody
    }

    /// Carries the decision out, without the lock.
    #[inline]
    pub(super) fn carry_out(self, queue: &Arc<Queue<Pool>>) {
        match self {
            Self::Nobody => {}
            Self::Wake(worker) => worker.wake.notify_one(),
            Self::Start => worker::start_scout(queue),
        }
    }
}

/// A scout's look for work before it sleeps.
///
/// Falling asleep and being woken costs the submitter a system call and the job some microseconds; a caller that awaits one job after
/// the other submits the next within a few of them. So a thread without work looks for a hint from submitters for a while: first in
/// a tight loop, then giving its core away between two looks, so that on a machine with few cores it takes no time from anyone who has
/// work. After that it costs nothing until it is woken: an idle pool burns no time.
///
/// Measured on two cores, each beside the others in one process, as ratios to what is chosen: without a search a caller on a
/// current-thread runtime is held 18 times as long by a submit to an idle pool (it pays the wake-up), with the tight loop alone 14
/// times; 40 yields instead of 5 gain nothing there and cost 256 callers a tenth of their throughput.
///
/// Where other programs want the cores too, a thread that gives its own away may be without it for milliseconds, and a job that comes
/// meanwhile waits for that long, as nobody is called for it while there is a scout; a thread that is woken gets a core at once. So the
/// clock is looked at once after the yields, and a thread that came back late gives nothing away in the next searches.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// In how many searches from now the core is not given away.
    crowded: u32,
}

impl Search {
    /// Looks in the tight loop, some 10 to 40 nanoseconds each.
    const SPINS: u32 = if cfg!(offload_loom) { 1 } else { 32 };
    /// Looks with the core given away in between, half a microsecond each where nobody wants it.
    const YIELDS: u32 = if cfg!(offload_loom) { 0 } else { 5 };
    /// All yields together take two or three microseconds, or some tens if who has the core for a while is a caller of this pool.
    const LATE: Duration = Duration::from_micros(100);
    /// After a yield that came back late. At a few milliseconds each time, a thousand are lost to a search in a hundred.
    const CROWDED: u32 = 100;

    /// Looks for work, without the lock. Bounded, whether it finds some or not.
    pub(super) fn look(&mut self, pool: &Pool) {
        for _ in 0..Self::SPINS {
            if pool.is_hinted() {
                return;
            }
            std::hint::spin_loop();
        }
        if self.crowded > 0 {
            self.crowded -= 1;
            return;
        }
        let begin = Instant::now();
        for _ in 0..Self::YIELDS {
            if pool.is_hinted() {
                break;
            }
            thread::yield_now();
        }
        self.came_back_after(begin.elapsed());
    }

    fn came_back_after(&mut self, time: Duration) {
        if time > Self::LATE {
            self.crowded = Self::CROWDED;
        }
    }
}

/// How a sleep ended.
#[must_use]
pub(super) enum Woken {
    /// By a call, which made this thread the scout.
    Called,
    /// By a thread that waits for this job. This thread is counted as running.
    Handed(Begun),
    /// By the pool's end.
    Closed,
    /// By itself: `keep_alive` is over, and the thread is to leave.
    Retired,
}

/// Sleeps until called. The caller is no scout and runs no job.
pub(super) fn sleep<'a>(mut state: Guard<'a, Pool>, pool: &Pool, worker: &Arc<Worker>) -> (Guard<'a, Pool>, Woken) {
    state.idle.push(Arc::clone(worker));
    let mut timed_out = false;
    loop {
        // A call takes the worker out of `idle`; a wake-up for no reason leaves it there.
        let Some(place) = state.idle.iter().position(|idle| Arc::ptr_eq(idle, worker)) else {
            let handed = state.handed.iter().position(|(to, _)| Arc::ptr_eq(to, worker));
            let job = handed.map(|handed| state.handed.swap_remove(handed).1);
            return (state, job.map_or(Woken::Called, Woken::Handed));
        };
        if state.closed {
            state.idle.remove(place);
            return (state, Woken::Closed);
        }
        if timed_out && state.threads > pool.config.min_threads {
            state.idle.remove(place);
            return (state, Woken::Retired);
        }
        (state, timed_out) = wait(state, pool, worker, timed_out);
    }
}

/// One wait: for `keep_alive`, or, once that is over and the thread is to stay, for good.
fn wait<'a>(state: Guard<'a, Pool>, pool: &Pool, worker: &Worker, timed_out: bool) -> (Guard<'a, Pool>, bool) {
    let keep_alive = pool.config.keep_alive;
    if timed_out || keep_alive == Duration::MAX {
        return (state.wait(&worker.wake), timed_out);
    }
    if keep_alive.is_zero() {
        // As a wait of no length would, without unlocking.
        return (state, true);
    }
    state.wait_timeout(&worker.wake, keep_alive)
}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use super::*;
    use crate::ThreadPool;

    #[test]
    fn a_thread_that_came_back_late_keeps_its_core_for_a_while() {
        let pool = ThreadPool::new(1);
        let mut search = Search::default();
        search.came_back_after(Search::LATE);
        assert_eq!(search.crowded, 0);
        search.came_back_after(Search::LATE + Duration::from_nanos(1));
        for left in (0..Search::CROWDED).rev() {
            search.look(&pool.queue().shared);
            assert_eq!(search.crowded, left, "a search that gives nothing away cannot come back late");
        }
    }

    #[test]
    fn a_hint_ends_the_search() {
        let pool = ThreadPool::new(1);
        let mut search = Search { crowded: 7 };
        pool.queue().shared.hint(true);
        search.look(&pool.queue().shared);
        assert_eq!(search.crowded, 7, "it went past the hint");
    }
}
