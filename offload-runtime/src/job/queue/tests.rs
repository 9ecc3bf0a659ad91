//! The queue on its own: who keeps it while a job is linked (I4), and the list, whichever job leaves it.

use std::sync::Arc;

use super::bare::{Bare, queue};
use super::*;
use crate::context::Call;
use crate::error::Error;
use crate::job::{JobHandle, Origin, Taken, cell};
use crate::metrics::DEEP;

fn push(queue: &Arc<Queue<Bare>>, value: usize) -> JobHandle<usize> {
    let origin = Origin::of_caller();
    let (job, handle) = cell::observed(origin, Call::new(origin, move || value));
    assert!(queue.lock().push(job, None).1.is_ok());
    handle
}

/// Runs the first job. `false`: there is none.
fn run_first(queue: &Arc<Queue<Bare>>) -> bool {
    let Some(Taken { job, .. }) = queue.lock().pop() else { return false };
    job.run();
    true
}

/// A queue that nobody else has is there while a job is linked in it, and no longer.
#[test]
fn c02_a_queue_with_a_job_keeps_itself_until_the_job_has_left() {
    let ends: [fn(JobHandle<usize>); 2] = [|handle| drop(handle), |handle| handle.cancel()];
    for end in ends {
        for jobs in 1..=3 {
            let queue = queue();
            let handles: Vec<_> = (0..jobs).map(|i| push(&queue, i)).collect();
            let kept = Arc::downgrade(&queue);
            drop(queue);
            for handle in handles {
                assert!(kept.upgrade().is_some(), "a job is linked in a queue that has gone");
                end(handle);
            }
            assert!(kept.upgrade().is_none(), "a queue without jobs keeps itself");
        }
    }
}

#[test]
fn c07_a_queue_whose_last_job_was_taken_does_not_keep_itself() {
    let queue = queue();
    for jobs in 1..=3 {
        let handles: Vec<_> = (0..jobs).map(|i| push(&queue, i)).collect();
        assert_eq!(Arc::strong_count(&queue), 2);
        while run_first(&queue) {}
        assert_eq!(Arc::strong_count(&queue), 1);
        assert!(handles.into_iter().map(|handle| pollster::block_on(handle).unwrap()).eq(0..jobs));
    }
}

/// Of up to five jobs any two leave, in either order, and others come: the rest is there, in order.
#[test]
fn c02_jobs_leave_from_any_place_of_the_queue() {
    for jobs in 1..=5 {
        for first in 0..jobs {
            for second in 0..jobs {
                let queue = queue();
                let mut handles: Vec<_> = (0..jobs).map(|i| Some(push(&queue, i))).collect();
                handles[first] = None;
                handles[second] = None;
                handles.push(Some(push(&queue, jobs)));
                let left = handles.iter().flatten().count();
                assert_eq!(queue.lock().len(), left);
                let expected = (0..=jobs).filter(|i| *i != first && *i != second);
                let mut handles = handles.into_iter().flatten();
                for value in expected {
                    assert!(run_first(&queue));
                    let handle = handles.next().expect("as many as are left");
                    assert!(handle.is_finished(), "not the first of the queue was taken");
                    assert_eq!(pollster::block_on(handle).unwrap(), value);
                }
                assert!(!run_first(&queue) && queue.lock().is_empty());
            }
        }
    }
}

/// Jobs that were posted come after those that are in the list, in order, and are there for whoever holds the lock.
#[test]
fn c02_posted_jobs_are_in_the_queue() {
    for pushed in 0..=2 {
        for posted in 1..=4 {
            for gone in 0..pushed + posted {
                let queue = queue();
                queue.lock().open();
                let mut handles: Vec<_> = (0..pushed).map(|i| Some(push(&queue, i))).collect();
                handles.extend((0..posted).map(|i| Some(post(&queue, pushed + i))));
                handles[gone] = None;
                assert_eq!(queue.lock().len(), pushed + posted - 1);
                for (value, handle) in handles.into_iter().enumerate().filter(|(value, _)| *value != gone) {
                    assert!(run_first(&queue));
                    assert_eq!(pollster::block_on(handle.unwrap()).unwrap(), value);
                }
                assert!(!run_first(&queue));
                assert!(queue.lock().ask());
            }
        }
    }
}

