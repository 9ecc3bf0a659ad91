//! The queue on its own: its list, whichever job leaves it; which job comes next; when it wakes its owner; how long it lives (I4).

use std::ops::Deref;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc;

use pollster::block_on;

use super::*;
use crate::context::CallerContext;
use crate::error::Error;
use crate::ext::ExecutorExt;
use crate::job::{JobHandle, Origin, Unjudged, cell, pair_for};
use crate::pool::ThreadPool;

/// An owner without workers, which counts what it is told.
#[derive(Default)]
struct Counting {
    woken: AtomicUsize,
    cancelled: AtomicUsize,
    promoted: AtomicUsize,
}

impl Owner for Counting {
    /// How many workers are coming.
    type Guarded = Option<usize>;
    type Wake = bool;

    fn settle(guard: &mut Guard<'_, Self>) -> bool {
        let coming = **guard;
        guard.publish(coming)
    }

    fn perform(queue: &Arc<Queue<Self>>, wake: bool) {
        queue.shared.woken.fetch_add(usize::from(wake), Ordering::SeqCst);
    }

    fn cancelled(queue: &Arc<Queue<Self>>, _: &Claimed) {
        queue.shared.cancelled.fetch_add(1, Ordering::SeqCst);
    }

    fn refused(_: &Arc<Queue<Self>>, job: Claimed, why: &Error) {
        job.refuse(why.duplicate());
    }

    fn wait(_: &mut Option<usize>, _: Wait) {}

    fn promoted(queue: &Arc<Queue<Self>>) {
        queue.shared.promoted.fetch_add(1, Ordering::SeqCst);
    }
}

/// A queue that is sealed and emptied in the end, so that it does not keep itself.
struct Sealed(TestQueue);

type TestQueue = Arc<Queue<Counting>>;

impl Deref for Sealed {
    type Target = Arc<Queue<Counting>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        seal(self);
        while run_first(self) {}
        if !std::thread::panicking() {
            assert_eq!(Arc::strong_count(self), 1, "a sealed queue without jobs keeps itself");
        }
    }
}

/// A queue for which `coming` workers are coming.
fn queue_with(coming: Option<usize>) -> Sealed {
    let queue = Queue::new(Counting::default(), coming, None);
    queue.lock().finish();
    Sealed(queue)
}

fn queue() -> Sealed {
    queue_with(None)
}

fn seal(queue: &TestQueue) {
    let mut guard = queue.lock();
    guard.seal();
    guard.finish();
}

fn job(value: usize) -> (Job, JobHandle<usize>) {
    let origin = Origin::of_caller();
    pair_for(origin, move || value, Unjudged, CallerContext::of(origin))
}

fn push<P: Owner>(queue: &Arc<Queue<P>>, value: usize) -> JobHandle<usize> {
    let (job, handle) = job(value);
    assert!(queue.push(job, Stamp::NONE).is_ok());
    handle
}

fn listed(queue: &TestQueue) -> usize {
    let mut guard = queue.lock();
    guard.drain_inbox();
    let listed = guard.listed();
    guard.finish();
    listed
}

/// Runs the first job. `false`: there is none.
fn run_first(queue: &TestQueue) -> bool {
    let mut guard = queue.lock();
    let next = guard.pop();
    run(guard, next)
}

/// Runs the first job if it is awaited.
fn run_awaited(queue: &TestQueue) -> bool {
    let mut guard = queue.lock();
    let next = guard.pop_awaited();
    run(guard, next)
}

fn run(guard: Guard<'_, Counting>, next: Option<(Claimed, Stamp)>) -> bool {
    guard.finish();
    let Some((job, _)) = next else { return false };
    job.run();
    true
}

/// Runs all jobs, one after the other, and returns which they were.
fn run_all(queue: &TestQueue, handles: Vec<JobHandle<usize>>) -> Vec<usize> {
    let mut waiting = handles;
    let mut order = Vec::new();
    while run_first(queue) {
        let (finished, left): (Vec<_>, Vec<_>) = waiting.into_iter().partition(JobHandle::is_finished);
        waiting = left;
        order.extend(finished.into_iter().map(|handle| block_on(handle).unwrap()));
    }
    assert!(waiting.is_empty(), "{} jobs did not run", waiting.len());
    order
}

fn promote(queue: &TestQueue, handle: &JobHandle<usize>) {
    handle.canceller().promote(Queue::id(queue));
}

