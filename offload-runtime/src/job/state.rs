//! The state word: every change of a job's phase is one named method here.
//!
//! The meaning of the bits, and who may touch what in which state, stands in `mod.rs` (I1 to I6). Each method
//! returns what its caller has to do next.

use crate::clock::Stamp;
use crate::sync::{AtomicU64, Ordering};

#[cfg(all(test, not(offload_loom)))]
mod tests;

/// The closure has its claimer (I1).
const CLAIMED: u64 = 1 << 0;
/// The result is there (I2).
const DONE: u64 = 1 << 1;
/// The result is an error. Only with `DONE`.
const FAILED: u64 = 1 << 2;
/// In the queue that `owner` points to (I4). Only without `CLAIMED`.
const LINKED: u64 = 1 << 3;
/// The handle exists.
const HANDLE: u64 = 1 << 4;
/// The executor's side exists.
const JOB: u64 = 1 << 5;
/// A waker is stored (I3).
const WAKER: u64 = 1 << 6;
/// The handle wants the job cancelled.
const CANCELLED: u64 = 1 << 7;
/// The word `a` holds the hooks (I5).
const HOOKS: u64 = 1 << 8;

/// Above the flags: the [`Stamp`] of when the job was queued, set by the step that links.
const STAMP_SHIFT: u32 = u64::BITS - Stamp::BITS;
const _: () = assert!(HOOKS < 1 << STAMP_SHIFT);

/// The state word of one job.
#[derive(Debug)]
pub(super) struct State(AtomicU64);

/// What became of an attempt to link.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// `LINKED` is set: the caller links the job now.
    Linked,
    /// Somebody claimed it before: there is nothing to run, drop the job.
    AlreadyClaimed,
}

/// What became of an attempt to claim.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// The closure is the caller's. If `linked`, so is the duty to unlink (I4). `stamp`: when it was queued.
    Won { linked: bool, stamp: Stamp },
    /// Somebody else has it, or had it.
    Lost,
}

/// What the claimer does after it set `DONE`.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Finish {
    /// No handle: the result is the claimer's to drop, and the cell to free.
    Unobserved,
    /// The handle has the result and will free the cell; do not touch it again.
    HandedOver,
    /// As `HandedOver`, but a waker is stored: take it, then release `JOB`, then wake.
    TakeWaker,
}

/// What a look at an unfinished job tells its handle.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// The output is in the slot. `alone`: the executor's side has left.
    Done { alone: bool },
    /// The error is in the word `b`. `alone`: as above.
    Failed { alone: bool },
    /// Not yet; `linked` in a queue or not, and with a waker `registered` or not.
    Pending { linked: bool, registered: bool },
}

/// Who is left after a bit was cleared.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// The caller was the last: free the cell.
    Nobody,
    /// The other side is there and will free the cell.
    Other,
}

/// What a handle that goes away without a result has to do.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Abandon {
    /// `HANDLE` is cleared; the claimer will see to the rest.
    Left,
    /// The result came first and is the handle's: take it, then release the handle.
    Finished,
}

/// What a wish to cancel met.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// No hooks: the flag is all there is.
    Noted,
    /// Hooks: run them, which has no effect a second time, or when the job has ended.
    RunHooks,
}

impl State {
    /// A job with a handle, not yet given to an executor.
    pub(super) fn observed() -> Self {
        Self(AtomicU64::new(HANDLE | JOB))
    }

    /// A job that nobody awaits.
    pub(super) fn unobserved() -> Self {
        Self(AtomicU64::new(JOB))
    }

    /// WAITING → WAITING|LINKED. The caller wrote `owner`, and will put the job into that queue at once.
    #[inline]
    pub(super) fn link(&self, stamp: Stamp) -> Link {
        let linked_at = LINKED | stamp.bits() << STAMP_SHIFT;
        // ORDERING: Release pairs with the Acquire of `claim`, which makes `owner` visible to a claimer that
        // sees LINKED and has not the queue's lock. A failure reads nothing else of the cell: Relaxed.
        let linked = self.0.fetch_update(Ordering::Release, Ordering::Relaxed, |now| {
            debug_assert_eq!(now & (LINKED | JOB), JOB, "a job is linked once, by its executor");
            (now & CLAIMED == 0).then_some(now | linked_at)
        });
        if linked.is_ok() { Link::Linked } else { Link::AlreadyClaimed }
    }

