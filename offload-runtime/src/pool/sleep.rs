//! Who is woken, who looks for work, who sleeps, who retires.
//!
//! # The protocol
//! All decisions are taken under the queue's lock: by [`Call::decide`] and [`Call::attend`] (wake or start a thread, or see to it that
//! somebody will), by `work` in `worker.rs` (look for work before sleeping) and by [`sleep`], which stands by and retires. What follows
//! from a decision (a system call) is done after unlocking.
//!
//! * **Few scouts.** A *scout* is a thread on its way to the queue: being started, being woken, or looking for work. (One that runs
//!   [`on_thread_start`](super::ThreadPoolBuilder::on_thread_start) is none until it has: that may take long, and nobody relies on it; but no more
//!   threads are started than there are jobs for, beside those.) While there is one,
//!   the next is called only for a job that waits beside as many as there are scouts, while there are fewer than there may be
//!   ([`max_scouts`]), only if one thread more is of use ([`Flow`](super::pace::Flow)), and only if it sleeps. (Wake-ups are system calls, and
//!   a burst of jobs would pay one each; to start a thread takes ten times as long, and is left to the chain.)
//!   A thread that comes back from a job looks for work whether others are on their way or not, as it is there before them; beside another that
//!   looks, only if one more is of use, or jobs come that are worth a few, while fewer look than [`MOST_SCOUTS`], and not on a single core. Who
//!   looks in vain looks on for a while where such jobs come one after the other ([`Search`](super::search::Search)).
//! * **The chain.** A scout that has taken a job calls the next scout, if more jobs wait, *before* it runs the job. So as long as
//!   jobs wait and there are threads to be had that are of use, some thread is on its way: threads grow to the cap, few at a time.
//! * **Who submits need not look.** A job goes into the queue's inbox without the lock ([`Queue::post`]). Only if the inbox *asks*
//!   does its submitter come to the lock, to decide who is called. It asks whenever a job would otherwise lie there unseen.
//! * **No lost job.** The inbox does not ask, or jobs wait, only while (1) there is a scout, or (2) somebody who posted is on the way to
//!   the lock because it was asked, or (3) all threads that there may be are running jobs, and will come back to the queue, or
//!   (4) as many run as are of use, and one stands by ([`Flow`](super::pace::Flow)), who comes by itself if none is taken, or if some hundred
//!   wait all the time, or (5) no more jobs wait than threads are in their hooks, and none sleeps; then it asks. Who ends one of these, gives the role of scout up or
//!   leaves `idle` does so under the lock, and calls `attend`, asks, or takes a job, before unlocking.
//! * **Nobody who is held is forgotten.** Whoever awaits a short job may be held, to be woken with others, only while one stands by and
//!   the next job is as short. Those are woken by their thread before it takes a job that may be longer, or finds none; and if no job is taken
//!   between two naps, by the one that stands by. If that one is called, comes by itself or sees the pool close, it wakes them; it is
//!   handed no job (C10) while anybody is held, and falls asleep for long only if nobody is. A thread that wakes others after a job
//!   is neither scout nor running: nobody counts on it.
//! * **Last in, first out.** The thread that fell asleep last is woken first: its cache is warm, and the others reach their
//!   keep-alive and retire (C8).
//! * **Retiring** is a timeout of a sleep that nobody has ended: still in `idle`, under the lock, hence nobody counts on it.

use std::time::Duration;

use super::pace::Seen;
use super::queue::Pool;
use super::worker::{self, Worker};
use crate::job::{Begun, Guard, Queue};
use crate::sync::{Arc, thread};

/// How many threads look for work at most; and beside how many scouts no other is called, on a machine of many cores.
///
/// Each takes 5 to 50 microseconds to come, and with one at a time a core may have nothing to do meanwhile: 32 callers whose jobs took 10
/// microseconds needed 1.4 times as long as with two, on two cores (benches, row `work/10us`, Intel Xeon, Linux 6.18). With many, who
/// submits a burst would pay for as many system calls in a row.
pub(super) const MOST_SCOUTS: usize = 4;

