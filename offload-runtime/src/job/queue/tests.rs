//! The queue on its own: who keeps it while a job is linked (I4), and the list, whichever job leaves it.

use std::sync::Arc;

use super::*;
use crate::context::Call;
use crate::job::{JobHandle, Origin, cell};
use crate::metrics::Ledger;

/// Nobody: jobs are taken out by hand.
struct Bare;

impl Owner for Bare {
    type Guarded = ();

    fn run_nested(_: &Arc<Queue<Self>>, job: Begun, _own: bool) {
        job.run();
    }

    fn run_in_a_place(_: &Arc<Queue<Self>>, job: Begun, run: fn(Begun)) {
        run(job);
    }
}

fn queue() -> Arc<Queue<Bare>> {
    Queue::new(Bare, (), Ledger::new(false, "bare".into()))
}

fn push(queue: &Arc<Queue<Bare>>, value: usize) -> JobHandle<usize> {
    let origin = Origin::of_caller();
    let (job, handle) = cell::observed(origin, Call::new(origin, move || value));
    assert!(queue.lock().push(job, None).1.is_ok());
    handle
}

/// Runs the first job. `false`: there is none.
fn run_first(queue: &Arc<Queue<Bare>>) -> bool {
    let Some(Taken { job, .. }) = queue.lock().pop() else { return false };
    let _ = job.run();
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
