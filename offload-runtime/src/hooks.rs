//! The callbacks that a cancellation runs: [`Hooks`] belong to one job, [`Stop`] to one queue.
//!
//! Both run callbacks without a lock, in the order of their registration, each at most once.

use std::collections::BTreeMap;
use std::sync::Weak;

use crate::sync::thread::{self, ThreadId};
use crate::sync::{self, Arc, AtomicBool, Condvar, Mutex, MutexGuard, Ordering};
use crate::unwind::{contain, discard};

pub(crate) type Callback = Box<dyn FnOnce() + Send>;

/// The callbacks of one job. Made by the job's own thread when it registers the first.
#[derive(Default)]
pub(crate) struct Hooks {
    state: Mutex<State>,
    /// A callback has returned.
    returned: Condvar,
}

#[derive(Default)]
struct State {
    cancelled: bool,
    next: u64,
    /// By the order of their registration.
    armed: BTreeMap<u64, Callback>,
    /// The callback that runs, and its thread.
    running: Option<(u64, ThreadId)>,
}

impl Hooks {
    /// Arms `callback`, or runs it at once if the job is cancelled and all callbacks before it have run.
    pub(crate) fn add(&self, callback: Callback) -> Option<u64> {
        let mut state = sync::lock(&self.state);
        if state.cancelled && state.running.is_none() {
            drop(state);
            contain(callback);
            return None;
        }
        let id = state.next;
        state.next += 1;
        state.armed.insert(id, callback);
        Some(id)
    }

    /// The job is cancelled: runs what is armed. A second call does nothing.
    pub(crate) fn run(&self) {
        let mut state = sync::lock(&self.state);
        if std::mem::replace(&mut state.cancelled, true) {
            return;
        }
        while let Some((id, callback)) = state.armed.pop_first() {
            state.running = Some((id, thread::current().id()));
            drop(state);
            contain(callback);
            state = sync::lock(&self.state);
            state.running = None;
            self.returned.notify_all();
        }
    }

    /// Takes a callback back. Does not wait for one that runs.
    pub(crate) fn remove(&self, id: u64) {
        remove_from(sync::lock(&self.state), id);
    }

    /// Takes a callback back, or waits until it has returned. A callback that takes itself back does not wait.
    pub(crate) fn remove_or_wait(&self, id: u64) {
        let mut state = sync::lock(&self.state);
        while state.running.is_some_and(|(running, thread)| running == id && thread != thread::current().id()) {
            state = self.returned.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        // Under the same lock: it may begin to run at any other moment.
        remove_from(state, id);
    }

    /// The job has ended: drops callbacks whose guards were leaked.
    pub(crate) fn close(&self) {
        // No other is added: only the job's own thread adds, inside the job.
        let armed = std::mem::take(&mut sync::lock(&self.state).armed);
        for callback in armed.into_values() {
            discard(callback);
        }
    }
}

/// Takes a callback back, unlocks, and drops it.
fn remove_from(mut state: MutexGuard<'_, State>, id: u64) {
    let callback = state.armed.remove(&id);
    drop(state);
    discard(callback);
}

/// Cancels every running job of one queue, once and for all.
#[derive(Default)]
pub(crate) struct Stop {
    set: AtomicBool,
    /// The callbacks of running jobs, and of some that have ended.
    hooks: Mutex<Vec<Weak<Hooks>>>,
}

impl Stop {
    pub(crate) fn is_set(&self) -> bool {
        // ORDERING: Acquire pairs with the Release in `run`, as for the flag of a single job.
        self.set.load(Ordering::Acquire)
    }

    /// Registers the callbacks of a running job. Returns whether the stop came before.
    pub(crate) fn register(&self, hooks: &Arc<Hooks>) -> bool {
        let mut registered = sync::lock(&self.hooks);
        if registered.len() == registered.capacity() {
            // Costs no more than the growing of the vector that it avoids.
            registered.retain(|hooks| hooks.strong_count() > 0);
        }
        registered.push(Arc::downgrade(hooks));
        self.is_set()
    }

    /// Sets the flag and runs the callbacks.
    pub(crate) fn run(&self) {
        let mut guard = sync::lock(&self.hooks);
        // ORDERING: Release pairs with the Acquire in `is_set`. Against `register` the lock orders.
        self.set.store(true, Ordering::Release);
        let registered = std::mem::take(&mut *guard);
        drop(guard);
        for hooks in registered {
            if let Some(hooks) = hooks.upgrade() {
                hooks.run();
            }
        }
    }
}

#[cfg(all(test, not(offload_loom)))]
mod tests {
    use super::*;

    /// A pool whose jobs register callbacks remembers those of jobs that are still there, not all that ever were.
    #[test]
    fn a_stop_forgets_the_callbacks_of_jobs_that_have_ended() {
        let stop = Stop::default();
        let lasting = Arc::new(Hooks::default());
        assert!(!stop.register(&lasting));
        for _ in 0..1_000 {
            assert!(!stop.register(&Arc::new(Hooks::default())));
        }
        let full = {
            let mut registered = sync::lock(&stop.hooks);
            assert!(registered.len() < 100, "{} of 1001 are remembered", registered.len());
            while registered.len() < registered.capacity() {
                registered.push(Weak::new());
            }
            registered.capacity()
        };
        assert!(!stop.register(&Arc::new(Hooks::default())));
        assert_eq!(sync::lock(&stop.hooks).capacity(), full, "it grows for those that have ended");
        stop.run();
        assert!(sync::lock(&lasting.state).cancelled, "those that are there are reached");
        assert!(stop.register(&lasting), "a later job learns of the stop");
    }
}
