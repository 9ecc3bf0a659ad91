//! How a thread looks for work before it sleeps.
//!
//! Figures in this file are from a virtual machine with two cores (AMD Zen 4, Linux 6.1, but where another is named), each from alternating runs
//! against what is chosen; `benches` measures the whole.

use std::time::{Duration, Instant};

use super::queue::{Pool, State};
use crate::clock::Moment;
use crate::job::Queue;
use crate::sync::thread;

/// A scout's look for work, without the lock: in a tight loop, giving its core away now and then.
///
/// With few cores, who submits the next job may want the very core on which it is looked for. Giving it away costs half a microsecond where
/// nobody wants it. With a yield every 5 microseconds a single caller needed half of the time that it needs with one every 0.2.
///
/// Where other programs want the cores too, a thread that gives its own away may be without it for milliseconds, and a job that comes
/// meanwhile waits for that long, as nobody is called for it while there is a scout; a thread that is woken gets a core at once. So a
/// thread that came back late gives nothing away in the next search; in twice as many if that happens again, and so on.
///
/// # In a brisk flow
/// Jobs of a microsecond or two are of use to some threads, but none of these has always one to run. If they sleep in between, they are woken
/// behind one another on one core, while the runtime's threads keep the other busy with waking each other for one job at a time. So while such
/// jobs come one after the other, and another thread runs or looks, who finds none looks for longer, gives its core away all the time, and
/// minds no late return: those who run will come to the job before long. 32 callers with jobs of a microsecond needed 0.78 of the time
/// that way (AMD Zen 4, Linux 6.18, two workers of a runtime). With jobs of 10, those who run do not come before long: where late returns
/// were not minded there, either, these needed 1.1 to 1.2 times as long.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// In how many searches from now the core is not given away.
    crowded: u32,
    /// In how many it was not, after the last time.
    caution: u32,
    /// How many there were in a row, up to now.
    in_a_row: u32,
    /// When the last one began, and how many jobs had been taken by then.
    last: Option<(Moment, u64)>,
}

/// How to look for work.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Look {
    patience: Duration,
    brisk: bool,
}

impl Search {
    /// Looks before the core is given away for the first time, 10 to 40 nanoseconds each.
    const FIRST: u32 = if cfg!(offload_loom) { 1 } else { 100 };
    /// Looks between two times that it is.
    const BETWEEN: u32 = 200;
    /// The same, in a brisk flow.
    const BETWEEN_BRISK: u32 = 10;
    /// How long one lasts there. Then the lock is taken: what others have taken out of the inbox, and not yet run, is seen under it alone. With
    /// looks of 50 microseconds 32 callers of jobs of a microsecond needed 1.15 times as long; with 5 or 20 as long as with 10, and so they did
    /// with 50, too, if who took a job called those who look where eight more were left (AMD Zen 4, Linux 6.18, by turns in one process).
    const ON: Duration = Duration::from_micros(10);
    /// How many there are in a row, there, at most.
    const AGAIN: u32 = 8;
    /// A flow is dense if a job is taken in so many nanoseconds.
    const DENSE: u64 = 20_000;
    /// A yield takes half a microsecond, or some tens if who has the core for a while is a caller of this pool.
    const LATE: Duration = Duration::from_micros(100);
    /// At a few milliseconds each time, a thousand are lost to a search in about a hundred.
    const CROWDED: u32 = 128;

    /// How the thread is to look for work now, if it is. `scout`: whether it is one, that has found no job. `stands_by`: it has found some,
    /// and leaves them.
    pub(super) fn plan(&mut self, state: &mut State, pool: &Pool, scout: bool, stands_by: bool) -> Option<Look> {
        let in_a_row = if scout { self.in_a_row } else { 0 };
        self.in_a_row = 0;
        // Who was called, and finds no job, sleeps.
        if stands_by || scout && in_a_row == 0 || !state.is_to_look(pool) {
            return None;
        }
        let brisk = self.is_in_a_brisk_flow(state);
        if scout && !(brisk && in_a_row < Self::AGAIN) {
            return None;
        }
        let patience = if brisk { Self::ON } else { state.patience.length() };
        if patience.is_zero() {
            state.patience.searched_since(Moment::now());
            return None;
        }
        self.in_a_row = in_a_row + 1;
        Some(Look { patience, brisk })
    }

    /// Whether some threads take jobs that are worth them, one after the other, since the last search of this one.
    fn is_in_a_brisk_flow(&mut self, state: &State) -> bool {
        let beside_others = state.running > 0 || !state.looking.is_empty();
        if !state.flow.is_brisk() || !beside_others || cfg!(offload_loom) {
            self.last = None;
            return false;
        }
        let now = (Moment::now(), state.flow.taken);
        let last = self.last.replace(now);
        last.is_some_and(|(then, taken)| (now.1 - taken).saturating_mul(Self::DENSE) >= now.0.since(then))
    }

