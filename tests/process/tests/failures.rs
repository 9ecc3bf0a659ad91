//! Workers that die, hang or eat memory: each fails its own call, and no other.

use std::time::{Duration, Instant};

use offload_runtime::Error;
use offload_runtime::process::ProcessPool;
use pollster::block_on;
use rustix::process::Signal;
use tests_process::functions;
use tests_process::pool;
use tests_process::support::{bounded, children, content, descriptors, eventually, is_gone, signal, state};

#[track_caller]
fn died<T: std::fmt::Debug>(result: Result<T, Error>, how: &str) {
    match result {
        Err(Error::Died { status }) => assert!(status.contains(how), "{status}, not {how}"),
        other => panic!("{other:?}, and did not die"),
    }
}

fn restarts(pool: &ProcessPool, reason: &str) -> u64 {
    pool.metrics().restarts().find(|(known, _)| *known == reason).unwrap().1
}

#[test]
fn whatever_ends_a_worker_fails_its_call_with_the_signal_or_code() {
    bounded(|| {
        let pool = pool!(max_workers(2));
        let other = functions::sleeps(&pool, 300, 7);
        let ways = [
            ("abort", "SIGABRT"),
            ("exit 0", "exit status: 0"),
            ("exit 3", "exit status: 3"),
            ("segfault", "SIGSEGV"),
            ("kill", "SIGKILL"),
            ("overflow", "SIGABRT"),
        ];
        for (way, how) in ways {
            died(block_on(functions::dies(&pool, way.into())), how);
            assert_eq!(block_on(functions::add(&pool, 1, 2)).unwrap(), 3, "after {way}");
        }
        assert_eq!(block_on(other).unwrap(), 7, "a call on another worker");
        assert_eq!(restarts(&pool, "died"), ways.len() as u64);
    });
}

#[test]
fn a_worker_that_is_killed_from_outside_fails_its_call_with_the_signal() {
    bounded(|| {
        let (pool, directory) = (pool!(max_workers(1)), tempfile::tempdir().unwrap());
        let file = directory.path().join("runs");
        let call = functions::runs_for_ever(&pool, file.clone());
        let process = content(&file).parse().unwrap();
        let running = pool.running_jobs();
        assert_eq!((running.len(), running[0].process_id()), (1, process));
        signal(process, Signal::TERM);
        died(block_on(call), "SIGTERM");
        assert!(pool.running_jobs().is_empty());
    });
}

#[test]
fn a_worker_that_is_killed_while_idle_fails_no_call() {
    bounded(|| {
        let pool = pool!(max_workers(1));
        for n in 1..=20 {
            let process = block_on(functions::process_id(&pool)).unwrap();
            signal(process, Signal::KILL);
            eventually("its death is noticed", || restarts(&pool, "died") == n);
            assert_ne!(block_on(functions::process_id(&pool)).unwrap(), process);
        }
    });
}

#[test]
fn all_workers_killed_at_once_fail_their_calls_and_the_pool_refills() {
    bounded(|| {
        let (pool, directory) = (pool!(max_workers(4)), tempfile::tempdir().unwrap());
        let files: Vec<_> = (0..4).map(|n| directory.path().join(n.to_string())).collect();
        let calls: Vec<_> = files.iter().map(|file| functions::runs_for_ever(&pool, file.clone())).collect();
        let queued = functions::add(&pool, 1, 2);
        let processes: Vec<u32> = files.iter().map(|file| content(file).parse().unwrap()).collect();
        for process in &processes {
            signal(*process, Signal::KILL);
        }
        for call in calls {
            died(block_on(call), "SIGKILL");
        }
        assert_eq!(block_on(queued).unwrap(), 3);
        assert!(processes.iter().all(|process| state(*process).is_none()), "a zombie is left");
    });
}

#[test]
fn a_call_beyond_the_time_limit_is_killed_even_if_its_process_is_stopped() {
    bounded(|| {
        let pool = pool!(max_workers(1), time_limit(Duration::from_millis(100)));
        assert_eq!(block_on(functions::add(&pool, 1, 2)).unwrap(), 3);
        for call in [functions::dies(&pool, "stop".into()), functions::eats(&pool, 0)] {
            let began = Instant::now();
            assert!(matches!(block_on(call), Err(Error::TimedOut)));
            assert!(began.elapsed() >= Duration::from_millis(90), "{:?}", began.elapsed());
        }
        assert_eq!(block_on(functions::add(&pool, 1, 2)).unwrap(), 3);
        assert_eq!(restarts(&pool, "timed_out"), 2);
    });
}

#[test]
fn time_in_the_queue_does_not_count_for_the_time_limit() {
    bounded(|| {
        let pool = pool!(max_workers(1), time_limit(Duration::from_secs(1)));
        let calls: Vec<_> = (0..6).map(|n| functions::sleeps(&pool, 250, n)).collect();
        for (n, call) in calls.into_iter().enumerate() {
            assert_eq!(block_on(call).unwrap(), n as u64);
        }
    });
}