fn post(queue: &Arc<Queue<Bare>>, value: usize) -> JobHandle<usize> {
    let origin = Origin::of_caller();
    let (job, handle) = cell::observed(origin, Call::new(origin, move || value));
    assert!(matches!(queue.post(job), Posted::Quietly { .. } | Posted::Asked));
    handle
}

/// Whoever cancels its last job may be the last to know of a queue, whose owner is the user's, and may panic.
#[test]
fn c02_who_cancels_does_not_meet_the_panic_of_an_owner() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    impl Owner for Panics {
        type Guarded = ();

        fn run_nested(_: &Arc<Queue<Self>>, _: Begun, _: bool) {}

        fn run_in_a_place(_: &Arc<Queue<Self>>, _: Begun, _: fn(Begun)) {}
    }

    let captured = Arc::new(());
    let queue = Queue::new(Panics, (), Ledger::new(false, "panics".into()));
    let (origin, kept) = (Origin::of_caller(), Arc::clone(&captured));
    let (job, handle) = cell::observed(origin, Call::new(origin, move || drop(kept)));
    assert!(queue.lock().push(job, None).1.is_ok());
    drop(queue);
    handle.cancel();
    assert!(handle.is_finished());
    assert_eq!(Arc::strong_count(&captured), 1, "the job has leaked");
}

