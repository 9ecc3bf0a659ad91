//! Workers that cannot be started, are slow to start, or are not what they should be.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use offload_runtime::Error;
use offload_runtime::process::ProcessPool;
use pollster::block_on;
use tests_process::functions;
use tests_process::support::{bounded, eventually, script};

fn assert_unavailable(result: Result<u64, Error>, because: &str) {
    match result {
        Err(Error::Unavailable(why)) => assert!(why.contains(because), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_missing_program_is_a_spawn_error() {
    bounded(|| {
        let pool = ProcessPool::builder().program("/no/such/program").build().unwrap();
        match block_on(functions::add(&pool, 1, 2)) {
            Err(Error::Spawn(error)) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_child_that_dies_before_its_hello_says_how() {
    bounded(|| {
        let directory = tempfile::tempdir().unwrap();
        let pool = ProcessPool::builder().program(script(directory.path(), "dies", "exit 5")).build().unwrap();
        assert_unavailable(block_on(functions::add(&pool, 1, 2)), "exit status: 5");
    });
}

#[test]
fn a_child_that_never_says_hello_is_killed_after_the_start_timeout() {
    bounded(|| {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("id");
        let mute = script(directory.path(), "mute", &format!("echo $$ > {}; exec sleep 1000", file.display()));
        let pool = ProcessPool::builder().program(mute).start_timeout(Duration::from_millis(300)).build().unwrap();
        assert_unavailable(block_on(functions::add(&pool, 1, 2)), "did not say hello within 300ms");
        let process = fs::read_to_string(file).unwrap().trim().parse().unwrap();
        assert!(tests_process::support::is_gone(process));
    });
}

#[test]
fn a_child_that_says_something_else_is_killed() {
    bounded(|| {
        let directory = tempfile::tempdir().unwrap();
        let count = directory.path().join("count");
        let text = format!("echo x >> {}; printf '%64s' x >&0; exec sleep 1000", count.display());
        let rude = script(directory.path(), "rude", &text);
        let pool = ProcessPool::builder().program(rude).build().unwrap();
        assert_unavailable(block_on(functions::add(&pool, 1, 2)), "it sent what is no frame");
        block_on(pool.shutdown());
        assert_eq!(fs::read_to_string(count).unwrap(), "x\n", "one call, one start");
    });
}

#[test]
fn five_failed_starts_in_a_row_open_the_breaker_and_there_is_no_storm() {
    bounded(|| {
        let directory = tempfile::tempdir().unwrap();
        let count = directory.path().join("count");
        let text = format!(
            "echo x >> {}; test -e {} || exit 1; exec {} \"$@\"",
            count.display(),
            directory.path().join("repaired").display(),
            env!("CARGO_BIN_EXE_worker")
        );
        let pool =
            ProcessPool::builder().max_workers(2).program(script(directory.path(), "broken", &text)).build().unwrap();
        let starts = || fs::read_to_string(&count).unwrap_or_default().lines().count();
        for _ in 0..5 {
            assert!(matches!(block_on(functions::add(&pool, 1, 2)), Err(Error::Unavailable(_))));
        }
        assert_eq!(starts(), 5);
        let began = Instant::now();
        let mut calls = 0;
        while began.elapsed() < Duration::from_millis(500) {
            assert!(matches!(block_on(functions::add(&pool, 1, 2)), Err(Error::Unavailable(_))));
            calls += 1;
        }
        // 100 ms, then 200, then 400.
        assert!((6..=8).contains(&starts()), "{} starts", starts());
        assert!(calls > 100, "{calls} calls: they do not fail at once");
        fs::write(directory.path().join("repaired"), "").unwrap();
        eventually("the breaker closes", || block_on(functions::add(&pool, 1, 2)).is_ok());
        assert_eq!(block_on(functions::add(&pool, 1, 2)).unwrap(), 3);
    });
}

#[test]
fn a_queue_does_not_wait_for_ever_when_its_last_worker_dies_and_none_can_be_started() {
    bounded(|| {
        let directory = tempfile::tempdir().unwrap();
        let broken = directory.path().join("broken");
        let text = format!("test -e {} && exit 1; exec {} \"$@\"", broken.display(), env!("CARGO_BIN_EXE_worker"));
        let program = script(directory.path(), "breaks", &text);
        let pool = ProcessPool::builder().max_workers(2).program(program).build().unwrap();
        let file = directory.path().join("runs");
        let running = functions::runs_for_ever(&pool, file.clone());
        let process = tests_process::support::content(&file).parse().unwrap();
        fs::write(&broken, "").unwrap();
        let queued: Vec<_> = (0..3).map(|n| functions::add(&pool, n, 1)).collect();
        // The other worker cannot be started. The calls wait for the one that is there.
        eventually("the breaker is open", || pool.metrics().restarted() >= 5);
        assert_eq!(pool.metrics().queued(), 3);
        tests_process::support::signal(process, rustix::process::Signal::KILL);
        assert!(matches!(block_on(running), Err(Error::Died { .. })));
        for call in queued {
            assert_unavailable(block_on(call), "exit status: 1");
        }
    });
}

#[test]
fn calls_that_wait_for_a_busy_worker_have_another_one_when_the_breaker_closes() {
    bounded(|| {
        let directory = tempfile::tempdir().unwrap();
        let broken = directory.path().join("broken");
        let text = format!("test -e {} && exit 1; exec {} \"$@\"", broken.display(), env!("CARGO_BIN_EXE_worker"));
        let program = script(directory.path(), "breaks", &text);
        let pool = ProcessPool::builder().max_workers(2).program(program).build().unwrap();
        let file = directory.path().join("runs");
        let running = functions::runs_for_ever(&pool, file.clone());
        tests_process::support::content(&file);
        fs::write(&broken, "").unwrap();
        let queued = functions::add(&pool, 1, 2);
        eventually("the breaker is open", || pool.metrics().restarted() >= 5);
        fs::remove_file(broken).unwrap();
        assert_eq!(block_on(queued).unwrap(), 3);
        drop(running);
    });
}

#[test]
fn workers_that_must_be_there_are_tried_again_without_a_call() {
    bounded(|| {
        let directory = tempfile::tempdir().unwrap();
        let repaired = directory.path().join("repaired");
        let text = format!("test -e {} || exit 1; exec {} \"$@\"", repaired.display(), env!("CARGO_BIN_EXE_worker"));
        let program = script(directory.path(), "broken", &text);
        let pool = ProcessPool::builder().max_workers(2).min_workers(2).program(program).build().unwrap();
        eventually("five starts have failed", || pool.metrics().restarted() >= 5);
        fs::write(repaired, "").unwrap();
        eventually("both are there", || pool.metrics().idle() == 2);
    });
}

#[test]
fn the_supervisor_sleeps_while_a_worker_that_is_tried_again_is_slow_to_start() {
    // In clock ticks, as is what the system counts of a process.
    let ticks = |stat: &Path| {
        let stat = fs::read_to_string(stat).unwrap();
        let fields = stat.rsplit_once(") ").unwrap().1.split(' ');
        // `utime` and `stime`.
        fields.skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum::<u64>()
    };
    bounded(move || {
        let directory = tempfile::tempdir().unwrap();
        let mute = directory.path().join("mute");
        let text = format!("test -e {} || exit 1; exec sleep 1000", mute.display());
        let program = script(directory.path(), "broken", &text);
        let pool = ProcessPool::builder()
            .name("slow")
            .max_workers(2)
            .min_workers(2)
            .start_timeout(Duration::from_secs(1))
            .program(program)
            .build()
            .unwrap();
        eventually("the breaker is open", || pool.metrics().restarted() >= 5);
        fs::write(mute, "").unwrap();
        let task = fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
        let supervisor = task
            .filter(|task| fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim() == "slow-supervisor"))
            .map(|task| task.join("stat"))
            .next()
            .unwrap();
        let known = pool.metrics().restarted();
        let (before, began) = (ticks(&supervisor), Instant::now());
        eventually("the slow one is given up", || pool.metrics().restarted() > known);
        let busy = Duration::from_millis(10) * u32::try_from(ticks(&supervisor) - before).unwrap();
        assert!(busy < began.elapsed() / 5, "{busy:?} of {:?}", began.elapsed());
    });
}

#[test]
fn a_program_file_that_is_still_being_written_is_tried_again() {
    bounded(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("worker");
        fs::copy(env!("CARGO_BIN_EXE_worker"), &path).unwrap();
        let writer = fs::OpenOptions::new().append(true).open(&path).unwrap();
        let pool = ProcessPool::builder().program(&path).build().unwrap();
        let call = functions::add(&pool, 1, 2);
        let closes = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            drop(writer);
        });
        assert_eq!(block_on(call).unwrap(), 3);
        closes.join().unwrap();
    });
}

#[test]
fn processes_are_started_while_other_threads_start_some_and_allocate() {
    bounded(|| {
        let pool = ProcessPool::builder()
            .max_workers(2)
            .calls_per_worker(1)
            .program(env!("CARGO_BIN_EXE_worker"))
            .build()
            .unwrap();
        let others: Vec<_> = (0..2)
            .map(|_| {
                std::thread::spawn(|| {
                    for n in 0..150 {
                        let bytes = vec![1_u8; 1 << (n % 16)];
                        assert!(std::process::Command::new("true").status().unwrap().success());
                        drop(bytes);
                    }
                })
            })
            .collect();
        for n in 0..150 {
            assert_eq!(block_on(functions::add(&pool, n, 1)).unwrap(), n + 1);
        }
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn a_retiring_worker_exits_by_itself() {
    bounded(|| {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("status");
        // What a coverage tool writes at exit would be lost if it were killed; as this line would.
        let text = format!("{} \"$@\"\necho \"exit $?\" > {}", env!("CARGO_BIN_EXE_worker"), file.display());
        let pool = ProcessPool::builder()
            .calls_per_worker(1)
            .program(script(directory.path(), "wrapped", &text))
            .build()
            .unwrap();
        assert_eq!(block_on(functions::add(&pool, 1, 2)).unwrap(), 3);
        assert_eq!(tests_process::support::content(&file).trim(), "exit 0");
    });
}