/// Beside how many scouts no other is called, on a machine of so many cores: one more than cores, or [`MOST_SCOUTS`]; one on a single core.
///
/// Who was woken may wait for a core behind another, for as long as that has its time slice, while the next core has nothing to do. With as
/// many as cores, on two, 8 callers whose jobs took 10 microseconds needed 1.07 times as long, 32 of them 1.03 to 1.07 times, 32 with jobs of
/// 100 microseconds 1.02 times, and all else as long; with two more a burst did 1.1 times (AMD Zen 4, Linux 6.18, by turns in one process).
pub(super) fn max_scouts(cores: usize) -> usize {
    if cores > 1 { (cores + 1).min(MOST_SCOUTS) } else { 1 }
}

/// Who has to be called for a job that waits.
#[must_use]
pub(super) enum Call {
    /// Nobody: enough scouts are on their way, all threads run jobs and will come, or enough do.
    Nobody,
    /// This thread, which sleeps.
    Wake(Arc<Worker>),
    /// A new thread.
    Start,
}

impl Call {
    /// Decides, under the lock, after a job was added or a scout has taken one and left others. What is returned has to be carried out.
    #[inline]
    pub(super) fn decide(state: &mut Guard<'_, Pool>, pool: &Pool) -> Self {
        let enough_come = state.scouts > 0 && state.scouts >= state.len();
        if enough_come || state.withholds_call(pool) {
            return Self::Nobody;
        }
        if let Some(worker) = state.take_idle() {
            state.scouts += 1;
            return Self::Wake(worker);
        }
        if state.threads < pool.config.max_threads && state.preparing < state.len() {
            state.scouts += 1;
            state.one_more_thread();
            return Self::Start;
        }
        Self::Nobody
    }

    /// As `decide`, where no job may be waiting.
    pub(super) fn decide_if_any(state: &mut Guard<'_, Pool>, pool: &Pool) -> Self {
        if state.is_empty() { Self::Nobody } else { Self::decide(state, pool) }
    }

    /// As `decide`, where no job may be waiting; and sees to it that who submits the next one decides, if somebody can be called for it, and
    /// is to be.
    #[inline]
    pub(super) fn attend(state: &mut Guard<'_, Pool>, pool: &Pool) -> Self {
        if state.calls_for_more(pool) { Self::decide_or_ask(state, pool) } else { Self::Nobody }
    }