/// An open inbox keeps the queue, as a job may be posted at any time; one that asks or is sealed does not.
#[test]
fn c07_an_inbox_that_asks_or_is_sealed_does_not_keep_the_queue() {
    let shut: [fn(&mut Guard<'_, Bare>); 2] = [|guard| assert!(guard.ask()), |guard| guard.seal()];
    for shut in shut {
        for jobs in 0..3 {
            let queue = queue();
            queue.lock().open();
            assert_eq!(Arc::strong_count(&queue), 2);
            let handles: Vec<_> = (0..jobs).map(|i| post(&queue, i)).collect();
            drop(queue.lock().pop());
            assert_eq!(Arc::strong_count(&queue), 2, "the next job may be posted, and the queue gone");
            drop(handles);
            let handles: Vec<_> = (0..jobs).map(|i| post(&queue, i)).collect();
            let mut guard = queue.lock();
            shut(&mut guard);
            drop(guard);
            assert_eq!(Arc::strong_count(&queue), if jobs > 0 { 2 } else { 1 }, "{jobs} jobs");
            drop(handles);
            assert_eq!(Arc::strong_count(&queue), 1);
        }
    }
}

#[test]
fn c05_nothing_is_posted_to_a_sealed_inbox() {
    let queue = queue();
    queue.lock().seal();
    let origin = Origin::of_caller();
    let (job, handle) = cell::observed(origin, Call::new(origin, || ()));
    let Posted::Not(job) = queue.post(job) else { panic!("it was posted") };
    job.refuse(Error::ShutDown);
    assert!(matches!(pollster::block_on(handle), Err(Error::ShutDown)));
    // It stays sealed.
    queue.lock().open();
    assert_eq!(Arc::strong_count(&queue), 1, "it keeps itself, though nothing can come");
    assert!(queue.lock().ask());
    assert!(queue.is_stirred());
    assert_eq!(Arc::strong_count(&queue), 1);
}

/// One in many who post sees to it that the inbox does not grow, unless somebody has the lock anyway.
#[test]
fn what_was_posted_is_taken_in_by_who_locks_the_queue_if_it_is_free() {
    let queue = queue();
    queue.lock().open();
    let handles: Vec<_> = (0..3).map(|i| post(&queue, i)).collect();
    let locked = sync::lock(&queue.locked.0);
    assert_eq!(locked.list.len, 0);
    assert!(queue.try_lock().is_none());
    drop(locked);
    assert!(queue.try_lock().is_some());
    assert_eq!(sync::lock(&queue.locked.0).list.len, 3);
    drop(handles);
    assert!(queue.lock().ask());
}

/// Who asks is told of jobs that came meanwhile, and who comes next is asked.
#[test]
fn c08_the_first_job_after_the_question_is_asked_to_come() {
    let queue = queue();
    let posted = |queue: &Arc<Queue<Bare>>| {
        let origin = Origin::of_caller();
        let (job, handle) = cell::observed(origin, Call::new(origin, || ()));
        handle.detach();
        queue.post(job)
    };
    assert!(matches!(posted(&queue), Posted::Asked), "a new queue asks");
    assert!(matches!(posted(&queue), Posted::Quietly { .. }), "the first will see to it");
    let mut guard = queue.lock();
    assert_eq!(guard.len(), 2);
    assert!(matches!(posted(&queue), Posted::Quietly { .. }));
    assert!(!guard.ask());
    assert_eq!(guard.len(), 3, "what came is in the list");
    assert!(guard.ask() && guard.ask());
    drop(guard);
    assert!(matches!(posted(&queue), Posted::Asked));
    while run_first(&queue) {}
    assert!(queue.lock().ask());
}

/// Who takes jobs passes the inbox by while it takes a few of many, and the longest queue is the one that was.
#[test]
fn a_thread_that_pops_looks_into_the_inbox_now_and_then() {
    let pop = |queue: &Arc<Queue<Bare>>| {
        let mut guard = queue.lock_to_pop();
        let len = guard.len();
        let Taken { job, .. } = guard.pop().unwrap();
        drop(guard);
        job.run();
        len
    };
    // How many are taken of so many that wait before those are seen that came since.
    for (waiting, unseen) in
        [(1, 0), (15, 0), (16, 1), (31, 1), (32, 1), (33, 2), (48, 16), (100, 33), (379, 126), (380, 127), (5_000, 127)]
    {
        let queue = queue();
        queue.lock().open();
        let post = || (0..waiting).map(|i| post(&queue, i)).collect::<Vec<_>>();
        let first = post();
        drop(queue.lock());
        let second = post();
        for taken in 0..unseen {
            assert_eq!(pop(&queue), waiting - taken);
        }
        assert_eq!(pop(&queue), 2 * waiting - unseen, "of {waiting}");
        assert_eq!(queue.lock().ledger().peak_queued(), 2 * waiting);
        drop((first, second));
        assert!(queue.lock().ask());
    }
}

/// Where jobs come soon after one another, it is looked for one in many; until nobody is there to take them.
#[test]
fn c11_the_clock_is_looked_at_for_one_in_many_where_many_come() {
    const JOBS: u32 = 4_096;
    let clocked = Queue::new(Bare, (), Ledger::new(true, "bare".into()));
    let looked_at = || (0..JOBS).filter(|_| clocked.stamp().0 != Stamp::NONE).count();
    assert_eq!(looked_at(), 4_096);
    let at_once = Stamp::new(Moment::now(), false);
    clocked.lock().locked.sample(&clocked, |sampling| (0..JOBS).any(|_| sampling.taken(at_once)));
    // 256, with a deviation of 9.
    assert!((200..312).contains(&looked_at()));
    assert!(clocked.now().is_none());
    clocked.lock().falls_quiet();
    assert_eq!(looked_at(), 4_096);
}

/// Times are noted of each job while few wait, and of one in many from [`DEEP`] on until half of them are gone.
#[test]
fn c11_the_clock_is_looked_at_for_each_job_while_few_wait() {
    let clocked = Queue::new(Bare, (), Ledger::new(true, "bare".into()));
    for at_once in [DEEP, DEEP + 3] {
        let mut handles = Vec::new();
        for i in 0..at_once {
            assert_eq!(clocked.now().is_some(), i < DEEP, "{i} wait");
            handles.push(push(&clocked, i));
        }
        assert!(clocked.now().is_none());
        for left in (0..at_once).rev() {
            assert!(run_first(&clocked));
            assert_eq!(clocked.now().is_some(), left <= DEEP / 2, "{left} left");
        }
    }
    assert!(queue().now().is_none(), "times are not kept");
}

/// At random: whoever submits every second or every third job has a share of the samples.
#[test]
fn c11_one_in_many_is_a_sample_whatever_comes_by_turns() {
    const ROUNDS: u64 = 8_000;
    let mut samples = [0_u64; 6];
    for i in 0..6 * ROUNDS {
        samples[usize::try_from(i % 6).unwrap()] += u64::from(sample());
    }
    let expected = ROUNDS / Stamp::SAMPLE;
    for share in samples {
        assert!(share.abs_diff(expected) < expected / 4, "{samples:?}, not about {expected} each");
    }
}
