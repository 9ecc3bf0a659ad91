//! Jobs that are cancelled on their way to the queue, in it, and as it ends.

use std::sync::mpsc;
use std::time::Duration;

use super::*;
use crate::ext::ExecutorExt;
use crate::job::cell;
use crate::pool::ThreadPool;

/// An awaited job is found behind a job that its canceller has still to unlink.
#[test]
fn a_job_that_is_being_cancelled_hides_no_awaited_job() {
    let queue = queue();
    let (first, second, third) = (push(&queue, 0), push(&queue, 1), push(&queue, 2));
    promote(&queue, &first);
    promote(&queue, &second);
    let claimed = header(&queue, |list| list.first);
    // SAFETY: the job is in the list, so its cell is there.
    let state = unsafe { &claimed.as_ref().state };
    assert_eq!(state.claim_to_cancel(), Claim::Won { linked: true, stamp: Stamp::NONE });
    assert!(queue.lock().has_awaited());
    assert!(run_awaited(&queue), "the second");
    assert_eq!(block_on(second).unwrap(), 1);
    assert!(run_first(&queue), "the third");
    assert_eq!(block_on(third).unwrap(), 2);
    assert_eq!(listed(&queue), 0, "it was set aside for its canceller");
    promote(&queue, &first);
    assert!(!run_first(&queue) && !run_awaited(&queue));
    finish_cancelling(claimed);
    assert_eq!(listed(&queue), 0);
    assert!(matches!(block_on(first), Err(Error::Cancelled)));
}

/// A job that is set aside is still linked: the queue is there until its canceller has unlinked it.
#[test]
fn a_sealed_queue_keeps_itself_for_a_job_that_is_set_aside() {
    let queue = Queue::new(Counting::default(), None, None);
    let handle = push(&queue, 0);
    let claimed = header(&queue, |list| list.first);
    // SAFETY: the job is in the list, so its cell is there.
    let state = unsafe { &claimed.as_ref().state };
    assert_eq!(state.claim_to_cancel(), Claim::Won { linked: true, stamp: Stamp::NONE });
    seal(&queue);
    assert!(!run_first(&queue));
    let weak = Arc::downgrade(&queue);
    drop(queue);
    assert_eq!(weak.strong_count(), 1);
    finish_cancelling(claimed);
    assert_eq!(weak.strong_count(), 0);
    assert!(matches!(block_on(handle), Err(Error::Cancelled)));
}

/// The only thread of a pool runs a view's jobs, and comes upon one whose canceller has still to unlink it. It does not wait for the canceller.
#[test]
fn a_worker_does_not_wait_for_a_canceller() {
    let pool = ThreadPool::new(1);
    let (end, wait) = mpsc::channel::<()>();
    let occupied = pool.submit(move || wait.recv().is_err());
    let handle = pool.clone().limited(1).submit(|| ());
    let mut claimed = None;
    handle.canceller().0.borrow(|header| claimed = Some(header), |_, _| unreachable!("the handle is here"));
    let claimed = claimed.unwrap();
    // SAFETY: the handle keeps the cell.
    let state = unsafe { &claimed.as_ref().state };
    assert!(matches!(state.claim_to_cancel(), Claim::Won { linked: true, .. }));
    drop(end);
    let (ran, is_run) = mpsc::channel();
    pool.submit(move || ran.send(())).detach();
    is_run.recv_timeout(Duration::from_secs(20)).expect("the thread is free");
    finish_cancelling(claimed);
    assert!(matches!(block_on(handle), Err(Error::Cancelled)));
    assert!(block_on(occupied).unwrap());
}

/// A cell of the list that comes first.
fn header(queue: &TestQueue, which: fn(&List) -> *mut Header) -> NonNull<Header> {
    let mut guard = queue.lock();
    guard.drain_inbox();
    let list = if guard.has_awaited() { &guard.locked.awaited } else { &guard.locked.others };
    let header = NonNull::new(which(list)).expect("it is there");
    guard.finish();
    header
}

/// What a canceller does after it has claimed a linked job.
fn finish_cancelling(header: NonNull<Header>) {
    // SAFETY: the test keeps the handle, and so the cell.
    let head = NonNull::new(unsafe { header.as_ref() }.owner.load(Ordering::SeqCst)).unwrap();
    // SAFETY: the job is linked, so its queue is alive.
    let unlink = unsafe { head.as_ref() }.unlink;
    // SAFETY: as above, and the test claimed the job to cancel it.
    let is_ours = unsafe { unlink(head, header) };
    if is_ours {
        // SAFETY: claimed, and unlinked by the line above.
        let claimed = unsafe { Claimed::from_header(header) };
        // SAFETY: claimed to be cancelled.
        unsafe { claimed.revoke() };
    } else {
        // SAFETY: claimed to be cancelled, and not linked; the test keeps the handle.
        unsafe { cell::refuse_work(header, &Error::Cancelled) };
        // SAFETY: as above, and the closure is dropped.
        drop(unsafe { cell::revoke(header, false) });
    }
}