    /// As `link`, of a job with a handle that nobody knows of yet but the caller.
    #[inline]
    pub(super) fn link_new(&self, stamp: Stamp) {
        // ORDERING: Relaxed: this thread alone has touched the word.
        debug_assert_eq!(self.0.load(Ordering::Relaxed), HANDLE | JOB, "somebody knows of it");
        // ORDERING: Relaxed: no pair for the Acquire of `claim` is needed. Whoever claims has the job from the inbox, whose Release comes after
        // this, or its handle from this thread.
        self.0.store(HANDLE | JOB | LINKED | stamp.bits() << STAMP_SHIFT, Ordering::Relaxed);
    }

    /// WAITING → CLAIMED, by an executor that runs or refuses the job.
    pub(super) fn claim(&self) -> Claim {
        self.claim_with(CLAIMED)
    }

    /// WAITING → CLAIMED|CANCELLED, by the handle.
    pub(super) fn claim_to_cancel(&self) -> Claim {
        self.claim_with(CLAIMED | CANCELLED)
    }

    fn claim_with(&self, bits: u64) -> Claim {
        // ORDERING: Acquire pairs with the Release of `link` (see there). The closure itself was written before the job and
        // the handle parted, and came to this thread with whichever of them is used here. Nothing is published: no
        // Release. A failure reads nothing else of the cell: Relaxed.
        let claimed = self.0.fetch_update(Ordering::Acquire, Ordering::Relaxed, |now| {
            (now & CLAIMED == 0).then_some((now | bits) & !LINKED)
        });
        match claimed {
            Ok(before) => Claim::Won { linked: before & LINKED != 0, stamp: Stamp::from_bits(before >> STAMP_SHIFT) },
            Err(_) => Claim::Lost,
        }
    }

