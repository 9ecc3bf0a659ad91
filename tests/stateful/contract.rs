//! The contract, clause by clause, for jobs that have a state.

use std::io;
use std::sync::mpsc;

use offload_runtime::{Error, ExecutorExt, StatefulPool, ThreadPool, is_cancelled, on_cancel};
use tests::support::{Gate, ON_PURPOSE, PATIENCE, Tokens, finish, poll_once, silence};

use crate::support::{Log, State};

/// A pool of one thread that is busy until the door is opened.
fn busy(log: &Log) -> (StatefulPool<State>, Gate) {
    let (pool, gate) = (log.pool(1), Gate::closed());
    let door = gate.clone();
    pool.submit_with(move |_| door.pass()).detach();
    gate.wait_for(1);
    (pool, gate)
}

#[test]
fn c01_each_job_runs_once() {
    let log = Log::default();
    let pool = log.pool(3);
    let (send, receive) = mpsc::channel();
    let jobs: Vec<_> = (0..300)
        .map(|i| {
            let send = send.clone();
            pool.submit_with(move |state| {
                state.use_it();
                send.send(i).unwrap();
            })
        })
        .collect();
    drop(send);
    for job in jobs {
        finish(job).unwrap();
    }
    let mut ran: Vec<i32> = receive.into_iter().collect();
    ran.sort_unstable();
    assert_eq!(ran, (0..300).collect::<Vec<_>>());
}

#[test]
fn c02_dropping_a_queued_handle_frees_its_captures_and_the_body_never_runs() {
    let (log, tokens) = (Log::default(), Tokens::new());
    let (pool, gate) = busy(&log);
    let token = tokens.token();
    let job = pool.submit_with(move |_| {
        let _token = token;
        unreachable!("it was cancelled")
    });
    drop::<offload_runtime::JobHandle<()>>(job);
    assert_eq!(tokens.alive(), 0);
    gate.open();
    finish(pool.shutdown());
    assert_eq!((pool.metrics().cancelled_before_start(), pool.metrics().panicked()), (1, 0));
}

#[test]
fn c02_dropping_a_running_handle_sets_the_flag_and_runs_the_callbacks() {
    let log = Log::default();
    let pool = log.pool(1);
    let (gate, (ended, wait)) = (Gate::closed(), mpsc::channel());
    let door = gate.clone();
    let job = pool.submit_with(move |state| {
        let (interrupt, interrupted) = mpsc::channel();
        let _guard = on_cancel(move || interrupt.send(()).unwrap());
        door.pass();
        interrupted.recv_timeout(PATIENCE).unwrap();
        ended.send((is_cancelled(), state.number)).unwrap();
    });
    gate.wait_for(1);
    drop(job);
    gate.open();
    assert_eq!(wait.recv_timeout(PATIENCE).unwrap(), (true, 1));
    // It returned: its state is good for the next job.
    assert_eq!(finish(pool.submit_with(|state| state.number)).unwrap(), 1);
}

#[test]
fn c03_submitting_and_polling_wait_for_no_open() {
    let gate = Gate::closed();
    let door = gate.clone();
    let pool = StatefulPool::new(1, move || {
        door.pass();
        Ok::<_, io::Error>(())
    });
    let mut job = pool.submit_with(|()| 1);
    gate.wait_for(1);
    assert!(poll_once(&mut job, std::task::Waker::noop()).is_pending());
    let queued = pool.submit_with(|()| 2);
    drop(queued);
    assert_eq!(pool.running_jobs().len(), 1, "to open its state is a part of the job");
    gate.open();
    assert_eq!(finish(job).unwrap(), 1);
}

#[test]
fn c04_a_panic_goes_to_the_awaiter_with_its_payload() {
    silence();
    let log = Log::default();
    let pool = log.pool(1);
    let job = pool.submit_with(|_| -> () { std::panic::panic_any(String::from(ON_PURPOSE)) });
    match finish(job) {
        Err(Error::Panicked(panic)) => assert_eq!(*panic.into_payload().downcast::<String>().unwrap(), ON_PURPOSE),
        other => panic!("{other:?}"),
    }
    // A panic of `Error` itself is a panic, not a state that could not be opened.
    let job = pool.submit_with(|_| -> () { std::panic::panic_any(Error::Lost) });
    assert!(matches!(finish(job), Err(Error::Panicked(_))));
}

#[test]
fn c05_a_full_pool_and_a_closed_one_refuse() {
    let log = Log::default();
    let pool = log.build(StatefulPool::builder().max_threads(1).queue_capacity(0));
    let gate = Gate::closed();
    let door = gate.clone();
    let first = pool.submit_with(move |_| door.pass());
    gate.wait_for(1);
    assert!(matches!(finish(pool.submit_with(|_| ())), Err(Error::QueueFull)));
    gate.open();
    finish(first).unwrap();
    pool.close();
    assert!(matches!(finish(pool.submit_with(|_| ())), Err(Error::ShutDown)));
    assert!(matches!(finish(pool.clone().limited(1).submit_with(|_| ())), Err(Error::ShutDown)));
}

