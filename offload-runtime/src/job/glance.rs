//! A glance at a job that has just been submitted: it may have ended before who awaits it could fall asleep.
//!
//! Where a thread looks for work as a job comes, a short one has ended some hundred nanoseconds later. Who leaves a waker instead, sleeps, and
//! is woken, needs microseconds, and tens of them where its core falls asleep meanwhile. So the first poll of such a job, by the thread that
//! has submitted it, looks for the result before it leaves a waker. That must not hold up the event loop (C3), and does not for longer than
//! the waker's way would:
//!
//! * A glance ends after [`LONGEST`].
//! * There is none while other jobs that the thread has submitted are on their way: then others have something to do meanwhile.
//! * There are few at the jobs of sites that take longer ([`Luck`]).
//! * After [`IN_A_ROW`] results that were there at the first poll, the next one that is glanced at gives the other tasks of the loop their
//!   turn, before the caller goes on.

use std::cell::Cell;
use std::ptr::NonNull;
use std::time::{Duration, Instant};

use super::cell::Header;
use super::origin::Origin;
use super::state::Look;

/// Less than the waker's way takes, of the caller's thread alone: 1.7 to 4.4 microseconds per call with tokio's current-thread runtime or
/// `pollster`, against 0.8 where all calls are glanced at (Intel Xeon, Linux 6.18).
const LONGEST: Duration = Duration::from_micros(1);

/// Looks between two at the clock, 10 to 40 nanoseconds each.
const BETWEEN: u32 = 8;

/// After so many results in a row, none of which had to be waited for, a task gives way to others.
const IN_A_ROW: u32 = 16;

/// What a glance has shown.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// No result. Or there was no glance.
    Nothing,
    /// The result.
    Result,
    /// The result, and it is time for other tasks.
    Enough,
}

/// What a thread remembers of its submits and its glances.
struct Glances {
    /// The address of the job that it submitted last, until it has the result; with [`PROMISING`]. To be compared only: the job may have gone,
    /// and another be there.
    last: Cell<usize>,
    /// How many results it has fetched since a poll last had none.
    in_a_row: Cell<u32>,
    /// By their addresses; sites that fall on one place take turns in it.
    sites: [Cell<Luck>; 8],
}

/// No job, as an address.
const NONE: usize = 0;

/// The job is to be glanced at.
const PROMISING: usize = 1;

// No address has that bit.
const _: () = assert!(align_of::<Header>() > PROMISING);

// `std`'s, as nothing is glanced at in a model.
std::thread_local! {
    static GLANCES: Glances = const { Glances::new() };
}

/// Whether glances at the jobs of a site pay. One that does saves some microseconds, one in vain costs [`LONGEST`].
#[derive(Clone, Copy)]
struct Luck {
    site: Option<Origin>,
    /// Below zero, one job in 2^-`credit` + 1 is glanced at.
    credit: i8,
    /// How many jobs from now are not.
    skips: u8,
}

impl Luck {
    const NEW: Self = Self { site: None, credit: 0, skips: 0 };
    const MOST: i8 = 8;
    const LEAST: i8 = -2;

    fn of(site: Origin) -> Self {
        Self { site: Some(site), ..Self::NEW }
    }

    /// Whether the next job is to be glanced at.
    fn allows(&mut self) -> bool {
        let skips = self.skips > 0;
        self.skips -= u8::from(skips);
        !skips
    }

    fn learn(&mut self, hit: bool) {
        self.credit = if hit { (self.credit + 2).min(Self::MOST) } else { (self.credit - 1).max(Self::LEAST) };
        if self.credit < 0 {
            self.skips = 1 << -self.credit;
        }
    }
}

/// This thread has submitted a job. `at_once`: no other was waiting, and a thread is awake that will take it.
#[inline]
pub(super) fn submitted(header: NonNull<Header>, at_once: bool) {
    GLANCES.with(|glances| {
        let promises = at_once && glances.last.get() == NONE;
        glances.last.set(header.addr().get() | usize::from(promises));
    });
}

