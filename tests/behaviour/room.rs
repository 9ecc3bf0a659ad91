//! Waiting for room: `reserve` and its permits, and `try_submit`, which gives the closure back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};

use futures::future::join_all;
use offload_runtime::{Error, Executor, ExecutorExt, Limited, ThreadPool};
use tests::support::{Counting, Occupied, PATIENCE, Tokens, assert_balanced, finish, poll_once, waker_of, within};

/// A pool that holds so many jobs, on one thread.
fn holds(jobs: usize) -> ThreadPool {
    ThreadPool::builder().max_threads(1).queue_capacity(jobs - 1).build()
}

fn counting() -> (Arc<Counting>, Waker) {
    let counting = Arc::new(Counting::default());
    (Arc::clone(&counting), Waker::from(counting))
}

#[test]
fn what_is_not_submitted_comes_back_whole() {
    let (pool, tokens) = (holds(1), Tokens::default());
    let held = Occupied::new(&pool, 1);
    let token = tokens.token();
    let refused = pool.try_submit(move || drop(token)).unwrap_err();
    assert!(matches!(refused.error(), Error::QueueFull));
    assert_eq!((refused.to_string(), tokens.alive()), (Error::QueueFull.to_string(), 1));
    held.release();
    let accepted = pool.try_submit(refused.into_inner()).unwrap();
    finish(accepted).unwrap();
    assert_eq!(tokens.alive(), 0);
    pool.close();
    let closed = pool.try_submit(|| 1).unwrap_err();
    assert!(matches!(Error::from(closed), Error::ShutDown));
    let metrics = pool.metrics();
    assert_balanced(&metrics);
    assert_eq!((metrics.refused_queue_full(), metrics.refused_shut_down()), (1, 1));
}

#[test]
fn a_view_gives_back_what_it_has_no_room_for() {
    let view = Limited::builder(ThreadPool::new(2)).limit(1).queue_capacity(0).build();
    let held = Occupied::new(&view, 1);
    let refused = view.try_submit(|| 7).unwrap_err();
    assert!(matches!(refused.error(), Error::QueueFull));
    held.release();
    assert_eq!(finish(view.try_submit(refused.into_inner()).unwrap()).unwrap(), 7);
    view.executor().close();
    assert!(matches!(view.try_submit(|| ()).unwrap_err().error(), Error::ShutDown));
    let metrics = view.metrics();
    assert_eq!((metrics.submitted(), metrics.completed(), metrics.refused()), (4, 2, 2));
}

/// A large closure is boxed on its way, and comes back as it was.
#[test]
fn a_large_closure_comes_back() {
    let pool = holds(1);
    let held = Occupied::new(&pool, 1);
    let large = [7_u8; 16_000];
    let refused = pool.try_submit(move || large.len()).unwrap_err();
    held.release();
    assert_eq!(finish(pool.try_submit(refused.into_inner()).unwrap()).unwrap(), 16_000);
}

#[test]
fn there_is_always_room_without_a_capacity() {
    let pool = ThreadPool::new(1);
    let held = Occupied::new(&pool, 1);
    let permits: Vec<_> = (0..10).map(|_| finish(pool.reserve()).unwrap()).collect();
    let handles: Vec<_> = permits.into_iter().map(|permit| permit.submit(|| 1)).collect();
    held.release();
    assert_eq!(handles.into_iter().map(|handle| finish(handle).unwrap()).sum::<i32>(), 10);
}

/// Three callers in line, of which the second gives up: on a pool, on a view, and on an executor behind a pointer.
#[test]
fn places_go_to_the_callers_in_line_in_order() {
    let pool = holds(1);
    first_come_first_served(&pool, || pool.reserve());
    let view = Limited::builder(ThreadPool::new(2)).limit(1).queue_capacity(0).build();
    first_come_first_served(&view, || view.reserve());
}

