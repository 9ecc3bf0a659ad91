//! User code that panics where it can: hooks of threads, wakers in all their functions, destructors in every place. Nothing dies of it.

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

use offload_runtime::{Error, Executor, ExecutorExt, ThreadPool, on_cancel};
use tests::support::{Counting, Gate, Occupied, Started, Tokens, eventually, finish, poll_once, silence, waker_of};

/// Panics when it is dropped, with a payload that does the same, and so on.
struct EndlessPanic;

impl Drop for EndlessPanic {
    fn drop(&mut self) {
        panic_any(Self);
    }
}

/// Panics when it is dropped, once, and is counted.
struct PanicsOnDrop(#[expect(dead_code, reason = "counted")] tests::support::Token);

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        panic!("on purpose, in `drop`");
    }
}

/// A pool of one thread, which must still be the same one afterwards.
fn one_thread() -> (ThreadPool, Started) {
    silence();
    let started = Started::default();
    let pool = started.watch(ThreadPool::builder().max_threads(1)).build();
    (pool, started)
}

#[track_caller]
fn is_well(pool: &ThreadPool, started: &Started) {
    assert_eq!(finish(pool.submit(|| 1)).unwrap(), 1);
    assert_eq!((started.in_all(), started.alive()), (1, 1), "its thread has survived");
    finish(pool.shutdown());
    assert_eq!(started.alive(), 0, "and ended in good order");
}

#[test]
fn hooks_of_threads_that_panic() {
    silence();
    let calls = Arc::new(AtomicUsize::new(0));
    let [at_start, at_stop] = [(); 2].map(|()| Arc::clone(&calls));
    let pool = ThreadPool::builder()
        .max_threads(2)
        .keep_alive(Duration::ZERO)
        .on_thread_start(move || {
            at_start.fetch_add(1, Ordering::SeqCst);
            panic!("on purpose, in a hook");
        })
        .on_thread_stop(move || {
            at_stop.fetch_add(1, Ordering::SeqCst);
            panic_any(EndlessPanic);
        })
        .build();
    for i in 0..50 {
        assert_eq!(finish(pool.submit(move || i)).unwrap(), i);
    }
    finish(pool.shutdown());
    let calls = calls.load(Ordering::SeqCst);
    assert!(calls >= 2 && calls.is_multiple_of(2), "every thread was started and stopped: {calls}");
}

#[test]
fn wakers_that_panic_in_wake() {
    let (pool, started) = one_thread();
    for _ in 0..20 {
        let gate = Gate::closed();
        let door = gate.clone();
        let mut handle = pool.submit(move || {
            door.pass();
            1
        });
        assert!(poll_once(&mut handle, &waker_of(|| panic!("on purpose, in a waker"))).is_pending());
        gate.open();
        assert_eq!(finish(handle).unwrap(), 1, "the result is there all the same");
    }
    is_well(&pool, &started);
}

/// A waker that panics on the thread that cancels, refuses, or ends the pool.
#[test]
fn wakers_that_panic_elsewhere() {
    let (pool, started) = one_thread();
    let panicking = || waker_of(|| panic!("on purpose, in a waker"));
    let occupied = Occupied::new(&pool, 1);
    let mut cancelled = pool.submit(|| ());
    assert!(poll_once(&mut cancelled, &panicking()).is_pending());
    cancelled.cancel();
    assert!(matches!(finish(cancelled), Err(Error::Cancelled)));
    let mut refused = [pool.submit(|| ()), pool.submit(|| ())];
    for handle in &mut refused {
        assert!(poll_once(handle, &panicking()).is_pending());
    }
    let mut shutdown = pool.shutdown_now();
    assert!(refused.into_iter().all(|handle| matches!(finish(handle), Err(Error::ShutDown))));
    assert!(poll_once(&mut shutdown, &panicking()).is_pending());
    let second = pool.shutdown();
    occupied.release();
    finish(second); // the waker of the first panics; this one is woken all the same
    eventually("its thread has gone", || started.alive() == 0);
}

#[test]
fn wakers_that_panic_when_they_are_dropped() {
    struct DropPanics;
    impl Wake for DropPanics {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for DropPanics {
        fn drop(&mut self) {
            panic!("on purpose, in the drop of a waker");
        }
    }
    /// Registers a waker of which only the job has a reference.
    fn register<T>(handle: &mut offload_runtime::JobHandle<T>) {
        let waker = Waker::from(Arc::new(DropPanics));
        assert!(poll_once(handle, &waker).is_pending());
        // Its own reference is not the last, as the job has one.
        drop(waker);
    }
    let (pool, started) = one_thread();
    // Dropped with its handle, replaced by another waker, and after its wake-up on the worker.
    let occupied = Occupied::new(&pool, 1);
    let mut dropped = pool.submit(|| ());
    register(&mut dropped);
    drop(dropped);
    let mut replaced = pool.submit(|| ());
    register(&mut replaced);
    assert!(poll_once(&mut replaced, Waker::noop()).is_pending());
    let mut woken = pool.submit(|| ());
    register(&mut woken);
    let mut detached = pool.submit(|| ());
    register(&mut detached);
    detached.detach();
    occupied.release();
    finish(replaced).unwrap();
    eventually("the job ends", || woken.is_finished());
    finish(woken).unwrap();
    is_well(&pool, &started);
}

/// A waker whose clone panics makes the poll panic, and leaves the job as it was.
#[test]
fn wakers_that_panic_when_they_are_cloned() {
    use std::task::{RawWaker, RawWakerVTable};
    const VTABLE: RawWakerVTable =
        RawWakerVTable::new(|_| panic!("on purpose, in the clone of a waker"), |_| (), |_| (), |_| ());
    let (pool, started) = one_thread();
    let occupied = Occupied::new(&pool, 1);
    let mut handle = pool.submit(|| 7);
    #[allow(unsafe_code, reason = "the only way to a waker whose clone is not `Arc`'s")]
    // SAFETY: none of the functions looks at the pointer.
    let waker = unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &VTABLE)) };
    for _ in 0..2 {
        assert!(catch_unwind(AssertUnwindSafe(|| poll_once(&mut handle, &waker))).is_err());
        assert!(poll_once(&mut handle, Waker::noop()).is_pending());
    }
    let mut shutdown = pool.shutdown();
    assert!(catch_unwind(AssertUnwindSafe(|| poll_once(&mut shutdown, &waker))).is_err());
    drop(shutdown);
    occupied.release();
    assert_eq!(finish(handle).unwrap(), 7);
    finish(pool.shutdown());
    assert_eq!(started.alive(), 0);
}

