//! Every transition of the state word, from every state that it may find (I1 to I6).

use super::*;

/// A job in one of its phases; what has been done to it is what the names say.
fn state(bits: u64) -> State {
    State(AtomicU64::new(bits))
}

fn bits(state: &State) -> u64 {
    state.0.load(Ordering::Relaxed)
}

const NEW: u64 = HANDLE | JOB;
const RUNNING: u64 = NEW | CLAIMED;
const ENDED: u64 = HANDLE | CLAIMED | DONE;

#[test]
fn c01_the_bits_are_nine() {
    let all = [CLAIMED, DONE, FAILED, LINKED, HANDLE, JOB, WAKER, CANCELLED, HOOKS];
    assert_eq!(all.iter().sum::<u64>(), (1 << 9) - 1);
    assert!(all.iter().all(|bit| bit.is_power_of_two()));
    assert_eq!((bits(&State::observed()), bits(&State::unobserved())), (HANDLE | JOB, JOB));
}

/// A stamp with a pattern that no flag hides.
fn stamp() -> Stamp {
    Stamp::from_bits(0x5A5A_0FF0_A5A5)
}

fn unlinked() -> Claim {
    Claim::Won { linked: false, stamp: Stamp::NONE }
}

#[test]
fn c01_a_job_is_claimed_once() {
    for others in [NEW, JOB, NEW | WAKER] {
        let job = state(others);
        assert_eq!((job.claim(), bits(&job)), (unlinked(), others | CLAIMED));
        assert_eq!((job.claim(), bits(&job)), (Claim::Lost, others | CLAIMED));
        assert_eq!((job.claim_to_cancel(), bits(&job)), (Claim::Lost, others | CLAIMED));
        let job = state(others);
        assert_eq!((job.claim_to_cancel(), bits(&job)), (unlinked(), others | CLAIMED | CANCELLED));
        assert_eq!((job.claim(), bits(&job)), (Claim::Lost, others | CLAIMED | CANCELLED));
    }
    for over in [ENDED, ENDED | JOB | FAILED] {
        assert_eq!(state(over).claim(), Claim::Lost);
        assert_eq!(state(over).claim_to_cancel(), Claim::Lost);
    }
}

#[test]
fn c01_who_claims_a_linked_job_has_to_unlink_it() {
    for others in [NEW, JOB, NEW | WAKER] {
        for (cancel, claimed) in [(false, CLAIMED), (true, CLAIMED | CANCELLED)] {
            let job = state(others);
            assert_eq!(job.link(stamp()), Link::Linked);
            let stamped = stamp().bits() << STAMP_SHIFT;
            assert_eq!(bits(&job), others | LINKED | stamped);
            let claim = if cancel { job.claim_to_cancel() } else { job.claim() };
            assert_eq!(claim, Claim::Won { linked: true, stamp: stamp() });
            assert_eq!(bits(&job), others | claimed | stamped);
            assert_eq!((job.claim(), job.claim_to_cancel()), (Claim::Lost, Claim::Lost));
        }
    }
}

#[test]
fn c02_a_job_that_was_cancelled_is_not_linked() {
    for others in [NEW, JOB, NEW | WAKER] {
        let job = state(others | CLAIMED | CANCELLED);
        assert_eq!((job.link(stamp()), bits(&job)), (Link::AlreadyClaimed, others | CLAIMED | CANCELLED));
    }
}

#[test]
fn c01_the_result_is_handed_over_once() {
    for failed in [false, true] {
        let result = if failed { DONE | FAILED } else { DONE };
        for cancelled in [0, CANCELLED, HOOKS, CANCELLED | HOOKS] {
            let job = state(RUNNING | cancelled);
            assert_eq!(job.finish(failed, true), Finish::HandedOver);
            assert_eq!(bits(&job), HANDLE | CLAIMED | result | cancelled, "with the cell");
            let job = state(RUNNING | cancelled);
            assert_eq!(job.finish(failed, false), Finish::HandedOver);
            assert_eq!(bits(&job), RUNNING | result | cancelled, "the executor has its side still");
            for owns_job in [true, false] {
                let job = state(RUNNING | WAKER | cancelled);
                assert_eq!(job.finish(failed, owns_job), Finish::TakeWaker);
                assert_eq!(
                    bits(&job),
                    RUNNING | WAKER | result | cancelled,
                    "nothing is given up before the waker is taken"
                );
            }
            let job = state(JOB | CLAIMED | cancelled);
            assert_eq!(job.finish(failed, true), Finish::Unobserved);
            assert_eq!(bits(&job), JOB | CLAIMED | result | cancelled);
        }
    }
}

