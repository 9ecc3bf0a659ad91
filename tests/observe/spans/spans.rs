//! What the span of a job carries.

use std::time::Instant;

use futures::StreamExt;
use observe::{Record, Service, request};
use offload_runtime::{ExecutorExt, ThreadPool, Yielder};
use tests::support::{Occupied, finish, tokio_runtime};
use tracing::{Instrument, Level};

fn microseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap()
}

#[test]
fn a_span_tells_site_pool_thread_and_times() {
    let record = Record::of_process();
    let pool = ThreadPool::builder().max_threads(1).thread_name("books").build();
    let occupied = Occupied::new(&pool, 1);
    let before = Instant::now();
    let line = line!() + 2;
    let job = request("all that is told").in_scope(|| {
        pool.submit(|| {
            let began = Instant::now();
            while began.elapsed().as_micros() < 500 {
                std::hint::spin_loop();
            }
            microseconds(began)
        })
    });
    let submitted = Instant::now();
    // While this time passes, the job certainly waits.
    while submitted.elapsed().as_micros() < 500 {
        std::hint::spin_loop();
    }
    let waited = microseconds(submitted);
    occupied.release();
    let ran = finish(job).unwrap();
    let in_all = microseconds(before);

    let [job] = &record.jobs("all that is told")[..] else { panic!() };
    assert_eq!((job.level, &*job.target, job.path()), (Level::INFO, "offload_runtime::job", vec!["request", "job"]));
    let site = job.text("site");
    assert!(site.ends_with(&format!("spans.rs:{line}:14")), "{site}");
    assert_eq!(job.text("otel.name"), site);
    assert_eq!((job.text("code.filepath"), job.number("code.lineno")), (file!(), line.into()));
    assert_eq!((job.text("pool"), job.text("thread")), ("books", "books-0"));
    assert!((waited..=in_all).contains(&job.number("wait_us")), "{job:#?}");
    assert!((ran..=in_all).contains(&job.number("run_us")), "{job:#?}");
    assert!(job.number("wait_us") + job.number("run_us") <= in_all, "{job:#?}");
}

/// A view's jobs are on the threads of its pool, and say so.
#[test]
fn a_job_of_a_view_tells_the_pool_it_is_on() {
    let record = Record::of_process();
    let pool = ThreadPool::builder().thread_name("shared").build();
    request("in a view").in_scope(|| finish(pool.limited(1).submit(|| ()))).unwrap();
    let [job] = &record.jobs("in a view")[..] else { panic!() };
    assert_eq!((job.text("pool"), job.text("thread")), ("shared", "shared-0"));
}

#[test]
fn a_job_elsewhere_tells_no_pool() {
    let record = Record::of_process();
    let runtime = tokio_runtime(1);
    let service = Service { executor: runtime.handle().clone() };
    assert_eq!(finish(service.find("ada").instrument(request("elsewhere"))), 3);
    let [job] = &record.jobs("elsewhere")[..] else { panic!() };
    assert_eq!(job.text("site"), "Service<tokio::runtime::handle::Handle>::find");
    assert!(job.text("code.filepath").ends_with("service.rs"));
    assert!(job.has("wait_us") && job.has("run_us") && !job.has("pool") && !job.has("thread"), "{job:#?}");
}

/// A nested job names the compensating thread that runs it. Spans close from the inside out.
#[test]
fn a_nested_job_names_its_pool() {
    let record = Record::of_process();
    let pool = ThreadPool::builder().max_threads(1).thread_name("nest").build();
    let inner = pool.clone();
    let outer = request("tells its pool").in_scope(|| pool.submit(move || finish(inner.submit(|| ()))));
    finish(outer).unwrap().unwrap();
    let jobs = record.jobs("tells its pool");
    assert_eq!(jobs.len(), 2, "{jobs:#?}");
    for (job, thread) in jobs.iter().zip(["nest-1", "nest-0"]) {
        assert_eq!((job.text("pool"), job.text("thread")), ("nest", thread));
    }
}

/// The span is closed by the time that the result is there: exporters have it.
#[test]
fn a_span_is_closed_when_its_job_is_awaited() {
    let record = Record::of_process();
    let pool = ThreadPool::new(2);
    for round in 0..100 {
        let name = format!("round {round}");
        finish(request(&name).in_scope(|| pool.submit(|| ()))).unwrap();
        assert_eq!(record.jobs(&name).len(), 1, "{name}");
    }
}

/// All have the site of the stream, and the span of the caller that polls it.
#[test]
fn a_body_that_sends_is_one_span_and_an_iterator_one_for_each_turn() {
    let record = Record::of_process();
    let pool = ThreadPool::new(1);
    let body = |out: &mut Yielder<u8>| {
        (0..100).all(|n| out.send(n).is_ok());
    };
    assert_eq!(request("sent").in_scope(|| finish(pool.generate(body).count())), 100);
    assert_eq!(record.jobs("sent").len(), 1);
    let line = line!() + 1;
    let mut pulled = pool.stream(|| 0..100).buffer(4);
    request("pulled").in_scope(|| {
        assert_eq!(finish(pulled.next()), Some(0));
        // The buffer is full: it has left its thread.
        finish(pool.wait_idle());
        assert_eq!(finish(pulled.count()), 99);
    });
    let turns = record.jobs("pulled");
    assert!(turns.len() > 1, "{turns:#?}");
    for turn in turns {
        let site = turn.text("site");
        assert!(site.ends_with(&format!("spans.rs:{line}:27")), "{site}");
    }
}
