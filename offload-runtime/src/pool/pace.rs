//! The pace at which jobs come and go, and what follows from it: for how long a thread looks for work before it sleeps (how, is in `search.rs`),
//! and how many threads are of use.
//!
//! Figures in this file are from a virtual machine with two cores (AMD Zen 4, Linux 6.1), each from alternating runs against what is
//! chosen; `benches` measures the whole.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::queue::{Pool, State};
use super::sleep::{MOST_SCOUTS, NAP};
use super::worker::Worker;
use crate::clock::Moment;
use crate::sync::Arc;

/// For how long a scout looks for work before it sleeps, at most.
///
/// Where the next job comes while it looks, nobody has to be woken; waking a core that sleeps takes 5 to 20 microseconds. A caller that
/// awaits one job after the other has to be woken itself before it submits the next, so that a look of a few microseconds just misses it,
/// time after time: such a caller needed 14 to 45 microseconds per call, with enough patience it needs 1 to 6. So each sleep that a job
/// ends too soon makes for more patience the next time, and each that was worth it for half as much, until there is none.
///
/// None, since who is called now and then gains nothing by it and loses: the caller that it has just woken may be waiting for its core, or
/// be brought to another that sleeps. With a look of 3 microseconds a call every third of a millisecond took three times as long as with none on
/// one machine (Intel Xeon, Linux 6.18, two workers of a runtime; 15.6 against 5.5 microseconds), and cost half as much CPU again.
#[derive(Debug)]
pub(super) struct Patience {
    /// In nanoseconds.
    length: u64,
    /// When the last search began.
    since: Option<Moment>,
}

impl Patience {
    /// What it is before anything is known; less is none.
    const SHORTEST: u64 = 3_000;
    /// What a sleep costs, all in all: more than twice as much is never lost by looking in vain ("competitive spinning"; Karlin, Li,
    /// Manasse and Owicki, "Empirical studies of competitive spinning for a shared-memory multiprocessor", SOSP 1991).
    const LONGEST: u64 = 50_000;

    /// How long the next look is to be; zero: there is to be none.
    pub(super) fn length(&self) -> Duration {
        #[cfg(all(test, offload_loom))]
        return crate::job::models::patience();
        #[cfg(not(all(test, offload_loom)))]
        Duration::from_nanos(self.length)
    }

    #[cfg(all(test, not(offload_loom)))]
    pub(super) fn has_searched(&self) -> bool {
        self.since.is_some()
    }

    /// A search began then, or would have.
    pub(super) fn searched_since(&mut self, began: Moment) {
        self.since = Some(began);
    }

    /// A job that came at `now` calls a thread that sleeps.
    pub(super) fn called(&mut self, now: Moment) {
        let Some(since) = self.since else { return };
        let gap = now.since(since);
        self.length = if gap <= Self::LONGEST {
            self.length.max(2 * gap).clamp(Self::SHORTEST, Self::LONGEST)
        } else if self.length >= 2 * Self::SHORTEST {
            self.length / 2
        } else {
            0
        };
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self { length: Self::SHORTEST, since: None }
    }
}

/// How jobs flow, and who is of use.
///
/// A second thread for jobs that keep the first for some hundred nanoseconds each does no good: it has to be woken, takes a core
/// from those who submit, and both are at the queue's lock all the time. With as many threads as there may be, a burst of such jobs took
/// 1.2 times as long as with one, and 256 callers 1.15 times. So while the jobs are known to be short, nobody is called
/// for one that waits; those who run will come to it.
///
/// What if one of them turns out to be long? For that case, and only while calls are withheld, one thread *stands by*: it sleeps for a
/// [`NAP`] at a time, and if jobs wait and none was taken meanwhile, it comes for them. Nobody is relied on to withhold calls after that, for a
/// while.
///
/// It comes, too, if from 64 to 1,024 wait at two looks in a row, and takes part until it finds none. Then those who submit them are waiting for one
/// thread, which spends half of its time in their wakers, a few microseconds each, while a core has nothing to do: with two, 16 threads that
/// submit 64 jobs and await them needed 0.72 of the time and 0.9 of the CPU time, and four 0.85 of the time. Not if thousands wait: in a
/// burst who submits has the other core, and nobody is woken; there, with two, it took 1.2 times as long (AMD Zen 4, Linux 6.18).
#[derive(Default)]
pub(super) struct Flow {
    /// How many threads are of use; zero: as many as there may be.
    of_use: usize,
    /// Whether one more is, since jobs wait all the time.
    lags: bool,
    /// How many waited at the last look.
    waited: usize,
    /// Who stands by: one of those that sleep.
    pub(super) standby: Option<Arc<Worker>>,
    /// How many jobs were taken.
    pub(super) taken: u64,
    /// How many had been at the last look.
    seen: u64,
    /// No call is withheld until so many were taken.
    wary_until: u64,
    /// For how many that was, the last time.
    wary_for: u64,
}

