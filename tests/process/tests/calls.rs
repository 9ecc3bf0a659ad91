//! What crosses to a child process, and what comes back.

use std::path::Path;

use offload_runtime::process::ProcessPool;
use offload_runtime::remote::{Local, RemoteExecutor};
use offload_runtime::{Error, ThreadPool};
use pollster::block_on;
use tests_process::functions::{self, Refusal};
use tests_process::pool;
use tests_process::support::bounded;

/// The same on every remote executor.
fn results_and_errors_cross(executor: &impl RemoteExecutor) {
    assert_eq!(block_on(functions::add(executor, 40, 2)).unwrap(), 42);
    assert_eq!(block_on(functions::halve(executor, 8)).unwrap(), Ok(4));
    assert_eq!(block_on(functions::halve(executor, 7)).unwrap(), Err(Refusal::Odd(7)));
    let words = block_on(functions::count_words(executor, "to be or not to be".into())).unwrap();
    assert_eq!((words.len(), words["to"], words["or"]), (4, 2, 1));
    assert_eq!(block_on(functions::echo(executor, String::new())).unwrap(), "");
    match block_on(functions::panics(executor, "out of cheese".into())) {
        Err(Error::Panicked(panic)) => {
            let text = panic.into_payload().downcast::<String>().unwrap();
            assert!(text.starts_with("out of cheese"), "{text}");
        }
        other => panic!("{other:?}"),
    }
    match block_on(functions::panics_without_text(executor)) {
        Err(Error::Panicked(panic)) => assert!(panic.message().unwrap().starts_with("a payload that is not text")),
        other => panic!("{other:?}"),
    }
    match block_on(functions::malicious(executor)) {
        Err(Error::Panicked(panic)) => assert!(panic.message().unwrap().contains("the decoder"), "{panic}"),
        other => panic!("{other:?}"),
    }
    match block_on(functions::unencodable(executor)) {
        Err(Error::Codec(why)) => assert!(why.starts_with("the result: "), "{why}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(block_on(functions::add(executor, 1, 2)).unwrap(), 3, "after all that");
}

#[test]
fn results_and_errors_cross_to_a_process() {
    bounded(|| {
        let pool = pool!(max_workers(1));
        results_and_errors_cross(&pool);
        assert_eq!(pool.metrics().restarted(), 0, "a panic does not end a worker");
    });
}

#[test]
fn results_and_errors_cross_to_a_local_executor() {
    bounded(|| results_and_errors_cross(&Local(ThreadPool::new(1))));
}

#[test]
fn a_panic_says_where_it_was() {
    bounded(|| {
        let pool = pool!(max_workers(1));
        let Err(Error::Panicked(panic)) = block_on(functions::panics(&pool, "here".into())) else { panic!() };
        let message = panic.message().unwrap();
        assert!(message.starts_with("here, at ") && message.contains("functions.rs:"), "{message}");
    });
}

#[test]
fn a_call_of_64_mb_crosses_and_comes_back() {
    bounded(|| {
        let pool = pool!(max_workers(1));
        let text = "x".repeat(64 << 20);
        assert_eq!(block_on(functions::echo(&pool, text.clone())).unwrap().len(), text.len());
    });
}

/// The most memory that a process has occupied, in bytes.
#[cfg(target_os = "linux")]
fn peak(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// In a process of its own, where nothing else needs memory.
#[cfg(target_os = "linux")]
#[test]
fn a_large_call_is_in_memory_twice_on_each_side() {
    const LENGTH: usize = 64 << 20;
    if std::env::var_os("OFFLOAD_ALONE").is_none() {
        let passes = || {
            let status = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "a_large_call_is_in_memory_twice_on_each_side", "--nocapture"])
                .env("OFFLOAD_ALONE", "1")
                .status();
            status.unwrap().success()
        };
        // The thread that sends drops what it has sent, which may be late on a machine that is busy: then the result has arrived meanwhile.
        assert!((0..4).any(|_| passes()));
        return;
    }
    bounded(|| {
        let pool = pool!(max_workers(1));
        let child = block_on(functions::process_id(&pool)).unwrap();
        let before = [std::process::id(), child].map(peak);
        let text = block_on(functions::echo(&pool, "x".repeat(LENGTH))).unwrap();
        assert_eq!(text.len(), LENGTH);
        // The system counts in steps, thread by thread: a peak may be some pages more or less.
        let [here, there] = [std::process::id(), child].map(peak);
        // Here: the value and its bytes, first of the argument, then of the result.
        let here = here - before[0];
        assert!((LENGTH + LENGTH / 2..2 * LENGTH + LENGTH / 2).contains(&here), "{here}");
        // There: the value, and the bytes of both, as the result is the argument.
        let there = there - before[1];
        assert!((LENGTH + LENGTH / 2..3 * LENGTH + LENGTH / 2).contains(&there), "{there}");
    });
}

#[test]
fn calls_of_all_sizes_follow_each_other_on_one_worker() {
    bounded(|| {
        let pool = pool!(max_workers(1));
        // A worker keeps the buffer of a call for the next, unless it is larger than 4 MiB.
        for (letter, length) in (b'a'..).zip([0, 3 << 20, 10, 1 << 20, 64 << 10, 6 << 20, 1, (4 << 20) - 5, 100_000]) {
            let text = char::from(letter).to_string().repeat(length);
            assert!(block_on(functions::echo(&pool, text.clone())).unwrap() == text, "{length}");
        }
        assert_eq!(pool.metrics().restarted(), 0);
    });
}

#[test]
fn a_payload_over_the_limit_is_an_error_that_names_both_sizes() {
    bounded(|| {
        let pool = pool!(max_workers(1), payload_limit(1_000));
        let Err(Error::Codec(why)) = block_on(functions::echo(&pool, "x".repeat(2_000))) else { panic!() };
        assert!(why.contains("the arguments has 2002 bytes") && why.contains("is 1000"), "{why}");
        assert_eq!(pool.metrics().workers().len(), 0, "nothing was sent");
        let Err(Error::Codec(why)) = block_on(functions::zeros(&pool, 2_000)) else { panic!() };
        assert!(why.contains("the result has 2002 bytes") && why.contains("is 1000"), "{why}");
        assert_eq!(block_on(functions::zeros(&pool, 900)).unwrap().len(), 900);
        assert_eq!(pool.metrics().restarted(), 0);
    });
}

/// 1 MiB each way, 1,000 times; `OFFLOAD_LARGE_CALLS=10000` makes it more.
#[test]
fn many_large_calls_from_several_threads_do_not_wait_for_each_other() {
    let calls = std::env::var("OFFLOAD_LARGE_CALLS").map_or(1_000, |calls| calls.parse::<u32>().unwrap());
    bounded(move || {
        let pool = pool!(max_workers(2));
        let callers: Vec<_> = (0..4)
            .map(|caller: u8| {
                let pool = pool.clone();
                std::thread::spawn(move || {
                    let text = char::from(b'a' + caller).to_string().repeat(1 << 20);
                    for _ in 0..calls / 4 {
                        assert!(block_on(functions::echo(&pool, text.clone())).unwrap() == text);
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.join().unwrap();
        }
    });
}

#[test]
fn workers_have_the_chosen_surroundings_and_an_empty_stdin() {
    bounded(|| {
        let directory = tempfile::tempdir().unwrap();
        let pool = pool!(max_workers(1), env("OFFLOAD_TEST", "set"), current_dir(directory.path()));
        let (variable, current) = block_on(functions::surroundings(&pool, "OFFLOAD_TEST".into())).unwrap();
        assert_eq!(variable.as_deref(), Some("set"));
        assert_eq!(current, directory.path().canonicalize().unwrap());
        assert_eq!(block_on(functions::reads_stdin(&pool)).unwrap(), 0);
    });
}

#[test]
fn a_start_hook_runs_before_the_first_call_of_each_worker() {
    bounded(|| {
        let pool = pool!(max_workers(1), calls_per_worker(1), on_worker_start(functions::warm_up));
        for _ in 0..2 {
            assert!(block_on(functions::is_warm(&pool)).unwrap());
        }
        let cold = pool!(max_workers(1));
        assert!(!block_on(functions::is_warm(&cold)).unwrap());
        let builder = ProcessPool::builder().program(env!("CARGO_BIN_EXE_worker"));
        let refused = builder.on_worker_start(functions::not_registered).build();
        assert!(matches!(refused, Err(Error::Unavailable(why)) if why.contains("worker_start!")));
    });
}

#[test]
fn a_worker_cannot_have_a_pool_of_its_own() {
    bounded(|| {
        let refused = block_on(functions::wants_a_pool(&pool!(max_workers(1)))).unwrap();
        assert!(refused.contains("a worker process cannot have"), "{refused}");
    });
}

#[test]
fn a_pool_without_init_is_refused_and_no_process_is_started() {
    let refused = ProcessPool::new(1);
    assert!(matches!(refused, Err(Error::Unavailable(why)) if why.contains("process::init")));
}

#[test]
fn a_worker_is_in_a_process_group_of_its_own() {
    bounded(|| {
        let pool = pool!(max_workers(1));
        let group = block_on(functions::process_group(&pool)).unwrap();
        assert_eq!(group, block_on(functions::process_id(&pool)).unwrap());
    });
}

#[test]
fn a_worker_has_no_descriptor_of_its_parent() {
    bounded(|| {
        let directory = tempfile::tempdir().unwrap();
        let path: &Path = directory.path();
        let kept = std::fs::File::create(path.join("kept")).unwrap();
        let pool = pool!(max_workers(3));
        let one = block_on(functions::descriptors(&pool)).unwrap();
        // A second worker, while the first has its sockets.
        let busy = functions::sleeps(&pool, 100, 0);
        let two = block_on(functions::descriptors(&pool)).unwrap();
        for descriptors in [one, two] {
            let sockets = descriptors.iter().filter(|name| name.starts_with("socket:")).count();
            assert!(!descriptors.iter().any(|name| name.ends_with("kept")), "{descriptors:?}");
            assert!(sockets <= 2 + inherited_sockets(), "{descriptors:?}");
        }
        drop((kept, busy));
    });
}

/// Of the three that a worker shares with its parent, how many are sockets.
fn inherited_sockets() -> usize {
    let own = (1..3).filter_map(|descriptor| std::fs::read_link(format!("/proc/self/fd/{descriptor}")).ok());
    own.filter(|name| name.to_string_lossy().starts_with("socket:")).count()
}
