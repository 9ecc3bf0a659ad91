//! For tests and models: a queue with nobody behind it, whose jobs are taken out by hand.

use super::{Owner, Queue};
use crate::job::Begun;
use crate::metrics::Ledger;
use crate::sync::Arc;

pub(in crate::job) struct Bare;

impl Owner for Bare {
    type Guarded = ();

    fn run_nested(_: &Arc<Queue<Self>>, job: Begun, _own: bool) {
        job.run();
    }

    fn run_in_a_place(_: &Arc<Queue<Self>>, job: Begun, run: fn(Begun)) {
        run(job);
    }
}

pub(in crate::job) fn queue() -> Arc<Queue<Bare>> {
    Queue::new(Bare, (), Ledger::new(false, "bare".into()))
}