/// Values that panic when they are dropped, in each place where the pool drops a user's value.
#[test]
fn destructors_that_panic_in_every_place() {
    let (pool, started) = one_thread();
    let tokens = Tokens::new();
    let value = || PanicsOnDrop(tokens.token());
    for executor in [&pool as &(dyn Executor + 'static), &pool.clone().limited(1)] {
        let occupied = Occupied::new(executor, 1);
        let (captured, again) = (value(), value());
        drop(executor.submit(move || drop(captured)));
        executor.submit(move || drop(again)).cancel();
        occupied.release();
        // A result that no caller takes: detached, dropped while the job runs, dropped when it has ended.
        let (detached, abandoned, untaken) = (value(), value(), value());
        executor.submit(move || detached).detach();
        let gate = Gate::closed();
        let door = gate.clone();
        let running = executor.submit(move || {
            door.pass();
            abandoned
        });
        gate.wait_for(1);
        drop(running);
        gate.open();
        let ended = executor.submit(move || untaken);
        eventually("the job ends", || ended.is_finished());
        drop(ended);
        // The payload of a panic.
        let payload = value();
        executor.submit(move || panic_any(payload)).detach();
        executor.submit(|| panic_any(EndlessPanic)).detach();
        executor.submit(|| EndlessPanic).detach();
        let Err(Error::Panicked(panic)) = finish(executor.submit(|| -> () { panic_any(EndlessPanic) })) else {
            panic!("it panicked");
        };
        std::mem::forget::<Box<dyn std::any::Any + Send>>(panic.into_payload()); // this function could not drop it either
    }
    finish(pool.submit(|| ())).unwrap();
    tokens.wait_until_none();
    is_well(&pool, &started);
}

/// A job that panics while it unwinds would abort; one whose destructor panics after it has returned does not.
#[test]
fn a_destructor_that_panics_after_the_value_was_returned() {
    let (pool, started) = one_thread();
    let tokens = Tokens::new();
    let captured = PanicsOnDrop(tokens.token());
    let result = finish(pool.submit(move || {
        let _captured = captured;
        7
    }));
    assert!(matches!(result, Err(Error::Panicked(_))), "the value that was on its way is lost to the panic");
    assert_eq!(tokens.alive(), 0);
    is_well(&pool, &started);
}

/// Hooks of `on_cancel` that panic, with a payload that panics too, on the thread that cancels and on the job's own.
#[test]
fn cancel_hooks_that_panic() {
    let (pool, started) = one_thread();
    for cancel_first in [false, true] {
        let [early, late] = [(); 2].map(|()| Gate::closed());
        let (before, after) = (early.clone(), late.clone());
        let handle = pool.submit(move || {
            before.pass();
            let _guard = on_cancel(|| panic_any(EndlessPanic));
            after.pass();
            7
        });
        early.wait_for(1);
        if cancel_first {
            handle.cancel();
        }
        early.open();
        late.wait_for(1);
        handle.cancel();
        late.open();
        assert_eq!(finish(handle).unwrap(), 7);
    }
    is_well(&pool, &started);
}

/// What goes on panicking however often it is caught, where a waker is woken and where a closure is dropped unused.
#[test]
fn payloads_that_panic_in_wakers_and_closures() {
    let (pool, started) = one_thread();
    let endless = || waker_of(|| panic_any(EndlessPanic));
    let gate = Gate::closed();
    let door = gate.clone();
    let mut woken = pool.submit(move || door.pass());
    assert!(poll_once(&mut woken, &endless()).is_pending());
    let mut cancelled = pool.submit(|| ());
    assert!(poll_once(&mut cancelled, &endless()).is_pending());
    cancelled.cancel();
    for end in [|handle| drop(handle), |handle: offload_runtime::JobHandle<()>| handle.cancel()] {
        let captured = EndlessPanic;
        end(pool.submit(move || drop(captured)));
    }
    gate.open();
    finish(woken).unwrap();
    is_well(&pool, &started);
    let shut_down = |pool: &ThreadPool| {
        let occupied = Occupied::new(pool, 1);
        let mut shutdown = pool.shutdown();
        assert!(poll_once(&mut shutdown, &endless()).is_pending());
        let (counting, mut second) = (Arc::new(Counting::default()), pool.shutdown());
        assert!(poll_once(&mut second, &Waker::from(Arc::clone(&counting))).is_pending());
        occupied.release();
        eventually("the second is woken, whatever the first does", || counting.wakes() == 1);
        shutdown
    };
    let (pool, started) = one_thread();
    finish(shut_down(&pool));
    assert_eq!(started.alive(), 0);
}
