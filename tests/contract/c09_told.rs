//! C9 and C6 for those who wait for a pool's end: they are told when it has come, not with every thread that leaves, and their wakers
//! are dropped without a lock.

use std::fmt::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::task::{Wake, Waker};
use std::time::Duration;

use offload_runtime::{ExecutorExt, ThreadPool};
use tests::support::{Counting, Gate, Occupied, PATIENCE, eventually, finish, poll_once, within};

/// Eight threads leave one after the other. Who waits is woken for the last but one, which may be its own, and for the last.
#[test]
fn c09_who_waits_is_not_woken_for_each_thread() {
    let pool = ThreadPool::new(8);
    let gates = [(); 8].map(|()| Gate::closed());
    for gate in &gates {
        let door = gate.clone();
        pool.submit(move || door.pass()).detach();
        gate.wait_for(1);
    }
    let counting = Arc::new(Counting::default());
    let waker = Waker::from(Arc::clone(&counting));
    let mut shutdown = pool.shutdown();
    for (i, gate) in gates.iter().enumerate() {
        assert!(poll_once(&mut shutdown, &waker).is_pending());
        gate.open();
        let left = format!("threads: {}", gates.len() - 1 - i);
        eventually("its thread leaves", || format!("{shutdown:?}").contains(&left));
    }
    assert!(poll_once(&mut shutdown, &waker).is_ready());
    eventually("it is told", || counting.wakes() > 0);
    assert!(counting.wakes() <= 2, "woken {} times", counting.wakes());
}

/// Every one of several who wait is told, each of them once.
#[test]
fn c09_everyone_who_waits_is_told() {
    let pool = ThreadPool::new(2);
    let occupied = Occupied::new(&pool, 2);
    let waiting = [(); 4].map(|()| {
        let counting = Arc::new(Counting::default());
        let mut shutdown = pool.shutdown();
        assert!(poll_once(&mut shutdown, &Waker::from(Arc::clone(&counting))).is_pending());
        (counting, shutdown)
    });
    occupied.release();
    for (counting, shutdown) in waiting {
        eventually("it is told", || counting.wakes() == 1);
        finish(shutdown);
    }
}

/// What comes back to the pool when it is dropped.
struct Visits(ThreadPool, Sender<()>);

impl Visits {
    fn visit(&self) {
        drop(self.0.submit(|| ()));
        drop(self.0.shutdown());
        let _ = self.1.send(());
    }
}

impl Drop for Visits {
    fn drop(&mut self) {
        self.visit();
    }
}

impl Wake for Visits {
    fn wake(self: Arc<Self>) {}
}

impl Write for Visits {
    fn write_str(&mut self, _: &str) -> fmt::Result {
        self.visit();
        Ok(())
    }
}

/// A `Shutdown` is given another waker, and dropped: both wakers go.
#[test]
fn c06_the_drop_of_a_waker_of_a_shutdown_comes_back() {
    let pool = ThreadPool::new(1);
    let occupied = Occupied::new(&pool, 1);
    let (dropped, drops) = mpsc::channel();
    let of_thread = pool.clone();
    within(PATIENCE, move || {
        let mut shutdown = of_thread.shutdown();
        for _ in 0..2 {
            let waker = Waker::from(Arc::new(Visits(of_thread.clone(), dropped.clone())));
            assert!(poll_once(&mut shutdown, &waker).is_pending());
        }
        assert_eq!(drops.recv_timeout(PATIENCE), Ok(()), "the first was replaced");
        drop(shutdown);
        assert_eq!(drops.recv_timeout(PATIENCE), Ok(()), "the second went along");
    });
    occupied.release();
}

/// What is written into may be anything: also something that uses what is being shown.
#[test]
fn c06_whoever_is_shown_a_pool_comes_back() {
    let pool = ThreadPool::new(1);
    within(PATIENCE, move || {
        let (visited, visits) = mpsc::channel();
        let mut sink = Visits(pool.clone(), visited);
        write!(sink, "{pool:?}").unwrap();
        assert!(visits.try_iter().count() > 0);
        write!(sink, "{:?}", pool.shutdown()).unwrap();
        assert!(visits.try_iter().count() > 0);
        write!(sink, "{:?}", pool.clone().limited(1)).unwrap();
        assert!(visits.try_iter().count() > 0);
    });
}

/// A deadline that has passed leaves nobody registered; the wait may be repeated, and ends as soon as the pool has.
#[test]
fn c09_a_wait_that_timed_out_may_be_repeated_until_the_end() {
    let pool = ThreadPool::new(1);
    let occupied = Occupied::new(&pool, 1);
    let shutdown = pool.shutdown();
    for _ in 0..3 {
        assert_eq!(shutdown.wait_timeout(Duration::from_millis(1)).unwrap_err().running().len(), 1);
    }
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| shutdown.wait_timeout(Duration::MAX));
        occupied.release();
        waiting.join().unwrap().unwrap();
    });
}