/// A job is cancelled between the steps of its submitter, which has linked it and not yet pushed it: the queue gets it and releases it.
#[test]
fn a_job_that_is_cancelled_on_its_way_to_the_queue_is_released_by_it() {
    // Until it is popped, or until the queue is emptied or sealed.
    let ends: [fn(&TestQueue) -> bool; 3] = [
        run_first,
        |queue| {
            let mut guard = queue.lock();
            let jobs = guard.pop_all();
            guard.finish();
            !jobs.is_empty()
        },
        |queue| {
            seal(queue);
            run_first(queue)
        },
    ];
    for end in ends {
        let queue = queue();
        let (job, handle) = job(7);
        let header = queue.link(job, Stamp::NONE).unwrap_or_else(|_| panic!("it was cancelled"));
        handle.cancel();
        assert!(handle.is_finished(), "a canceller does not wait for the submitter");
        assert_eq!(
            queue.shared.cancelled.load(Ordering::SeqCst),
            1,
            "it is in the books, though it was not queued yet"
        );
        // SAFETY: linked, in no list, and this test's to push.
        assert!(unsafe { queue.inbox.0.push(header) });
        queue.inbox.0.count();
        assert!(!end(&queue), "it runs, though it was cancelled");
        assert_eq!(listed(&queue), 0);
        assert!(!queue.has_jobs(), "it is still counted");
        assert!(matches!(block_on(handle), Err(Error::Cancelled)));
    }
}

#[test]
fn a_job_that_was_cancelled_before_is_not_pushed() {
    let queue = queue();
    let (job, handle) = job(1);
    drop(handle);
    assert!(matches!(queue.push(job, Stamp::NONE), Err(Rejected::Cancelled(_))));
    assert!(!queue.has_jobs());
}

/// It is cancelled besides: the queue lives until the canceller has unlinked the job, whichever of the two comes first.
#[test]
fn a_job_that_comes_too_late_and_is_cancelled_keeps_the_queue_for_its_canceller() {
    for unlinked_first in [false, true] {
        let queue = Queue::new(Counting::default(), None, None);
        let (job, handle) = job(1);
        let header = queue.link(job, Stamp::NONE).unwrap_or_else(|_| panic!("it was cancelled"));
        // SAFETY: the handle keeps the cell.
        let state = unsafe { &header.as_ref().state };
        assert_eq!(state.claim_to_cancel(), Claim::Won { linked: true, stamp: Stamp::NONE });
        seal(&queue);
        if unlinked_first {
            finish_cancelling(header);
        }
        // SAFETY: linked or cancelled, in no list, and this test's.
        assert!(unsafe { queue.take_back(header) }.is_none_or(|job| job.is_cancelled()));
        let kept = Arc::downgrade(&queue);
        drop(queue);
        if !unlinked_first {
            assert!(kept.upgrade().is_some(), "a job is linked in a queue that has gone");
            finish_cancelling(header);
        }
        if let Some(queue) = kept.upgrade() {
            assert!(!run_first(&queue));
        }
        assert!(kept.upgrade().is_none(), "a sealed queue without jobs keeps itself");
        assert!(matches!(block_on(handle), Err(Error::Cancelled)));
    }
}

/// A thread that cancels the last job of a queue may be the last to know of it: its owner is the user's, and may panic.
#[test]
fn a_canceller_does_not_meet_the_panic_of_an_owner() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    impl Owner for Panics {
        type Guarded = ();
        type Wake = ();

        fn settle(guard: &mut Guard<'_, Self>) {
            let _ = guard.publish(None);
        }

        fn perform(_: &Arc<Queue<Self>>, (): ()) {}

        fn cancelled(_: &Arc<Queue<Self>>, _: &Claimed) {}

        fn refused(_: &Arc<Queue<Self>>, _: Claimed, _: &Error) {}

        fn wait((): &mut (), _: Wait) {}
    }

    let captured = Arc::new(());
    let queue = Queue::new(Panics, (), None);
    let (origin, kept) = (Origin::of_caller(), Arc::clone(&captured));
    let (job, handle) = pair_for(origin, move || drop(kept), Unjudged, CallerContext::of(origin));
    assert!(queue.push(job, Stamp::NONE).is_ok());
    let mut guard = queue.lock();
    guard.seal();
    guard.finish();
    let gone = Arc::downgrade(&queue);
    drop(queue);
    handle.cancel();
    assert!(handle.is_finished() && gone.upgrade().is_none());
    assert_eq!(Arc::strong_count(&captured), 1, "the job has leaked");
}
