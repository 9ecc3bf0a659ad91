//! The slot of a cell in which the handle leaves its waker (I3).

use std::task::Waker;

use super::cell::Header;
use super::state::Seen;
use crate::unwind::discard;

/// Leaves `waker` to be woken. `false`: the job has ended, see again.
pub(super) fn register(cell: &Header, registered: bool, waker: &Waker) -> bool {
    if registered {
        // SAFETY: WAKER was seen set: the slot is filled, and is not written until the handle does (I3). If the claimer
        // takes the waker meanwhile, these bytes stay, and `will_wake` compares no more than them.
        if cell.waker.with(|slot| unsafe { &*slot.cast::<Waker>() }.will_wake(waker)) {
            // Most polls for no reason come with the waker of the one before: nothing has to be cloned for it.
            return true;
        }
        if !unregister(cell) {
            return false;
        }
    }
    let waker = waker.clone();
    // SAFETY: WAKER is clear: the slot is the handle's (I3), and empty.
    cell.waker.with_mut(|slot| unsafe { slot.cast::<Waker>().write(waker) });
    if cell.state.set_waker() {
        return true;
    }
    // SAFETY: the job ended without WAKER set: the slot is the handle's (I3), and filled.
    discard(cell.waker.with(|slot| unsafe { slot.cast::<Waker>().read() }));
    false
}

/// Takes the waker back and drops it, if there is one: nothing of the awaiter stays with a job that it gave up. `false`:
/// none was there, or the job has ended and its claimer has the waker.
pub(super) fn unregister(cell: &Header) -> bool {
    let registered = matches!(cell.state.see(), Seen::Pending { registered: true, .. });
    let unset = registered && cell.state.unset_waker();
    if unset {
        // SAFETY: WAKER is clear again and DONE was not set: the slot is the handle's (I3), and filled.
        discard(cell.waker.with(|slot| unsafe { slot.cast::<Waker>().read() }));
    }
    unset
}