/// Of up to five jobs any two leave, in either order, and another comes: the rest is there, in order.
#[test]
fn jobs_leave_from_any_place_of_the_queue() {
    let ends: [fn(JobHandle<usize>); 2] = [|handle| drop(handle), |handle| handle.cancel()];
    for (jobs, end) in (1..=5).flat_map(|jobs| ends.map(|end| (jobs, end))) {
        for (first, second) in (0..jobs).flat_map(|first| (0..jobs).map(move |second| (first, second))) {
            // All in the list, all in the inbox, or one part in each.
            for in_list in 0..=jobs {
                let queue = queue();
                let mut handles = Vec::new();
                for i in 0..jobs {
                    if i == in_list {
                        listed(&queue);
                    }
                    handles.push(Some(push(&queue, i)));
                }
                for leaves in [first, second] {
                    if let Some(handle) = handles[leaves].take() {
                        end(handle);
                    }
                }
                handles.push(Some(push(&queue, jobs)));
                let left = handles.iter().flatten().count();
                assert_eq!(listed(&queue), left);
                assert_eq!(queue.shared.cancelled.load(Ordering::SeqCst), jobs + 1 - left);
                let expected: Vec<_> = (0..=jobs).filter(|i| *i != first && *i != second).collect();
                assert_eq!(run_all(&queue, handles.into_iter().flatten().collect()), expected);
                assert!(!queue.has_jobs());
            }
        }
    }
}

/// Of four jobs, in list or inbox, any two are awaited, then any is cancelled, then any is awaited: awaited jobs come first, in the order in which
/// they were awaited.
#[test]
fn awaited_jobs_come_first_in_the_order_of_their_awaits() {
    const JOBS: usize = 4;
    for choice in 0..JOBS.pow(4) {
        let [first, second, cancelled, third] = [0, 1, 2, 3].map(|digit| choice / JOBS.pow(digit) % JOBS);
        let queue = queue();
        let mut handles: Vec<_> = (0..JOBS).map(|i| push(&queue, i)).collect();
        promote(&queue, &handles[first]);
        promote(&queue, &handles[second]);
        handles[cancelled].cancel();
        promote(&queue, &handles[third]);
        let mut expected = Vec::new();
        for job in [first, second, third].into_iter().chain(0..JOBS) {
            if job != cancelled && !expected.contains(&job) {
                expected.push(job);
            }
        }
        drop(handles.remove(cancelled));
        assert_eq!(
            run_all(&queue, handles),
            expected,
            "{first} and {second} awaited, {cancelled} cancelled, {third} awaited"
        );
    }
}

#[test]
fn a_job_that_is_not_in_the_queue_is_not_promoted() {
    let (queue, other) = (queue(), queue_with(None));
    let handles = vec![push(&queue, 0), push(&queue, 1)];
    let elsewhere = push(&other, 2);
    promote(&queue, &elsewhere);
    let (unpushed, of_unpushed) = job(3);
    promote(&queue, &of_unpushed);
    let cancelled = push(&queue, 4);
    cancelled.cancel();
    promote(&queue, &cancelled);
    assert_eq!(queue.shared.promoted.load(Ordering::SeqCst), 0);
    assert_eq!(listed(&queue), 2);
    assert!(!run_awaited(&queue));
    assert_eq!(run_all(&queue, handles), [0, 1]);
    assert_eq!(run_all(&other, vec![elsewhere]), [2]);
    drop(unpushed);
    assert!(matches!(block_on(of_unpushed), Err(Error::Lost)));
}

/// A queue that has gone is not found, and nothing is followed.
#[test]
fn a_job_of_a_queue_that_has_gone_is_not_promoted() {
    let queue = queue();
    let (id, handle) = (Queue::id(&queue), push(&queue, 0));
    drop(queue);
    handle.canceller().promote(id);
    assert_eq!(block_on(handle).unwrap(), 0);
}

#[test]
fn a_worker_beyond_the_limit_takes_awaited_jobs_only() {
    let queue = queue();
    let mut handles: Vec<_> = (0..4).map(|i| push(&queue, i)).collect();
    assert!(!queue.lock().has_awaited() && !run_awaited(&queue));
    promote(&queue, &handles[2]);
    promote(&queue, &handles[3]);
    assert!(queue.lock().has_awaited() && run_awaited(&queue));
    assert_eq!(block_on(handles.remove(2)).unwrap(), 2);
    // The next one is cancelled: it is awaited no more.
    drop(handles.remove(2));
    assert!(!queue.lock().has_awaited() && !run_awaited(&queue));
    assert_eq!(run_all(&queue, handles), [0, 1]);
}

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

/// A cell of the list.
fn header(queue: &TestQueue, which: fn(&List) -> *mut Header) -> NonNull<Header> {
    let mut guard = queue.lock();
    guard.drain_inbox();
    let header = NonNull::new(which(&guard.locked.list)).expect("it is there");
    guard.finish();
    header
}

