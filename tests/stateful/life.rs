//! A state is opened by the first job that needs it, on its own thread, and dropped there: on retirement, by `keep_if`, after a panic, at
//! shutdown; never twice.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use offload_runtime::{Error, ExecutorExt, StatefulPool, check_cancelled};
use tests::support::{Gate, ON_PURPOSE, PATIENCE, Tokens, eventually, finish, silence};

use crate::support::{Log, State};

#[test]
fn a_thread_opens_one_state_and_keeps_it() {
    let log = Log::default();
    let pool = log.pool(1);
    assert_eq!(log.opened(), 0, "no job has come");
    for used in 1..=3 {
        assert_eq!(finish(pool.submit_with(State::use_it)).unwrap(), used);
    }
    assert_eq!((log.opened(), log.alive.alive()), (1, 1));
    finish(pool.shutdown());
    log.assert_all_dropped_at_home();
}

#[test]
fn a_plain_job_opens_no_state() {
    let log = Log::default();
    let pool = log.pool(1);
    finish(pool.submit(|| ())).unwrap();
    assert_eq!((log.opened(), pool.metrics().states_opened()), (0, 0));
}

#[test]
fn each_thread_has_a_state_of_its_own() {
    let log = Log::default();
    let pool = log.pool(4);
    let gate = Gate::closed();
    let numbers: Vec<_> = (0..4)
        .map(|_| {
            let gate = gate.clone();
            pool.submit_with(move |state| {
                gate.pass();
                state.number
            })
        })
        .collect();
    gate.wait_for(4);
    gate.open();
    let mut numbers: Vec<_> = numbers.into_iter().map(|number| finish(number).unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4]);
    finish(pool.shutdown());
    log.assert_all_dropped_at_home();
}

#[test]
fn a_state_is_dropped_when_its_thread_retires() {
    let log = Log::default();
    let pool = log.build(StatefulPool::builder().max_threads(2).keep_alive(Duration::ZERO));
    for opened in 1..=3 {
        assert_eq!(finish(pool.submit_with(|state| state.number)).unwrap(), opened);
        eventually("the thread has left", || pool.metrics().threads() == 0);
        // It drops its state before it leaves.
        log.assert_all_dropped_at_home();
    }
}