    /// Looks for work. Returns when it began.
    pub(super) fn look(&mut self, queue: &Queue<Pool>, how: &Look) -> Moment {
        let begin = Moment::now();
        if spin(queue, Self::FIRST) || cfg!(offload_loom) {
            return begin;
        }
        if self.crowded > 0 && !how.brisk {
            self.crowded -= 1;
            return begin;
        }
        let first = Instant::now();
        let mut before = first;
        while before - first < how.patience && !spin(queue, if how.brisk { Self::BETWEEN_BRISK } else { Self::BETWEEN })
        {
            thread::yield_now();
            let now = Instant::now();
            if !how.brisk && self.came_back_after(now - before) {
                return begin;
            }
            before = now;
        }
        self.caution /= 2;
        begin
    }

    /// Takes note of a yield that took so long, looks included. Returns whether it was late.
    fn came_back_after(&mut self, time: Duration) -> bool {
        let late = time > Self::LATE;
        if late {
            self.caution = (2 * self.caution).clamp(1, Self::CROWDED);
            self.crowded = self.caution;
        }
        late
    }
}

/// Looks so many times for a reason to come to the lock.
fn spin(queue: &Queue<Pool>, times: u32) -> bool {
    for _ in 0..times {
        if queue.is_stirred() {
            return true;
        }
        std::hint::spin_loop();
    }
    false
}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use super::super::pace::Patience;
    use super::super::worker::Worker;
    use super::*;
    use crate::executor::ExecutorExt;
    use crate::job::Guard;
    use crate::pool::ThreadPool;
    use crate::sync::Arc;

    fn how(patience: Duration) -> Look {
        Look { patience, brisk: false }
    }

    #[test]
    fn a_thread_that_came_back_late_keeps_its_core_for_a_while() {
        let pool = ThreadPool::new(1);
        let mut search = Search::default();
        assert!(!search.came_back_after(Search::LATE));
        assert_eq!(search.crowded, 0);
        for expected in [1, 2, 4, 8, 16, 32, 64, 128, 128] {
            assert!(search.came_back_after(Search::LATE + Duration::from_nanos(1)));
            assert_eq!(search.crowded, expected);
        }
        pool.queue().lock().open();
        for left in (0..Search::CROWDED).rev() {
            search.look(pool.queue(), &how(Patience::default().length()));
            assert_eq!(search.crowded, left, "a search that gives nothing away cannot come back late");
        }
        pool.queue().lock().ask();
    }

    /// It may end early, where the core did not come back at once: then it says so.
    #[test]
    fn a_search_in_vain_lasts_for_as_long_as_the_patience_says() {
        let pool = ThreadPool::new(1);
        pool.queue().lock().open();
        let patience = Duration::from_millis(1);
        let lasted = (0..10_000).any(|_| {
            let mut search = Search { caution: 4, ..Search::default() };
            let began = Instant::now();
            search.look(pool.queue(), &how(patience));
            let (took, came_back_late) = (began.elapsed(), search.crowded > 0);
            assert!(came_back_late || took >= patience, "it gave up after {took:?}");
            assert_eq!(search.caution, if came_back_late { 8 } else { 2 });
            !came_back_late
        });
        assert!(lasted, "no search had a core for a millisecond");
        for _ in 0..100 {
            let mut search = Search::default();
            search.look(pool.queue(), &how(Duration::ZERO));
            assert_eq!(search.crowded, 0, "it went on until its core did not come back");
        }
        pool.queue().lock().ask();
    }

    #[test]
    fn what_stirs_the_queue_ends_the_search() {
        let pool = ThreadPool::new(1);
        let mut search = Search { crowded: 7, caution: 7, ..Search::default() };
        // It asks for the next job, as it does whenever nobody looks for work.
        assert!(pool.queue().is_stirred());
        search.look(pool.queue(), &how(Duration::MAX));
        assert_eq!(search.crowded, 7, "it went past it");
        search.crowded = 0;
        search.look(pool.queue(), &how(Duration::MAX));
        assert_eq!(search.caution, 7, "it gave the core away");
    }

    #[test]
    fn a_thread_looks_for_work_before_it_sleeps() {
        let pool = ThreadPool::new(1);
        pollster::block_on(pool.submit(|| ())).unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let state = pool.queue().lock();
            if state.idle.len() == 1 {
                break assert!(state.patience.has_searched() && state.scouts == 0, "it has not looked");
            }
            drop(state);
            assert!(Instant::now() < deadline, "it does not sleep");
            thread::yield_now();
        }
    }

    fn worker(pool: &ThreadPool) -> Arc<Worker> {
        Worker::new(&pool.queue().shared, String::new())
    }

    /// The state of a pool of which two threads run jobs that keep them for `keep` each.
    fn state_of(pool: &ThreadPool, keep: u64) -> Guard<'_, Pool> {
        let mut state = pool.queue().lock();
        (state.threads, state.running) = (2, 2);
        state.flow.takes(Some(keep));
        state
    }

    fn tidy(mut state: Guard<'_, Pool>) {
        (state.threads, state.running) = (0, 0);
        state.looking.clear();
    }

    /// Whether a search after that of `last` is one in a brisk flow.
    fn is_brisk(search: &mut Search, state: &mut Guard<'_, Pool>, pool: &Pool, last: Option<(Moment, u64)>) -> bool {
        *search = Search { last, ..Search::default() };
        search.plan(state, pool, false, false).expect("nobody else looks").brisk
    }

    #[test]
    fn where_short_jobs_come_one_after_the_other_who_finds_none_looks_for_longer() {
        let pool = ThreadPool::builder().max_threads(4).max_scouts(2).build();
        let shared = &pool.queue().shared;
        let mut search = Search::default();
        for (keep, expected) in
            [(399, false), (400, true), (1_000, true), (2_399, true), (2_400, false), (10_000, false)]
        {
            let mut state = state_of(&pool, keep);
            assert!(!is_brisk(&mut search, &mut state, shared, None), "nothing is known of how they come");
            assert!(search.last.is_some() == expected, "only then it is of interest");
            let last = Some((Moment::now(), 0));
            state.flow.taken = 1_000_000;
            assert_eq!(is_brisk(&mut search, &mut state, shared, last), expected, "{keep}");
            // It looks on, and then no more, until it has had a job.
            let in_a_row = |search: &mut Search, state: &mut Guard<'_, Pool>| {
                let mut looks = 1;
                loop {
                    state.flow.taken += 1_000_000;
                    if looks > 2 * Search::AGAIN || search.plan(state, shared, true, false).is_none() {
                        break looks;
                    }
                    looks += 1;
                }
            };
            let expected = if expected { Search::AGAIN } else { 1 };
            assert_eq!(in_a_row(&mut search, &mut state), expected);
            assert_eq!(in_a_row(&mut search, &mut state), 1);
            // The first after a job is the first in a row, however the last one ended.
            for _ in 0..2 {
                state.flow.taken += 1_000_000;
                assert!(search.plan(&mut state, shared, false, false).is_some());
            }
            assert_eq!(in_a_row(&mut search, &mut state), expected);
            assert!(search.plan(&mut state, shared, false, false).is_some());
            state.flow.taken += 1_000_000;
            assert!(search.plan(&mut state, shared, true, true).is_none(), "it is to stand by");
            state.flow.taken += 1_000_000;
            assert!(search.plan(&mut state, shared, true, false).is_none(), "who was called and finds nothing sleeps");
            tidy(state);
        }
    }

    #[test]
    fn a_flow_is_brisk_only_beside_others_and_if_it_is_dense() {
        let pool = ThreadPool::builder().max_threads(4).max_scouts(2).build();
        let shared = &pool.queue().shared;
        let mut search = Search::default();
        let mut state = state_of(&pool, 1_000);
        let last = || Some((Moment::now(), 0));
        state.flow.taken = 1_000_000;
        assert!(is_brisk(&mut search, &mut state, shared, last()));
        state.running = 0;
        assert!(!is_brisk(&mut search, &mut state, shared, last()), "a lone caller's jobs");
        assert!(search.last.is_none());
        state.looking.push(worker(&pool));
        assert!(is_brisk(&mut search, &mut state, shared, last()), "another looks");
        // A hundred jobs in two milliseconds and more.
        let began = Moment::now();
        while Moment::now().since(began) < 100 * Search::DENSE {
            thread::yield_now();
        }
        let taken = state.flow.taken;
        assert!(!is_brisk(&mut search, &mut state, shared, Some((began, taken - 100))), "few come");
        tidy(state);
    }

    /// The core is given away all the time, and it does not matter when it comes back.
    #[test]
    fn in_a_brisk_flow_no_search_is_cut_short() {
        let pool = ThreadPool::new(1);
        pool.queue().lock().open();
        let mut search = Search { crowded: 7, ..Search::default() };
        let begin = Instant::now();
        search.look(pool.queue(), &Look { patience: Search::ON, brisk: true });
        assert!(begin.elapsed() >= Search::ON);
        assert_eq!(search.crowded, 7);
        pool.queue().lock().ask();
    }
}
