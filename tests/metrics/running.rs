//! What runs now.

use std::thread::sleep;
use std::time::{Duration, Instant};

use offload_runtime::{Error, ExecutorExt, ThreadPool, blocking, check_cancelled, is_cancelled, on_cancel};
use tests::support::{Gate, Occupied, finish};

#[derive(Clone)]
struct Door {
    executor: ThreadPool,
    gate: Gate,
}

impl Door {
    #[blocking(handle)]
    fn pass(&self) {
        self.gate.pass();
    }
}

#[test]
fn a_job_whose_client_is_gone_is_seen_as_that() {
    let door = Door { executor: ThreadPool::builder().thread_name("door").build(), gate: Gate::closed() };
    let handle = door.pass();
    door.gate.wait_for(1);
    let [job] = &door.executor.running_jobs()[..] else { panic!("one job runs") };
    assert_eq!((job.site().name(), job.thread_name(), job.is_cancelled()), (Some("pass"), "door-0", false));
    drop(handle);
    let [job] = &door.executor.running_jobs()[..] else { panic!("it still runs") };
    assert!(job.is_cancelled());
    door.gate.open();
    finish(door.executor.shutdown());
    assert!(door.executor.running_jobs().is_empty());
}

#[test]
fn a_job_that_was_awaited_is_not_shown_as_running() {
    let pool = ThreadPool::new(2);
    for _ in 0..1_000 {
        finish(pool.submit(|| ())).unwrap();
        assert!(pool.running_jobs().is_empty());
    }
}

/// Looks at jobs that end under it.
#[test]
fn reading_metrics_disturbs_no_job() {
    let pool = ThreadPool::new(2);
    let looker = {
        let pool = pool.clone();
        std::thread::spawn(move || (0..5_000).map(|_| pool.running_jobs().len()).max())
    };
    let mut sum = 0;
    for i in 0..5_000_u64 {
        sum += finish(pool.submit(move || i)).unwrap();
    }
    assert_eq!(sum, 4_999 * 5_000 / 2);
    assert!(looker.join().unwrap().unwrap() <= 2);
}

#[test]
fn elapsed_counts_from_the_beginning() {
    let pool = ThreadPool::new(1);
    let occupied = Occupied::new(&pool, 1);
    sleep(Duration::from_millis(20));
    assert!(pool.running_jobs()[0].elapsed() >= Duration::from_millis(20));
    occupied.release();
}

#[test]
fn without_timing_elapsed_counts_from_the_first_look() {
    let pool = ThreadPool::builder().timing(false).build();
    let occupied = Occupied::new(&pool, 1);
    let first = pool.running_jobs()[0].elapsed();
    sleep(Duration::from_millis(20));
    assert!(pool.running_jobs()[0].elapsed() >= first + Duration::from_millis(20));
    occupied.release();
    // The next job begins anew, at the first look at it.
    let occupied = Occupied::new(&pool, 1);
    let before = Instant::now();
    assert!(pool.running_jobs()[0].elapsed() <= before.elapsed());
    occupied.release();
}

#[test]
fn a_job_of_a_view_is_seen_on_the_thread_of_its_pool() {
    let pool = ThreadPool::new(1);
    let view = pool.clone().limited(1);
    let gates = [Gate::closed(), Gate::closed()];
    let handles = gates.clone().map(|gate| view.submit(move || gate.pass()));
    let mut lines = Vec::new();
    for gate in &gates {
        gate.wait_for(1);
        let [job] = &pool.running_jobs()[..] else { panic!("one runs at once") };
        assert_eq!(job.site().name(), None, "the job itself, not the view's turn");
        lines.push((job.site().line(), job.is_cancelled()));
        gate.open();
    }
    let [first, second] = lines[..] else { panic!("two") };
    assert_eq!(first, second);
    for handle in handles {
        finish(handle).unwrap();
    }
}

/// A job and the one that it awaits run on two threads. A job of a view is seen instead of the runner on whose thread it is.
#[test]
fn nested_jobs_are_seen_each_on_its_thread() {
    let pool = ThreadPool::new(1);
    let (inner, gate) = (pool.clone().limited(1), Gate::closed());
    let of_inner = gate.clone();
    let outer = pool.submit(move || finish(inner.submit(move || of_inner.pass())).unwrap());
    gate.wait_for(1);
    let lines: Vec<u32> = pool.running_jobs().iter().map(|job| job.site().line()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0], lines[1], "both are submitted by one line of this test");
    assert!(pool.running_jobs().iter().all(|job| job.site().file().ends_with("running.rs")));
    gate.open();
    finish(outer).unwrap();
}