/// C6: what a job does to its own pool finds no lock held, nor what `open`, `keep_if` and the destructor do.
#[test]
fn c06_user_code_may_call_the_pool_from_everywhere() {
    struct Calls(StatefulPool<u32>);
    impl Calls {
        fn call(&self) {
            drop(self.0.submit_with(|_| ()));
            let _ = (self.0.metrics(), self.0.running_jobs(), format!("{:?}", self.0));
        }
    }
    impl Drop for Calls {
        fn drop(&mut self) {
            self.call();
        }
    }
    let other = StatefulPool::new(1, || Ok::<_, io::Error>(0));
    let calls = move || Calls(other.clone());
    let of_keep = calls();
    let pool = StatefulPool::builder()
        .max_threads(1)
        .keep_if(move |_: &mut Calls| {
            of_keep.call();
            false
        })
        .open(move || {
            calls().call();
            Ok::<_, io::Error>(calls())
        });
    finish(pool.submit_with(|state| state.call())).unwrap();
    pool.shutdown().wait_timeout(PATIENCE).unwrap();
}

#[test]
fn c07_nothing_of_a_job_is_left_when_the_await_returns() {
    let (log, tokens) = (Log::default(), Tokens::new());
    let pool = log.pool(2);
    for _ in 0..200 {
        let (captured, returned) = (tokens.token(), tokens.token());
        let job = pool.submit_with(move |state| {
            state.use_it();
            drop(captured);
            returned
        });
        let returned = finish(job).unwrap();
        assert_eq!(tokens.alive(), 1);
        drop(returned);
    }
    assert_eq!(log.alive.alive(), log.opened());
}

#[test]
fn c08_threads_grow_to_the_cap_and_retire() {
    let log = Log::default();
    let pool = log.build(StatefulPool::builder().max_threads(3).keep_alive(std::time::Duration::ZERO));
    let gate = Gate::closed();
    let jobs: Vec<_> = (0..9)
        .map(|_| {
            let door = gate.clone();
            pool.submit_with(move |_| door.pass())
        })
        .collect();
    gate.wait_for(3);
    assert_eq!((pool.metrics().threads(), pool.metrics().queued(), log.opened()), (3, 6, 3));
    gate.open();
    for job in jobs {
        finish(job).unwrap();
    }
    tests::support::eventually("all have left", || pool.metrics().threads() == 0);
    assert_eq!(log.most(), 3);
    log.assert_all_dropped_at_home();
}

#[test]
fn c09_shutdown_runs_what_is_queued_and_drops_the_states() {
    let log = Log::default();
    let (pool, gate) = busy(&log);
    let queued: Vec<_> = (0..5).map(|_| pool.submit_with(State::use_it)).collect();
    let shutdown = pool.shutdown();
    gate.open();
    finish(shutdown);
    log.assert_all_dropped_at_home();
    let used: Vec<_> = queued.into_iter().map(|job| finish(job).unwrap()).collect();
    assert_eq!((used, log.opened()), (vec![1, 2, 3, 4, 5], 1));
}

#[test]
fn c09_shutdown_now_refuses_what_is_queued_and_opens_nothing_for_it() {
    let log = Log::default();
    let pool = log.pool(1);
    let gate = Gate::closed();
    let door = gate.clone();
    let running = pool.submit(move || {
        door.pass();
        is_cancelled()
    });
    gate.wait_for(1);
    let queued = pool.submit_with(State::use_it);
    let shutdown = pool.shutdown_now();
    assert!(matches!(finish(queued), Err(Error::ShutDown)));
    gate.open();
    assert!(finish(running).unwrap());
    finish(shutdown);
    assert_eq!(log.opened(), 0);
}

/// Dropping the last handle closes the pool: what is queued still has its state.
#[test]
fn c09_a_dropped_pool_runs_what_is_queued() {
    let log = Log::default();
    let (pool, gate) = busy(&log);
    let queued = pool.submit_with(State::use_it);
    drop(pool);
    gate.open();
    assert_eq!(finish(queued).unwrap(), 1);
    log.alive.wait_until_none();
}

/// C11: the caller's tokio runtime is current in the body, and where the state is opened.
#[test]
fn c11_the_runtime_of_the_caller_is_there() {
    let runtime = tests::support::tokio_runtime(1);
    let pool = StatefulPool::new(1, tokio::runtime::Handle::try_current);
    let entered = runtime.enter();
    let job = pool.submit_with(|opened| opened.block_on(async { tokio::runtime::Handle::current().id() }));
    drop(entered);
    assert_eq!(finish(job).unwrap(), runtime.handle().id());
}

/// C12: no runtime is needed.
#[test]
fn c12_any_block_on_will_do() {
    let log = Log::default();
    let pool = log.pool(1);
    assert_eq!(futures::executor::block_on(pool.submit_with(State::use_it)).unwrap(), 1);
    assert_eq!(smol::block_on(pool.submit_with(State::use_it)).unwrap(), 2);
    assert_eq!(pollster::block_on(pool.submit_with(State::use_it)).unwrap(), 3);
}

/// A job that comes to a thread without state, by an executor that claims to have one, fails and is not lost.
#[test]
fn a_job_that_strays_is_refused() {
    #[derive(Clone)]
    struct Elsewhere(ThreadPool);
    impl offload_runtime::Executor for Elsewhere {
        fn execute(&self, job: offload_runtime::Job) {
            self.0.execute(job);
        }
    }
    impl offload_runtime::StatefulExecutor for Elsewhere {
        type State = u32;
    }
    let view = Elsewhere(ThreadPool::new(1)).limited(1);
    let error = finish(view.submit_with(|state| *state)).unwrap_err();
    assert!(String::from(error).contains("not one of a `StatefulPool` of this state"));
}

#[test]
fn handles_of_a_pool_cross_threads_though_its_states_do_not() {
    fn assert_crosses<T: Send + Sync + Clone + std::panic::UnwindSafe + std::panic::RefUnwindSafe + 'static>() {}
    assert_crosses::<StatefulPool<std::rc::Rc<()>>>();
}
