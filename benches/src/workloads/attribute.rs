//! The attribute against the same method by hand: what `#[blocking]` itself adds to a call.
//!
//! The executor is `Inline`, so that nothing else is in the figure: no thread, no queue, no wake-up. By hand means what a user writes
//! without the attribute: clone `self`, make the arguments owned, submit a closure, await it.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use offload_runtime::{ExecutorExt, Inline, blocking};

use crate::args::Scale;
use crate::memory::Count;
use crate::meter::{as_f64, per};
use crate::row::{Entry, Figure, Row, Unit};

#[derive(Clone)]
struct Service {
    executor: Inline,
    seed: Arc<u64>,
}

impl Service {
    #[blocking]
    fn owned(&self, name: [u8; 16], n: u64) -> u64 {
        self.compute(&name, n)
    }

    async fn owned_by_hand(&self, name: [u8; 16], n: u64) -> u64 {
        let this = self.clone();
        self.executor.submit(move || this.compute(&name, n)).await.expect("`Inline` refuses nothing")
    }

    #[blocking]
    fn borrowed(&self, name: &str, n: u64) -> u64 {
        self.compute(name.as_bytes(), n)
    }

    async fn borrowed_by_hand(&self, name: &str, n: u64) -> u64 {
        let this = self.clone();
        let name = name.to_owned();
        self.executor.submit(move || this.compute(name.as_bytes(), n)).await.expect("`Inline` refuses nothing")
    }

    #[inline(never)]
    fn compute(&self, name: &[u8], n: u64) -> u64 {
        *self.seed ^ n ^ name.len() as u64
    }
}

/// Times and counts calls of one of the methods above.
fn entry<F>(name: &'static str, calls: usize, call: impl Fn(Service, u64) -> F + Copy + 'static) -> Entry
where
    F: Future<Output = u64>,
{
    let turn = move || {
        let service = Service { executor: Inline, seed: Arc::new(7) };
        let run = |calls: usize| {
            pollster::block_on(async {
                for i in 0..calls as u64 {
                    black_box(call(service.clone(), i).await);
                }
            });
        };
        run(calls / 10);
        let begun = Instant::now();
        run(calls);
        let time = begun.elapsed();
        Count::start();
        run(calls);
        let count = Count::stop();
        let each = |n: usize| as_f64(n) / as_f64(calls);
        vec![per(time, calls), each(count.allocations), each(count.bytes)]
    };
    Entry { name, turn: Box::new(turn) }
}

const NAME: &str = "ada@example.com";

fn figures() -> Vec<Figure> {
    vec![
        Figure::ratio("time", "time per call", Unit::Nanoseconds),
        Figure::as_is("allocations", "allocations per call", Unit::Count),
        Figure::as_is("bytes", "bytes allocated per call", Unit::Bytes),
    ]
}

pub(crate) fn rows(scale: &Scale) -> Vec<Row> {
    let calls = scale.shrink(100_000, 10);
    let owned = move |_: &Scale| {
        let name = *b"ada@example.com ";
        vec![
            entry("#[blocking]", calls, move |service, n| async move { service.owned(name, n).await }),
            entry("by hand", calls, move |service, n| async move { service.owned_by_hand(name, n).await }),
        ]
    };
    let borrowed = move |_: &Scale| {
        vec![
            entry("#[blocking]", calls, |service, n| async move { service.borrowed(NAME, n).await }),
            entry("by hand", calls, |service, n| async move { service.borrowed_by_hand(NAME, n).await }),
        ]
    };
    vec![
        Row::new("attribute/owned", "the attribute beside `submit` by hand, owned arguments", figures(), owned),
        Row::new("attribute/borrowed", "the attribute beside `submit` by hand, a `&str`", figures(), borrowed),
    ]
}
