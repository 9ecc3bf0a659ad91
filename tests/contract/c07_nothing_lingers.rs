//! C7: nothing lingers: when the await returns, no clone of self, arguments or result is left behind.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use offload_runtime::{Error, Executor, ExecutorExt, Inline, ThreadPool};
use tests::support::{Counting, Gate, Occupied, Tokens, finish, poll_once, rayon_pool, silence, tokio_runtime};

fn nothing_is_left(executor: &(dyn Executor + 'static)) {
    silence();
    for round in 0..200 {
        // An argument that is used up, and one that the body never looks at; the result is the second.
        let (used, unused) = (Arc::new(round), Arc::new(round));
        let (first, second) = (Arc::clone(&used), Arc::clone(&unused));
        let result = finish(executor.submit(move || {
            drop(first);
            second
        }));
        assert_eq!((Arc::strong_count(&used), Arc::strong_count(&unused)), (1, 2), "only the result is left");
        drop(result);
        assert_eq!(Arc::strong_count(&unused), 1);

        let captured = Arc::clone(&used);
        let panicked = finish(executor.submit(move || -> Arc<i32> {
            assert_eq!(*captured, round);
            std::panic::resume_unwind(Box::new(0_u8))
        }));
        assert_eq!(Arc::strong_count(&used), 1, "a panic leaves nothing either");
        drop(panicked);
    }
}

#[test]
fn c07_when_the_await_returns_nothing_is_left() {
    nothing_is_left(&ThreadPool::new(2));
    nothing_is_left(&ThreadPool::new(2).limited(1));
    nothing_is_left(&Inline);
    nothing_is_left(tokio_runtime(2).handle());
    nothing_is_left(&rayon_pool(2));
}

#[test]
fn c07_a_refused_job_leaves_nothing() {
    let pool = ThreadPool::new(1);
    pool.close();
    let tokens = Tokens::new();
    let token = tokens.token();
    assert!(matches!(finish(pool.submit(move || drop(token))), Err(Error::ShutDown)));
    assert_eq!(tokens.alive(), 0);
}

/// The awaiter's waker is given up with the handle, whatever phase the job is in.
#[test]
fn c07_a_handle_that_is_given_up_takes_its_waker_along() {
    type End = fn(offload_runtime::JobHandle<()>);
    let ends: [End; 2] = [|handle| drop(handle), |handle| handle.detach()];
    for end in ends {
        for queued in [true, false] {
            let pool = ThreadPool::new(1);
            let gate = Gate::closed();
            let door = gate.clone();
            let occupied = queued.then(|| Occupied::new(&pool, 1));
            let mut handle = pool.submit(move || door.pass());
            if !queued {
                gate.wait_for(1);
            }
            let counting = Arc::new(Counting::default());
            let waker = Waker::from(Arc::clone(&counting));
            assert!(poll_once(&mut handle, &waker).is_pending());
            assert!(Arc::strong_count(&counting) > 2, "the job has one");
            end(handle);
            assert_eq!(Arc::strong_count(&counting), 2, "this function's own two");
            gate.open();
            drop(occupied);
            finish(pool.shutdown());
            assert_eq!(counting.wakes(), 0);
        }
    }
}

#[test]
fn c07_a_waker_is_kept_once_and_the_last_one_only() {
    let pool = ThreadPool::new(1);
    let occupied = Occupied::new(&pool, 1);
    let mut handle = pool.submit(|| 1);
    let [first, second] = [(); 2].map(|()| Arc::new(Counting::default()));
    let [first_waker, second_waker] = [&first, &second].map(|counting| Waker::from(Arc::clone(counting)));
    for _ in 0..3 {
        assert!(poll_once(&mut handle, &first_waker).is_pending());
    }
    assert_eq!(Arc::strong_count(&first), 3, "the same waker again is not cloned again");
    assert!(poll_once(&mut handle, &second_waker).is_pending());
    assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (2, 3));
    occupied.release();
    finish(pool.shutdown());
    assert_eq!((first.wakes(), second.wakes()), (0, 1), "the last to poll is woken, once");
    assert_eq!(finish(handle).unwrap(), 1);
}

