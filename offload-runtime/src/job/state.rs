//! The state word: every change of a job's phase is one named method here.
//!
//! `mod.rs` explains the bits and which side may touch which field in which phase (I1 to I6). Each method returns what its caller
//! has to do next.

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
/// In the queue that `owner` points to, which is alive while this is set (I4).
const LINKED: u64 = 1 << 3;
/// The handle exists.
const HANDLE: u64 = 1 << 4;
/// The executor's side exists.
const JOB: u64 = 1 << 5;
/// A waker is stored (I3).
const WAKER: u64 = 1 << 6;
/// Cancellation was requested.
const CANCELLED: u64 = 1 << 7;
/// The word `a` holds the hooks (I5).
const HOOKS: u64 = 1 << 8;

/// Claimed by a canceller: the body never runs, and the result is [`Error::Cancelled`](crate::Error::Cancelled), stored nowhere.
const REVOKED: u64 = 1 << 9;

/// A running job awaits this one, in the list of the queue: a worker beyond the limit may take it.
const AWAITED: u64 = 1 << 10;

/// The job continues what its executor has accepted before.
const OWED: u64 = 1 << 11;

/// Above the flags: the [`Stamp`] of when the job was queued, set by the step that links.
const STAMP_SHIFT: u32 = u64::BITS - Stamp::BITS;
const _: () = assert!(OWED < 1 << STAMP_SHIFT);

/// The state word of one job.
#[derive(Debug)]
pub(super) struct State(AtomicU64);

/// The result of an attempt to claim.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// The closure is the caller's. `linked`: a queue refers to the job. `stamp`: when it was queued.
    Won { linked: bool, stamp: Stamp },
    /// Another side claimed the job first. `linked`: a canceller has claimed it and has still to unlink it.
    Lost { linked: bool },
}

/// What the claimer does after it set `DONE`.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Finish {
    /// No handle: the claimer drops the result and frees the cell.
    Unobserved,
    /// The result is the handle's, which frees the cell: do not touch the cell again.
    HandedOver,
    /// As `HandedOver`, but a waker is stored: take it, then release `JOB`, then wake.
    TakeWaker,
}

/// What a handle sees of its job.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// The output is in the slot. `alone`: the executor's side has left.
    Done { alone: bool },
    /// The error is in the word `b`, unless the job is `revoked`. `alone`: as above.
    Failed { revoked: bool, alone: bool },
    /// No result yet. `linked`: a queue refers to the job. `registered`: a waker is stored.
    Pending { linked: bool, registered: bool },
}

/// What the running job's own thread finds when the body has ended.
#[must_use]
pub(super) struct AtEnd {
    pub(super) has_hooks: bool,
    /// The handle was dropped, not detached.
    pub(super) is_abandoned: bool,
}

/// Which side frees the cell after a bit was cleared.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frees {
    /// The caller was the last side.
    Caller,
    OtherSide,
}

/// What a handle that is dropped without a result has to do.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Abandon {
    /// Nothing: `HANDLE` is cleared, and the claimer drops the result.
    Left,
    /// The result came first and is the handle's: take it, then release the handle.
    Finished,
}

/// What a cancellation request has to do.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// Nothing: the job has no hooks.
    Noted,
    /// Run the hooks. They have no effect a second time, or after the job has ended.
    RunHooks,
}

impl State {
    /// A job with a handle, not yet given to an executor.
    pub(super) fn observed() -> Self {
        Self(AtomicU64::new(HANDLE | JOB))
    }

