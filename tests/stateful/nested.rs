//! C10: a job that awaits jobs of its own pool cannot deadlock on the pool's size; they run on other threads, with other states.

use offload_runtime::{ExecutorExt, StatefulPool};
use tests::support::{Gate, PATIENCE, finish, within};

use crate::support::{Log, State};

fn deep(pool: &StatefulPool<State>, depth: usize) -> Vec<usize> {
    if depth == 0 {
        return Vec::new();
    }
    let inner = pool.clone();
    finish(pool.submit_with(move |state| {
        state.use_it();
        let mut numbers = vec![state.number];
        numbers.extend(deep(&inner, depth - 1));
        numbers
    }))
    .unwrap()
}

/// Each job of the chain holds a state while it waits for the next.
#[test]
fn c10_twenty_deep_on_two_threads_with_a_state_each() {
    let log = Log::default();
    let pool = log.pool(2);
    let of_thread = pool.clone();
    let mut numbers = within(PATIENCE, move || deep(&of_thread, 20));
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
    finish(pool.shutdown());
    log.assert_all_dropped_at_home();
}

/// All threads wait at once.
#[test]
fn c10_every_thread_awaits_at_once() {
    let log = Log::default();
    let pool = log.pool(2);
    let gate = Gate::closed();
    let jobs = [(); 2].map(|()| {
        let (of_job, gate) = (pool.clone(), gate.clone());
        pool.submit_with(move |state| {
            gate.pass();
            state.use_it();
            (state.number, finish(of_job.submit_with(|state| state.number)).unwrap())
        })
    });
    gate.wait_for(2);
    gate.open();
    for job in jobs {
        let (outer, inner) = within(PATIENCE, move || finish(job).unwrap());
        assert_ne!(outer, inner, "a state is one job's at a time");
    }
    assert!(log.most() <= 4, "{}", log.most());
}

/// In a view as well, and mixed with plain jobs.
#[test]
fn c10_a_job_of_a_view_awaits_its_view_and_its_pool() {
    let log = Log::default();
    let pool = log.pool(2);
    let view = pool.clone().limited(1);
    let (of_view, of_pool) = (view.clone(), pool.clone());
    let outer = view.submit_with(move |state| {
        state.use_it();
        let inner = finish(of_view.submit_with(|state| state.number)).unwrap();
        let plain = finish(of_pool.submit(|| 7)).unwrap();
        (state.number, inner, plain)
    });
    let (own, other, plain) = within(PATIENCE, move || finish(outer).unwrap());
    assert_ne!(own, other);
    assert_eq!(plain, 7);
}

/// A view keeps to its limit: its jobs have at most as many states at work.
#[test]
fn a_view_runs_at_most_so_many_jobs_at_once() {
    let log = Log::default();
    let pool = log.pool(4);
    let view = pool.clone().limited(2);
    let gate = Gate::closed();
    let jobs: Vec<_> = (0..4)
        .map(|_| {
            let gate = gate.clone();
            view.submit_with(move |state| {
                gate.pass();
                state.use_it()
            })
        })
        .collect();
    gate.wait_for(2);
    let beside = pool.submit_with(|state| state.number);
    assert!(finish(beside).unwrap() <= 3, "the pool has threads left");
    assert_eq!(view.metrics().running(), 2);
    gate.open();
    for job in jobs {
        finish(job).unwrap();
    }
}