    /// CLAIMED → DONE, or DONE|FAILED if `failed`.
    ///
    /// `owns_job`: whether the claimer also holds the `JOB` bit, to be given up where no waker has to be taken. A handle
    /// that cancels a job while the executor keeps it does not.
    pub(super) fn finish(&self, failed: bool, owns_job: bool) -> Finish {
        let result = if failed { DONE | FAILED } else { DONE };
        // ORDERING: Release publishes the result (and, where JOB is cleared, everything this side did with the cell, to
        // whoever frees it) to the Acquire of `look` and `release_*`. Acquire pairs with the Release of
        // `set_waker`, so that the waker read next is whole, and with that of `abandon`, since the cell may be
        // freed next.
        let before = self.0.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |now| {
            debug_assert_eq!(now & (CLAIMED | DONE), CLAIMED, "a claimed job is finished once");
            let handed_over = owns_job && now & HANDLE != 0 && now & WAKER == 0;
            Some((now | result) & if handed_over { !JOB } else { !0 })
        });
        match before.unwrap_or_else(|now| now) {
            now if now & HANDLE == 0 => Finish::Unobserved,
            now if now & WAKER != 0 => Finish::TakeWaker,
            _ => Finish::HandedOver,
        }
    }

    /// Clears `JOB`.
    pub(super) fn release_job(&self) -> Left {
        // ORDERING: Release so that all this side did with the cell happens before the other side frees it; Acquire so
        // that this side, if it is the last, frees after all the other side did.
        let before = self.0.fetch_and(!JOB, Ordering::AcqRel);
        debug_assert_ne!(before & JOB, 0, "the executor's side leaves once");
        if before & HANDLE == 0 { Left::Nobody } else { Left::Other }
    }

    /// Clears `HANDLE`, after the handle took the result or cancelled the job.
    pub(super) fn release_handle(&self) -> Left {
        // ORDERING: as in `release_job`, with the sides exchanged.
        let before = self.0.fetch_and(!HANDLE, Ordering::AcqRel);
        debug_assert_ne!(before & HANDLE, 0, "the handle leaves once");
        if before & JOB == 0 { Left::Nobody } else { Left::Other }
    }

    /// Clears `HANDLE` if the job has not ended, so that its claimer sees to the result.
    pub(super) fn abandon(&self) -> Abandon {
        // ORDERING: Release pairs with the Acquire of `finish`: the claimer frees the cell after all the handle did. On
        // failure Acquire pairs with the Release of `finish`: the result is read next.
        let left =
            self.0.fetch_update(Ordering::Release, Ordering::Acquire, |now| (now & DONE == 0).then_some(now & !HANDLE));
        if left.is_ok() { Abandon::Left } else { Abandon::Finished }
    }

    /// What the handle can know now.
    #[inline]
    pub(super) fn look(&self) -> Look {
        // ORDERING: Acquire pairs with the Release of `finish`: the result is read next.
        let now = self.0.load(Ordering::Acquire);
        if now & DONE == 0 {
            return Look::Pending { linked: now & LINKED != 0, registered: now & WAKER != 0 };
        }
        let alone = now & JOB == 0;
        if now & FAILED == 0 { Look::Done { alone } } else { Look::Failed { alone } }
    }

    /// Says that the waker's slot is filled. `false`: the job ended first, and the slot is the handle's still (I3).
    pub(super) fn set_waker(&self) -> bool {
        // ORDERING: Release pairs with the Acquire of `finish`, which reads the waker. On failure the caller looks again,
        // with Acquire.
        let set = self.0.fetch_update(Ordering::Release, Ordering::Relaxed, |now| {
            debug_assert_eq!(now & WAKER, 0, "a waker is replaced only after `unset_waker`");
            (now & DONE == 0).then_some(now | WAKER)
        });
        set.is_ok()
    }

    /// Takes the waker's slot back. `false`: the job ended first, and the waker is its claimer's (I3).
    pub(super) fn unset_waker(&self) -> bool {
        // ORDERING: Relaxed: the slot was last written by this side. Where the claimer is concerned, it has not been
        // touched, and the Release of `set_waker` or `abandon` publishes what this side does next.
        let unset =
            self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| (now & DONE == 0).then_some(now & !WAKER));
        unset.is_ok()
    }

    /// Asks a claimed job to stop.
    pub(super) fn wish_cancelled(&self) -> Wish {
        // ORDERING: Acquire pairs with the Release of `set_hooks`: the hooks are read next. Release pairs with the
        // Acquire of `is_cancelled`, so that what was done before the cancellation is seen by a body that sees it.
        let before = self.0.fetch_or(CANCELLED, Ordering::AcqRel);
        if before & HOOKS == 0 { Wish::Noted } else { Wish::RunHooks }
    }

    /// Says that the word `a` holds the hooks. Returns whether the job had been cancelled before, so that the caller
    /// has to run what it registers.
    pub(super) fn set_hooks(&self) -> bool {
        // ORDERING: Release publishes the hooks to `wish_cancelled`; Acquire pairs with its Release.
        self.0.fetch_or(HOOKS, Ordering::AcqRel) & CANCELLED != 0
    }

    /// Whether the word `a` holds the hooks, as the running job's own thread sees it.
    #[inline]
    pub(super) fn has_hooks(&self) -> bool {
        // ORDERING: Relaxed: only this thread sets the bit; and who frees the cell has synchronised before.
        self.0.load(Ordering::Relaxed) & HOOKS != 0
    }

    /// Whether the handle wants the job cancelled.
    pub(super) fn is_cancelled(&self) -> bool {
        // ORDERING: Acquire pairs with the Release of `wish_cancelled`.
        self.0.load(Ordering::Acquire) & CANCELLED != 0
    }
}
