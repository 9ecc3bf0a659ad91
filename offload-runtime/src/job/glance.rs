//! A glance at a job: it may end before who awaits it could fall asleep.
//!
//! Where a thread looks for work as a job comes, a short one has ended some hundred nanoseconds later. Who leaves a waker instead, sleeps, and
//! is woken, needs microseconds, and tens of them where its core falls asleep meanwhile. So the first poll of a job
//! looks for the result before it leaves a waker, in two cases: the thread has just submitted the job, and it may begin *at once*; or it is the
//! next *in line*, where the thread has submitted some jobs and now fetches one result after the other, until it has caught up with who runs
//! them (whether this job is one of those is not asked). That must not hold up the event loop (C3), and does not for longer than the waker's
//! way would:
//!
//! * A glance ends after [`look::LONGEST`].
//! * There is none at a job that has just been submitted while others of the thread are on their way: then others have something to do
//!   meanwhile.
//! * There is none in line before a result has been fetched, nor after one that had to be waited for or a job that was submitted since; nor
//!   while more than [`FEW`] are on their way.
//! * There are few at the jobs of sites that take longer ([`Lucks`]).
//! * After [`IN_A_ROW`] results that were there at the first poll, the next one that is glanced at gives the other tasks of the loop their
//!   turn, before the caller goes on.

mod look;
mod luck;

use std::cell::Cell;
use std::ptr::NonNull;

use self::look::{look, look_now_and_then};
use self::luck::Lucks;
use super::cell::Header;
use super::origin::Origin;
use super::state::Look;

/// So many jobs end while a caller that sleeps is woken; while more are on their way, it finds them done as it wakes up. With 64 jobs that are
/// submitted and then awaited, a batch took 12 microseconds instead of 24; with 32 here it took 24, with 256 it was as with 64 and 128. With
/// no bound, a burst of 50,000 took 1.2 times as long (AMD Zen 4, Linux 6.18).
const FEW: u32 = 128;

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
    /// The address of the job that it submitted last, until it has the result; with [`PROMISING`] and [`FETCHING`]. To be compared only: the job
    /// may have gone, and another be there.
    last: Cell<usize>,
    /// How many of its jobs have results that it has not fetched, at most: what others have fetched, or nobody will, counts until it has the
    /// result of the last.
    on_their_way: Cell<u32>,
    /// How many results it has fetched since a poll last had none.
    in_a_row: Cell<u32>,
    lucks: Lucks,
}

/// No job, as an address.
const NONE: usize = 0;

/// The job is to be glanced at.
const PROMISING: usize = 1;

/// Since it was submitted, the thread has fetched results of others.
const FETCHING: usize = 2;

// No address has these bits.
const _: () = assert!(align_of::<Header>() > PROMISING | FETCHING);

// `std`'s, as nothing is glanced at in a model.
std::thread_local! {
    static GLANCES: Glances = const { Glances::new() };
}

/// In which case a job is glanced at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    AtOnce,
    InLine,
}

/// This thread has submitted a job. `at_once`: no other was waiting, and a thread is awake that will take it.
#[inline]
pub(super) fn submitted(header: NonNull<Header>, at_once: bool) {
    GLANCES.with(|glances| {
        let promises = at_once && glances.last.get() & !FETCHING == NONE;
        glances.last.set(header.addr().get() | if promises { PROMISING } else { 0 });
        glances.on_their_way.set(glances.on_their_way.get().wrapping_add(1));
    });
}