/// A handle is polled whose job has not ended. Looks for the result for a while, if that is promising, and it is the first time.
#[inline]
pub(super) fn at(header: NonNull<Header>, cell: &Header) -> Seen {
    GLANCES.with(|glances| {
        let seen = if cfg!(offload_loom) || glances.last.get() != header.addr().get() | PROMISING {
            Seen::Nothing
        } else {
            glances.last.set(header.addr().get());
            glances.look(cell.origin, || !matches!(cell.state.look(), Look::Pending { .. }))
        };
        if seen != Seen::Result {
            glances.in_a_row.set(0);
        }
        seen
    })
}

/// A handle has the result of this job.
#[inline]
pub(super) fn fetched(header: NonNull<Header>) {
    GLANCES.with(|glances| {
        if glances.last.get() & !PROMISING == header.addr().get() {
            glances.last.set(NONE);
            glances.in_a_row.set(glances.in_a_row.get().saturating_add(1));
        }
    });
}

impl Glances {
    const fn new() -> Self {
        Self { last: Cell::new(NONE), in_a_row: Cell::new(0), sites: [const { Cell::new(Luck::NEW) }; 8] }
    }

    fn look(&self, site: Origin, is_done: impl Fn() -> bool) -> Seen {
        let place = &self.sites[site.spread() % self.sites.len()];
        let mut luck = place.get();
        if luck.site != Some(site) {
            luck = Luck::of(site);
        }
        let mut seen = Seen::Nothing;
        if luck.allows() {
            let hit = look(is_done);
            luck.learn(hit);
            if hit {
                seen = if self.in_a_row.get() < IN_A_ROW { Seen::Result } else { Seen::Enough };
            }
        }
        place.set(luck);
        seen
    }
}

