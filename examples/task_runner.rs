//! A struct with an executor of its own, called ten times in a row, with other work in between.
//!
//! `cargo run --example task_runner`

use std::thread;
use std::time::Duration;

use offload_runtime::{ThreadPool, blocking};

/// Runs slow calls on four threads. Clones are handles to the same four.
#[derive(Clone)]
struct TaskRunner {
    executor: ThreadPool,
}

impl TaskRunner {
    fn new() -> Self {
        Self { executor: ThreadPool::new(4) }
    }

    /// Blocks a worker for 0 to 3 tenths of a second and returns how many they were.
    #[blocking]
    fn long_running_call(&self, number: u32) -> u64 {
        let tenths = fastrand::u64(0..=3);
        thread::sleep(Duration::from_millis(100 * tenths));
        println!("call {number}: slept 0.{tenths} s on {}", thread_name());
        tenths
    }
}

/// What the event loop does between the calls.
async fn other_coroutine() {
    tokio::task::yield_now().await;
    println!("other coroutine: {} on {}", fastrand::u32(..1000), thread_name());
}

fn thread_name() -> String {
    thread::current().name().unwrap_or("a thread without a name").to_owned()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let runner = TaskRunner::new();
    let mut total = 0;
    for number in 1..=10 {
        total += runner.long_running_call(number).await;
        other_coroutine().await;
    }
    println!("ten calls, {}.{} s asleep", total / 10, total % 10);
}
