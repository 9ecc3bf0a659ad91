//! C6: no user code (closure, drop, waker, hook) runs under a lock.
//!
//! Each piece of user code here comes back to the executor it was called by, with everything that takes its lock. If the lock were
//! held, the thread would wait for itself.

use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::task::{Wake, Waker};
use std::time::Duration;

use offload_runtime::{Executor, ExecutorExt, JobHandle, Limited, ThreadPool, on_cancel};
use tests::support::{Gate, Occupied, PATIENCE, finish, poll_once, waker_of};

/// What takes the locks of a pool and of a view of it.
#[derive(Clone)]
struct Visitor {
    pool: ThreadPool,
    view: Limited<ThreadPool>,
    visits: Sender<()>,
}

impl Visitor {
    fn visit(&self) {
        drop(self.pool.submit(|| ()));
        drop(self.view.submit(|| ()));
        self.view.submit(|| ()).detach();
        assert!(format!("{:?}", self.pool).contains("ThreadPool"));
        assert!(format!("{:?}", self.view).contains("Limited"));
        let _ = self.pool.running_jobs();
        let _ = self.visits.send(());
    }
}

/// A value that visits when it is dropped.
struct Dropped(Visitor);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.visit();
    }
}

struct Scene {
    pool: ThreadPool,
    view: Limited<ThreadPool>,
    visitor: Visitor,
    visits: mpsc::Receiver<()>,
}

impl Scene {
    fn new() -> Self {
        let pool = ThreadPool::new(1);
        let view = pool.clone().limited(1);
        let (sender, visits) = mpsc::channel();
        let visitor = Visitor { pool: pool.clone(), view: view.clone(), visits: sender };
        Self { pool, view, visitor, visits }
    }

