//! What `#[blocking]` adds to the same call by hand: clone `self`, own the arguments, submit a closure, await it.
//!
//! The executor is `Inline`, so that no thread, queue or wake-up is in the figure. Here "ours" is the attribute.

use std::hint::black_box;
use std::sync::Arc;

use offload_runtime::{ExecutorExt, Inline, blocking};

use crate::memory::Counted;
use crate::meter::{Meter, as_f64};
use crate::row::{Entry, Row};

#[derive(Clone)]
struct Service {
    executor: Inline,
    seed: Arc<u64>,
}

impl Service {
    #[blocking]
    fn attribute(&self, name: &str, n: u64) -> u64 {
        self.compute(name, n)
    }

    async fn by_hand(&self, name: &str, n: u64) -> u64 {
        let this = self.clone();
        let name = name.to_owned();
        self.executor.submit(move || this.compute(&name, n)).await.expect("`Inline` refuses nothing")
    }

    #[inline(never)]
    fn compute(&self, name: &str, n: u64) -> u64 {
        *self.seed ^ n ^ name.len() as u64
    }
}

/// Times calls, then counts what as many allocate.
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
        let meter = Meter::start();
        run(calls);
        let mut values = meter.stop(calls);
        let counted = Counted::during(|| run(calls));
        values.push(as_f64(counted.allocations) / as_f64(calls));
        values
    };
    Entry { name, turn: Box::new(turn) }
}

const NAME: &str = "ada@example.com";

pub(super) fn rows(quick: bool) -> Vec<Row> {
    let calls = if quick { 1_000 } else { 50_000 };
    let entries = vec![
        entry("#[blocking]", calls, |service, n| async move { service.attribute(NAME, n).await }),
        entry("hand", calls, |service, n| async move { service.by_hand(NAME, n).await }),
    ];
    vec![Row { id: "attribute".to_owned(), first: false, figures: &["time", "cpu", "allocs"], entries }]
}
