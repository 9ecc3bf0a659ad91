//! The books of a view, and what its pool has of it: jobs that are cancelled, jobs with a permit, and reading while jobs come.

use offload_runtime::{Error, ExecutorExt, Limited, ThreadPool};
use tests::support::{Occupied, finish};

#[test]
fn a_job_that_is_cancelled_while_it_waits_in_a_view_is_cancelled_there() {
    let view = ThreadPool::new(1).limited(1);
    let occupied = Occupied::new(&view, 1);
    drop(view.submit(|| ()));
    let second = view.submit(|| ());
    second.cancel();
    assert!(matches!(finish(second), Err(Error::Cancelled)));
    let metrics = view.metrics();
    assert_eq!((metrics.cancelled_before_start(), metrics.queued(), metrics.submitted()), (2, 0, 3));
    occupied.release();
}

/// A turn that a view has on a thread is no job that its caller has given up.
#[test]
fn the_turns_of_a_view_end_as_jobs_that_are_awaited() {
    let pool = ThreadPool::new(1);
    let view = pool.limited(1);
    for _ in 0..10 {
        finish(view.submit(|| ())).unwrap();
        finish(pool.wait_idle());
    }
    let metrics = pool.metrics();
    assert_eq!((metrics.completed(), metrics.abandoned()), (10, 0));
}

#[test]
fn a_job_with_a_permit_is_in_the_books_of_its_view() {
    let view = Limited::builder(ThreadPool::new(1)).limit(1).queue_capacity(2).build();
    let occupied = Occupied::new(&view, 1);
    let jobs = [(); 2].map(|()| finish(view.reserve()).unwrap().submit(|| ()));
    occupied.release();
    for job in jobs {
        finish(job).unwrap();
    }
    let metrics = view.metrics();
    assert_eq!((metrics.submitted(), metrics.completed(), metrics.peak_queued()), (3, 3, 2));
}

/// The permit holds for the queue, and not against the end of the pool.
#[test]
fn a_job_with_a_permit_of_a_closed_pool_is_refused_in_the_books() {
    let pool = ThreadPool::builder().max_threads(1).queue_capacity(1).build();
    let permit = finish(pool.reserve()).unwrap();
    pool.close();
    assert!(matches!(finish(permit.submit(|| ())), Err(Error::ShutDown)));
    let metrics = pool.metrics();
    assert_eq!((metrics.submitted(), metrics.refused_shut_down(), metrics.queued()), (1, 1, 0));
}

/// Jobs that no thread has come for yet are counted, by whichever call, and reading loses none of them.
#[test]
fn reading_a_view_counts_the_jobs_that_wait_and_loses_none() {
    let readers: [fn(&Limited<ThreadPool>) -> usize; 3] = [
        Limited::queued,
        |view| view.metrics().peak_queued(),
        |view| usize::try_from(view.metrics().queued()).unwrap(),
    ];
    for read in readers {
        let view = ThreadPool::new(1).limited(1);
        let occupied = Occupied::new(&view, 1);
        let waiting = [1, 2, 3].map(|n| view.submit(move || n));
        assert_eq!(read(&view), 3);
        occupied.release();
        assert_eq!(waiting.map(|job| finish(job).unwrap()), [1, 2, 3]);
    }
}
