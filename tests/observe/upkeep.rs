//! What the README's snippet for Prometheus costs in memory: with upkeep nothing grows with the number of jobs, without it every job does.

use metrics_exporter_prometheus::PrometheusBuilder;
use offload_runtime::{ExecutorExt, ThreadPool};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const JOBS: usize = 1_000;
const ROUNDS: usize = 20;

fn run_jobs(pool: &ThreadPool) {
    for _ in 0..JOBS {
        pollster::block_on(pool.submit(|| ())).unwrap();
    }
}

fn bytes() -> usize {
    dhat::HeapStats::get().curr_bytes
}

#[test]
fn with_upkeep_memory_does_not_grow_with_the_jobs() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let prometheus =
        PrometheusBuilder::new().set_buckets(&[0.001, 0.01, 0.1, 1.0, 10.0]).unwrap().install_recorder().unwrap();
    let pool = ThreadPool::builder().max_threads(1).thread_name("upkeep").build();
    for _ in 0..2 {
        run_jobs(&pool);
        prometheus.run_upkeep();
    }

    let before = bytes();
    for _ in 0..ROUNDS {
        run_jobs(&pool);
        prometheus.run_upkeep();
    }
    let kept_up = bytes().saturating_sub(before);

    let before = bytes();
    for _ in 0..ROUNDS {
        run_jobs(&pool);
    }
    let left_alone = bytes().saturating_sub(before);

    assert!(prometheus.render().contains("# TYPE offload_job_run histogram"), "buckets make histograms of the times");
    // The exporter frees blocks of samples a little later than it empties them.
    assert!(kept_up < JOBS * 64, "{kept_up} bytes after {} jobs with upkeep", JOBS * ROUNDS);
    assert!(
        left_alone > JOBS * ROUNDS * 8,
        "{left_alone} bytes after {} jobs without upkeep: is it needed?",
        JOBS * ROUNDS
    );
}