/// What who stands by has seen.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Jobs are taken.
    Flows,
    /// Jobs wait, and none was taken.
    Stalls,
    /// Few jobs come: nobody has to stand by.
    Ebbs,
}

impl Flow {
    /// What a thread more costs each job, in nanoseconds: jobs that keep their thread for less are one thread's.
    const COST: u64 = 400;
    /// So many threads are of use to jobs of two microseconds.
    const FEW: usize = 6;
    /// Between two looks. Fewer need nobody who stands by.
    const BRISK: u64 = 16;
    /// If so many wait all the time, those who submit them wait, too.
    const BACKLOG: RangeInclusive<usize> = if cfg!(offload_loom) { 1..=1024 } else { 64..=1024 };
    /// For how many jobs no call is withheld after the flow stalled.
    const WARY: u64 = 1 << 10;
    /// The same, where it stalls again and again: on a machine that others use, a thread may be without a core for long.
    const WARIEST: u64 = 1 << 16;

    /// A job is taken that will `keep` its thread for so many nanoseconds, if that is known.
    #[inline]
    pub(super) fn takes(&mut self, keep: Option<u64>) {
        self.taken += 1;
        self.of_use = match keep {
            Some(keep) if self.taken >= self.wary_until => Self::of_use_to(keep),
            _ => 0,
        };
    }

    /// Whether jobs are known to be worth some threads, but not to keep them for more than two microseconds or so.
    pub(super) fn is_brisk(&self) -> bool {
        (2..=Self::FEW).contains(&self.of_use)
    }

    /// How many threads are of use to jobs that keep theirs for so many nanoseconds.
    #[inline]
    pub(super) fn of_use_to(keep: u64) -> usize {
        usize::try_from(keep / Self::COST).map_or(usize::MAX, |more| more.saturating_add(1))
    }

    /// Whether one thread more would be of no use.
    #[inline]
    pub(super) fn is_served_by(&self, running: usize) -> bool {
        self.of_use != 0 && running >= self.of_use + usize::from(self.lags)
    }

    /// Whether jobs wait all the time though as many run as were of use.
    pub(super) fn lags_with(&self, running: usize) -> bool {
        self.lags && !self.is_served_by(running)
    }

    /// A thread found no job.
    #[inline]
    pub(super) fn runs_dry(&mut self) {
        // Who stands by will see it, if there is one.
        self.lags &= self.standby.is_some();
    }

    /// What has become of the flow since the last look. `waiting`: whether jobs wait for which nobody is on the way, or others do. `queued`: how
    /// many jobs wait.
    pub(super) fn look(&mut self, waiting: bool, queued: usize) -> Seen {
        let waited = std::mem::replace(&mut self.waited, queued);
        self.lags = Self::BACKLOG.contains(&waited) && Self::BACKLOG.contains(&queued);
        let taken = self.taken - std::mem::replace(&mut self.seen, self.taken);
        match taken {
            0 if waiting => {
                let soon = self.taken < self.wary_until + 16 * self.wary_for;
                self.wary_for = if soon { (4 * self.wary_for).clamp(Self::WARY, Self::WARIEST) } else { Self::WARY };
                self.wary_until = self.taken + self.wary_for;
                self.of_use = 0;
                Seen::Stalls
            }
            taken if taken < Self::BRISK && !waiting => Seen::Ebbs,
            _ => Seen::Flows,
        }
    }
}

impl State {
    /// Whether nobody is called for a job that waits: more threads than run already would be of no use to it, and one stands by; or some come
    /// already, and they are as many as may, or enough with those that run, or nobody else sleeps.
    #[inline]
    pub(super) fn withholds_call(&self, pool: &Pool) -> bool {
        if self.scouts > 0 {
            let nobody_sleeps = self.idle.is_empty();
            return nobody_sleeps
                || self.scouts >= pool.config.max_scouts
                || self.flow.is_served_by(self.running + self.scouts);
        }
        self.flow.standby.is_some() && self.flow.is_served_by(self.running) && !self.closed
    }

    /// Whether somebody is to be called for one job more than wait.
    #[inline]
    pub(super) fn calls_for_more(&self, pool: &Pool) -> bool {
        !self.withholds_call(pool) && self.can_call(pool)
    }

