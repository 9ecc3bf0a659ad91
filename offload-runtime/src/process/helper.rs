//! The helper: the pool's thread for what takes a while. It starts processes and decodes large results.

use std::sync::mpsc::Receiver;

use super::Pool;
use super::after::{After, End};
use super::start;
use crate::sync::{self, Arc};

pub(super) enum Task {
    /// Starts the process of this worker.
    Start(u64),
    /// Ends a call with a large result.
    End(Box<End>),
    /// The pool is over.
    Stop,
}

pub(super) fn run(pool: &Arc<Pool>, tasks: &Receiver<Task>) {
    while let Ok(task) = tasks.recv() {
        match task {
            Task::Start(id) => {
                let started = start::start(&pool.config);
                let mut after = After::default();
                sync::lock(&pool.state).started(id, started, &pool.config, &mut after);
                after.perform(pool);
            }
            Task::End(end) => end.perform(),
            Task::Stop => return,
        }
    }
}