    fn decide_or_ask(state: &mut Guard<'_, Pool>, pool: &Pool) -> Self {
        loop {
            if !state.is_empty() {
                let call = Self::decide(state, pool);
                // If jobs came meanwhile, who takes those that wait sees to them; if nobody comes to take any, this is to.
                let is_over = !state.calls_for_more(pool) || state.stir() || state.scouts > 0;
                if is_over {
                    return call;
                }
            }
            if state.ask() {
                return Self::Nobody;
            }
        }
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

/// How long who stands by sleeps between two looks: five thousand wake-ups per second while jobs flow. A job behind one that was expected to
/// be short and is not waits for at most twice as long.
pub(super) const NAP: Duration = Duration::from_micros(200);

/// How a sleep ended.
#[must_use]
pub(super) enum Woken {
    /// By a call, which made this thread a scout.
    Called,
    /// By a thread that waits for this job. This thread is counted as running.
    Handed(Begun),
    /// By the pool's end.
    Closed,
    /// By itself: `keep_alive` is over, and the thread is to leave.
    Retired,
}

/// Sleeps until called. The caller is no scout and runs no job. `stands_by`: as the one who looks after the flow.
pub(super) fn sleep<'a>(
    mut state: Guard<'a, Pool>,
    pool: &Pool,
    worker: &Arc<Worker>,
    mut stands_by: bool,
) -> (Guard<'a, Pool>, Woken) {
    state.idle.push(Arc::clone(worker));
    if stands_by {
        state.stand_by(worker);
    } else {
        state.flow.runs_dry();
    }
    let mut timed_out = false;
    loop {
        // A call takes the worker out of `idle`; a wake-up for no reason leaves it there.
        let Some(place) = state.idle.iter().position(|idle| Arc::ptr_eq(idle, worker)) else {
            let job = state.take_handed(worker);
            return (state, job.map_or(Woken::Called, Woken::Handed));
        };
        let (queued, nobody_comes) = (state.len(), state.scouts == 0);
        // Whether jobs, or those who await them, were left to threads which may be kept for long.
        let waiting = queued > 0 && nobody_comes || stands_by && state.is_anybody_held();
        if state.closed {
            state.leave_idle(place);
            state.scouts += usize::from(waiting);
            return (state, if waiting { Woken::Called } else { Woken::Closed });
        }
        if stands_by {
            let seen = state.flow.look(waiting, queued);
            let comes = seen == Seen::Stalls || nobody_comes && state.flow.lags_with(state.running);
            if seen == Seen::Flows && !comes {
                state = nap(state, worker);
                continue;
            }
            stands_by = false;
            state.flow.standby = None;
            // If it ebbs, nobody looks after the jobs that come from now on: who submits one is to call.
            if comes || nobody_comes && !state.ask() {
                state.leave_idle(place);
                state.scouts += 1;
                return (state, Woken::Called);
            }
        }
        if timed_out && state.threads > pool.config.min_threads {
            state.leave_idle(place);
            return (state, Woken::Retired);
        }
        if state.running + state.scouts == 0 {
            state.falls_quiet();
        }
        (state, timed_out) = wait(state, pool, worker, timed_out);
    }
}

/// The sleep of who stands by, between two looks.
fn nap<'a>(state: Guard<'a, Pool>, worker: &Worker) -> Guard<'a, Pool> {
    if cfg!(offload_loom) {
        // loom's waits never time out.
        let queue = state.queue();
        drop(state);
        thread::yield_now();
        return queue.lock();
    }
    state.wait_timeout(&worker.wake, NAP).0
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
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Instant;

    use super::*;
    use crate::ThreadPool;
    use crate::job::{Awaiter, Posted};
    use crate::pool::queue::post_nothing;

    fn post(pool: &ThreadPool) -> Posted {
        post_nothing(pool.queue())
    }

    /// A pool in which another thread runs a job, `taken` have been taken, all of them short, and one thread stands by, after `before`
    /// that. Calls `meanwhile` once it sleeps, and returns how its sleep ended.
    fn stand_by(
        taken: u32,
        before: impl FnOnce(&ThreadPool, &mut Guard<'_, Pool>),
        meanwhile: impl FnOnce(&ThreadPool) + Send,
    ) -> Woken {
        let pool = ThreadPool::builder().max_threads(2).build();
        let queue = pool.queue();
        let worker = sleeper(&pool);
        let mut state = queue.lock();
        (state.threads, state.running) = (2, 1);
        state.open();
        for _ in 0..taken {
            state.flow.takes(Some(0));
        }
        before(&pool, &mut state);
        thread::scope(|scope| {
            scope.spawn(|| {
                // Until the sleeper has unlocked it.
                drop(queue.lock());
                meanwhile(&pool);
            });
            let (mut state, woken) = sleep(state, &queue.shared, &worker, true);
            assert!(state.idle.is_empty() && state.flow.standby.is_none());
            assert!(state.scouts > 0 || !matches!(woken, Woken::Called), "who is called is a scout");
            (state.threads, state.running) = (0, 0);
            drop(state.drain(&crate::Error::ShutDown));
            woken
        })
    }

    fn pool_of_two_scouts(threads: usize) -> ThreadPool {
        let pool = ThreadPool::builder().max_threads(threads);
        pool.max_scouts(2).build()
    }

    fn sleeper(pool: &ThreadPool) -> Arc<Worker> {
        Worker::new(&pool.queue().shared, String::new())
    }

    #[test]
    fn c08_one_more_may_be_on_the_way_than_there_are_cores() {
        assert_eq!([1, 2, 3, 4, 64].map(max_scouts), [1, 3, 4, 4, 4]);
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        assert_eq!(ThreadPool::new(1).queue().shared.config.max_scouts, max_scouts(cores));
    }

    /// As many run as are of use, and one stands by: nobody is called, though another sleeps and there may be more.
    #[test]
    fn c08_nobody_is_called_while_short_jobs_flow() {
        let pool = ThreadPool::builder().max_threads(4).build();
        let (standby, other) = (sleeper(&pool), sleeper(&pool));
        let mut state = pool.queue().lock();
        (state.threads, state.running) = (3, 1);
        let pool = &pool.queue().shared;
        assert!(!state.needs_standby(pool), "nothing is known of the jobs");
        state.flow.takes(Some(0));
        assert!(state.needs_standby(pool) && !state.withholds_call(pool));
        state.running = 0;
        assert!(!state.needs_standby(pool), "nobody would come for the jobs");
        state.running = 1;
        state.idle.extend([Arc::clone(&other), Arc::clone(&standby)]);
        state.stand_by(&standby);
        assert!(!state.needs_standby(pool) && state.withholds_call(pool));
        assert!(matches!(Call::decide(&mut state, pool), Call::Nobody));
        assert_eq!(state.flow.look(true, 1), Seen::Flows, "nothing can be seen before the first nap");
        // A job of another kind comes.
        state.flow.takes(None);
        let Call::Wake(called) = Call::decide(&mut state, pool) else { panic!("nobody is called") };
        assert!(Arc::ptr_eq(&called, &standby) && state.flow.standby.is_none() && state.scouts == 1);
        state.scouts = 0;
        // A pool that closes waits for nobody.
        state.flow.takes(Some(0));
        state.idle.push(Arc::clone(&standby));
        state.stand_by(&standby);
        state.closed = true;
        assert!(!state.withholds_call(pool) && !state.needs_standby(pool));
        state.flow.standby = None;
        assert!(!state.needs_standby(pool));
        state.idle.clear();
        (state.threads, state.running) = (0, 0);
    }

    /// Where all threads run jobs and will come back, one is on its way, or one stands by, a job is posted without that anybody comes to the
    /// lock for it.
    #[test]
    fn c08_nobody_is_asked_to_call_where_nobody_has_to_be_called() {
        let pool_with = |threads, scouts, sleeps, stands_by| {
            let pool = pool_of_two_scouts(2);
            assert_eq!(pool.queue().shared.by_lock, crate::metrics::ANNOUNCED, "no capacity, no reason for the lock");
            let mut state = pool.queue().lock();
            (state.threads, state.running, state.scouts) = (threads, 1, scouts);
            if sleeps {
                state.idle.push(sleeper(&pool));
            }
            if stands_by {
                state.flow.takes(Some(0));
                state.stand_by(&sleeper(&pool));
            }
            state.open();
            assert!(matches!(Call::attend(&mut state, &pool.queue().shared), Call::Nobody));
            drop(state);
            pool
        };
        for (threads, scouts, sleeps, stands_by, asked) in [
            (1, 0, false, false, true),
            (2, 0, false, false, false),
            (2, 0, true, false, true),
            (1, 1, false, false, false),
            (2, 1, true, false, true),
            (2, 2, true, false, false),
            (1, 0, false, true, false),
            (2, 1, true, true, false),
        ] {
            let pool = pool_with(threads, scouts, sleeps, stands_by);
            assert_eq!(pool.queue().is_stirred(), asked, "{threads} threads, {scouts} scouts, {sleeps} {stands_by}");
            let mut state = pool.queue().lock();
            (state.threads, state.running, state.scouts, state.flow.standby) = (0, 0, 0, None);
            state.idle.clear();
            state.ask();
        }
    }

    /// Who stands by naps: a thread that is to retire before it wakes up does not.
    #[test]
    fn c08_a_thread_that_stays_for_no_nap_does_not_stand_by() {
        for (keep_alive, expected) in [(NAP, false), (NAP + Duration::from_nanos(1), true)] {
            let pool = ThreadPool::builder().max_threads(2).keep_alive(keep_alive).build();
            let mut state = pool.queue().lock();
            (state.threads, state.running) = (2, 1);
            state.flow.takes(Some(0));
            assert_eq!(state.needs_standby(&pool.queue().shared), expected);
            (state.threads, state.running) = (0, 0);
        }
    }

    #[test]
    fn c08_who_stands_by_comes_if_jobs_wait_and_none_is_taken() {
        let post = |pool: &ThreadPool, _: &mut Guard<'_, Pool>| assert!(matches!(post(pool), Posted::Quietly { .. }));
        assert!(matches!(stand_by(1_000, post, |_| ()), Woken::Called));
    }

    /// The other thread takes jobs, and as many as before wait at each look; and nobody else comes.
    #[test]
    fn c08_who_stands_by_comes_if_hundreds_wait_all_the_time() {
        let post_many = |pool: &ThreadPool, state: &mut Guard<'_, Pool>| {
            for _ in 0..200 {
                assert!(matches!(post(pool), Posted::Quietly { .. }));
            }
            state.scouts = 1;
        };
        let one_more_is_of_use = AtomicBool::new(false);
        let take_until_it_comes = |pool: &ThreadPool| {
            let begin = Instant::now();
            loop {
                let mut state = pool.queue().lock();
                let (stands_by, lags) = (state.flow.standby.is_some(), state.flow.lags_with(1));
                if !stands_by && !state.idle.is_empty() {
                    // This thread had no core for a while and is on its way, as far as the other knows: to it, the flow has ebbed.
                    state.scouts = 0;
                    let call = Call::decide(&mut state, &pool.queue().shared);
                    drop(state);
                    break call.carry_out(pool.queue());
                }
                if !stands_by {
                    assert_eq!(state.scouts, 1, "it comes beside another");
                    break one_more_is_of_use.store(lags && state.flow.is_served_by(2), Ordering::SeqCst);
                }
                if lags {
                    state.scouts = 0;
                }
                if begin.elapsed() < Duration::from_millis(100) {
                    state.flow.takes(Some(0));
                }
            }
        };
        // If that thread has no core for a while, the flow stalls instead, or ebbs.
        let came = (0..100).any(|_| {
            assert!(matches!(stand_by(1_000, post_many, take_until_it_comes), Woken::Called));
            one_more_is_of_use.load(Ordering::SeqCst)
        });
        assert!(came, "it leaves them there");
    }

    /// As for jobs that wait: he who awaits one that has ended, and whose thread is kept by another.
    #[test]
    fn c08_who_stands_by_comes_if_some_are_held_and_no_job_is_taken() {
        let awaiter = || Awaiter::of(std::task::Waker::noop().clone());
        for (by_another, closed) in [(false, false), (false, true), (true, false), (true, true)] {
            let woken = stand_by(
                1_000,
                |pool, state| {
                    if by_another {
                        let other = sleeper(pool);
                        state.hold_behind(&other, awaiter());
                        state.workers.push(other);
                    } else {
                        state.hold(awaiter());
                    }
                    // Whoever is on the way may come to a long job.
                    (state.scouts, state.closed) = (usize::from(!closed), closed);
                },
                |_| (),
            );
            assert!(matches!(woken, Woken::Called), "closed: {closed}");
        }
    }

    /// From then on nobody looks after the flow: who submits a job has to call.
    #[test]
    fn c08_who_stands_by_no_more_lets_the_next_be_asked() {
        let woken = stand_by(
            1,
            |_, _| (),
            |pool| {
                let state = pool.queue().lock();
                assert!(state.idle.len() == 1 && state.flow.standby.is_none());
                drop(state);
                assert!(matches!(post(pool), Posted::Asked));
                let call = Call::attend(&mut pool.queue().lock(), &pool.queue().shared);
                assert!(matches!(call, Call::Wake(_)));
                call.carry_out(pool.queue());
            },
        );
        assert!(matches!(woken, Woken::Called));
    }

    /// The jobs that were left to the other thread are not.
    #[test]
    fn c09_who_stands_by_as_the_pool_closes_comes_for_the_jobs() {
        for (jobs, scouts, called) in [(0, 0, false), (1, 0, true), (1, 1, false)] {
            let close = |pool: &ThreadPool, state: &mut Guard<'_, Pool>| {
                for _ in 0..jobs {
                    assert!(matches!(post(pool), Posted::Quietly { .. }));
                }
                (state.closed, state.scouts) = (true, scouts);
                state.seal();
            };
            let woken = stand_by(1_000, |pool, state| close(pool, state), |_| ());
            assert_eq!(matches!(woken, Woken::Called), called, "{jobs} jobs, {scouts} scouts");
        }
    }
}
