//! The published suite, `offload_runtime::conformance`, on each executor of ours; and on broken ones, each of which it has to catch.
//!
//! `Inline` differs from the others in that it has no thread: it promises `inline`, and what needs a second thread does not apply. The
//! number of checks that apply is written down, so that none is lost by a promise that went missing.

mod broken;

use std::io;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use offload_runtime::conformance::Conformance;
use offload_runtime::{Executor, ExecutorExt, Inline, Job, Limited, ManualExecutor, StatefulPool, ThreadPool};
use tests::support::{rayon_pool, tokio_runtime};

/// Runs the suite, of which `checks` have to apply.
#[track_caller]
fn conforms<E: Executor + 'static>(suite: &Conformance<E>, checks: usize) {
    let report = suite.report();
    assert_eq!(report.failures().count(), 0, "{report}");
    assert_eq!(report.passed().count(), checks, "{:?}", report.not_applicable().collect::<Vec<_>>());
}

#[test]
fn a_pool_of_one_conforms() {
    let suite = Conformance::of(|| ThreadPool::new(1)).parallel(1).at_most(1).in_order().nested();
    conforms(&suite.closed_by(ThreadPool::close), 27);
    let suite = Conformance::of(|| ThreadPool::new(1)).parallel(1).at_most(1).in_order().nested();
    conforms(&suite.closed_by(|pool| drop(pool.shutdown_now())), 27);
}

#[test]
fn a_pool_of_four_conforms() {
    let suite = Conformance::of(|| ThreadPool::new(4)).parallel(4).at_most(4).nested();
    conforms(&suite.closed_by(ThreadPool::close), 26);
}

#[test]
fn a_pool_whose_threads_come_and_go_conforms() {
    let pool = || ThreadPool::builder().max_threads(3).keep_alive(Duration::ZERO).build();
    conforms(&Conformance::of(pool).parallel(3).at_most(3).nested().closed_by(ThreadPool::close), 26);
}

#[test]
fn limited_views_conform() {
    let one = Conformance::of(|| ThreadPool::new(4).limited(1)).parallel(1).at_most(1).in_order().nested();
    conforms(&one.closed_by(|view| view.executor().close()), 27);
    let as_many = Conformance::of(|| ThreadPool::new(2).limited(2)).parallel(2).at_most(2).nested();
    conforms(&as_many.closed_by(|view| view.executor().close()), 26);
    let of_a_view = Conformance::of(|| ThreadPool::new(4).limited(3).limited(2)).parallel(2).at_most(2).nested();
    conforms(&of_a_view.closed_by(|view| view.executor().executor().close()), 26);
    let of_rayon = Conformance::of(|| Limited::new(rayon_pool(3), 2)).parallel(2).at_most(2).nested();
    conforms(&of_rayon, 25);
}

/// Plain jobs on threads that own something. A pool of one has no thread for an awaited job, which it refuses.
#[test]
fn stateful_pools_conform() {
    let pool = |threads| move || StatefulPool::new(threads, || Ok::<_, io::Error>(Rc::new(())));
    let one = Conformance::of(pool(1)).parallel(1).at_most(1).in_order();
    conforms(&one.closed_by(StatefulPool::close), 26);
    let four = Conformance::of(pool(4)).parallel(4).at_most(4).nested();
    conforms(&four.closed_by(|pool| drop(pool.shutdown_now())), 26);
    let view: fn() -> Limited<StatefulPool<Rc<()>>> =
        || StatefulPool::new(4, || Ok::<_, io::Error>(Rc::new(()))).limited(2);
    conforms(&Conformance::of(view).parallel(2).at_most(2).nested().closed_by(|view| view.executor().close()), 26);
}

#[test]
fn inline_conforms() {
    conforms(&Conformance::of(|| Inline).inline().in_order().nested(), 15);
    conforms(&Conformance::of(|| Inline.limited(1)).inline().in_order(), 14);
}

/// A handle that outlives its runtime: closed by the runtime's end.
struct Handle(tokio::runtime::Handle, Mutex<Option<tokio::runtime::Runtime>>);

impl Handle {
    fn of(runtime: tokio::runtime::Runtime) -> Self {
        Self(runtime.handle().clone(), Mutex::new(Some(runtime)))
    }

    fn end(&self) {
        self.1.lock().unwrap().take().into_iter().for_each(tokio::runtime::Runtime::shutdown_background);
    }
}

impl Executor for Handle {
    fn execute(&self, job: Job) {
        self.0.execute(job);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.end();
    }
}

#[test]
fn tokio_conforms() {
    let suite = Conformance::of(|| Handle::of(tokio_runtime(2))).parallel(2).at_most(2);
    conforms(&suite.closed_by(Handle::end), 25);
}

#[test]
fn rayon_conforms() {
    conforms(&Conformance::of(|| rayon_pool(2)).parallel(2).at_most(2), 24);
    conforms(&Conformance::of(|| rayon_pool(1)).parallel(1).at_most(1), 24);
}

/// A [`ManualExecutor`] with a thread that steps it.
struct Stepped {
    executor: ManualExecutor,
    thread: thread::Thread,
    ended: Arc<AtomicBool>,
}

impl Stepped {
    fn new() -> Self {
        let (executor, ended) = (ManualExecutor::new(), Arc::new(AtomicBool::new(false)));
        let (steps, is_ended) = (executor.clone(), Arc::clone(&ended));
        let stepper = thread::spawn(move || {
            while !is_ended.load(Ordering::SeqCst) {
                if !steps.step() {
                    thread::park();
                }
            }
        });
        Self { executor, thread: stepper.thread().clone(), ended }
    }
}

impl Executor for Stepped {
    fn execute(&self, job: Job) {
        self.executor.execute(job);
        self.thread.unpark();
    }
}

impl Drop for Stepped {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

#[test]
fn a_manual_executor_that_a_thread_steps_conforms() {
    conforms(&Conformance::of(Stepped::new).parallel(1).at_most(1).in_order(), 25);
}
