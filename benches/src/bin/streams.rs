//! The items of a blocking iterator, awaited one by one: ours, a `tokio::sync::mpsc` fed from `spawn_blocking`, `blocking::Unblock` of the
//! iterator. `cargo run --release -p benches --bin streams [ROUNDS]` prints items per second and allocations per item.
//!
//! The order of turns is drawn anew each round, and ours is entered twice: the ratio of the two is the error of the method.
//!
//! `streams NAME ITEMS` takes the items of one contestant once, with numbers and a buffer of 64, and exits: for an instruction counter.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use benches::{Counting, allocations_during};
use blocking::Unblock;
use futures_lite::StreamExt;
use offload_runtime::{ExecutorExt, ThreadPool, Yielder};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What an iterator yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Items {
    /// A number, made at once.
    Numbers,
    /// A line of 64 bytes, allocated.
    Lines,
}

const CONTESTANTS: [&str; 5] = ["offload", "offload, again", "offload, sent", "mpsc", "unblock"];

fn numbers(n: usize) -> impl Iterator<Item = u64> + Send + 'static {
    (0..n as u64).map(black_box)
}

fn lines(n: usize) -> impl Iterator<Item = String> + Send + 'static {
    (0..n).map(|n| format!("{n:063}\n"))
}

/// Takes all items, and returns how many there were.
async fn take<T, I>(contestant: &str, pool: &ThreadPool, buffer: usize, iterator: I) -> usize
where
    T: Send + 'static,
    I: Iterator<Item = T> + Send + 'static,
{
    match contestant {
        "mpsc" => {
            let (send, mut receive) = tokio::sync::mpsc::channel(buffer);
            let feed = tokio::task::spawn_blocking(move || {
                for item in iterator {
                    if send.blocking_send(item).is_err() {
                        return;
                    }
                }
            });
            let mut count = 0;
            while let Some(item) = receive.recv().await {
                black_box(item);
                count += 1;
            }
            feed.await.expect("the feeder does not panic");
            count
        }
        "unblock" => drain(Unblock::with_capacity(buffer, iterator)).await,
        "offload, sent" => {
            let send = move |out: &mut Yielder<T>| {
                for item in iterator {
                    if out.send(item).is_err() {
                        return;
                    }
                }
            };
            drain(pool.generate(send).buffer(buffer)).await
        }
        _ => drain(pool.stream(move || iterator).buffer(buffer)).await,
    }
}

async fn drain<T>(mut stream: impl futures_lite::Stream<Item = T> + Unpin) -> usize {
    let mut count = 0;
    while let Some(item) = stream.next().await {
        black_box(item);
        count += 1;
    }
    count
}

fn run(
    runtime: &tokio::runtime::Runtime,
    contestant: &'static str,
    items: Items,
    buffer: usize,
    n: usize,
) -> (f64, f64) {
    let pool = ThreadPool::new(1);
    // On a worker of the runtime, where there is one, as a handler would.
    let begin = || match items {
        Items::Numbers => {
            let pool = pool.clone();
            runtime.spawn(async move { take(contestant, &pool, buffer, numbers(n)).await })
        }
        Items::Lines => {
            let pool = pool.clone();
            runtime.spawn(async move { take(contestant, &pool, buffer, lines(n)).await })
        }
    };
    let started = Instant::now();
    assert_eq!(runtime.block_on(begin()).expect("it does not panic"), n);
    let time = started.elapsed();
    let allocations = allocations_during(|| {
        runtime.block_on(begin()).expect("it does not panic");
    });
    (as_f64(n) / time.as_secs_f64(), as_f64(allocations) / as_f64(n))
}

#[expect(clippy::cast_precision_loss, reason = "no count in here is beyond 2^53")]
fn as_f64(n: usize) -> f64 {
    n as f64
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let current = Arc::new(tokio::runtime::Builder::new_current_thread().build().expect("a runtime"));
    if let [name, items] = arguments.as_slice() {
        let contestant = CONTESTANTS.iter().find(|known| *known == name).expect("the name of a contestant");
        let items = items.parse().expect("a number of items");
        println!("{}", current.block_on(take(contestant, &ThreadPool::new(1), 64, numbers(items))));
        return;
    }
    let rounds = arguments.first().map_or(11, |rounds| rounds.parse().expect("a number of rounds"));
    let two = Arc::new(tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime"));
    println!("medians of {rounds} rounds; ratio: of each round, ours to theirs, their median\n");
    println!("| items | buffer | runtime | contestant | items/s | ratio | allocations/item |");
    println!("|---|---|---|---|---|---|---|");
    for (items, n) in [(Items::Numbers, 200_000), (Items::Lines, 100_000)] {
        for buffer in [64, 1024] {
            for (name, runtime) in [("current thread", &current), ("two workers", &two)] {
                let mut rates = vec![Vec::new(); CONTESTANTS.len()];
                let mut allocations = vec![0.0; CONTESTANTS.len()];
                for _ in 0..rounds {
                    let mut turns: Vec<usize> = (0..CONTESTANTS.len()).collect();
                    fastrand::shuffle(&mut turns);
                    for turn in turns {
                        let (rate, allocated) = run(runtime, CONTESTANTS[turn], items, buffer, n);
                        rates[turn].push(rate);
                        allocations[turn] = allocated;
                    }
                }
                for (at, contestant) in CONTESTANTS.iter().enumerate() {
                    let mut ratios: Vec<f64> =
                        rates[0].iter().zip(&rates[at]).map(|(ours, theirs)| ours / theirs).collect();
                    let ratio = median(&mut ratios);
                    let rate = median(&mut rates[at].clone());
                    println!(
                        "| {items:?} | {buffer} | {name} | {contestant} | {rate:.0} | {ratio:.2} | {:.3} |",
                        allocations[at]
                    );
                }
            }
        }
    }
}
