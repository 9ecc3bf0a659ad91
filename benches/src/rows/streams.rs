//! The items of a blocking iterator, awaited one by one, through a buffer of 64 or 1,024: ours beside a `tokio::sync::mpsc` fed from
//! `spawn_blocking`, and beside `blocking::Unblock`. Nanoseconds, CPU time and allocations per item.
//!
//! `numbers` are made at once, `lines` are 64 bytes each, allocated. In `sent` a body sends the numbers instead of being an iterator.

use std::hint::black_box;

use blocking::Unblock;
use futures_lite::{Stream, StreamExt};
use offload_runtime::{ExecutorExt, ThreadPool};

use crate::contestants::{Again, Contestant, Offload};
use crate::host::{Host, Kind};
use crate::memory::Counted;
use crate::meter::{Meter, as_f64};
use crate::row::{Entry, Row};

/// So many items through a buffer.
#[derive(Clone, Copy)]
struct Source<I> {
    items: usize,
    buffer: usize,
    iterator: fn(usize) -> I,
}

fn numbers(n: usize) -> impl Iterator<Item = u64> + Send + 'static {
    (0..n as u64).map(black_box)
}

fn lines(n: usize) -> impl Iterator<Item = String> + Send + 'static {
    (0..n).map(|_| "fifteen letters\n".repeat(4))
}

async fn pulled<I: Iterator<Item: Send> + Send + 'static>(pool: ThreadPool, buffer: usize, iterator: I) -> usize {
    count(pool.stream(move || iterator).buffer(buffer)).await
}

async fn sent<I: Iterator<Item: Send> + Send + 'static>(pool: ThreadPool, buffer: usize, mut iterator: I) -> usize {
    let send = pool.generate(move |out| {
        // `Err`: the consumer has left.
        let _ = iterator.try_for_each(|item| out.send(item));
    });
    count(send.buffer(buffer)).await
}

async fn mpsc<I: Iterator<Item: Send> + Send + 'static>(_: ThreadPool, buffer: usize, mut iterator: I) -> usize {
    let (send, mut receive) = tokio::sync::mpsc::channel(buffer);
    let feed = tokio::task::spawn_blocking(move || {
        let _ = iterator.try_for_each(|item| send.blocking_send(item));
    });
    let mut count = 0;
    while let Some(item) = receive.recv().await {
        black_box(item);
        count += 1;
    }
    feed.await.expect("the feeder does not panic");
    count
}

async fn unblock<I: Iterator<Item: Send> + Send + 'static>(_: ThreadPool, buffer: usize, iterator: I) -> usize {
    count(Unblock::with_capacity(buffer, iterator)).await
}

async fn count(mut stream: impl Stream + Unpin) -> usize {
    let mut count = 0;
    while let Some(item) = stream.next().await {
        black_box(item);
        count += 1;
    }
    count
}

fn entry<I, F>(
    name: &'static str,
    kind: Kind,
    Source { items, buffer, iterator }: Source<I>,
    take: fn(ThreadPool, usize, I) -> F,
) -> Entry
where
    I: 'static,
    F: Future<Output = usize> + Send + 'static,
{
    let turn = move || {
        let (host, pool) = (Host::new(kind), ThreadPool::new(1));
        let run = || assert_eq!(host.run(take(pool.clone(), buffer, iterator(items))), items);
        let counted = Counted::during(run);
        let meter = Meter::start();
        run();
        let mut values = meter.stop(items);
        values.push(as_f64(counted.allocations) / as_f64(items));
        values
    };
    Entry { name, turn: Box::new(turn) }
}

/// The two buffers on the two runtimes; the first contestant is ours.
fn of<I, F>(name: &str, items: usize, iterator: fn(usize) -> I, ours: fn(ThreadPool, usize, I) -> F) -> Vec<Row>
where
    I: Iterator<Item: Send> + Send + 'static,
    F: Future<Output = usize> + Send + 'static,
{
    let places = [64, 1024].into_iter().flat_map(|buffer| Kind::ALL.map(|kind| (buffer, kind)));
    let row = |(buffer, kind): (usize, Kind)| {
        let source = || Source { items, buffer, iterator };
        Row {
            id: format!("stream/{name}/{buffer}/{}", kind.name()),
            first: false,
            figures: &["time", "cpu", "allocs"],
            entries: vec![
                entry(Offload::NAME, kind, source(), ours),
                entry(Again::NAME, kind, source(), ours),
                entry("tokio::mpsc", kind, source(), mpsc),
                entry("unblock", kind, source(), unblock),
            ],
        }
    };
    places.map(row).collect()
}

pub(super) fn rows(quick: bool) -> Vec<Row> {
    let items = if quick { 5_000 } else { 200_000 };
    let mut rows = of("numbers", items, numbers, pulled);
    rows.extend(of("sent", items, numbers, sent));
    rows.extend(of("lines", items / 2, lines, pulled));
    rows
}
