//! C9 and C6 for waiters for a pool's end: they are woken when it has come, not by every thread that leaves, and their wakers
//! are dropped without a lock.

use std::fmt::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::task::{Wake, Waker};
use std::time::Duration;

use offload_runtime::{ExecutorExt, ThreadPool};
use tests::support::{Counting, Gate, Occupied, PATIENCE, eventually, finish, poll_once, within};

/// Eight threads leave one after the other. A waiter is woken for the last but one, which may be its own, and for the last.
#[test]
fn c09_a_waiter_is_not_woken_by_each_thread() {
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
    eventually("it is woken", || counting.wakes() > 0);
    assert!(counting.wakes() <= 2, "woken {} times", counting.wakes());
}

/// Each of several waiters is woken, once.
#[test]
fn c09_every_waiter_is_woken() {
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
        eventually("it is woken", || counting.wakes() == 1);
        finish(shutdown);
    }
}

/// One of two waiters gives up: the other is woken, and nothing of the first is kept.
#[test]
fn c09_a_waiter_that_gives_up_does_not_affect_the_others() {
    let pool = ThreadPool::new(1);
    let occupied = Occupied::new(&pool, 1);
    for gives_up in 0..2 {
        let waiting = [(); 2].map(|()| Arc::new(Counting::default()));
        let mut shutdowns = waiting.each_ref().map(|counting| {
            let mut shutdown = pool.shutdown();
            assert!(poll_once(&mut shutdown, &Waker::from(Arc::clone(counting))).is_pending());
            Some(shutdown)
        });
        shutdowns[gives_up] = None;
        assert_eq!(waiting.each_ref().map(Arc::strong_count), [[1, 2], [2, 1]][gives_up]);
    }
    occupied.release();
    finish(pool.shutdown());
}

/// Threads that stand in their stop hooks have not gone: not for a waiter inside a job, and not for one outside, which is woken when
/// one of them is left.
#[test]
fn c09_a_thread_in_its_stop_hook_counts() {
    let gates = [(); 3].map(|()| Gate::closed());
    let doors = gates.clone();
    let stop = move || {
        let name = std::thread::current().name().map(str::to_owned).expect("threads of a pool have names");
        doors[name.strip_prefix("offload-").and_then(|i| i.parse::<usize>().ok()).expect("a number")].pass();
    };
    let pool = ThreadPool::builder().max_threads(3).min_threads(3).on_thread_stop(stop).build();
    Occupied::new(&pool, 3).release();
    let (of_job, (go, wait), (number, numbers)) = (pool.clone(), mpsc::channel::<()>(), mpsc::channel());
    let job = pool.submit(move || {
        let name = std::thread::current().name().map(str::to_owned).unwrap();
        number.send(name.trim_start_matches("offload-").parse::<usize>().unwrap()).unwrap();
        wait.recv().unwrap();
        of_job.shutdown().wait_timeout(Duration::from_millis(1)).is_err()
    });
    let own = numbers.recv_timeout(PATIENCE).unwrap();
    let mut shutdown = pool.shutdown();
    for (i, gate) in gates.iter().enumerate() {
        if i != own {
            gate.wait_for(1);
        }
    }
    assert!(format!("{shutdown:?}").contains("threads: 3"), "{shutdown:?}");
    go.send(()).unwrap();
    assert!(finish(job).unwrap(), "it did not wait for threads in their hooks");
    gates[own].wait_for(1);
    let counting = Arc::new(Counting::default());
    assert!(poll_once(&mut shutdown, &Waker::from(Arc::clone(&counting))).is_pending());
    gates[0].open();
    eventually("one has gone", || format!("{shutdown:?}").contains("threads: 2"));
    assert_eq!(counting.wakes(), 0);
    gates[1].open();
    eventually("it is woken as one is left", || counting.wakes() == 1);
    assert!(poll_once(&mut shutdown, Waker::noop()).is_pending());
    gates[2].open();
    finish(shutdown);
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

/// A pool is shown without its lock: the writer may use the pool.
#[test]
fn c06_a_writer_may_use_the_pool_that_it_shows() {
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

/// A deadline that has passed leaves no waiter registered; the wait may be repeated, and ends as soon as the pool has.
#[test]
fn c09_a_wait_that_timed_out_may_be_repeated_until_the_end() {
    let pool = ThreadPool::new(1);
    let occupied = Occupied::new(&pool, 1);
    let shutdown = pool.shutdown();
    for _ in 0..3 {
        let left = shutdown.wait_timeout(Duration::from_millis(1)).unwrap_err();
        assert_eq!((left.running().len(), left.queued()), (1, 0));
        let text = left.to_string();
        assert!(text.starts_with("1 job still runs: "), "{text}");
    }
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| shutdown.wait_timeout(Duration::MAX));
        occupied.release();
        waiting.join().unwrap().unwrap();
    });
}
