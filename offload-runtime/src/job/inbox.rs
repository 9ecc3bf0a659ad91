//! The inbox of a queue, and the counts that tell a submitter whether to come to the queue's lock.
//!
//! A submitter pushes its job onto a stack and counts it, both without the lock. Under the lock the whole stack is taken at once and
//! appended to the list in order, so there is no ABA. Stack and counts share a cache line, which one push fetches once.

use std::ptr::{self, NonNull};

use super::cell::Header;
use super::list::set_next;
use crate::sync::{AtomicPtr, AtomicU64, Ordering};

/// Jobs that were pushed without the lock: a stack linked by the words `a`, the newest first; or [`SEALED`].
pub(super) struct Inbox {
    newest: AtomicPtr<Header>,
    counts: AtomicU64,
}

/// Empty, for good.
const SEALED: *mut Header = ptr::without_provenance_mut(1);

impl Inbox {
    pub(super) fn new() -> Self {
        Self {
            newest: AtomicPtr::new(ptr::null_mut()),
            counts: AtomicU64::new(Counts { pushed: 0, enough: ENOUGH }.word()),
        }
    }

    /// Pushes a job. `false`: the inbox is sealed, and the job was not pushed.
    ///
    /// # Safety
    /// The job is linked and in no list, and the caller's to push; the caller does not use it after a successful push.
    #[inline]
    pub(super) unsafe fn push(&self, header: NonNull<Header>) -> bool {
        // ORDERING: Relaxed: the exchange below decides.
        let mut newest = self.newest.load(Ordering::Relaxed);
        while newest != SEALED {
            // SAFETY: `a` of a job that is linked and in no list yet is its submitter's (I5), and the cell is there.
            unsafe { set_next(header, newest) };
            // ORDERING: Release publishes the cell to the Acquire of `take`. A failure reads nothing of another's cell.
            match self.newest.compare_exchange_weak(newest, header.as_ptr(), Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => newest = now,
            }
        }
        false
    }

    /// Counts a job that was pushed. Returns whether more jobs are queued than workers are coming, so that the caller has to come to the lock.
    ///
    /// Counted after the push: of several submitters the last one to count sees all jobs, and decides.
    #[inline]
    pub(super) fn count(&self) -> bool {
        // ORDERING: AcqRel: all that matters is the order of the changes of this word: either this sees the `enough` of a thread that
        // stops looking for jobs, or that thread sees this job counted. Release and Acquire order the push before the look.
        let before = Counts::of(self.counts.fetch_add(Counts { pushed: 1, enough: 0 }.word(), Ordering::AcqRel));
        before.pushed + 1 > before.enough
    }

    /// Whether a job was pushed, as far as is known without the lock.
    #[inline]
    pub(super) fn has_jobs(&self) -> bool {
        // ORDERING: Relaxed: a hint. The caller takes the lock to act on it.
        Counts::of(self.counts.load(Ordering::Relaxed)).pushed > 0
    }

    /// Whether more jobs were pushed than `enough`, which has been published. A submitter that counts later decides for itself.
    #[inline]
    pub(super) fn has_more_than(&self, enough: i32) -> bool {
        // ORDERING: Acquire pairs with the Release of `count`: a caller that knows of a job finds it in the inbox.
        Counts::of(self.counts.load(Ordering::Acquire)).pushed > enough
    }

    /// Takes all jobs out, under the lock.
    #[inline]
    pub(super) fn take(&self) -> Option<NonNull<Header>> {
        // ORDERING: Relaxed: where there is no job nothing is read.
        let newest = self.newest.load(Ordering::Relaxed);
        if newest.is_null() || newest == SEALED {
            return None;
        }
        // ORDERING: Acquire pairs with the Release of the pushes.
        NonNull::new(self.newest.swap(ptr::null_mut(), Ordering::Acquire))
    }

    /// Seals the inbox and takes what is in it, under the lock. A second call does nothing.
    pub(super) fn seal(&self) -> Option<NonNull<Header>> {
        // ORDERING: Acquire, as in `take`.
        let newest = self.newest.swap(SEALED, Ordering::Acquire);
        NonNull::new(newest).filter(|newest| newest.as_ptr() != SEALED)
    }