/// Looks for [`LONGEST`], or a little longer, whether the job `is_done`.
fn look(is_done: impl Fn() -> bool) -> bool {
    let begin = Instant::now();
    loop {
        for _ in 0..BETWEEN {
            std::hint::spin_loop();
            if is_done() {
                return true;
            }
        }
        if begin.elapsed() >= LONGEST {
            return false;
        }
    }
}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::task::{Context, Poll, Wake, Waker};
    use std::thread;

    use super::*;
    use crate::context::Call;
    use crate::job::queue::bare::{Bare, queue};
    use crate::job::{Job, JobHandle, Posted, Queue, Taken, cell};

    fn job(value: usize) -> (Job, JobHandle<usize>) {
        let origin = Origin::of_caller();
        cell::observed(origin, Call::new(origin, move || value))
    }

    fn poll<T>(handle: &mut JobHandle<T>, waker: &Waker) -> Poll<T> {
        Pin::new(handle).poll(&mut Context::from_waker(waker)).map(Result::unwrap)
    }

    fn is_promising() -> bool {
        GLANCES.with(|glances| glances.last.get() & PROMISING != 0)
    }

    fn glance(glances: &Glances, site: Origin, is_done: bool) -> (Seen, bool) {
        let looked = Cell::new(false);
        let seen = glances.look(site, || {
            looked.set(true);
            is_done
        });
        (seen, looked.get())
    }

    /// Runs `f` with a queue beside which a thread looks for jobs and runs them, as a pool's would.
    fn beside_one_who_looks(f: impl FnOnce(&Arc<Queue<Bare>>)) {
        let queue = queue();
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let mut guard = queue.lock();
                    if let Some(Taken { job, .. }) = guard.pop() {
                        drop(guard);
                        job.run();
                        continue;
                    }
                    guard.open();
                    drop(guard);
                    while !queue.is_stirred() && !over.load(Ordering::Relaxed) {
                        std::hint::spin_loop();
                    }
                }
            });
            f(&queue);
            over.store(true, Ordering::Relaxed);
        });
        assert!(queue.lock().ask());
    }

    fn post(queue: &Arc<Queue<Bare>>, value: usize) -> JobHandle<usize> {
        let (job, handle) = job(value);
        assert!(matches!(queue.post(job), Posted::Quietly { .. } | Posted::Asked));
        handle
    }

    fn run_all(queue: &Arc<Queue<Bare>>) {
        let pop = || queue.lock().pop();
        while let Some(Taken { job, .. }) = pop() {
            job.run();
        }
    }

    /// It is glanced at once, if a thread is awake, no job waits, and the one before has been fetched.
    #[test]
    fn c03_a_job_is_glanced_at_if_it_may_begin_at_once() {
        let queue = queue();
        let mut asked = post(&queue, 1);
        assert!(!is_promising(), "somebody has to be called");
        queue.lock().open();
        let after_one_on_its_way = post(&queue, 2);
        assert!(!is_promising(), "others have something to do");
        run_all(&queue);
        assert_eq!(poll(&mut asked, Waker::noop()), Poll::Ready(1));
        for opened in [true, false] {
            if opened {
                queue.lock().open();
            }
            assert!(!queue.is_stirred(), "by whoever took the last job, if nobody looks");
            // As if the last one had been fetched.
            GLANCES.with(|glances| glances.last.set(NONE));
            let mut at_once = post(&queue, 3);
            assert!(is_promising());
            assert!(poll(&mut at_once, Waker::noop()).is_pending());
            assert!(!is_promising(), "it is glanced at once");
            let behind = post(&queue, 4);
            run_all(&queue);
            assert_eq!(poll(&mut at_once, Waker::noop()), Poll::Ready(3));
            let mut next = post(&queue, 5);
            assert!(!is_promising(), "the one before is still on its way");
            run_all(&queue);
            assert_eq!(poll(&mut next, Waker::noop()), Poll::Ready(5));
            let mut fetched = post(&queue, 6);
            assert!(is_promising(), "it has been fetched");
            let behind_it = post(&queue, 7);
            assert!(!is_promising(), "another waits");
            drop((behind, behind_it));
            assert!(poll(&mut fetched, Waker::noop()).is_pending());
            run_all(&queue);
        }
        drop(after_one_on_its_way);
        assert!(queue.lock().ask());
    }

    /// Where jobs are pushed under the lock, too; and not at another job.
    #[test]
    fn c03_a_job_that_is_pushed_is_glanced_at_if_somebody_looks_for_it() {
        let queue = queue();
        for opened in [false, true] {
            if opened {
                queue.lock().open();
            }
            let (job, mut handle) = job(2);
            assert!(queue.lock().push(job, None).1.is_ok());
            assert_eq!(is_promising(), opened);
            let (_other, mut of_other) = self::job(3);
            assert!(poll(&mut of_other, Waker::noop()).is_pending());
            assert_eq!(is_promising(), opened, "another job was glanced at");
            assert!(poll(&mut handle, Waker::noop()).is_pending());
            assert!(!is_promising());
            run_all(&queue);
            assert_eq!(poll(&mut handle, Waker::noop()), Poll::Ready(2));
        }
        assert!(queue.lock().ask());
    }

    #[test]
    fn c03_a_glance_ends() {
        let (looks, late, first) = (Cell::new(0_u32), Cell::new(0_u32), Cell::new(None::<Instant>));
        let begin = Instant::now();
        assert!(!look(|| {
            let since = first.get().unwrap_or_else(Instant::now);
            first.set(Some(since));
            late.set(late.get() + u32::from(since.elapsed() >= LONGEST));
            looks.set(looks.get() + 1);
            false
        }));
        assert!(begin.elapsed() >= LONGEST, "it gave up early");
        assert!(looks.get() >= BETWEEN && looks.get().is_multiple_of(BETWEEN));
        assert!(late.get() <= BETWEEN, "{} looks after its time", late.get());
        assert!(look(|| true));
    }

    /// Of those that take longer, few are glanced at; and those that have become short are seen to have.
    #[test]
    fn c03_sites_where_glances_do_not_pay_are_glanced_at_now_and_then() {
        let (glances, site) = (Glances::new(), Origin::of_caller());
        let looked = |is_done: bool| (0..100).filter(|_| glance(&glances, site, is_done).1).count();
        assert_eq!(looked(false), 21, "one in five, but for the first two");
        // Its luck is at its worst.
        let next = |is_done| (1..=100).find(|_| glance(&glances, site, is_done).1).unwrap();
        next(false);
        assert_eq!((next(false), next(true), next(true), next(false)), (5, 5, 1, 1), "a single result makes up for it");
        assert_eq!(looked(true), 100);
        assert_eq!(looked(false), 27, "at its best it stands eight in vain, and is as it was before");
        // The luck of one site is not that of another, unless they share a place.
        let place = |site: Origin| site.spread() % glances.sites.len();
        let others = [Origin::of_caller(), Origin::of_caller(), Origin::of_caller()];
        let other = *others.iter().find(|other| place(**other) != place(site)).expect("three sites in one place");
        next(true);
        assert!(glance(&glances, other, false).1 && glance(&glances, site, true).1);
        // Two that do have none for long.
        let (luck, taken) = (Luck { credit: Luck::LEAST, skips: 4, ..Luck::of(other) }, place(site));
        glances.sites[taken].set(luck);
        assert!(glance(&glances, site, true).1);
        assert_eq!(glances.sites[taken].get().site, Some(site));
    }

    #[test]
    fn c03_after_many_results_in_a_row_others_have_their_turn() {
        let queue = queue();
        let mut next = post(&queue, 0);
        let in_a_row = || GLANCES.with(|glances| glances.in_a_row.get());
        for n in 1..=2 * IN_A_ROW {
            run_all(&queue);
            assert!(poll(&mut next, Waker::noop()).is_ready(), "what is there is returned");
            assert_eq!(in_a_row(), n);
            next = post(&queue, 0);
        }
        GLANCES.with(|glances| {
            for (in_a_row, is_done, seen) in [
                (IN_A_ROW - 1, true, Seen::Result),
                (IN_A_ROW, true, Seen::Enough),
                (2 * IN_A_ROW, true, Seen::Enough),
                (IN_A_ROW, false, Seen::Nothing),
            ] {
                glances.in_a_row.set(in_a_row);
                assert_eq!(glance(glances, Origin::of_caller(), is_done).0, seen, "{in_a_row} {is_done}");
            }
        });
        assert!(poll(&mut next, Waker::noop()).is_pending());
        assert_eq!(in_a_row(), 0, "they have their turn");
        run_all(&queue);
        assert!(poll(&mut next, Waker::noop()).is_ready());
        assert!(queue.lock().ask());
    }

    /// Wakes by the thread that polls.
    struct OwnWakes(thread::ThreadId, AtomicUsize);

    impl Wake for OwnWakes {
        fn wake(self: Arc<Self>) {
            self.wake_by_ref();
        }

        fn wake_by_ref(self: &Arc<Self>) {
            if thread::current().id() == self.0 {
                self.1.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    /// With a real thread that runs the jobs: many have their result at the first poll, and who gives way is polled again, and has it.
    #[test]
    fn c03_the_first_poll_has_the_result_of_a_short_job() {
        if thread::available_parallelism().is_ok_and(|cores| cores.get() == 1) {
            // Nothing can happen while it looks.
            return;
        }
        let own = Arc::new(OwnWakes(thread::current().id(), AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&own));
        let woken = || own.1.load(Ordering::SeqCst);
        beside_one_who_looks(|queue| {
            let (mut at_once, mut gave_way) = (0, 0);
            for i in 0..1_000_000 {
                let mut handle = post(queue, i);
                let (promising, before) = (is_promising(), woken());
                match poll(&mut handle, &waker) {
                    Poll::Ready(value) => {
                        assert_eq!(value, i);
                        at_once += u32::from(promising);
                        continue;
                    }
                    Poll::Pending if woken() > before => {
                        assert!(promising && handle.is_finished(), "it gave way without a result");
                        gave_way += 1;
                    }
                    Poll::Pending => {}
                }
                assert_eq!(pollster::block_on(handle).unwrap(), i);
                if gave_way == 3 {
                    assert!(at_once >= 3 * (IN_A_ROW - 1));
                    return;
                }
            }
            panic!("of a million jobs {at_once} were seen at once, and {gave_way} gave way");
        });
    }
}