/// A job that comes while the thread drops its state is taken by that thread, which opens another.
#[test]
fn a_job_that_comes_while_a_state_is_dropped_gets_the_next() {
    struct Slow(Gate, Arc<AtomicUsize>);
    impl Drop for Slow {
        fn drop(&mut self) {
            self.0.pass();
            self.1.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let (gate, alive) = (Gate::closed(), Arc::new(AtomicUsize::new(0)));
    let open = {
        let (gate, alive) = (gate.clone(), Arc::clone(&alive));
        move || {
            assert_eq!(alive.fetch_add(1, Ordering::SeqCst), 0, "the other is still there");
            Ok::<_, io::Error>(Slow(gate.clone(), Arc::clone(&alive)))
        }
    };
    let started = Arc::new(AtomicUsize::new(0));
    let starts = Arc::clone(&started);
    let pool = StatefulPool::builder()
        .max_threads(1)
        .keep_alive(Duration::ZERO)
        .on_thread_start(move || {
            starts.fetch_add(1, Ordering::SeqCst);
        })
        .open(open);
    finish(pool.submit_with(|_| ())).unwrap();
    gate.wait_for(1); // the thread retires
    let second = pool.submit_with(|_| ());
    assert_eq!((pool.metrics().threads(), pool.metrics().queued()), (1, 1));
    gate.open();
    finish(second).unwrap();
    assert_eq!(started.load(Ordering::SeqCst), 1, "a second thread had a state beside the first");
    finish(pool.shutdown());
    assert_eq!((alive.load(Ordering::SeqCst), pool.metrics().states_opened()), (0, 2));
}

/// After a job that came while it retired, a thread retires as any other.
#[test]
fn a_thread_that_was_kept_from_retiring_retires_later() {
    struct Waits(Gate);
    impl Drop for Waits {
        fn drop(&mut self) {
            self.0.pass();
        }
    }
    let gate = Gate::closed();
    let door = gate.clone();
    let open = move || Ok::<_, io::Error>(Waits(door.clone()));
    let pool = StatefulPool::builder().max_threads(1).keep_alive(Duration::ZERO).open(open);
    finish(pool.submit_with(|_| ())).unwrap();
    gate.wait_for(1); // the thread retires
    let second = pool.submit_with(|_| ());
    gate.open();
    finish(second).unwrap();
    gate.wait_for(2);
    eventually("it has left", || pool.metrics().threads() == 0);
}

#[test]
fn threads_below_the_minimum_keep_their_states() {
    let log = Log::default();
    let pool = log.build(StatefulPool::builder().max_threads(1).min_threads(1).keep_alive(Duration::ZERO));
    for used in 1..=50 {
        assert_eq!(finish(pool.submit_with(State::use_it)).unwrap(), used);
    }
    assert_eq!(log.opened(), 1);
}

#[test]
fn keep_if_drops_the_state_and_the_next_job_opens_another() {
    let log = Log::default();
    let builder = StatefulPool::builder().max_threads(1).keep_if(|state: &mut State| state.used.get() < 2);
    let pool = log.build(builder);
    let numbers = (0..5).map(|_| {
        finish(pool.submit_with(|state| {
            state.use_it();
            state.number
        }))
        .unwrap()
    });
    assert_eq!(numbers.collect::<Vec<_>>(), [1, 1, 2, 2, 3]);
    assert_eq!((log.alive.alive(), log.most()), (1, 1));
    // Not for jobs that have no state.
    finish(pool.submit(|| ())).unwrap();
    assert_eq!(finish(pool.submit_with(|state| state.number)).unwrap(), 3);
    finish(pool.shutdown());
    log.assert_all_dropped_at_home();
}

#[test]
fn a_keep_if_that_panics_drops_the_state_and_spares_the_result() {
    silence();
    let log = Log::default();
    let builder = StatefulPool::builder().max_threads(1).keep_if(|_: &mut State| panic!("{ON_PURPOSE}"));
    let pool = log.build(builder);
    for number in 1..=2 {
        assert_eq!(finish(pool.submit_with(|state| state.number)).unwrap(), number);
        assert_eq!(log.alive.alive(), 0);
    }
    let metrics = pool.metrics();
    assert_eq!((metrics.completed(), metrics.panicked(), metrics.states_open()), (2, 0, 0));
}

#[test]
fn a_panicking_job_drops_its_state() {
    silence();
    let log = Log::default();
    let pool = log.pool(1);
    assert_eq!(finish(pool.submit_with(|state| state.number)).unwrap(), 1);
    let alive = log.alive.clone();
    match finish(pool.submit_with(move |_| -> () { panic!("{ON_PURPOSE}") })) {
        Err(Error::Panicked(panic)) => assert_eq!(panic.message(), Some(ON_PURPOSE)),
        other => panic!("{other:?}"),
    }
    assert_eq!(alive.alive(), 0, "it was dropped before the result was there");
    assert_eq!(finish(pool.submit_with(|state| state.number)).unwrap(), 2);
    assert_eq!(pool.metrics().threads(), 1, "the thread lives on");
}

#[test]
fn a_job_that_ends_itself_by_its_cancellation_drops_its_state() {
    let log = Log::default();
    let pool = log.pool(1);
    let gate = Gate::closed();
    let of_job = gate.clone();
    let job = pool.submit_with(move |_| {
        of_job.pass();
        check_cancelled();
    });
    gate.wait_for(1);
    job.cancel();
    gate.open();
    assert!(matches!(finish(job), Err(Error::Cancelled)));
    assert_eq!(finish(pool.submit_with(|state| state.number)).unwrap(), 2);
}

/// Wherever a state is dropped, a panic of its destructor harms neither the job's result nor the thread.
#[test]
fn a_destructor_that_panics_is_contained() {
    struct Grumpy(#[expect(dead_code, reason = "counted")] tests::support::Token);
    impl Drop for Grumpy {
        fn drop(&mut self) {
            panic!("{ON_PURPOSE}: dropped");
        }
    }
    silence();
    let tokens = Tokens::new();
    let of_open = tokens.clone();
    let pool = StatefulPool::builder()
        .max_threads(1)
        .keep_alive(Duration::ZERO)
        .keep_if(|_: &mut Grumpy| false)
        .open(move || Ok::<_, io::Error>(Grumpy(of_open.token())));
    assert_eq!(finish(pool.submit_with(|_| 1)).unwrap(), 1);
    match finish(pool.submit_with(|_| -> () { panic!("{ON_PURPOSE}: job") })) {
        Err(Error::Panicked(panic)) => assert_eq!(panic.message(), Some("on purpose: job")),
        other => panic!("{other:?}"),
    }
    assert_eq!((tokens.made(), tokens.alive()), (2, 0));
    finish(pool.shutdown());

    let of_open = tokens.clone();
    let pool = StatefulPool::new(1, move || Ok::<_, io::Error>(Grumpy(of_open.token())));
    finish(pool.submit_with(|_| ())).unwrap();
    finish(pool.shutdown());
    let metrics = pool.metrics();
    assert_eq!((metrics.states_opened(), metrics.states_open(), tokens.alive()), (1, 0, 0));
}

#[test]
fn a_state_that_cannot_be_opened_fails_that_job_and_the_next_tries_again() {
    let fails = Arc::new(AtomicBool::new(true));
    let of_open = Arc::clone(&fails);
    let pool = StatefulPool::new(1, move || {
        if of_open.load(Ordering::SeqCst) { Err(io::Error::new(io::ErrorKind::NotFound, "no database")) } else { Ok(7) }
    });
    let tokens = Tokens::new();
    for _ in 0..2 {
        let token = tokens.token();
        let job = pool.submit_with(move |state| {
            drop(token);
            *state
        });
        match finish(job) {
            Err(Error::State(cause)) => {
                let cause = cause.downcast_ref::<io::Error>().expect("the error of `open`");
                assert_eq!(cause.kind(), io::ErrorKind::NotFound);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(tokens.alive(), 0, "what the job captured is dropped");
    }
    fails.store(false, Ordering::SeqCst);
    assert_eq!(finish(pool.submit_with(|state| *state)).unwrap(), 7);
    let metrics = pool.metrics();
    assert_eq!((metrics.states_opened(), metrics.states_failed(), metrics.states_open()), (1, 2, 1));
    assert_eq!((metrics.refused_state(), metrics.refused(), metrics.completed()), (2, 2, 1));
    tests::support::assert_balanced(&metrics);
}

#[test]
fn an_open_that_panics_is_an_error_with_its_text() {
    silence();
    let pool = StatefulPool::new(1, || -> Result<u32, io::Error> { panic!("{ON_PURPOSE}: no driver") });
    let error = finish(pool.submit_with(|state| *state)).unwrap_err();
    assert_eq!(String::from(error), "the state of the job could not be opened: it panicked: on purpose: no driver");
    assert_eq!(pool.metrics().threads(), 1);
    let silent = StatefulPool::new(1, || -> Result<u32, io::Error> { std::panic::panic_any(7) });
    let error = finish(silent.submit_with(|state| *state)).unwrap_err();
    assert_eq!(String::from(error), "the state of the job could not be opened: it panicked");
}

#[expect(clippy::large_stack_arrays, reason = "what is large on the stack is what the test is about")]
#[test]
fn a_large_state_a_large_job_and_a_large_result_cross() {
    let pool = StatefulPool::new(1, || Ok::<_, io::Error>([1_u8; 100_000]));
    let captured = [2_u8; 100_000];
    let result = finish(pool.submit_with(move |state| {
        state[0] += captured[0];
        *state
    }))
    .unwrap();
    assert_eq!((result[0], result[99_999]), (3, 1));
}

#[test]
fn open_now_opens_one_state_before_it_returns() {
    let log = Log::default();
    let of_open = log.clone();
    let builder = StatefulPool::builder().max_threads(1).keep_if(|_: &mut State| false);
    let pool = builder.open_now(move || Ok::<_, io::Error>(of_open.open())).unwrap();
    assert_eq!((log.opened(), log.alive.alive(), pool.metrics().threads()), (1, 1, 1));
    assert_eq!(finish(pool.submit_with(|state| state.number)).unwrap(), 1);
}

#[test]
fn open_now_returns_what_went_wrong() {
    let failed = StatefulPool::<u32>::builder().open_now(|| Err(io::Error::other("no database")));
    assert_eq!(String::from(failed.unwrap_err()), "the state of the job could not be opened: no database");
    silence();
    let failed = StatefulPool::<u32>::builder().open_now(|| -> Result<_, io::Error> { panic!("{ON_PURPOSE}") });
    assert!(matches!(failed, Err(Error::State(_))));
}

#[test]
#[should_panic = "`StatefulPool::new`: a pool needs at least one thread"]
fn a_pool_of_no_threads_is_refused() {
    drop(StatefulPool::new(0, || Ok::<_, io::Error>(())));
}

/// The hooks of the user come around the life of the state.
#[test]
fn hooks_see_the_thread_before_its_state_and_after_it() {
    struct Told(mpsc::Sender<&'static str>);
    impl Drop for Told {
        fn drop(&mut self) {
            self.0.send("dropped").unwrap();
        }
    }
    silence();
    let (tell, told) = mpsc::channel();
    let [start, stop, open] = [(); 3].map(|()| tell.clone());
    let pool = StatefulPool::builder()
        .max_threads(1)
        .on_thread_start(move || {
            start.send("start").unwrap();
            panic!("{ON_PURPOSE}");
        })
        .on_thread_stop(move || {
            stop.send("stop").unwrap();
            panic!("{ON_PURPOSE}");
        })
        .open(move || {
            open.send("opened").unwrap();
            Ok::<_, io::Error>(Told(open.clone()))
        });
    drop(tell);
    finish(pool.submit_with(|_| ())).unwrap();
    pool.shutdown().wait_timeout(PATIENCE).unwrap();
    // It ends: the hooks, and what `open` captured, are gone though the pool is not.
    assert_eq!(told.into_iter().collect::<Vec<_>>(), ["start", "opened", "dropped", "stop"]);
    drop(pool);
}
