//! C7: what the hooks of a pool have captured is gone when its end is reported, and with a pool that is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use offload_runtime::{ExecutorExt, ThreadPool};
use tests::support::{Gate, Occupied, PATIENCE, Tokens, finish, within};

/// Many, as it was a race.
const ROUNDS: usize = 300;

const SHORT: Duration = Duration::from_millis(1);

/// A pool of three threads, all of whose hooks have captured a token.
fn with_tokens(tokens: &Tokens) -> ThreadPool {
    let [start, stop, slow] = [(); 3].map(|()| tokens.token());
    ThreadPool::builder()
        .max_threads(3)
        .warn_after(SHORT)
        .on_thread_start(move || {
            let _captured = &start;
        })
        .on_thread_stop(move || {
            let _captured = &stop;
        })
        .on_slow_job(move |_| {
            let _captured = &slow;
        })
        .build()
}

#[test]
fn c07_what_hooks_have_captured_is_gone_when_shutdown_resolves() {
    for round in 0..ROUNDS {
        let tokens = Tokens::new();
        let pool = with_tokens(&tokens);
        if round % 2 == 0 {
            Occupied::new(&pool, round % 4).release();
        }
        finish(pool.shutdown());
        assert_eq!((tokens.made(), tokens.alive()), (3, 0), "round {round}");
        pool.shutdown().wait_timeout(PATIENCE).unwrap();
    }
}

#[test]
fn c07_what_hooks_have_captured_is_gone_when_shutdown_now_has_waited() {
    for round in 0..ROUNDS {
        let tokens = Tokens::new();
        let pool = with_tokens(&tokens);
        let occupied = Occupied::new(&pool, round % 4);
        let end = pool.shutdown_now();
        drop(occupied);
        end.wait_timeout(PATIENCE).unwrap();
        assert_eq!((tokens.made(), tokens.alive()), (3, 0), "round {round}");
    }
}

/// The slow job is reported while the pool ends: its hook runs to its end first.
#[test]
fn c07_the_end_waits_for_the_report_of_a_slow_job() {
    let (tokens, gate, reports) = (Tokens::new(), Gate::closed(), Arc::new(AtomicUsize::new(0)));
    let (token, door, counted) = (tokens.token(), gate.clone(), Arc::clone(&reports));
    let pool = ThreadPool::builder()
        .max_threads(1)
        .warn_after(SHORT)
        .on_slow_job(move |_| {
            let _captured = &token;
            door.pass();
            counted.fetch_add(1, Ordering::SeqCst);
        })
        .build();
    let occupied = Occupied::new(&pool, 1);
    gate.wait_for(1);
    occupied.release();
    let end = pool.shutdown();
    assert!(end.wait_timeout(SHORT).is_err(), "the hook still runs");
    gate.open();
    end.wait_timeout(PATIENCE).unwrap();
    assert_eq!((reports.load(Ordering::SeqCst), tokens.alive()), (1, 0));
}

#[test]
fn c07_what_hooks_have_captured_goes_with_a_pool_that_is_dropped() {
    for round in 0..ROUNDS {
        let tokens = Tokens::new();
        let pool = with_tokens(&tokens);
        let occupied = Occupied::new(&pool, round % 3);
        finish(pool.clone().limited(1).submit(|| ())).unwrap();
        if round % 2 == 0 {
            drop(pool);
            occupied.release();
        } else {
            occupied.release();
            drop(pool);
        }
        tokens.wait_until_none();
    }
}

/// A pool that never had a thread has none to drop them.
#[test]
fn c07_what_hooks_have_captured_goes_with_a_pool_that_was_never_used() {
    let tokens = Tokens::new();
    drop(with_tokens(&tokens));
    assert_eq!((tokens.made(), tokens.alive()), (3, 0));
    let pool = with_tokens(&tokens);
    pool.close();
    assert_eq!((tokens.made(), tokens.alive()), (6, 0));
}

/// The pool is among what its own hooks have captured: ending it breaks the circle.
#[test]
fn c07_a_pool_that_its_own_hooks_hold_ends_by_shutdown() {
    within(PATIENCE, || {
        let (tokens, slot) = (Tokens::new(), Arc::new(std::sync::OnceLock::<ThreadPool>::new()));
        let (of_hook, token) = (Arc::clone(&slot), tokens.token());
        let pool = ThreadPool::builder()
            .on_thread_stop(move || {
                let _captured = &token;
                // Refused: the pool is closed.
                assert!(of_hook.get().is_some_and(|pool| finish(pool.submit(|| ())).is_err()));
            })
            .build();
        slot.set(pool.clone()).unwrap();
        finish(pool.submit(|| ())).unwrap();
        finish(pool.shutdown());
        assert_eq!(tokens.alive(), 0);
        assert_eq!(Arc::strong_count(&slot), 1);
    });
}
