//! C2: dropping the handle of a queued job means that the body never runs and its captured values are freed at once; of a running
//! job, flips its cancel flag and runs its `on_cancel` hook.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use offload_runtime::{Error, Executor, ExecutorExt, JobHandle, ThreadPool, check_cancelled, is_cancelled, on_cancel};
use tests::support::{Gate, Keeping, Occupied, PATIENCE, Tokens, finish, rayon_pool, tokio_runtime};

/// `executor` has one thread, which is held while three jobs wait behind it.
fn dropped_while_queued(executor: &(dyn Executor + 'static)) {
    for position in 0..3 {
        let occupied = Occupied::new(executor, 1);
        let tokens = Tokens::new();
        let (ran, wait) = mpsc::channel();
        let mut handles: Vec<_> = (0..3)
            .map(|i| {
                let (ran, token) = (ran.clone(), tokens.token());
                executor.submit(move || {
                    let _token = token;
                    ran.send(i).unwrap();
                })
            })
            .collect();
        drop(ran);
        drop(handles.remove(position));
        assert_eq!(tokens.alive(), 2, "what the job captured is gone when `drop` returns");
        occupied.release();
        for handle in handles {
            finish(handle).unwrap();
        }
        let ran: Vec<_> = wait.iter().collect();
        assert_eq!(ran, (0..3).filter(|i| *i != position).collect::<Vec<_>>(), "the others run, in order");
        assert_eq!(tokens.alive(), 0);
    }
}

#[test]
fn c02_dropped_while_queued_in_a_pool() {
    dropped_while_queued(&ThreadPool::new(1));
}

#[test]
fn c02_dropped_while_queued_in_a_limited_view() {
    dropped_while_queued(&ThreadPool::new(1).limited(1));
    dropped_while_queued(&ThreadPool::new(4).limited(1));
}

#[test]
fn c02_dropped_while_queued_on_executors_of_others() {
    dropped_while_queued(tokio_runtime(1).handle());
    dropped_while_queued(&Arc::new(rayon_pool(1)).limited(1));
}

#[test]
fn c02_dropped_while_an_executor_of_others_keeps_the_job() {
    let executor = Keeping::default();
    let tokens = Tokens::new();
    let token = tokens.token();
    let handle = executor.submit(move || drop(token));
    assert!(!executor.0.lock().unwrap()[0].is_cancelled());
    drop(handle);
    assert_eq!(tokens.alive(), 0);
    let job = executor.0.lock().unwrap().pop().unwrap();
    assert!(job.is_cancelled());
    job.run(); // does nothing: the closure is gone
}

#[test]
fn c02_cancelled_while_an_executor_of_others_keeps_the_job() {
    let executor = Keeping::default();
    let tokens = Tokens::new();
    let token = tokens.token();
    let handle = executor.submit(move || drop(token));
    handle.cancel();
    assert_eq!(tokens.alive(), 0);
    assert!(handle.is_finished());
    assert!(matches!(finish(handle), Err(Error::Cancelled)));
    executor.0.lock().unwrap().pop().unwrap().run();
}

/// A job that reports what it sees of its cancellation, at a door.
fn watched(
    pool: &ThreadPool,
    tokens: &Tokens,
) -> (JobHandle<tests::support::Token>, Gate, mpsc::Receiver<(bool, bool)>) {
    let gate = Gate::closed();
    let (seen, wait) = mpsc::channel();
    let (door, token) = (gate.clone(), tokens.token());
    let handle = pool.submit(move || {
        let before = is_cancelled();
        door.pass();
        seen.send((before, is_cancelled())).unwrap();
        token
    });
    gate.wait_for(1);
    (handle, gate, wait)
}

#[test]
fn c02_dropped_while_running_flips_the_flag_and_drops_the_result() {
    let pool = ThreadPool::new(1);
    let tokens = Tokens::new();
    let (handle, gate, seen) = watched(&pool, &tokens);
    drop(handle);
    assert_eq!(tokens.alive(), 1, "a running body keeps what it has");
    gate.open();
    assert_eq!(seen.recv_timeout(PATIENCE), Ok((false, true)));
    finish(pool.shutdown());
    assert_eq!(tokens.alive(), 0);
}

#[test]
fn c02_dropped_while_running_runs_the_hook_once_on_the_dropping_thread() {
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let (door, (ran, wait)) = (gate.clone(), mpsc::channel());
    let handle = pool.submit(move || {
        let _guard = on_cancel(move || ran.send(thread::current().id()).unwrap());
        door.pass();
    });
    gate.wait_for(1);
    assert!(wait.try_recv().is_err());
    drop(handle);
    assert_eq!(wait.try_recv(), Ok(thread::current().id()), "it has run when `drop` returns");
    gate.open();
    assert!(wait.recv_timeout(PATIENCE).is_err(), "and ran once: its sender is gone");
}

#[test]
fn c02_cancelled_while_running_runs_the_hook_once_however_often() {
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let (door, (ran, wait)) = (gate.clone(), mpsc::channel());
    let handle = pool.submit(move || {
        let _guard = on_cancel(move || ran.send(()).unwrap());
        door.pass();
        "too late"
    });
    gate.wait_for(1);
    handle.cancel();
    handle.cancel();
    gate.open();
    assert_eq!(finish(handle).unwrap(), "too late", "the body did not look");
    assert_eq!(wait.iter().count(), 1);
}

#[test]
fn c02_a_hook_that_is_disarmed_never_runs() {
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let tokens = Tokens::new();
    let (door, token, (ran, wait)) = (gate.clone(), tokens.token(), mpsc::channel());
    let handle = pool.submit(move || {
        drop(on_cancel(move || {
            let _token = token;
            ran.send(()).unwrap();
        }));
        door.pass();
    });
    gate.wait_for(1);
    assert_eq!(tokens.alive(), 0, "what a disarmed hook captured is gone");
    drop(handle);
    gate.open();
    assert!(wait.recv_timeout(PATIENCE).is_err());
}

#[test]
fn c02_a_hook_of_a_job_that_is_cancelled_already_runs_at_once() {
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let (door, (ran, wait)) = (gate.clone(), mpsc::channel());
    let handle = pool.submit(move || {
        door.pass();
        let here = thread::current().id();
        let _guard = on_cancel(move || ran.send(thread::current().id() == here).unwrap());
    });
    gate.wait_for(1);
    handle.cancel();
    gate.open();
    finish(handle).unwrap();
    assert_eq!(wait.try_recv(), Ok(true));
}

#[test]
fn c02_hooks_run_in_the_order_of_their_registration() {
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let (door, (ran, wait)) = (gate.clone(), mpsc::channel());
    let handle = pool.submit(move || {
        let guards: Vec<_> = (0..3)
            .map(|i| {
                let ran = ran.clone();
                on_cancel(move || ran.send(i).unwrap())
            })
            .collect();
        door.pass();
        drop(guards);
    });
    gate.wait_for(1);
    handle.cancel();
    gate.open();
    finish(handle).unwrap();
    assert_eq!(wait.iter().collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn c02_a_guard_that_is_dropped_while_its_hook_runs_waits_for_it() {
    let pool = ThreadPool::new(1);
    let (running, hook) = (Gate::closed(), Gate::closed());
    let (in_job, in_hook, (log, wait)) = (running.clone(), hook.clone(), mpsc::channel());
    let handle = pool.submit(move || {
        let log_hook = log.clone();
        let guard = on_cancel(move || {
            in_hook.pass();
            log_hook.send("the hook has run").unwrap();
        });
        in_job.pass();
        drop(guard);
        log.send("the guard is gone").unwrap();
    });
    running.wait_for(1);
    thread::scope(|scope| {
        scope.spawn(|| handle.cancel());
        hook.wait_for(1);
        running.open(); // the job drops the guard while the hook stands at its door
        hook.open();
    });
    finish(handle).unwrap();
    assert_eq!(wait.iter().collect::<Vec<_>>(), ["the hook has run", "the guard is gone"]);
}

#[test]
fn c02_check_cancelled_ends_the_job_and_runs_its_destructors() {
    let pool = ThreadPool::new(1);
    let gate = Gate::closed();
    let tokens = Tokens::new();
    let (door, token) = (gate.clone(), tokens.token());
    let handle = pool.submit(move || {
        let _token = token;
        check_cancelled(); // not yet
        door.pass();
        check_cancelled();
        unreachable!("the job goes on");
    });
    gate.wait_for(1);
    handle.cancel();
    gate.open();
    assert!(matches!(finish(handle), Err::<(), _>(Error::Cancelled)));
    assert_eq!(tokens.alive(), 0);
}

#[test]
fn c02_cancel_of_a_queued_job_gives_its_place_in_the_queue_back() {
    let pool = ThreadPool::builder().max_threads(1).queue_capacity(1).build();
    let occupied = Occupied::new(&pool, 1);
    let queued = pool.submit(|| 1);
    assert!(matches!(finish(pool.submit(|| 2)), Err(Error::QueueFull)));
    queued.cancel();
    assert!(matches!(finish(queued), Err(Error::Cancelled)));
    let again = pool.submit(|| 3);
    occupied.release();
    assert_eq!(finish(again).unwrap(), 3);
}

#[test]
fn c02_cancel_of_an_ended_job_changes_nothing() {
    let pool = ThreadPool::new(1);
    let handle = pool.submit(|| 7);
    finish(pool.shutdown());
    assert!(handle.is_finished());
    handle.cancel();
    assert_eq!(finish(handle).unwrap(), 7);
}

#[test]
fn c02_dropping_an_ended_job_drops_its_result() {
    let tokens = Tokens::new();
    let pool = ThreadPool::new(1);
    let (token, panicking) = (tokens.token(), tokens.token());
    let handle = pool.submit(move || token);
    let failed = pool.submit(move || std::panic::resume_unwind(Box::new(panicking)));
    finish(pool.shutdown());
    assert_eq!(tokens.alive(), 2, "the handles hold the result and the payload");
    drop(handle);
    assert_eq!(tokens.alive(), 1);
    drop::<JobHandle<()>>(failed);
    assert_eq!(tokens.alive(), 0);
}

#[test]
fn c02_a_detached_job_runs_and_is_not_cancelled() {
    let pool = ThreadPool::new(1);
    let tokens = Tokens::new();
    let (handle, gate, seen) = watched(&pool, &tokens);
    handle.detach();
    let (ran, wait) = mpsc::channel();
    pool.submit(move || ran.send(is_cancelled()).unwrap()).detach(); // this one while it waits
    gate.open();
    assert_eq!(seen.recv_timeout(PATIENCE), Ok((false, false)));
    assert_eq!(wait.recv_timeout(PATIENCE), Ok(false));
    finish(pool.shutdown());
    assert_eq!(tokens.alive(), 0, "the result of a detached job is dropped");
}
