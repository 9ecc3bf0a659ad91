//! The queue on its own: its list, whichever job leaves it; which job comes next; when it wakes its owner; how long it lives (I4).

use std::ops::Deref;
use std::sync::atomic::AtomicUsize;

use pollster::block_on;

use super::*;
use crate::context::CallerContext;
use crate::error::Error;
use crate::job::{JobHandle, Origin, Unjudged, pair_for};

mod cancelling;

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
