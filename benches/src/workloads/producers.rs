//! The pool under 1, 2, 4, 8, 16 threads that submit at once: contention.

use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::thread;

use super::warm_up;
use crate::args::Scale;
use crate::contestants::Contestant;
use crate::host::{Host, Kind};
use crate::meter::{Cost, Meter};
use crate::row::{Row, Workload, field};

/// How many jobs a producer has in the pool before it waits for them.
const BATCH: usize = 64;

#[derive(Clone)]
struct Producers {
    producers: usize,
    batches: usize,
}

impl Workload for Producers {
    fn turn<C: Contestant>(&self, pool: &Arc<C>, host: &Host) -> Vec<f64> {
        warm_up(pool, host);
        let all_there = Barrier::new(self.producers + 1);
        let meter = thread::scope(|scope| {
            for _ in 0..self.producers {
                scope.spawn(|| {
                    all_there.wait();
                    for _ in 0..self.batches {
                        let handles: Vec<_> = (0..BATCH as u64).map(|i| pool.submit(move || i)).collect();
                        for handle in handles {
                            black_box(pollster::block_on(handle));
                        }
                    }
                });
            }
            let meter = Meter::start();
            all_there.wait();
            meter
        });
        meter.stop().per_call(self.producers * self.batches * BATCH)
    }
}

pub(crate) fn rows(scale: &Scale) -> Vec<Row> {
    let row = |producers: usize| {
        // A turn of 30 milliseconds or more, as in the rows `callers`.
        let batches = scale.shrink(4608, 8).div_ceil(producers);
        let stands_for = format!("{producers} threads submit batches of {BATCH} and await them");
        Row::new(format!("producers/{producers}"), stands_for, Cost::figures(), move |scale| {
            field(&Producers { producers, batches }, Kind::Bare, scale.threads, scale)
        })
    };
    scale.producers.iter().copied().map(row).collect()
}