    /// Says that the job continues what its executor has accepted before. Called before the executor is given the job.
    pub(super) fn set_owed(&self) {
        // ORDERING: Relaxed: the job comes to other threads by its executor.
        self.0.fetch_or(OWED, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn is_owed(&self) -> bool {
        // ORDERING: Relaxed, as in `set_owed`.
        self.0.load(Ordering::Relaxed) & OWED != 0
    }

    /// WAITING → WAITING|LINKED. The caller wrote `owner`, and puts the job into that queue next. `false`: cancelled before.
    #[inline]
    pub(super) fn link(&self, stamp: Stamp) -> bool {
        let bits = LINKED | stamp.bits() << STAMP_SHIFT;
        // ORDERING: Release pairs with the Acquire of `claim_with`, which makes `owner` visible to a canceller that sees LINKED. A
        // failure reads nothing else of the cell: Relaxed.
        let linked = self.0.fetch_update(Ordering::Release, Ordering::Relaxed, |now| {
            debug_assert_eq!(now & (LINKED | JOB), JOB, "a job is linked once, by its executor");
            (now & CLAIMED == 0).then_some(now | bits)
        });
        linked.is_ok()
    }

    /// Clears `LINKED`, under the lock of the job's queue. `false`: a canceller has claimed the job, and clears it.
    pub(super) fn unlink_unclaimed(&self) -> bool {
        // ORDERING: Relaxed: whether a canceller comes is decided by the order of the changes of this word alone.
        let unlinked = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| (now & CLAIMED == 0).then_some(now & !LINKED));
        unlinked.is_ok()
    }

    /// Clears `LINKED` of a job that the caller has claimed, under the lock of the job's queue.
    pub(super) fn unlink_claimed(&self) {
        // ORDERING: Relaxed: the queue's lock orders it for all that look at the bit of a claimed job.
        let before = self.0.fetch_and(!LINKED, Ordering::Relaxed);
        debug_assert_eq!(before & (CLAIMED | LINKED), CLAIMED | LINKED);
    }

    /// Says that a running job awaits this one. Under the lock of the job's queue.
    pub(super) fn set_awaited(&self) {
        // ORDERING: Relaxed: read under the same lock.
        self.0.fetch_or(AWAITED, Ordering::Relaxed);
    }

    /// When the job was queued.
    pub(super) fn stamp(&self) -> Stamp {
        // ORDERING: Relaxed: set by the step that links, before the queue's lock.
        Stamp::from_bits(self.0.load(Ordering::Relaxed) >> STAMP_SHIFT)
    }

    /// Whether the job was not claimed.
    pub(super) fn is_waiting(&self) -> bool {
        // ORDERING: Relaxed: a claim decides what becomes of it.
        self.0.load(Ordering::Relaxed) & CLAIMED == 0
    }

    /// Whether a running job awaited this one while it was queued.
    pub(super) fn is_awaited(&self) -> bool {
        // ORDERING: Relaxed: the lock of the queue that it came from orders it.
        self.0.load(Ordering::Relaxed) & AWAITED != 0
    }

    pub(super) fn is_linked(&self) -> bool {
        // ORDERING: Relaxed: under the queue's lock, or a hint.
        self.0.load(Ordering::Relaxed) & LINKED != 0
    }

    /// WAITING → CLAIMED, by an executor that runs or refuses the job: its queue, under its lock, or the owner of the `Job`.
    #[inline]
    pub(super) fn claim(&self) -> Claim {
        self.claim_with(CLAIMED, LINKED)
    }

    /// WAITING → CLAIMED|CANCELLED|REVOKED, by a canceller. It clears `LINKED` later, under the queue's lock.
    pub(super) fn claim_to_cancel(&self) -> Claim {
        self.claim_with(CLAIMED | CANCELLED | REVOKED, 0)
    }

    #[inline]
    fn claim_with(&self, set: u64, clear: u64) -> Claim {
        // ORDERING: Acquire pairs with the Release of `link` (see there). The closure itself was written before the job and
        // the handle parted, and came to this thread with whichever of them is used here. Nothing is published: no
        // Release. A failure reads nothing else of the cell: Relaxed.
        let claimed = self.0.fetch_update(Ordering::Acquire, Ordering::Relaxed, |now| {
            (now & CLAIMED == 0).then_some((now | set) & !clear)
        });
        match claimed {
            Ok(before) => Claim::Won { linked: before & LINKED != 0, stamp: Stamp::from_bits(before >> STAMP_SHIFT) },
            Err(now) => Claim::Lost { linked: now & LINKED != 0 },
        }
    }

    /// CLAIMED → DONE, or DONE|FAILED if `failed`.
    ///
    /// `owns_job`: whether the claimer also holds the `JOB` bit, to be given up where no waker has to be taken. A handle
    /// that cancels a job while the executor keeps it does not.
    pub(super) fn finish(&self, failed: bool, owns_job: bool) -> Finish {
        let result = if failed { DONE | FAILED } else { DONE };
        // ORDERING: Release publishes the result (and, where JOB is cleared, everything this side did with the cell) to the Acquire of `see` and `release_*`. Acquire pairs with the Release of
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
    pub(super) fn release_job(&self) -> Frees {
        // ORDERING: Release so that all this side did with the cell happens before the other side frees it; Acquire so
        // that this side, if it is the last, frees after all the other side did.
        let before = self.0.fetch_and(!JOB, Ordering::AcqRel);
        debug_assert_ne!(before & JOB, 0, "the executor's side leaves once");
        if before & HANDLE == 0 { Frees::Caller } else { Frees::OtherSide }
    }

    /// Clears `HANDLE`, after the handle took the result or cancelled the job.
    pub(super) fn release_handle(&self) -> Frees {
        // ORDERING: as in `release_job`, with the sides exchanged.
        let before = self.0.fetch_and(!HANDLE, Ordering::AcqRel);
        debug_assert_ne!(before & HANDLE, 0, "the handle leaves once");
        if before & JOB == 0 { Frees::Caller } else { Frees::OtherSide }
    }

    /// Clears `HANDLE` if the job has not ended, so that its claimer drops the result.
    pub(super) fn abandon(&self) -> Abandon {
        // ORDERING: Release pairs with the Acquire of `finish`: the claimer frees the cell after all the handle did. On
        // failure Acquire pairs with the Release of `finish`: the result is read next.
        let left =
            self.0.fetch_update(Ordering::Release, Ordering::Acquire, |now| (now & DONE == 0).then_some(now & !HANDLE));
        if left.is_ok() { Abandon::Left } else { Abandon::Finished }
    }

    /// What the handle can know now.
    #[inline]
    pub(super) fn see(&self) -> Seen {
        // ORDERING: Acquire pairs with the Release of `finish`: the result is read next.
        let now = self.0.load(Ordering::Acquire);
        if now & DONE == 0 {
            return Seen::Pending { linked: now & LINKED != 0, registered: now & WAKER != 0 };
        }
        let alone = now & JOB == 0;
        if now & FAILED == 0 { Seen::Done { alone } } else { Seen::Failed { revoked: now & REVOKED != 0, alone } }
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

    /// Requests the cancellation of a claimed job.
    pub(super) fn request_cancel(&self) -> Request {
        // ORDERING: Acquire pairs with the Release of `set_hooks`: the hooks are read next. Release pairs with the
        // Acquire of `is_cancelled`, so that what was done before the cancellation is seen by a body that sees it.
        let before = self.0.fetch_or(CANCELLED, Ordering::AcqRel);
        if before & HOOKS == 0 { Request::Noted } else { Request::RunHooks }
    }

    /// Says that the word `a` holds the hooks. Returns whether the job had been cancelled before, so that the caller
    /// has to run what it registers.
    pub(super) fn set_hooks(&self) -> bool {
        // ORDERING: Release publishes the hooks to `request_cancel`; Acquire pairs with its Release.
        self.0.fetch_or(HOOKS, Ordering::AcqRel) & CANCELLED != 0
    }

    /// Whether the word `a` holds the hooks, as the running job's own thread sees it.
    #[inline]
    pub(super) fn has_hooks(&self) -> bool {
        // ORDERING: Relaxed: only this thread sets the bit; and the side that frees the cell has synchronised before.
        self.0.load(Ordering::Relaxed) & HOOKS != 0
    }

    /// As `has_hooks`, with what the metrics count.
    #[inline]
    pub(super) fn at_end(&self) -> AtEnd {
        // ORDERING: Relaxed, as in `has_hooks`; and a handle that leaves at this moment may be counted as of before or after.
        let now = self.0.load(Ordering::Relaxed);
        AtEnd { has_hooks: now & HOOKS != 0, is_abandoned: now & (CANCELLED | HANDLE) == CANCELLED }
    }

    /// Whether cancellation was requested.
    pub(super) fn is_cancelled(&self) -> bool {
        // ORDERING: Acquire pairs with the Release of `request_cancel`.
        self.0.load(Ordering::Acquire) & CANCELLED != 0
    }
}
