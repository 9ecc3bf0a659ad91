//! C2, C3 and C6 for the hooks of `on_cancel`: one at a time, none twice, each left alone by its guard, and no lock held meanwhile.
//!
//! What a hook does on its own is in `c02_drop_is_cancel.rs`. Here several threads, or the hook itself, come back to the same hooks.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use offload_runtime::{CancelGuard, Error, ExecutorExt, ThreadPool, on_cancel};
use tests::support::{Gate, PATIENCE, Tokens, finish};

/// Two causes come at once, and the first of the hooks takes its time: the second hook waits for its turn.
#[test]
fn c02_hooks_run_one_after_the_other_though_two_cancel_at_once() {
    let pool = ThreadPool::new(1);
    let (running, hook) = (Gate::closed(), Gate::closed());
    let (in_job, in_hook, (log, ran)) = (running.clone(), hook.clone(), mpsc::channel());
    let handle = pool.submit(move || {
        let second = log.clone();
        let _first = on_cancel(move || {
            in_hook.pass();
            log.send("first").unwrap();
        });
        let _second = on_cancel(move || second.send("second").unwrap());
        in_job.pass();
    });
    running.wait_for(1);
    thread::scope(|scope| {
        scope.spawn(|| handle.cancel());
        hook.wait_for(1);
        drop(pool.shutdown_now()); // the job is being cancelled already: nothing to do
        assert!(ran.try_recv().is_err(), "the second hook has overtaken the first");
        hook.open();
    });
    running.open();
    finish(handle).unwrap();
    assert_eq!(ran.iter().collect::<Vec<_>>(), ["first", "second"]);
}

/// While the hook runs, the guard stays: looked at again and again from within the hook.
#[test]
fn c02_a_guard_does_not_go_while_its_hook_runs() {
    let pool = ThreadPool::new(1);
    let running = Gate::closed();
    let [going, gone] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
    let (in_job, (hook, told)) = (running.clone(), mpsc::channel());
    let (of_job, of_hook) = ((Arc::clone(&going), Arc::clone(&gone)), gone);
    let handle = pool.submit(move || {
        let guard = on_cancel(move || {
            hook.send(()).unwrap();
            while !going.load(Ordering::SeqCst) {
                thread::yield_now();
            }
            for _ in 0..2_000 {
                assert!(!of_hook.load(Ordering::SeqCst), "the guard is gone");
                thread::yield_now();
            }
            hook.send(()).unwrap();
        });
        in_job.pass();
        of_job.0.store(true, Ordering::SeqCst);
        drop(guard);
        of_job.1.store(true, Ordering::SeqCst);
    });
    running.wait_for(1);
    thread::scope(|scope| {
        scope.spawn(|| handle.cancel());
        told.recv_timeout(PATIENCE).expect("the hook runs");
        running.open();
    });
    told.recv_timeout(PATIENCE).expect("the guard was gone before its hook");
    finish(handle).unwrap();
}

/// Many jobs of a pool have hooks, and some have ended: a stop reaches each that runs.
#[test]
fn c02_a_stop_runs_the_hooks_of_all_jobs_that_run() {
    let pool = ThreadPool::new(20);
    let (gate, (ran, hooks)) = (Gate::closed(), mpsc::channel());
    let mut handles = Vec::new();
    for i in 0..20 {
        finish(pool.submit(|| drop(on_cancel(|| unreachable!("its job has ended"))))).unwrap();
        let (door, ran) = (gate.clone(), ran.clone());
        handles.push(pool.submit(move || {
            let _guard = on_cancel(move || ran.send(i).unwrap());
            door.pass();
        }));
        gate.wait_for(i + 1);
    }
    drop(pool.shutdown_now());
    let mut seen: Vec<_> = hooks.try_iter().collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..20).collect::<Vec<_>>());
    gate.open();
    for handle in handles {
        finish(handle).unwrap();
    }
}