/// A waiter for a pool's end that has given up leaves nothing in the pool.
#[test]
fn c07_a_shutdown_that_is_dropped_takes_its_waker_along() {
    let pool = ThreadPool::new(1);
    let occupied = Occupied::new(&pool, 1);
    let counting = Arc::new(Counting::default());
    let waker = Waker::from(Arc::clone(&counting));
    let mut shutdown = pool.shutdown();
    assert!(poll_once(&mut shutdown, &waker).is_pending());
    assert!(poll_once(&mut shutdown, &waker).is_pending());
    assert!(shutdown.wait_timeout(Duration::ZERO).is_err());
    drop(shutdown);
    assert_eq!(Arc::strong_count(&counting), 2, "this function's own two");
    occupied.release();
}

/// The hooks of threads are a part of the pool, and go with it.
#[test]
fn c07_a_pool_that_ends_drops_its_hooks() {
    let tokens = Tokens::new();
    let (start, stop) = (tokens.token(), tokens.token());
    let pool = ThreadPool::builder()
        .max_threads(1)
        .on_thread_start(move || assert!(size_of_val(&start) > 0))
        .on_thread_stop(move || assert!(size_of_val(&stop) > 0))
        .build();
    finish(pool.submit(|| ())).unwrap();
    assert_eq!(tokens.alive(), 2);
    drop(pool);
    tokens.wait_until_none();
}

/// A pool that has never had a thread, or whose queue still holds a job when the last handle goes, is freed too.
#[test]
fn c07_a_pool_is_freed_when_it_has_ended() {
    for jobs in [0, 3] {
        let tokens = Tokens::new();
        let token = tokens.token();
        let pool =
            ThreadPool::builder().max_threads(1).on_thread_stop(move || assert!(size_of_val(&token) > 0)).build();
        for _ in 0..jobs {
            pool.submit(|| ()).detach();
        }
        drop(pool);
        tokens.wait_until_none();
    }
}

/// The last job of a queue was cancelled in it: no thread comes to that queue any more, and it is dropped all the same.
#[test]
fn c07_a_pool_is_freed_though_its_last_job_was_cancelled() {
    let tokens = Tokens::new();
    let token = tokens.token();
    let pool = ThreadPool::builder().max_threads(1).on_thread_stop(move || assert!(size_of_val(&token) > 0)).build();
    let view = pool.clone().limited(1);
    let in_view = Occupied::new(&view, 1);
    let queued = [pool.submit(|| ()), view.submit(|| ())];
    drop((pool, view));
    drop(queued);
    in_view.release();
    tokens.wait_until_none();
}

#[test]
fn c07_a_view_that_is_dropped_with_jobs_is_freed_when_they_have_run() {
    let tokens = Tokens::new();
    let pool = ThreadPool::new(1);
    let occupied = Occupied::new(&pool, 1);
    let view = pool.clone().limited(1);
    for _ in 0..3 {
        let token = tokens.token();
        view.submit(move || drop(token)).detach();
    }
    drop(view);
    assert_eq!(tokens.alive(), 3);
    occupied.release();
    tokens.wait_until_none();
}

/// A poll that comes as the job ends leaves its waker nowhere, whichever is first.
#[test]
fn c07_a_waker_that_comes_as_the_job_ends_is_not_kept() {
    let pool = ThreadPool::new(1);
    let counting = Arc::new(Counting::default());
    let waker = Waker::from(Arc::clone(&counting));
    for round in 0..3_000 {
        let mut handle = pool.submit(|| ());
        for _ in 0..round % 64 {
            std::hint::spin_loop();
        }
        let polled = poll_once(&mut handle, &waker);
        if polled.is_pending() {
            finish(handle).unwrap();
        }
    }
    finish(pool.shutdown());
    assert_eq!(Arc::strong_count(&counting), 2, "this function's own two");
}