#[test]
fn c07_the_last_side_frees_the_cell() {
    for others in [CLAIMED, CLAIMED | DONE, CLAIMED | DONE | FAILED | CANCELLED | HOOKS] {
        let job = state(others | HANDLE | JOB);
        assert_eq!((job.release_job(), bits(&job)), (Left::Other, others | HANDLE));
        assert_eq!((job.release_handle(), bits(&job)), (Left::Nobody, others));
        let job = state(others | HANDLE | JOB);
        assert_eq!((job.release_handle(), bits(&job)), (Left::Other, others | JOB));
        assert_eq!((job.release_job(), bits(&job)), (Left::Nobody, others));
    }
}

#[test]
fn c02_a_handle_leaves_or_learns_that_the_result_came_first() {
    for others in [JOB, JOB | LINKED, JOB | CLAIMED, JOB | CLAIMED | CANCELLED | HOOKS] {
        let job = state(others | HANDLE);
        assert_eq!((job.abandon(), bits(&job)), (Abandon::Left, others));
    }
    for over in [ENDED, ENDED | JOB, ENDED | FAILED, ENDED | JOB | WAKER] {
        let job = state(over);
        assert_eq!((job.abandon(), bits(&job)), (Abandon::Finished, over));
    }
}

#[test]
fn c01_a_look_tells_what_is_there() {
    for (waker, registered) in [(0, false), (WAKER, true)] {
        for (others, linked) in [(0, false), (LINKED, true), (CLAIMED, false), (CLAIMED | CANCELLED | HOOKS, false)] {
            assert_eq!(state(NEW | others | waker).look(), Look::Pending { linked, registered });
        }
        for others in [0, CANCELLED, HOOKS] {
            assert_eq!(state(ENDED | waker | others).look(), Look::Done { alone: true });
            assert_eq!(state(ENDED | JOB | waker | others).look(), Look::Done { alone: false });
            assert_eq!(state(ENDED | FAILED | waker | others).look(), Look::Failed { alone: true });
            assert_eq!(state(ENDED | JOB | FAILED | waker | others).look(), Look::Failed { alone: false });
        }
    }
}

#[test]
fn c12_a_waker_is_set_and_taken_back_while_the_job_has_not_ended() {
    for others in [NEW, NEW | LINKED, RUNNING, RUNNING | CANCELLED | HOOKS] {
        let job = state(others);
        assert!(job.set_waker());
        assert_eq!(bits(&job), others | WAKER);
        assert!(job.unset_waker());
        assert_eq!(bits(&job), others);
    }
    for over in [ENDED, ENDED | JOB | FAILED] {
        let job = state(over);
        assert!(!job.set_waker());
        assert_eq!(bits(&job), over, "the slot is the handle's");
        let job = state(over | WAKER);
        assert!(!job.unset_waker());
        assert_eq!(bits(&job), over | WAKER, "the waker is its claimer's");
    }
}

#[test]
fn c02_who_comes_second_of_a_hook_and_a_cancel_runs_the_hook() {
    let job = state(RUNNING);
    assert!(!job.has_hooks() && !job.is_cancelled());
    assert!(!job.set_hooks(), "nothing to run yet");
    assert!(job.has_hooks() && !job.is_cancelled());
    assert_eq!(job.wish_cancelled(), Wish::RunHooks);
    assert!(job.has_hooks() && job.is_cancelled());
    assert_eq!(bits(&job), RUNNING | HOOKS | CANCELLED);

    let job = state(RUNNING);
    assert_eq!(job.wish_cancelled(), Wish::Noted);
    assert!(!job.has_hooks() && job.is_cancelled());
    assert!(job.set_hooks(), "to be run by who sets them");
    assert_eq!(bits(&job), RUNNING | HOOKS | CANCELLED);
}