/// A handle is polled whose job has not ended. Looks for the result for a while, if that is promising, and it is the first time.
#[inline]
pub(super) fn at(header: NonNull<Header>, cell: &Header) -> Seen {
    GLANCES.with(|glances| {
        let seen = match glances.case(header) {
            Some(case) if !cfg!(offload_loom) => glances.glance(case, cell),
            _ => Seen::Nothing,
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
        glances.in_a_row.set(glances.in_a_row.get().wrapping_add(1));
        let last = glances.last.get();
        if last & !(PROMISING | FETCHING) == header.addr().get() {
            glances.last.set(NONE);
            glances.on_their_way.set(0);
        } else {
            glances.on_their_way.set(glances.on_their_way.get().saturating_sub(1));
            glances.last.set(last | FETCHING);
        }
    });
}

impl Glances {
    const fn new() -> Self {
        Self { last: Cell::new(NONE), on_their_way: Cell::new(0), in_a_row: Cell::new(0), lucks: Lucks::new() }
    }

    /// Whether the job is to be glanced at. One that was to be at once is not another time.
    #[inline]
    fn case(&self, header: NonNull<Header>) -> Option<Case> {
        let (address, last) = (header.addr().get(), self.last.get());
        if last == address | PROMISING {
            self.last.set(address);
            return Some(Case::AtOnce);
        }
        let in_line = last & FETCHING != 0 && self.in_a_row.get() > 0;
        (in_line && self.on_their_way.get() <= FEW).then_some(Case::InLine)
    }

    /// Looks for the job's result. Not inline: most polls don't.
    #[inline(never)]
    fn glance(&self, case: Case, cell: &Header) -> Seen {
        let is_done = || !matches!(cell.state.look(), Look::Pending { .. });
        self.look(cell.origin, || match case {
            Case::AtOnce => look(is_done),
            Case::InLine => look_now_and_then(is_done),
        })
    }

    fn look(&self, site: Origin, look: impl FnOnce() -> bool) -> Seen {
        match self.lucks.look(site, look) {
            false => Seen::Nothing,
            true if self.in_a_row.get() < IN_A_ROW => Seen::Result,
            true => Seen::Enough,
        }
    }
}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use std::future::Future;
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    use std::pin::Pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::task::{Context, Poll, Wake, Waker};
    use std::thread;
    use std::time::Instant;

    use super::look::LONGEST;
    use super::*;
    use crate::context::Call;
    use crate::job::queue::bare::{Bare, queue};
    use crate::job::{Claimed, Job, JobHandle, Posted, Queue, Taken, cell};

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
            // Also if it panics: the thread is joined.
            let result = catch_unwind(AssertUnwindSafe(|| f(&queue)));
            over.store(true, Ordering::Relaxed);
            result.unwrap_or_else(|payload| resume_unwind(payload));
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
            // As if the last one had been fetched; and one from before it, too.
            GLANCES.with(|glances| glances.last.set(if opened { NONE } else { NONE | FETCHING }));
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

    /// Who fetches one result after the other looks for the next, unless it has too many on their way, had to wait, or has submitted another.
    #[test]
    fn c03_the_next_in_line_is_glanced_at() {
        let queue = queue();
        let next_case = Cell::new(None);
        let submit = || {
            let (job, handle) = job(0);
            let header = job.header();
            assert!(matches!(queue.post(job), Posted::Quietly { .. } | Posted::Asked));
            (header, handle)
        };
        let fetch = |(header, mut handle): (NonNull<Header>, JobHandle<usize>)| {
            next_case.set(GLANCES.with(|glances| glances.case(header)));
            queue.lock().pop().expect("it was posted").job.run();
            assert!(poll(&mut handle, Waker::noop()).is_ready());
        };
        let mut jobs = (0..=FEW + 1).map(|_| submit()).collect::<Vec<_>>().into_iter();
        for (case, why) in [
            (None, "nothing has been fetched"),
            (None, "too many are on their way"),
            (Some(Case::InLine), "few are on their way"),
        ] {
            fetch(jobs.next().unwrap());
            assert_eq!(next_case.get(), case, "{why}");
        }
        let (header, mut handle) = jobs.next().unwrap();
        assert!(poll(&mut handle, Waker::noop()).is_pending());
        fetch((header, handle));
        assert_eq!(next_case.get(), None, "it has to be waited for");
        let last = submit();
        fetch(jobs.next().unwrap());
        assert_eq!(next_case.get(), None, "a job was submitted");
        drop(jobs);
        fetch(last);
        assert_eq!(next_case.get(), Some(Case::InLine));
        GLANCES.with(|glances| assert_eq!(glances.on_their_way.get(), 0, "those that were dropped count no more"));
        assert!(queue.lock().ask());
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
                assert_eq!(glances.look(Origin::of_caller(), || is_done), seen, "{in_a_row} {is_done}");
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

    fn until(step: &AtomicUsize, is: usize) {
        while step.load(Ordering::SeqCst) != is {
            std::hint::spin_loop();
        }
    }

    /// Another thread runs the next in line half a microsecond after the poll begins, or a little later.
    #[test]
    fn c03_the_next_in_line_is_there_at_the_first_poll() {
        if thread::available_parallelism().is_ok_and(|cores| cores.get() == 1) {
            // Nothing can happen while it looks.
            return;
        }
        let queue = queue();
        let (give, given) = std::sync::mpsc::channel::<(Claimed, Arc<AtomicUsize>)>();
        thread::scope(|scope| {
            scope.spawn(move || {
                for (job, step) in given {
                    step.store(1, Ordering::SeqCst);
                    until(&step, 2);
                    let begin = Instant::now();
                    // It is not there yet as the poll begins.
                    while begin.elapsed() < LONGEST / 2 {
                        std::hint::spin_loop();
                    }
                    job.run();
                }
            });
            let mut in_a_row = 0;
            let found = (0..100_000).any(|_| {
                let (mut first, mut second, last) = (post(&queue, 1), post(&queue, 2), post(&queue, 3));
                let step = Arc::new(AtomicUsize::new(0));
                queue.lock().pop().unwrap().job.run();
                give.send((queue.lock().pop().unwrap().job, Arc::clone(&step))).unwrap();
                until(&step, 1);
                assert!(poll(&mut first, Waker::noop()).is_ready());
                step.store(2, Ordering::SeqCst);
                match poll(&mut second, Waker::noop()) {
                    Poll::Ready(_) => in_a_row += 1,
                    Poll::Pending => {
                        in_a_row = 0;
                        pollster::block_on(second).unwrap();
                    }
                }
                queue.lock().pop().unwrap().job.run();
                pollster::block_on(last).unwrap();
                in_a_row == 4
            });
            drop(give);
            assert!(found, "it is not looked for");
        });
        assert!(queue.lock().ask());
    }
}
