//! Room in a pool with states: a permit waits for a place, and lends the state as any job does.

use std::io;
use std::sync::Arc;
use std::task::Waker;

use offload_runtime::{Error, ExecutorExt, Limited, StatefulPool, blocking};
use tests::support::{Counting, Occupied, finish, poll_once};

/// One job runs, and one waits: the pool is full.
fn full() -> (StatefulPool<Vec<u8>>, Occupied, offload_runtime::JobHandle<()>) {
    let pool = StatefulPool::builder().max_threads(1).queue_capacity(1).open(|| Ok::<_, io::Error>(Vec::new()));
    let occupied = Occupied::new(&pool, 1);
    let waiting = pool.submit_with(|list| list.push(1));
    assert!(matches!(finish(pool.submit(|| ())), Err(Error::QueueFull)));
    (pool, occupied, waiting)
}

#[test]
fn a_permit_waits_for_room_and_lends_the_state() {
    let (pool, occupied, waiting) = full();
    let (mut first, mut second) = (pool.reserve(), pool.limited(1).reserve());
    assert!(poll_once(&mut first, Waker::noop()).is_pending());
    occupied.release();
    finish(waiting).unwrap();
    let permit = finish(&mut first).unwrap();
    assert_eq!(
        finish(permit.submit_with(|list| {
            list.push(2);
            list.clone()
        }))
        .unwrap(),
        [1, 2]
    );
    let of_view = finish(&mut second).unwrap();
    assert_eq!(finish(of_view.submit_with(|list| list.len())).unwrap(), 2);
}

#[test]
fn try_submit_with_gives_the_closure_back() {
    let (pool, occupied, waiting) = full();
    let text = String::from("kept");
    let refused = pool.try_submit_with(move |list| list.len() + text.len()).unwrap_err();
    assert!(matches!(refused.error(), Error::QueueFull));
    occupied.release();
    finish(waiting).unwrap();
    // A thread gives its place back before it has looked for the next job.
    finish(pool.wait_idle());
    assert_eq!(finish(pool.try_submit_with(refused.into_inner()).unwrap()).unwrap(), 5);
    pool.close();
    assert!(matches!(pool.try_submit_with(|_| ()).unwrap_err().error(), Error::ShutDown));
    assert!(matches!(finish(pool.reserve()), Err(Error::ShutDown)));
}

#[test]
fn try_submit_with_on_a_view_gives_the_closure_back() {
    let pool = StatefulPool::new(2, || Ok::<_, io::Error>(vec![7]));
    let view = pool.limited(1).queue_capacity(0);
    let occupied = Occupied::new(&view, 1);
    let text = String::from("kept");
    let refused = view.try_submit_with(move |list: &mut Vec<u8>| list.len() + text.len()).unwrap_err();
    assert!(matches!(refused.error(), Error::QueueFull));
    // The view is full, and not the pool.
    assert_eq!(finish(pool.try_submit_with(|list| list[0]).unwrap()).unwrap(), 7);
    occupied.release();
    assert_eq!(finish(view.try_submit_with(refused.into_inner()).unwrap()).unwrap(), 5);
    let metrics = view.metrics();
    assert_eq!((metrics.submitted(), metrics.completed(), metrics.refused_queue_full()), (3, 2, 1));
    pool.close();
    assert!(matches!(view.try_submit_with(|_| ()).unwrap_err().error(), Error::ShutDown));
}

#[test]
fn more_threads_are_more_states() {
    let pool = StatefulPool::new(1, || Ok::<_, io::Error>(()));
    let one = Occupied::new(&pool, 1);
    pool.set_max_threads(2);
    let two = Occupied::new(&pool, 1);
    one.release();
    two.release();
    finish(pool.wait_idle());
    for job in [pool.submit_with(|()| ()), pool.submit_with(|()| ())] {
        finish(job).unwrap();
    }
    assert!((1..=2).contains(&pool.metrics().states_opened()));
}

#[derive(Clone)]
struct Lists {
    db: StatefulPool<Vec<u8>>,
}

impl Lists {
    #[blocking(executor = db, wait)]
    fn push(&self, #[state] list: &mut Vec<u8>, item: u8) -> Result<usize, Error> {
        list.push(item);
        Ok(list.len())
    }
}

#[test]
fn a_method_with_a_state_waits_for_room() {
    let (db, occupied, waiting) = full();
    let lists = Lists { db };
    let mut pushed = std::pin::pin!(lists.push(2));
    assert!(poll_once(&mut pushed, Waker::noop()).is_pending());
    occupied.release();
    finish(waiting).unwrap();
    assert_eq!(finish(pushed).unwrap(), 2);
}

/// A caller that waits for room in a view of the pool is woken when the pool is closed.
#[test]
fn the_line_of_a_view_ends_with_its_pool() {
    let (pool, occupied, waiting) = full();
    assert_eq!((pool.running(), pool.queued()), (1, 1));
    let view = Limited::builder(pool.clone()).limit(1).queue_capacity(0).build();
    let permit = finish(view.reserve()).unwrap();
    let (mut reserve, woken) = (view.reserve(), Arc::new(Counting::default()));
    assert!(poll_once(&mut reserve, &Waker::from(Arc::clone(&woken))).is_pending());
    pool.close();
    assert_eq!(woken.wakes(), 1);
    assert!(matches!(finish(reserve), Err(Error::ShutDown)));
    drop(permit);
    occupied.release();
    finish(waiting).unwrap();
    finish(pool.shutdown());
    assert_eq!((pool.running(), pool.queued()), (0, 0));
}