    /// Whether a thread that comes back from a job and finds none is to look for work before it sleeps, whoever else is on the way: it is there
    /// before them. But beside another that looks only if it may be of use, or jobs come that are worth a few. (If not, 4,000 submits in a row
    /// took up to twice as long each: two threads came for each job, to one lock.)
    ///
    /// And even if there are fewer cores than look: they give their cores away, which costs less than to sleep and be woken again, one by the
    /// other. With two that look at most, on two cores, 32 callers on two workers needed 1.1 times as long for jobs of a microsecond, and as
    /// long for jobs of 2 to 100 (Intel Xeon, Linux 6.18). Not on a single core, where nothing happens while one looks: there, with more than
    /// one, 256 callers needed three times as long.
    #[inline]
    pub(super) fn is_to_look(&self, pool: &Pool) -> bool {
        let of_use = || self.flow.is_brisk() || !self.flow.is_served_by(self.running + self.scouts);
        let most = if pool.config.max_scouts > 1 { MOST_SCOUTS } else { 1 };
        self.looking.is_empty() || self.looking.len() < most && of_use()
    }

    /// Whether a scout that finds jobs is to stand by instead of taking one.
    #[inline]
    pub(super) fn needs_standby(&self, pool: &Pool) -> bool {
        self.flow.is_served_by(self.running)
            && self.flow.standby.is_none()
            && !self.closed
            && pool.config.keep_alive > NAP
    }