/// What a canceller does after it has claimed a linked job.
fn finish_cancelling(header: NonNull<Header>) {
    // SAFETY: the test keeps the handle, and so the cell.
    let head = NonNull::new(unsafe { header.as_ref() }.owner.load(Ordering::SeqCst)).unwrap();
    // SAFETY: the job is linked, so its queue is alive.
    let operations = unsafe { head.as_ref() }.operations;
    // SAFETY: as above, and the test claimed the job to cancel it.
    let is_ours = unsafe { (operations.unlink)(head, header) };
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
fn nothing_is_pushed_to_a_sealed_queue() {
    let queue = queue();
    let before = push(&queue, 0);
    for _ in 0..2 {
        seal(&queue);
        assert!(queue.is_sealed());
        let (job, handle) = job(1);
        let Err(Rejected::Sealed(job)) = queue.push(job, Stamp::NONE) else { panic!("it was pushed") };
        job.refuse(Error::ShutDown);
        assert!(matches!(block_on(handle), Err(Error::ShutDown)));
    }
    assert_eq!(run_all(&queue, vec![before]), [0], "what was there before is there still");
    assert!(!queue.lock().has_next());
}

#[test]
fn a_job_that_was_cancelled_before_is_not_pushed() {
    let queue = queue();
    let (job, handle) = job(1);
    drop(handle);
    assert!(matches!(queue.push(job, Stamp::NONE), Err(Rejected::Cancelled(_))));
    assert!(!queue.has_jobs());
}

/// A submitter that finds the inbox sealed after it has linked its job takes that back.
#[test]
fn a_job_that_comes_too_late_is_taken_back() {
    let queue = queue();
    let (job, handle) = job(1);
    let header = queue.link(job, Stamp::NONE).unwrap_or_else(|_| panic!("it was cancelled"));
    seal(&queue);
    // SAFETY: linked, in no list, and this test's.
    assert!(!unsafe { queue.inbox.0.push(header) });
    // SAFETY: as above.
    let job = unsafe { queue.take_back(header) }.expect("it was not cancelled");
    assert!(!job.cell().state.is_linked());
    job.run();
    assert_eq!(block_on(handle).unwrap(), 1);
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

#[test]
fn a_queue_keeps_itself_until_it_is_sealed_and_empty() {
    let ends: [fn(&TestQueue, JobHandle<usize>); 3] = [
        |_, handle| drop(handle),
        |_, handle| handle.cancel(),
        |queue, handle| {
            assert!(run_first(queue) && handle.is_finished());
        },
    ];
    for end in ends {
        for (sealed_before, jobs) in [(false, 0), (false, 1), (false, 2), (true, 0), (true, 1), (true, 2)] {
            let queue = Queue::new(Counting::default(), None, None);
            assert_eq!(Arc::strong_count(&queue), 2, "the queue and this test");
            let handles: Vec<_> = (0..jobs).map(|i| push(&queue, i)).collect();
            if sealed_before {
                seal(&queue);
            }
            for handle in handles {
                assert_eq!(Arc::strong_count(&queue), 2, "a job is linked in a queue that may go");
                end(&queue, handle);
            }
            seal(&queue);
            assert_eq!(Arc::strong_count(&queue), 1, "a sealed queue without jobs keeps itself");
        }
    }
}

#[test]
fn what_is_owed_to_a_sealed_queue_keeps_it_again() {
    let queue = queue();
    seal(&queue);
    let (job, handle) = job(5);
    let mut guard = queue.lock();
    assert!(Queue::push_locked(&mut guard, job, Stamp::NONE).is_ok());
    guard.finish();
    assert_eq!(Arc::strong_count(&queue), 2);
    assert_eq!(run_all(&queue, vec![handle]), [5]);
    assert_eq!(Arc::strong_count(&queue), 1);
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

/// Submitters come to the lock if more jobs are queued than workers are coming.
#[test]
fn a_submitter_wakes_where_more_jobs_are_queued_than_workers_are_coming() {
    for (coming, jobs, wakes) in [(Some(0), 3, 3), (Some(1), 3, 2), (Some(2), 3, 1), (Some(3), 3, 0), (None, 3, 0)] {
        // As many jobs are in the list before as in the inbox.
        for in_list in 0..=2 {
            let queue = queue_with(coming.map(|coming| coming + in_list));
            let mut handles: Vec<_> = (0..in_list).map(|i| push(&queue, i)).collect();
            assert_eq!(listed(&queue), in_list);
            let before = queue.shared.woken.load(Ordering::SeqCst);
            handles.extend((0..jobs).map(|i| push(&queue, in_list + i)));
            assert_eq!(queue.shared.woken.load(Ordering::SeqCst) - before, wakes, "{coming:?} coming");
            assert_eq!(run_all(&queue, handles).len(), in_list + jobs);
        }
    }
}

/// A worker that no longer comes finds the jobs that were counted on it.
#[test]
fn a_worker_that_parks_sees_jobs_that_no_other_worker_takes() {
    let queue = queue_with(Some(1));
    let handle = push(&queue, 1);
    assert_eq!(queue.shared.woken.load(Ordering::SeqCst), 0);
    let mut guard = queue.lock();
    *guard = Some(0);
    guard.finish();
    assert_eq!(queue.shared.woken.load(Ordering::SeqCst), 1);
    assert_eq!(run_all(&queue, vec![handle]), [1]);
}
