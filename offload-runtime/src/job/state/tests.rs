//! Every transition of the state word, from every state that it may find (I1 to I6).

use super::*;

fn state(bits: u64) -> State {
    State(AtomicU64::new(bits))
}

fn bits(state: &State) -> u64 {
    state.0.load(Ordering::Relaxed)
}

const NEW: u64 = HANDLE | JOB;
const RUNNING: u64 = NEW | CLAIMED;
const CANCELLED_EARLY: u64 = CLAIMED | CANCELLED | REVOKED;
const ENDED: u64 = HANDLE | CLAIMED | DONE;

/// The states of a job that is not claimed.
const WAITING: [u64; 5] = [NEW, JOB, NEW | WAKER, NEW | AWAITED, NEW | OWED];

#[test]
fn the_flags_are_twelve_bits_below_the_stamp() {
    let all = [CLAIMED, DONE, FAILED, LINKED, HANDLE, JOB, WAKER, CANCELLED, HOOKS, REVOKED, AWAITED, OWED];
    assert_eq!(all.iter().sum::<u64>(), (1 << 12) - 1);
    assert!(all.iter().all(|bit| bit.is_power_of_two()));
    assert_eq!(bits(&State::observed()), HANDLE | JOB);
}

/// A stamp with a pattern that no flag hides.
fn stamp() -> Stamp {
    Stamp::from_bits(0x5A5A_0FF0_A5A5)
}

fn stamped() -> u64 {
    stamp().bits() << STAMP_SHIFT
}

#[test]
fn a_job_is_claimed_once() {
    let unlinked = || Claim::Won { linked: false, stamp: Stamp::NONE };
    for others in WAITING {
        let job = state(others);
        assert_eq!((job.claim(), bits(&job)), (unlinked(), others | CLAIMED));
        assert_eq!((job.claim(), bits(&job)), (Claim::Lost { linked: false }, others | CLAIMED));
        assert_eq!((job.claim_to_cancel(), bits(&job)), (Claim::Lost { linked: false }, others | CLAIMED));
        let job = state(others);
        assert_eq!((job.claim_to_cancel(), bits(&job)), (unlinked(), others | CANCELLED_EARLY));
        assert_eq!((job.claim(), bits(&job)), (Claim::Lost { linked: false }, others | CANCELLED_EARLY));
        assert_eq!((job.claim_to_cancel(), bits(&job)), (Claim::Lost { linked: false }, others | CANCELLED_EARLY));
    }
    for over in [ENDED, ENDED | JOB | FAILED, ENDED | JOB | FAILED | REVOKED | CANCELLED] {
        let job = state(over);
        assert_eq!(job.claim(), Claim::Lost { linked: false });
        assert_eq!(job.claim_to_cancel(), Claim::Lost { linked: false });
        assert_eq!(bits(&job), over);
    }
}

#[test]
fn a_queue_that_claims_a_linked_job_unlinks_it_in_the_same_step() {
    for others in WAITING {
        let job = state(others);
        assert!(job.link(stamp()) && job.is_linked());
        assert_eq!(bits(&job), others | LINKED | stamped());
        assert_eq!(job.claim(), Claim::Won { linked: true, stamp: stamp() });
        assert_eq!(bits(&job), others | CLAIMED | stamped());
        assert!(!job.is_linked());
        assert_eq!(job.claim_to_cancel(), Claim::Lost { linked: false });
    }
}

#[test]
fn a_canceller_that_claims_a_linked_job_unlinks_it_later() {
    for others in WAITING {
        let job = state(others);
        assert!(job.link(stamp()));
        assert_eq!(job.claim_to_cancel(), Claim::Won { linked: true, stamp: stamp() });
        assert_eq!(bits(&job), others | LINKED | CANCELLED_EARLY | stamped());
        assert_eq!(job.claim(), Claim::Lost { linked: true }, "the queue leaves it to the canceller");
        assert_eq!(job.claim_to_cancel(), Claim::Lost { linked: true });
        assert!(!job.unlink_unclaimed(), "its submitter leaves it to the canceller");
        assert!(job.is_linked());
        job.unlink_claimed();
        assert_eq!(bits(&job), others | CANCELLED_EARLY | stamped());
        assert_eq!(job.claim(), Claim::Lost { linked: false }, "the queue may release it");
    }
}

#[test]
fn a_submitter_takes_a_job_back_that_was_not_claimed() {
    for others in WAITING {
        let job = state(others);
        assert!(job.link(stamp()) && job.unlink_unclaimed());
        assert_eq!(bits(&job), others | stamped());
        assert_eq!(job.claim(), Claim::Won { linked: false, stamp: stamp() });
    }
}

#[test]
fn a_job_that_was_cancelled_is_not_linked() {
    for others in [NEW, JOB, NEW | WAKER] {
        let job = state(others | CANCELLED_EARLY);
        assert!(!job.link(stamp()));
        assert_eq!(bits(&job), others | CANCELLED_EARLY);
    }
}

