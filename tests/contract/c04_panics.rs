//! C4: a panic is caught on the worker and resumed in the awaiter with its payload; the worker lives on.

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::thread;

use offload_runtime::{Error, Executor, ExecutorExt, Inline, Panic, ThreadPool};
use tests::support::{Started, Tokens, finish, rayon_pool, silence, tokio_runtime};

fn panic_of<T: std::fmt::Debug>(result: Result<T, Error>) -> Panic {
    match result {
        Err(Error::Panicked(panic)) => panic,
        other => unreachable!("{other:?}"),
    }
}

fn a_panic_reaches_the_handle_with_its_payload(executor: &(dyn Executor + 'static)) {
    silence();
    let text = panic_of(finish(executor.submit(|| -> u8 { panic!("on purpose") })));
    assert_eq!(text.message(), Some("on purpose"));
    let made = panic_of(finish(executor.submit(|| -> u8 { panic!("on purpose, {}", std::hint::black_box(7)) })));
    assert_eq!(made.message(), Some("on purpose, 7"));
    assert_eq!(*made.into_payload().downcast::<String>().unwrap(), "on purpose, 7");

    let tokens = Tokens::new();
    let token = tokens.token();
    let other = panic_of(finish(executor.submit(move || -> u8 { panic_any(token) })));
    assert_eq!((other.message(), other.to_string().as_str()), (None, "the job panicked"));
    let resumed = catch_unwind(AssertUnwindSafe(|| other.resume())).unwrap_err();
    assert!(resumed.is::<tests::support::Token>());
    assert_eq!(tokens.alive(), 1, "the very payload");
    drop(resumed);
    assert_eq!(tokens.alive(), 0);
}

#[test]
fn c04_a_panic_reaches_the_handle_on_every_executor() {
    a_panic_reaches_the_handle_with_its_payload(&ThreadPool::new(1));
    a_panic_reaches_the_handle_with_its_payload(&ThreadPool::new(2).limited(1));
    a_panic_reaches_the_handle_with_its_payload(&Inline);
    a_panic_reaches_the_handle_with_its_payload(tokio_runtime(1).handle());
    a_panic_reaches_the_handle_with_its_payload(&rayon_pool(1));
}

#[test]
fn c04_a_panic_does_not_cost_a_thread() {
    silence();
    let started = Started::default();
    let pool = started.watch(ThreadPool::builder().max_threads(2)).build();
    let home = finish(pool.submit(|| thread::current().id())).unwrap();
    for _ in 0..50 {
        let failed = [(); 4].map(|()| pool.submit(|| panic!("on purpose")));
        for handle in failed {
            panic_of::<()>(finish(handle));
        }
    }
    assert!(started.in_all() <= 2, "{started:?}");
    assert_eq!(started.alive(), started.in_all());
    let still_there = (0..100).any(|_| finish(pool.submit(|| thread::current().id())).unwrap() == home);
    assert!(still_there || started.in_all() == 2);
}

#[test]
fn c04_a_panic_drops_what_the_job_captured() {
    silence();
    let pool = ThreadPool::new(1);
    let tokens = Tokens::new();
    let token = tokens.token();
    let result = finish(pool.submit(move || {
        let _token = token;
        panic!("on purpose");
    }));
    assert_eq!(tokens.alive(), 0);
    panic_of::<()>(result);
}

#[test]
fn c04_an_unawaited_panic_goes_no_further() {
    silence();
    let started = Started::default();
    let pool = started.watch(ThreadPool::builder().max_threads(1)).build();
    let tokens = Tokens::new();
    for _ in 0..10 {
        let token = tokens.token();
        pool.submit(move || panic_any(token)).detach();
    }
    assert_eq!(finish(pool.submit(|| 1)).unwrap(), 1);
    assert_eq!((tokens.alive(), started.in_all()), (0, 1), "the payloads are dropped");
}

/// The unwinding of `check_cancelled` is reported as a cancellation, not as a panic.
#[test]
fn c04_a_cancelled_job_has_not_panicked() {
    let pool = ThreadPool::new(1);
    let gate = tests::support::Gate::closed();
    let door = gate.clone();
    let handle = pool.submit(move || {
        door.pass();
        offload_runtime::check_cancelled();
    });
    gate.wait_for(1);
    handle.cancel();
    gate.open();
    let error = finish(handle).unwrap_err();
    assert!(matches!(error, Error::Cancelled), "{error:?}");
}
