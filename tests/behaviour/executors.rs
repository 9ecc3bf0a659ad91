//! Executors as values: behind references, in fields, of one's own; and what they show of themselves.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use offload_runtime::{Executor, ExecutorExt, Inline, Job, ThreadPool};
use tests::support::{Gate, finish, tokio_runtime};

#[test]
fn an_executor_may_stand_behind_any_pointer() {
    let pool = ThreadPool::new(1);
    let shared: Arc<dyn Executor> = Arc::new(pool.clone());
    let boxed: Box<dyn Executor> = Box::new(pool.clone());
    let by_reference: &dyn Executor = &&pool;
    for executor in [by_reference, &shared, &boxed] {
        assert_eq!(finish(executor.submit(|| 1)).unwrap(), 1);
    }
    assert_eq!(finish(Arc::new(pool).limited(1).submit(|| 2)).unwrap(), 2);
    let view: Arc<dyn Executor> = Arc::new(shared.limited(1));
    assert_eq!(finish(view.submit(|| 3)).unwrap(), 3);
}

#[test]
fn an_executor_of_ones_own_is_three_lines() {
    struct ThreadPerJob;
    impl Executor for ThreadPerJob {
        fn execute(&self, job: Job) {
            std::thread::spawn(|| job.run());
        }
    }
    let here = std::thread::current().id();
    assert_ne!(finish(ThreadPerJob.submit(|| std::thread::current().id())).unwrap(), here);
}

#[test]
fn a_job_is_enqueued_before_submit_returns() {
    struct Counting(AtomicUsize);
    impl Executor for Counting {
        fn execute(&self, job: Job) {
            self.0.fetch_add(1, Ordering::SeqCst);
            job.run();
        }
    }
    let executor = Counting(AtomicUsize::new(0));
    let handle = executor.submit(|| 1);
    assert_eq!(executor.0.load(Ordering::SeqCst), 1, "though it was not polled");
    assert!(handle.is_finished());
    assert_eq!(finish(handle).unwrap(), 1);
    assert_eq!(executor.0.load(Ordering::SeqCst), 1, "and once only");
}

/// `run_background(func, callback, args)`: the continuation runs back on the event loop.
#[tokio::test]
async fn the_continuation_runs_on_the_loop_that_awaits() {
    let pool = ThreadPool::new(1);
    let here = std::thread::current().id();
    let (there, back) = {
        let job = pool.submit(|| std::thread::current().id());
        let there = job.await.unwrap();
        (there, std::thread::current().id())
    };
    assert_ne!(there, here);
    assert_eq!(back, here);
}

#[test]
fn many_jobs_are_awaited_together() {
    let pool = ThreadPool::new(4);
    let sum = tokio_runtime(1).block_on(async {
        let jobs = (0..1_000_u64).map(|i| pool.submit(move || i));
        let mut sum = 0;
        for job in jobs.collect::<Vec<_>>() {
            sum += job.await.unwrap();
        }
        sum
    });
    assert_eq!(sum, 499_500);
}

#[test]
fn a_pool_is_a_handle() {
    let pool = ThreadPool::builder().max_threads(1).thread_name("one").build();
    let clone = pool.clone();
    let name = |pool: &ThreadPool| finish(pool.submit(|| std::thread::current().name().map(str::to_owned))).unwrap();
    assert_eq!(name(&pool), name(&clone));
    clone.close();
    assert!(finish(pool.submit(|| ())).is_err());
}

#[test]
fn what_they_show_of_themselves() {
    let gate = Gate::closed();
    let pool = ThreadPool::builder().max_threads(2).thread_name("shown").build();
    let door = gate.clone();
    let running = pool.submit(move || door.pass());
    gate.wait_for(1);
    let text = format!("{pool:?}");
    for part in
        ["ThreadPool", "name: \"shown\"", "max_threads: 2", "threads: 1", "running: 1", "queued: 0", "closed: false"]
    {
        assert!(text.contains(part), "{text}");
    }
    let text = format!("{running:?}");
    assert!(text.contains("executors.rs:") && text.contains("is_finished: false"), "{text}");
    assert!(format!("{:?}", pool.clone().limited(3)).contains("limit: 3"));
    assert!(format!("{:?}", pool.shutdown()).contains("threads: 1"));
    assert!(format!("{:?}", ThreadPool::builder().max_threads(7)).contains("max_threads: 7"));
    assert_eq!(format!("{Inline:?}"), "Inline");
    gate.open();
    finish(running).unwrap();
}

#[test]
fn running_jobs_tells_what_runs_where_and_since_when() {
    let pool = ThreadPool::builder().max_threads(2).thread_name("db").build();
    assert!(pool.running_jobs().is_empty());
    let gate = Gate::closed();
    let (first, second) = (gate.clone(), gate.clone());
    let line = line!() + 1;
    let one = pool.submit(move || first.pass());
    gate.wait_for(1);
    let two = pool.submit(move || second.pass());
    gate.wait_for(2);
    let jobs = pool.running_jobs();
    let seen: Vec<_> = jobs.iter().map(|job| (job.site().line(), job.thread_name())).collect();
    assert_eq!(seen, [(line, "db-0"), (line + 2, "db-1")]);
    assert!(jobs[0].elapsed() >= jobs[1].elapsed(), "the first has been running for longer");
    gate.open();
    finish(one).unwrap();
    finish(two).unwrap();
    finish(pool.shutdown());
    assert!(pool.running_jobs().is_empty());
}

#[test]
fn hooks_run_on_each_thread_around_all_its_jobs() {
    let (log, events) = mpsc::channel();
    let (start, stop, body) = (log.clone(), log.clone(), log);
    let name = || std::thread::current().name().map(str::to_owned);
    let pool = ThreadPool::builder()
        .max_threads(1)
        .thread_name("hooked")
        .on_thread_start(move || start.send(("start", name())).unwrap())
        .on_thread_stop(move || stop.send(("stop", name())).unwrap())
        .build();
    for _ in 0..2 {
        let body = body.clone();
        finish(pool.submit(move || body.send(("job", name())).unwrap())).unwrap();
    }
    finish(pool.shutdown());
    let (what, names): (Vec<_>, Vec<_>) = events.try_iter().unzip();
    assert_eq!(what, ["start", "job", "job", "stop"]);
    assert!(names.iter().all(|name| name.as_deref() == Some("hooked-0")), "{names:?}");
}