    fn both(&self) -> [&(dyn Executor + 'static); 2] {
        [&self.pool, &self.view]
    }

    #[track_caller]
    fn visited(&self) {
        self.visits.recv_timeout(PATIENCE).expect("the visitor is stuck, or was not called");
    }
}

#[test]
fn c06_a_body_comes_back() {
    let scene = Scene::new();
    for executor in scene.both() {
        let visitor = scene.visitor.clone();
        finish(executor.submit(move || visitor.visit())).unwrap();
        scene.visited();
    }
}

#[test]
fn c06_a_captured_value_comes_back_when_its_job_is_cancelled() {
    let scene = Scene::new();
    for executor in scene.both() {
        let occupied = Occupied::new(&scene.pool, 1);
        for end in [|handle: JobHandle<()>| drop(handle), |handle: JobHandle<()>| handle.cancel()] {
            let value = Dropped(scene.visitor.clone());
            end(executor.submit(move || drop(value)));
            scene.visited();
        }
        occupied.release();
    }
}

#[test]
fn c06_a_captured_value_comes_back_when_its_job_is_refused() {
    let scene = Scene::new();
    let occupied = Occupied::new(&scene.pool, 1);
    let waiting = scene.both().map(|executor| {
        let value = Dropped(scene.visitor.clone());
        executor.submit(move || drop(value))
    });
    drop(scene.pool.shutdown_now());
    scene.visited();
    scene.visited();
    for executor in scene.both() {
        let value = Dropped(scene.visitor.clone());
        assert!(finish(executor.submit(move || drop(value))).is_err());
        scene.visited();
    }
    assert!(waiting.iter().all(JobHandle::is_finished));
    occupied.release();
}

#[test]
fn c06_a_captured_value_comes_back_when_the_queue_is_full() {
    let pool = ThreadPool::builder().max_threads(1).queue_capacity(0).build();
    let occupied = Occupied::new(&pool, 1);
    let (sender, visits) = mpsc::channel();
    let view = ThreadPool::new(1).limited(1).queue_capacity(0);
    let in_view = Occupied::new(&view, 1);
    let visitor = Visitor { pool: pool.clone(), view: view.clone(), visits: sender };
    for executor in [&pool as &(dyn Executor + 'static), &view] {
        let value = Dropped(visitor.clone());
        assert!(finish(executor.submit(move || drop(value))).is_err());
        visits.recv_timeout(PATIENCE).unwrap();
    }
    in_view.release();
    occupied.release();
}

#[test]
fn c06_a_captured_value_comes_back_when_no_thread_can_be_had() {
    let pool = ThreadPool::builder().stack_size(1 << 60).build();
    let (sender, visits) = mpsc::channel();
    let view = pool.clone().limited(1);
    let visitor = Visitor { pool: pool.clone(), view: view.clone(), visits: sender };
    for executor in [&pool as &(dyn Executor + 'static), &view] {
        let value = Dropped(visitor.clone());
        assert!(finish(executor.submit(move || drop(value))).is_err());
        visits.recv_timeout(PATIENCE).unwrap();
    }
}

#[test]
fn c06_the_drop_of_an_untaken_result_may_call_the_pool() {
    let scene = Scene::new();
    for executor in scene.both() {
        let visitor = scene.visitor.clone();
        executor.submit(move || Dropped(visitor)).detach();
        scene.visited();
        let visitor = scene.visitor.clone();
        let handle = executor.submit(move || Dropped(visitor));
        tests::support::eventually("the job ends", || handle.is_finished());
        drop(handle);
        scene.visited();
    }
}

#[test]
fn c06_a_waker_comes_back() {
    let scene = Scene::new();
    for executor in scene.both() {
        let gate = Gate::closed();
        let door = gate.clone();
        let mut handle = executor.submit(move || door.pass());
        let visitor = scene.visitor.clone();
        assert!(poll_once(&mut handle, &waker_of(move || visitor.visit())).is_pending());
        gate.open();
        scene.visited();
        finish(handle).unwrap();
    }
}

#[test]
fn c06_a_waker_of_a_refused_job_comes_back() {
    let scene = Scene::new();
    let occupied = Occupied::new(&scene.pool, 1);
    let mut waiting = scene.both().map(|executor| executor.submit(|| ()));
    for handle in &mut waiting {
        let visitor = scene.visitor.clone();
        assert!(poll_once(handle, &waker_of(move || visitor.visit())).is_pending());
    }
    drop(scene.pool.shutdown_now());
    scene.visited();
    scene.visited();
    occupied.release();
    drop(waiting);
}

#[test]
fn c06_a_waker_of_a_cancelled_job_comes_back() {
    let scene = Scene::new();
    let occupied = Occupied::new(&scene.pool, 1);
    for executor in scene.both() {
        let mut handle = executor.submit(|| ());
        let visitor = scene.visitor.clone();
        assert!(poll_once(&mut handle, &waker_of(move || visitor.visit())).is_pending());
        handle.cancel();
        scene.visited();
    }
    occupied.release();
}

/// Replacing a waker drops the one before; so does dropping the handle. The drop of a waker is user code.
#[test]
fn c06_the_drop_of_a_waker_comes_back() {
    struct DropWaker(#[expect(dead_code, reason = "there to be dropped")] Dropped);
    impl Wake for DropWaker {
        fn wake(self: Arc<Self>) {}
    }
    let scene = Scene::new();
    let occupied = Occupied::new(&scene.pool, 1);
    for executor in scene.both() {
        let mut handle = executor.submit(|| ());
        for _ in 0..2 {
            let waker = Waker::from(Arc::new(DropWaker(Dropped(scene.visitor.clone()))));
            assert!(poll_once(&mut handle, &waker).is_pending());
        }
        scene.visited(); // the first was replaced
        drop(handle);
        scene.visited(); // the second went with the handle
    }
    occupied.release();
}

#[test]
fn c06_the_wakers_of_a_shutdown_come_back() {
    let scene = Scene::new();
    let occupied = Occupied::new(&scene.pool, 1);
    let mut shutdown = scene.pool.shutdown();
    let visitor = scene.visitor.clone();
    assert!(poll_once(&mut shutdown, &waker_of(move || visitor.visit())).is_pending());
    occupied.release();
    scene.visited();
}

#[test]
fn c06_hooks_of_threads_come_back() {
    let (pool_of, (to_hooks, visits)) = (Arc::new(std::sync::OnceLock::<Visitor>::new()), mpsc::channel());
    let (at_start, at_stop) = (Arc::clone(&pool_of), Arc::clone(&pool_of));
    let pool = ThreadPool::builder()
        .max_threads(1)
        .keep_alive(Duration::ZERO)
        .on_thread_start(move || at_start.get().unwrap().visit())
        .on_thread_stop(move || at_stop.get().unwrap().visit())
        .build();
    let view = pool.clone().limited(1);
    assert!(pool_of.set(Visitor { pool: pool.clone(), view, visits: to_hooks }).is_ok());
    finish(pool.submit(|| ())).unwrap();
    for _ in 0..2 {
        visits.recv_timeout(PATIENCE).expect("a hook is stuck");
    }
    pool.close();
}

#[test]
fn c06_cancel_hooks_come_back() {
    let scene = Scene::new();
    let stops: [fn(&ThreadPool, JobHandle<()>); 2] = [
        |_, handle| drop(handle),
        |pool, handle| {
            drop(pool.shutdown_now());
            drop(handle);
        },
    ];
    for stop in stops {
        let gate = Gate::closed();
        let (door, visitor) = (gate.clone(), scene.visitor.clone());
        let handle = scene.view.submit(move || {
            // A hook may register another, and read the flag.
            let _guard = on_cancel(move || visitor.visit());
            door.pass();
        });
        gate.wait_for(1);
        stop(&scene.pool, handle);
        scene.visited();
        gate.open();
    }
}

/// What an armed hook captured is dropped with its guard, and with a guard that was leaked when the job ends.
#[test]
fn c06_what_a_cancel_hook_captured_comes_back() {
    let scene = Scene::new();
    for leak in [false, true] {
        let value = Dropped(scene.visitor.clone());
        let handle = scene.pool.submit(move || {
            let guard = on_cancel(move || drop(value));
            if leak {
                std::mem::forget(guard);
            } else {
                drop(guard);
            }
        });
        finish(handle).unwrap();
        scene.visited();
    }
}