#[test]
fn a_queued_job_that_is_awaited_says_so_until_it_is_claimed() {
    for cancel in [false, true] {
        let job = state(NEW);
        assert!(job.link(stamp()));
        assert!(job.is_waiting() && !job.is_awaited());
        job.set_awaited();
        assert!(job.is_waiting() && job.is_awaited());
        job.set_awaited();
        assert_eq!(bits(&job), NEW | LINKED | AWAITED | stamped());
        let claim = if cancel { job.claim_to_cancel() } else { job.claim() };
        assert_eq!(claim, Claim::Won { linked: true, stamp: stamp() });
        assert!(!job.is_waiting() && job.is_awaited(), "it was claimed");
    }
}

#[test]
fn the_result_is_handed_over_once() {
    for failed in [false, true] {
        let result = if failed { DONE | FAILED } else { DONE };
        for others in [0, CANCELLED, HOOKS, CANCELLED | HOOKS, CANCELLED | REVOKED, AWAITED | stamped()] {
            let job = state(RUNNING | others);
            assert_eq!(job.finish(failed, true), Finish::HandedOver);
            assert_eq!(bits(&job), HANDLE | CLAIMED | result | others, "with the cell");
            let job = state(RUNNING | others);
            assert_eq!(job.finish(failed, false), Finish::HandedOver);
            assert_eq!(bits(&job), RUNNING | result | others, "the executor has its side still");
            for owns_job in [true, false] {
                let job = state(RUNNING | WAKER | others);
                assert_eq!(job.finish(failed, owns_job), Finish::TakeWaker);
                let expected = RUNNING | WAKER | result | others;
                assert_eq!(bits(&job), expected, "nothing is given up before the waker is taken");
            }
            let job = state(JOB | CLAIMED | others);
            assert_eq!(job.finish(failed, true), Finish::Unobserved);
            assert_eq!(bits(&job), JOB | CLAIMED | result | others);
        }
    }
}

#[test]
fn the_last_side_frees_the_cell() {
    for others in [CLAIMED, CLAIMED | DONE, CLAIMED | DONE | FAILED | CANCELLED | REVOKED | HOOKS | AWAITED] {
        let job = state(others | HANDLE | JOB);
        assert_eq!((job.release_job(), bits(&job)), (Frees::OtherSide, others | HANDLE));
        assert_eq!((job.release_handle(), bits(&job)), (Frees::Caller, others));
        let job = state(others | HANDLE | JOB);
        assert_eq!((job.release_handle(), bits(&job)), (Frees::OtherSide, others | JOB));
        assert_eq!((job.release_job(), bits(&job)), (Frees::Caller, others));
    }
}

#[test]
fn a_handle_leaves_or_learns_that_the_result_came_first() {
    for others in [JOB, JOB | LINKED | AWAITED, JOB | CLAIMED, JOB | CLAIMED | CANCELLED | HOOKS] {
        let job = state(others | HANDLE);
        assert_eq!((job.abandon(), bits(&job)), (Abandon::Left, others));
    }
    for over in [ENDED, ENDED | JOB, ENDED | FAILED, ENDED | FAILED | REVOKED, ENDED | JOB | WAKER] {
        let job = state(over);
        assert_eq!((job.abandon(), bits(&job)), (Abandon::Finished, over));
    }
}

#[test]
fn a_handle_sees_what_is_there() {
    for (waker, registered) in [(0, false), (WAKER, true)] {
        for (others, linked) in [
            (0, false),
            (LINKED, true),
            (LINKED | AWAITED, true),
            (CLAIMED, false),
            (CLAIMED | CANCELLED | HOOKS, false),
            (CANCELLED_EARLY | LINKED, true),
        ] {
            assert_eq!(state(NEW | others | waker).see(), Seen::Pending { linked, registered });
        }
        for (job, alone) in [(0, true), (JOB, false)] {
            for others in [0, CANCELLED, HOOKS, AWAITED] {
                assert_eq!(state(ENDED | job | waker | others).see(), Seen::Done { alone });
                let failed = state(ENDED | FAILED | job | waker | others);
                assert_eq!(failed.see(), Seen::Failed { revoked: false, alone });
            }
            let revoked = state(ENDED | FAILED | job | waker | CANCELLED | REVOKED);
            assert_eq!(revoked.see(), Seen::Failed { revoked: true, alone });
        }
    }
}

#[test]
fn a_waker_is_set_and_taken_back_while_the_job_has_not_ended() {
    for others in [NEW, NEW | LINKED, RUNNING, RUNNING | CANCELLED | HOOKS, NEW | CANCELLED_EARLY] {
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
fn the_second_of_the_hooks_and_the_request_runs_the_hooks() {
    let job = state(RUNNING);
    assert!(!job.has_hooks() && !job.is_cancelled());
    assert!(!job.set_hooks(), "nothing to run yet");
    assert!(job.has_hooks() && !job.is_cancelled());
    assert_eq!(job.request_cancel(), Request::RunHooks);
    assert_eq!(job.request_cancel(), Request::RunHooks, "running them again has no effect");
    assert!(job.has_hooks() && job.is_cancelled());
    assert_eq!(bits(&job), RUNNING | HOOKS | CANCELLED);

    let job = state(RUNNING);
    assert_eq!(job.request_cancel(), Request::Noted);
    assert!(!job.has_hooks() && job.is_cancelled());
    assert!(job.set_hooks(), "they are to be run by the thread that sets them");
    assert_eq!(bits(&job), RUNNING | HOOKS | CANCELLED);
}
