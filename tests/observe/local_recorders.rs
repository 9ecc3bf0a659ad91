//! Two recorders of `metrics`, each current on a thread that submits: one of them hears of each job of a site, and of all of it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use offload_runtime::{ExecutorExt, ThreadPool};
use tests::support::finish;

/// What one recorder has heard of jobs: submitted, completed, and changes of the gauges up and down.
#[derive(Default)]
struct Heard {
    submitted: AtomicU64,
    completed: AtomicU64,
    ups: AtomicU64,
    downs: AtomicU64,
}

#[derive(Clone, Default)]
struct Hears(Arc<Heard>);

struct Handle(Arc<Heard>, String);

impl CounterFn for Handle {
    fn increment(&self, value: u64) {
        match &*self.1 {
            "offload.jobs.submitted" => {
                self.0.submitted.fetch_add(value, Ordering::SeqCst);
            }
            "offload.jobs.completed" => {
                self.0.completed.fetch_add(value, Ordering::SeqCst);
            }
            _ => {}
        }
    }
    fn absolute(&self, _: u64) {}
}

impl GaugeFn for Handle {
    fn increment(&self, _: f64) {
        self.0.ups.fetch_add(u64::from(self.1.starts_with("offload.jobs")), Ordering::SeqCst);
    }
    fn decrement(&self, _: f64) {
        self.0.downs.fetch_add(u64::from(self.1.starts_with("offload.jobs")), Ordering::SeqCst);
    }
    fn set(&self, _: f64) {}
}

impl HistogramFn for Handle {
    fn record(&self, _: f64) {}
}

impl Recorder for Hears {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::new(Handle(Arc::clone(&self.0), key.name().to_owned())))
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::new(Handle(Arc::clone(&self.0), key.name().to_owned())))
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(Handle(Arc::clone(&self.0), key.name().to_owned())))
    }
}

#[test]
fn one_of_two_recorders_hears_all_of_each_job() {
    const JOBS: u64 = 50;
    for _ in 0..20 {
        let (pool, both) = (ThreadPool::new(2), Barrier::new(2));
        let recorders = [Hears::default(), Hears::default()];
        std::thread::scope(|scope| {
            for recorder in &recorders {
                scope.spawn(|| {
                    metrics::with_local_recorder(recorder, || {
                        both.wait();
                        for _ in 0..JOBS {
                            finish(pool.submit(|| ())).unwrap();
                        }
                    });
                });
            }
        });
        finish(pool.shutdown());
        let heard = recorders.map(|Hears(heard)| {
            [&heard.submitted, &heard.completed, &heard.ups, &heard.downs].map(|count| count.load(Ordering::SeqCst))
        });
        // All jobs are of one site: whichever recorder was there first has them all.
        let all = [2 * JOBS, 2 * JOBS, 4 * JOBS, 4 * JOBS];
        assert!(heard == [all, [0; 4]] || heard == [[0; 4], all], "{heard:?}");
    }
}
