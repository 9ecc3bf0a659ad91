//! What a pool says of its states, and of the jobs that have one.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use offload_runtime::{ExecutorExt, StatefulPool, ThreadPool};
use tests::support::{Gate, assert_balanced, finish};

use crate::support::{Log, State};

#[test]
fn opens_failures_and_open_states_are_counted() {
    let log = Log::default();
    let (fails, of_open) = (Arc::new(AtomicBool::new(false)), log.clone());
    let of_fails = Arc::clone(&fails);
    let pool =
        StatefulPool::builder().max_threads(1).thread_name("db").keep_if(|state: &mut State| state.number == 1).open(
            move || if of_fails.load(Ordering::SeqCst) { Err(io::Error::other("no")) } else { Ok(of_open.open()) },
        );
    let seen = || {
        let metrics = pool.metrics();
        assert_balanced(&metrics);
        (metrics.states_opened(), metrics.states_open(), metrics.states_failed())
    };
    assert_eq!(seen(), (0, 0, 0));
    assert!(!pool.metrics().to_string().contains("states"));
    finish(pool.submit_with(|_| ())).unwrap();
    assert_eq!(seen(), (1, 1, 0));
    finish(pool.submit_with(|state| state.number = 2)).unwrap();
    assert_eq!(seen(), (1, 0, 0));
    fails.store(true, Ordering::SeqCst);
    finish(pool.submit_with(|_| ())).unwrap_err();
    assert_eq!(seen(), (1, 0, 1));
    let metrics = pool.metrics();
    assert!(metrics.to_string().starts_with("db: 1 of 1 threads, 0 states open, 1 opened, 1 failed, "), "{metrics}");
    let of_site: u64 = metrics.by_site().iter().map(offload_runtime::SiteMetrics::refused_state).sum();
    assert_eq!((of_site, metrics.refused_state(), metrics.refused()), (1, 1, 1));
}

#[test]
fn running_jobs_name_the_line_that_submits() {
    let log = Log::default();
    let pool = log.build(StatefulPool::builder().max_threads(1).thread_name("db"));
    let gate = Gate::closed();
    let door = gate.clone();
    let (line, job) = (line!(), pool.submit_with(move |_| door.pass()));
    gate.wait_for(1);
    let running = pool.running_jobs();
    assert_eq!(running.len(), 1);
    assert_eq!((running[0].site().line(), running[0].thread_name()), (line, "db-0"));
    gate.open();
    finish(job).unwrap();
    assert_eq!(pool.metrics().by_site()[0].site().line(), line);
    let view = pool.clone().limited(1);
    finish(view.submit_with(|_| ())).unwrap();
    assert_eq!((view.metrics().completed(), view.metrics().by_site().len()), (1, 1));
}

#[test]
fn a_plain_pool_has_no_states() {
    let pool = ThreadPool::new(1);
    finish(pool.submit(|| ())).unwrap();
    let metrics = pool.metrics();
    assert_eq!((metrics.states_opened(), metrics.states_open(), metrics.states_failed()), (0, 0, 0));
}