    #[inline]
    pub(super) fn is_sealed(&self) -> bool {
        // ORDERING: Relaxed: under the lock under which it is sealed; or a hint, after which a push fails.
        self.newest.load(Ordering::Relaxed) == SEALED
    }

    /// Publishes, under the lock, that `taken` jobs are no longer in the inbox and how many pushed jobs are `enough`, where that was
    /// `before`. Returns whether more are there.
    pub(super) fn publish(&self, taken: i32, before: i32, enough: i32) -> bool {
        // In the lower half the sum is that of two words below 2^32, so that nothing is carried into the upper half.
        let change = Counts { pushed: -taken, enough }.word().wrapping_sub(Counts { pushed: 0, enough: before }.word());
        // ORDERING: AcqRel, as in `count`.
        let now = Counts::of(self.counts.fetch_add(change, Ordering::AcqRel).wrapping_add(change));
        now.pushed > now.enough
    }
}

/// The word that submitters and the lock's holder exchange.
#[derive(Clone, Copy)]
struct Counts {
    /// Jobs that were pushed and not yet taken. Below zero while a job is taken before its submitter has counted it.
    pushed: i32,
    /// Up to so many pushed jobs, no submitter has to come to the lock: workers are coming for them, or no worker can be had.
    enough: i32,
}

/// What [`Counts::enough`] is where no worker can be had, however many jobs there are.
pub(super) const ENOUGH: i32 = i32::MAX;

impl Counts {
    #[inline]
    fn word(self) -> u64 {
        u64::from(self.pushed.cast_unsigned()) << 32 | u64::from(self.enough.cast_unsigned())
    }

    #[inline]
    fn of(word: u64) -> Self {
        let half = |half: u64| u32::try_from(half & u64::from(u32::MAX)).unwrap_or(0).cast_signed();
        Self { pushed: half(word >> 32), enough: half(word) }
    }
}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use super::*;

    fn counts(inbox: &Inbox) -> (i32, i32) {
        let Counts { pushed, enough } = Counts::of(inbox.counts.load(Ordering::Relaxed));
        (pushed, enough)
    }

    /// Two signed halves of one word: nothing is carried from one into the other.
    #[test]
    fn the_halves_of_the_counts_do_not_disturb_each_other() {
        let enoughs = [i32::MIN, -70_000, -2, -1, 0, 1, 2, 70_000, ENOUGH - 1, ENOUGH];
        for (before, enough) in enoughs.into_iter().flat_map(|before| enoughs.map(|enough| (before, enough))) {
            for (pushed, taken) in [(0, 0), (0, 1), (0, 5), (1, 0), (3, 3), (3, 5), (5, 3)] {
                let inbox = Inbox::new();
                assert_eq!(inbox.publish(0, ENOUGH, before), 0 > before);
                for already in 0..pushed {
                    assert_eq!(inbox.count(), already + 1 > before, "{already} before, {before} are enough");
                }
                assert_eq!((counts(&inbox), inbox.has_jobs()), ((pushed, before), pushed > 0));
                let left = pushed - taken;
                assert_eq!(inbox.publish(taken, before, enough), left > enough);
                assert_eq!(counts(&inbox), (left, enough));
                for few in [-1, 0, 1] {
                    assert_eq!(inbox.has_more_than(few), left > few);
                }
                // Jobs that were taken before their submitters had counted them.
                for after in left + 1..=0 {
                    assert!(!inbox.has_jobs());
                    assert_eq!(inbox.count(), after > enough);
                }
                assert_eq!(counts(&inbox), (left.max(0), enough));
            }
        }
    }

    #[test]
    fn a_new_inbox_calls_no_submitter() {
        let inbox = Inbox::new();
        for _ in 0..1_000 {
            assert!(!inbox.count());
        }
        assert!(inbox.has_jobs() && !inbox.has_more_than(ENOUGH));
    }

    #[test]
    fn a_sealed_inbox_stays_sealed() {
        let inbox = Inbox::new();
        assert!(!inbox.is_sealed());
        for _ in 0..2 {
            assert!(inbox.seal().is_none() && inbox.is_sealed() && inbox.take().is_none());
        }
    }
}