/// The hook's captured value is in its destructor as the job ends: the canceller does not wait for it.
#[test]
fn c03_a_slow_destructor_of_a_leaked_hook_delays_no_canceller() {
    struct SlowDrop(Gate);
    impl Drop for SlowDrop {
        fn drop(&mut self) {
            self.0.pass();
        }
    }
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let slow = SlowDrop(gate.clone());
    let handle = pool.submit(move || {
        std::mem::forget(on_cancel(move || drop(slow)));
    });
    gate.wait_for(1);
    handle.cancel();
    drop(pool.shutdown_now());
    gate.open();
    finish(handle).unwrap();
}

/// A hook that is run at once may register another, which is run at once too.
#[test]
fn c06_a_hook_that_runs_at_once_comes_back() {
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let (door, (ran, hooks)) = (gate.clone(), mpsc::channel());
    let handle = pool.submit(move || {
        door.pass();
        let _outer = on_cancel(move || {
            let inner = ran.clone();
            let _inner = on_cancel(move || inner.send("inner").unwrap());
            ran.send("outer").unwrap();
        });
    });
    gate.wait_for(1);
    handle.cancel();
    gate.open();
    finish(handle).unwrap();
    assert_eq!(hooks.iter().collect::<Vec<_>>(), ["inner", "outer"]);
}

/// What a disarmed hook had captured registers a hook as it goes.
#[test]
fn c06_a_captured_value_of_a_disarmed_hook_comes_back() {
    struct Registers(#[expect(dead_code, reason = "counted")] tests::support::Token);
    impl Drop for Registers {
        fn drop(&mut self) {
            drop(on_cancel(|| ()));
        }
    }
    let tokens = Tokens::new();
    let value = Registers(tokens.token());
    finish(ThreadPool::new(1).submit(move || drop(on_cancel(move || drop(value))))).unwrap();
    assert_eq!(tokens.alive(), 0);
}

/// A hook that a stop runs may stop the pool again, and a job may register its first hook meanwhile.
#[test]
fn c06_a_hook_that_a_stop_runs_comes_back_to_the_pool() {
    let pool = ThreadPool::new(2);
    let (running, (ran, hooks)) = (Gate::closed(), mpsc::channel());
    let (in_job, of_hook) = (running.clone(), pool.clone());
    let first = pool.submit(move || {
        let _guard = on_cancel(move || {
            drop(of_hook.shutdown_now());
            ran.send(()).unwrap();
        });
        in_job.pass();
    });
    running.wait_for(1);
    drop(pool.shutdown_now());
    assert_eq!(hooks.try_recv(), Ok(()));
    running.open();
    finish(first).unwrap();
    assert!(matches!(finish(pool.submit(|| ())), Err(Error::ShutDown)));
}

/// A hook that is registered while those before it run waits for its turn.
#[test]
fn c02_a_hook_that_comes_while_others_run_does_not_overtake_them() {
    let pool = ThreadPool::new(1);
    let (registered, first) = (Gate::closed(), Gate::closed());
    let (in_job, in_first, (log, ran)) = (registered.clone(), first.clone(), mpsc::channel());
    let handle = pool.submit(move || {
        let [first, second, third] = [(); 3].map(|()| log.clone());
        let _first = on_cancel({
            let in_first = in_first.clone();
            move || {
                in_first.pass();
                first.send(1).unwrap();
            }
        });
        let _second = on_cancel(move || second.send(2).unwrap());
        in_job.pass();
        // The first is running.
        let _third = on_cancel(move || third.send(3).unwrap());
        in_first.open();
        assert_eq!(ran.iter().take(3).collect::<Vec<_>>(), [1, 2, 3]);
    });
    registered.wait_for(1);
    thread::scope(|scope| {
        scope.spawn(|| handle.cancel());
        first.wait_for(1);
        registered.open();
    });
    finish(handle).unwrap();
}

/// A job that ends its own pool is cancelled by itself: its hooks run on its own thread, and may drop their guards.
#[test]
fn c02_a_hook_may_drop_its_own_guard() {
    thread_local!(static GUARD: RefCell<Option<CancelGuard>> = const { RefCell::new(None) });
    let pool = ThreadPool::new(1);
    let own = pool.clone();
    let job = pool.submit(move || {
        GUARD.set(Some(on_cancel(|| drop(GUARD.take()))));
        drop(own.shutdown_now());
        GUARD.with_borrow(Option::is_none)
    });
    assert!(finish(job).unwrap());
}