    /// `worker`, who is in `idle`, stands by from now on.
    pub(super) fn stand_by(&mut self, worker: &Arc<Worker>) {
        self.flow.standby = Some(Arc::clone(worker));
        // Before the first nap there is nothing to be seen: as if jobs had been taken.
        self.flow.seen = self.flow.taken.saturating_sub(Flow::BRISK);
        self.flow.waited = 0;
    }
}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::executor::ExecutorExt;
    use crate::pool::ThreadPool;
    use crate::sync::thread;

    #[test]
    fn patience_grows_where_a_sleep_was_too_short_and_fades_where_it_was_not() {
        let mut patience = Patience::default();
        let began = Moment::now();
        let after = |nanoseconds| began.later(nanoseconds);
        // Nobody has looked for work yet: nothing is known.
        patience.called(after(10_000));
        assert_eq!(patience.length().as_nanos(), 3_000);
        patience.searched_since(began);
        patience.called(after(10_000));
        assert_eq!(patience.length().as_nanos(), 20_000);
        patience.called(after(4_000));
        assert_eq!(patience.length().as_nanos(), 20_000, "it was long enough for that one");
        patience.called(after(50_000));
        assert_eq!(patience.length().as_nanos(), 50_000);
        for expected in [25_000, 12_500, 6_250, 3_125, 0, 0] {
            patience.called(after(50_001));
            assert_eq!(patience.length().as_nanos(), expected);
        }
        patience.called(after(1));
        assert_eq!(patience.length().as_nanos(), 3_000, "it is worth a look again");
        for expected in [6_000, 3_000, 0] {
            patience.length = 2 * expected;
            patience.called(after(1_000_000));
            assert_eq!(patience.length().as_nanos(), u128::from(expected));
        }
    }

    #[test]
    fn c08_how_many_threads_are_of_use_depends_on_how_long_jobs_keep_them() {
        let mut flow = Flow::default();
        assert!(!flow.is_served_by(100), "nothing is known");
        for (keep, threads) in [(0, 1), (399, 1), (400, 2), (4_000, 11)] {
            flow.takes(Some(keep));
            assert!(flow.is_served_by(threads) && !flow.is_served_by(threads - 1), "{keep}");
        }
        flow.takes(None);
        assert!(!flow.is_served_by(100), "it may be long");
    }

    #[test]
    fn c08_a_flow_that_stalls_gets_all_threads_for_a_while() {
        let mut flow = Flow::default();
        flow.takes(Some(0));
        assert_eq!(flow.look(true, 1), Seen::Flows);
        assert!(flow.is_served_by(1));
        assert_eq!(flow.look(true, 1), Seen::Stalls);
        assert!(!flow.is_served_by(100));
        let jobs_until_served = |flow: &mut Flow| {
            (1..=1 << 20).find(|_| {
                flow.takes(Some(0));
                flow.is_served_by(1)
            })
        };
        assert_eq!(jobs_until_served(&mut flow), Some(1 << 10));
        // Again and again.
        for expected in [1 << 12, 1 << 14, 1 << 16, 1 << 16] {
            assert_eq!((flow.look(true, 1), flow.look(true, 1)), (Seen::Flows, Seen::Stalls));
            assert_eq!(jobs_until_served(&mut flow), Some(expected));
        }
        // After a long time without.
        for _ in 0..17 << 16 {
            flow.takes(Some(0));
        }
        assert_eq!((flow.look(true, 1), flow.look(true, 1)), (Seen::Flows, Seen::Stalls));
        assert_eq!(jobs_until_served(&mut flow), Some(1 << 10));
    }

    #[test]
    fn c08_a_flow_that_has_not_stalled_for_long_is_trusted_as_before() {
        for (more, expected) in [(0, 4 << 10), (1, 1 << 10)] {
            let mut flow = Flow::default();
            flow.takes(Some(0));
            assert_eq!((flow.look(true, 1), flow.look(true, 1)), (Seen::Flows, Seen::Stalls));
            // Sixteen times as many as it was not trusted for, after those.
            for _ in 0..17 * (1 << 10) - 1 + more {
                flow.takes(Some(0));
            }
            assert_eq!((flow.look(true, 1), flow.look(true, 1)), (Seen::Flows, Seen::Stalls));
            assert_eq!(flow.wary_until - flow.taken, expected, "{more}");
        }
    }

    #[test]
    fn c08_one_more_is_of_use_where_jobs_wait_all_the_time() {
        for (before, now, lags) in [
            (64, 64, true),
            (1024, 1024, true),
            (63, 64, false),
            (64, 63, false),
            (1025, 1024, false),
            (1024, 1025, false),
        ] {
            let mut flow = Flow::default();
            for queued in [before, now] {
                flow.takes(Some(0));
                assert!(flow.is_served_by(1) && !flow.lags_with(1));
                assert_eq!(flow.look(true, queued), Seen::Flows);
            }
            assert_eq!((flow.lags_with(1), flow.is_served_by(1)), (lags, !lags), "{before} {now}");
            assert!(!flow.lags_with(2) && flow.is_served_by(2), "{before} {now}");
        }
        let lagging = || Flow { lags: true, of_use: 1, ..Flow::default() };
        let mut flow = lagging();
        flow.runs_dry();
        assert!(!flow.lags_with(1), "nobody would see that it does not");
        let pool = ThreadPool::new(1);
        flow = Flow { standby: Some(Worker::new(&pool.queue().shared, String::new())), ..lagging() };
        flow.runs_dry();
        assert!(flow.lags_with(1), "who stands by sees to it");
        flow.look(true, 0);
        assert!(!flow.lags_with(1));
        let mut state = pool.queue().lock();
        (state.flow.of_use, state.flow.waited) = (1, 64);
        state.stand_by(&Worker::new(&pool.queue().shared, String::new()));
        state.flow.look(true, 64);
        assert!(!state.flow.lags_with(1), "the first look of who stands by shows nothing");
        state.flow.standby = None;
    }

    #[test]
    fn c08_who_finds_no_job_takes_note_that_none_waits() {
        let pool = ThreadPool::new(1);
        let deadline = Instant::now() + Duration::from_secs(30);
        pool.queue().lock().flow.lags = true;
        pollster::block_on(pool.submit(|| ())).unwrap();
        while pool.queue().lock().flow.lags {
            assert!(Instant::now() < deadline, "a thread more is called for each job");
            thread::yield_now();
        }
    }

    /// It leaves the job that waits to the thread that runs, and takes it once that turns out to be kept.
    #[test]
    fn c08_who_comes_for_short_jobs_stands_by_first() {
        let pool = ThreadPool::builder().max_threads(2).build();
        let (begun, wait_for_begun) = std::sync::mpsc::channel();
        let (open, gate) = std::sync::mpsc::channel::<()>();
        let long = pool.submit(move || {
            begun.send(()).unwrap();
            gate.recv().unwrap();
        });
        wait_for_begun.recv().unwrap();
        // As if the jobs before it had been short.
        pool.queue().lock().flow.takes(Some(0));
        let short = pool.submit(|| ());
        let deadline = Instant::now() + Duration::from_secs(30);
        while !short.is_finished() {
            assert!(Instant::now() < deadline, "it leaves it there for good");
            thread::yield_now();
        }
        assert_eq!(pool.queue().lock().flow.wary_for, Flow::WARY, "it has not seen the flow stall");
        open.send(()).unwrap();
        pollster::block_on(long).unwrap();
        pollster::block_on(pool.shutdown());
    }

    #[test]
    fn a_flow_ebbs_if_few_jobs_come_and_none_waits() {
        let mut flow = Flow::default();
        for (taken, waiting, expected) in
            [(15, false, Seen::Ebbs), (16, false, Seen::Flows), (15, true, Seen::Flows), (0, false, Seen::Ebbs)]
        {
            for _ in 0..taken {
                flow.takes(None);
            }
            assert_eq!(flow.look(waiting, usize::from(waiting)), expected, "{taken} taken, waiting: {waiting}");
        }
    }
}