fn first_come_first_served<E, R, P>(executor: &E, reserve: impl Fn() -> R)
where
    E: Executor,
    R: Future<Output = Result<P, Error>> + Unpin,
{
    let held = Occupied::new(executor, 1);
    let mut line = [(); 4].map(|()| (reserve(), counting()));
    for (caller, (_, waker)) in &mut line {
        assert!(poll_once(caller, waker).is_pending());
    }
    let [(mut first, woken_first), (second, woken_second), (mut third, woken_third), (mut fourth, woken_fourth)] = line;
    let wakes = || [&woken_first, &woken_second, &woken_third, &woken_fourth].map(|(woken, _)| woken.wakes());
    held.release();
    tests::support::eventually("the first is woken", || wakes() == [1, 0, 0, 0]);
    let barges = finish(executor.submit(|| ()));
    assert!(matches!(barges, Err(Error::QueueFull)), "the place is taken by the first in line");
    drop(second);
    let Poll::Ready(Ok(permit)) = poll_once(&mut first, &woken_first.1) else { panic!("it was woken") };
    drop(permit);
    assert_eq!(wakes(), [1, 0, 1, 0], "the one that gave up left no hole");
    // It has a place, and leaves without having seen it.
    drop(third);
    assert_eq!(wakes(), [1, 0, 1, 1]);
    third = reserve();
    assert!(poll_once(&mut third, &woken_third.1).is_pending(), "the fourth has the place");
    assert!(matches!(poll_once(&mut fourth, &woken_fourth.1), Poll::Ready(Ok(_))));
    assert!(matches!(poll_once(&mut third, &woken_third.1), Poll::Ready(Ok(_))), "the permit was dropped");
    finish(executor.submit(|| ())).unwrap();
}

#[test]
fn a_cancelled_job_gives_its_place_to_the_line() {
    let pool = holds(2);
    let held = Occupied::new(&pool, 1);
    let queued = pool.submit(|| ());
    let (mut caller, (woken, waker)) = (pool.reserve(), counting());
    assert!(poll_once(&mut caller, &waker).is_pending());
    drop(queued);
    assert_eq!(woken.wakes(), 1);
    let handle = finish(caller).unwrap().submit(|| 7);
    held.release();
    assert_eq!(finish(handle).unwrap(), 7);
}

/// However the pool ends, and wherever they wait: in its line, in that of a view, or in that of a view of a view.
#[test]
fn a_closed_pool_ends_all_lines() {
    for now in [false, true] {
        let pool = holds(2);
        let view = Limited::builder(pool.clone()).queue_capacity(0).build();
        let inner = Limited::builder(view.clone()).queue_capacity(0).build();
        let of_pool: Vec<_> = (0..2).map(|_| finish(pool.reserve()).unwrap()).collect();
        let (of_view, of_inner) = (finish(view.reserve()).unwrap(), finish(inner.reserve()).unwrap());
        let ((woken, waker), mut in_line) = (counting(), (pool.reserve(), view.reserve(), inner.reserve()));
        let mut in_pool_twice = pool.reserve();
        assert!(poll_once(&mut in_line.0, &waker).is_pending() && poll_once(&mut in_pool_twice, &waker).is_pending());
        assert!(poll_once(&mut in_line.1, &waker).is_pending() && poll_once(&mut in_line.2, &waker).is_pending());
        if now {
            drop(pool.shutdown_now());
        } else {
            pool.close();
        }
        assert_eq!(woken.wakes(), 4);
        assert!(matches!(finish(in_line.0), Err(Error::ShutDown)));
        assert!(matches!(finish(in_line.1), Err(Error::ShutDown)));
        assert!(matches!(finish(in_line.2), Err(Error::ShutDown)));
        assert!(matches!(finish(in_pool_twice), Err(Error::ShutDown)));
        assert!(matches!(finish(pool.reserve()), Err(Error::ShutDown)));
        // A permit from before does not outlive the pool.
        for permit in of_pool {
            assert!(matches!(finish(permit.submit(|| ())), Err(Error::ShutDown)));
        }
        drop((of_view, of_inner));
        finish(pool.shutdown());
    }
}

