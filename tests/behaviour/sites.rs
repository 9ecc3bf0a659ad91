//! Where a job comes from, as others are told.

use std::sync::mpsc::{self, Sender};

use offload_runtime::{Executor, ExecutorExt, Job, Site, ThreadPool};
use tests::support::{Gate, finish};

/// Tells the site of each job.
struct Telling(Sender<Site>);

impl Executor for Telling {
    fn execute(&self, job: Job) {
        assert!(format!("{job:?}").contains("sites.rs:"), "{job:?}");
        self.0.send(job.site()).unwrap();
        job.run();
    }
}

#[test]
fn a_job_knows_the_line_that_submitted_it() {
    let (sites, seen) = mpsc::channel();
    let executor = Telling(sites);
    let line = line!() + 1;
    finish(executor.submit(|| ())).unwrap();
    let site = seen.recv().unwrap();
    assert_eq!((site.file(), site.line(), site.name(), site.type_name()), (file!(), line, None, None));
    assert_eq!(site.to_string(), format!("{}:{line}:{}", file!(), site.column()));
}

/// Also through a view, whose runners are jobs of the crate's own: they bear the site of the job that they came for.
#[test]
fn a_job_of_a_view_is_shown_with_its_own_site() {
    let pool = ThreadPool::new(1);
    let view = pool.clone().limited(1);
    let gate = Gate::closed();
    let door = gate.clone();
    let line = line!() + 1;
    let handle = view.submit(move || door.pass());
    gate.wait_for(1);
    let jobs = pool.running_jobs();
    assert_eq!(jobs.iter().map(|job| job.site().line()).collect::<Vec<_>>(), [line]);
    gate.open();
    finish(handle).unwrap();
}