#[test]
fn memory_that_is_touched_counts_and_memory_that_is_reserved_does_not() {
    bounded(|| {
        let pool = pool!(max_workers(2), memory_limit(100 << 20));
        let beside = functions::sleeps(&pool, 500, 7);
        died(block_on(functions::eats(&pool, 400 << 20)), "over the `memory_limit` of 104857600");
        assert!(block_on(functions::reserves(&pool, 8 << 30)).unwrap() >= 8 << 30);
        assert_eq!(block_on(beside).unwrap(), 7);
        assert_eq!(restarts(&pool, "memory"), 1);
    });
}

#[test]
fn a_process_that_holds_the_sockets_of_a_dead_worker_is_killed_with_it() {
    bounded(|| {
        let (pool, directory) = (pool!(max_workers(1)), tempfile::tempdir().unwrap());
        let file = directory.path().join("orphan");
        died(block_on(functions::leaves_an_orphan(&pool, file.clone())), "exit status: 9");
        let orphan = content(&file).parse().unwrap();
        eventually("the orphan is gone", || is_gone(orphan));
    });
}

#[test]
fn a_reply_at_the_instant_of_the_deadline_is_the_call_s_own_or_none() {
    bounded(|| {
        let pool = pool!(max_workers(2), time_limit(Duration::from_millis(5)));
        let (mut replied, mut timed_out) = (0, 0);
        for round in 0..200 {
            let calls: Vec<_> =
                (0..2).map(|n| (2 * round + n, functions::sleeps(&pool, 3 + round % 3, 2 * round + n))).collect();
            for (token, call) in calls {
                match block_on(call) {
                    Ok(reply) => {
                        assert_eq!(reply, token, "a stale reply");
                        replied += 1;
                    }
                    Err(Error::TimedOut) => timed_out += 1,
                    other => panic!("{other:?}"),
                }
            }
        }
        println!("{replied} replied, {timed_out} timed out");
        let metrics = pool.metrics();
        assert_eq!((metrics.completed(), metrics.panicked(), metrics.running()), (replied, timed_out, 0));
    });
}

/// In a process of its own, where nothing else opens descriptors or has children.
#[test]
fn after_thousands_of_calls_with_random_kills_no_zombie_and_no_descriptor_is_left() {
    if std::env::var_os("OFFLOAD_ALONE").is_none() {
        let name = "after_thousands_of_calls_with_random_kills_no_zombie_and_no_descriptor_is_left";
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env("OFFLOAD_ALONE", "1")
            .status();
        assert!(status.unwrap().success());
        return;
    }
    bounded(|| {
        let before = descriptors();
        let pool = pool!(max_workers(3));
        let callers: Vec<_> = (0..4_u64)
            .map(|caller| {
                let pool = pool.clone();
                std::thread::spawn(move || {
                    let mut random = fastrand::Rng::with_seed(caller);
                    let (mut ended, mut dead) = (0, 0);
                    for n in 0..2_500 {
                        // One that has had calls: five starts in a row that fail would open the breaker.
                        if random.u32(..20) == 0
                            && let metrics = pool.metrics()
                            && let Some(worker) = random.choice(
                                metrics.workers().iter().filter(|worker| worker.calls() > 0).collect::<Vec<_>>(),
                            )
                            && let Some(pid) = rustix::process::Pid::from_raw(worker.process_id().try_into().unwrap())
                        {
                            // It may have gone already.
                            let _ = rustix::process::kill_process(pid, Signal::KILL);
                        }
                        match block_on(functions::add(&pool, caller, n)) {
                            Ok(sum) => assert_eq!(sum, caller + n),
                            Err(Error::Died { status }) => {
                                assert!(status.contains("SIGKILL"), "{status}");
                                dead += 1;
                            }
                            // It was killed before it had said hello.
                            Err(Error::Unavailable(why)) => {
                                assert!(why.contains("SIGKILL"), "{why}");
                                dead += 1;
                            }
                            other => panic!("{other:?}"),
                        }
                        ended += 1;
                    }
                    (ended, dead)
                })
            })
            .collect();
        let (ended, dead) =
            callers.into_iter().map(|caller| caller.join().unwrap()).fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
        println!("{ended} calls, {dead} of them failed; {}", pool.metrics());
        assert!(pool.metrics().restarted() > 100);
        let metrics = pool.metrics();
        assert_eq!((metrics.queued(), metrics.running(), metrics.submitted()), (0, 0, ended));
        block_on(pool.shutdown());
        drop(pool);
        eventually("no child is left", || children().is_empty());
        eventually("no descriptor is left", || descriptors() == before);
    });
}