#[test]
fn the_line_of_a_view_that_is_made_of_a_closed_pool_is_closed() {
    let pool = holds(1);
    pool.close();
    let view = Limited::builder(pool).queue_capacity(0).build();
    assert!(matches!(finish(view.reserve()), Err(Error::ShutDown)));
}

/// The view has a place, so the pool that is full takes its turn.
#[test]
fn a_permit_of_a_view_is_good_on_a_full_pool() {
    let pool = holds(1);
    let view = Limited::builder(pool.clone()).limit(1).queue_capacity(0).build();
    let held = Occupied::new(&pool, 1);
    assert!(matches!(finish(view.submit(|| ())), Err(Error::QueueFull)), "without a permit");
    let permitted = finish(view.reserve()).unwrap().submit(|| 7);
    held.release();
    assert_eq!(finish(permitted).unwrap(), 7);
    // That is over with that job.
    let held = Occupied::new(&pool, 1);
    assert!(matches!(finish(view.submit(|| ())), Err(Error::QueueFull)), "as before");
    held.release();
}

/// Many more callers than places, on several threads: each gets its turn, and no more jobs are there at once than places.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_in_line_get_their_turn() {
    let pool = ThreadPool::builder().max_threads(2).queue_capacity(2).build();
    let (there, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let callers = (0..1_000_usize).map(|i| {
        let (pool, there, most) = (pool.clone(), Arc::clone(&there), Arc::clone(&most));
        tokio::spawn(async move {
            let permit = pool.reserve().await.unwrap();
            if i % 7 == 0 {
                return 1; // and gives the permit back
            }
            most.fetch_max(there.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let handle = permit.submit(move || there.fetch_sub(1, Ordering::SeqCst));
            if i % 5 == 0 {
                handle.cancel();
            }
            match handle.await {
                Ok(_) => 1,
                Err(Error::Cancelled) => 0,
                Err(other) => panic!("{other}"),
            }
        })
    });
    let served: usize = join_all(callers).await.into_iter().map(Result::unwrap).sum();
    assert!(served >= 800, "{served}");
    assert_eq!(pool.metrics().refused(), 0);
    assert_balanced(&pool.metrics());
    // All places are free again.
    let permits: Vec<_> = (0..4).map(|_| finish(pool.reserve()).unwrap()).collect();
    assert!(poll_once(&mut pool.reserve(), Waker::noop()).is_pending());
    drop(permits);
}

/// A waker that submits, and panics: it is called without a lock, and changes nothing for the worker.
#[test]
fn a_waker_in_line_may_come_back_and_panic() {
    within(PATIENCE, || {
        tests::support::silence();
        let pool = holds(1);
        let held = Occupied::new(&pool, 1);
        let comes_back = pool.clone();
        let waker = waker_of(move || {
            drop(comes_back.submit(|| ()));
            panic!("{}", tests::support::ON_PURPOSE);
        });
        let mut caller = pool.reserve();
        assert!(poll_once(&mut caller, &waker).is_pending());
        held.release();
        finish(finish(caller).unwrap().submit(|| ())).unwrap();
    });
}

/// Nothing of a caller stays in a line that it has left.
#[test]
fn a_caller_that_has_left_leaves_nothing() {
    let pool = holds(1);
    let held = Occupied::new(&pool, 1);
    let (woken, waker) = counting();
    let mut caller = pool.reserve();
    assert!(poll_once(&mut caller, &waker).is_pending());
    assert!(poll_once(&mut caller, Waker::noop()).is_pending());
    drop(waker);
    assert_eq!(Arc::strong_count(&woken), 1, "a waker that was replaced");
    let (second, waker) = counting();
    assert!(poll_once(&mut caller, &waker).is_pending());
    drop((caller, waker));
    assert_eq!(Arc::strong_count(&second), 1);
    held.release();
    finish(pool.submit(|| ())).unwrap();
}