/// While several threads look, a job and the one that it awaits are each shown as what they are: neither in the place of the other, and the
/// outer one for as long as it runs.
#[test]
fn readers_do_not_change_what_is_shown() {
    use std::sync::atomic::{AtomicBool, Ordering};

    struct SetOnDrop<'a>(&'a AtomicBool);
    impl Drop for SetOnDrop<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    for timing in [true, false] {
        let pool = ThreadPool::builder().max_threads(1).timing(timing).build();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            // Also where an assertion fails: the scope waits for its threads.
            let _done = SetOnDrop(&done);
            for _ in 0..2 {
                scope.spawn(|| {
                    while !done.load(Ordering::SeqCst) {
                        assert!(pool.running_jobs().len() <= 2);
                    }
                });
            }
            for _ in 0..200 {
                let of_job = pool.clone();
                let view = pool.clone().limited(1);
                let outer = pool.submit(move || {
                    let here = std::thread::current().name().unwrap().to_owned();
                    let seen = || of_job.running_jobs().into_iter().find(|job| job.thread_name() == here).unwrap();
                    let before = seen();
                    finish(of_job.submit(|| ())).unwrap();
                    finish(view.submit(|| ())).unwrap();
                    let after = seen();
                    (before.site().line(), before.elapsed(), after.site().line(), after.elapsed())
                });
                let (line, elapsed, line_after, elapsed_after) = finish(outer).unwrap();
                assert_eq!(line, line_after, "another job is shown in its place");
                assert!(elapsed <= elapsed_after, "it begins anew");
            }
        });
    }
}

#[test]
fn a_running_job_is_cancelled_from_what_was_seen_of_it() {
    let pool = ThreadPool::new(1);
    let (gate, (told, was_told)) = (Gate::closed(), std::sync::mpsc::channel());
    let of_job = gate.clone();
    let handle = pool.submit(move || {
        let _hook = on_cancel(move || told.send(()).unwrap());
        of_job.pass();
        check_cancelled();
    });
    gate.wait_for(1);
    let [job] = &pool.running_jobs()[..] else { panic!("one runs") };
    assert!(job.cancel());
    was_told.try_recv().expect("the callback has run");
    assert!(pool.running_jobs()[0].is_cancelled());
    assert!(job.cancel(), "it runs still: a second request changes nothing");
    gate.open();
    assert!(matches!(finish(handle), Err(Error::Cancelled)));
    assert!(!job.cancel());
}

/// The cell of a later job may be at the same address, and on the same thread.
#[test]
fn a_later_job_is_not_cancelled_in_the_place_of_an_earlier_one() {
    let pool = ThreadPool::new(1);
    let mut seen = Vec::new();
    for _ in 0..50 {
        let gate = Gate::closed();
        let of_job = gate.clone();
        let handle = pool.submit(move || {
            of_job.pass();
            is_cancelled()
        });
        gate.wait_for(1);
        for earlier in &seen {
            assert!(!offload_runtime::RunningJob::cancel(earlier));
        }
        seen.extend(pool.running_jobs());
        gate.open();
        assert!(!finish(handle).unwrap());
    }
    let numbers: std::collections::BTreeSet<u64> = seen.iter().map(offload_runtime::RunningJob::number).collect();
    assert_eq!(numbers.len(), 50);
}

/// Jobs end while they are cancelled from outside.
#[test]
fn cancelling_jobs_that_end_disturbs_no_other() {
    let pool = ThreadPool::new(2);
    let over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(std::sync::atomic::Ordering::SeqCst) {
                for job in pool.running_jobs() {
                    job.cancel();
                }
            }
        });
        let mut sum = 0;
        for i in 0..2_000_u64 {
            sum += finish(pool.submit(move || i)).unwrap();
        }
        over.store(true, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(sum, 1_999 * 2_000 / 2);
    });
    tests::support::assert_balanced(&pool.metrics());
}
