//! A door that jobs wait at.

use std::sync::{Arc, Condvar, Mutex};

use offload_runtime::{Executor, ExecutorExt, JobHandle};

use super::PATIENCE;

/// A door, closed at first: each thread that passes waits until it is opened, and is counted on arrival.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    shared: Arc<(Mutex<Door>, Condvar)>,
}

#[derive(Debug, Default)]
struct Door {
    arrived: usize,
    open: bool,
}

impl Gate {
    /// A closed door.
    #[must_use]
    pub fn closed() -> Self {
        Self::default()
    }

    /// Arrives, and waits until the door is open.
    ///
    /// # Panics
    /// If it is not opened in time.
    pub fn pass(&self) {
        let (door, changed) = &*self.shared;
        let mut door = door.lock().unwrap();
        door.arrived += 1;
        changed.notify_all();
        let (_door, late) = changed.wait_timeout_while(door, PATIENCE, |door| !door.open).unwrap();
        assert!(!late.timed_out(), "the door was not opened");
    }

    /// Waits until `n` have arrived, in all.
    ///
    /// # Panics
    /// If they do not.
    #[track_caller]
    pub fn wait_for(&self, n: usize) {
        let (door, changed) = &*self.shared;
        let door = door.lock().unwrap();
        let (door, late) = changed.wait_timeout_while(door, PATIENCE, |door| door.arrived < n).unwrap();
        let arrived = door.arrived;
        drop(door);
        assert!(!late.timed_out(), "{arrived} of {n} arrived at the door");
    }

    /// How many have arrived.
    ///
    /// # Panics
    /// Never: no holder of the lock panics.
    #[must_use]
    pub fn arrived(&self) -> usize {
        self.shared.0.lock().unwrap().arrived
    }

    /// Opens the door, for good.
    ///
    /// # Panics
    /// Never, as for `arrived`.
    pub fn open(&self) {
        self.shared.0.lock().unwrap().open = true;
        self.shared.1.notify_all();
    }
}

/// Threads of an executor that are held by jobs at a door. Dropping it lets them go.
#[derive(Debug)]
pub struct Occupied {
    gate: Gate,
    jobs: Vec<JobHandle<()>>,
}

impl Occupied {
    /// Runs `n` jobs that wait, and returns when all of them do.
    #[track_caller]
    pub fn new<E: Executor + ?Sized>(executor: &E, n: usize) -> Self {
        let gate = Gate::closed();
        let job = |_| {
            let gate = gate.clone();
            executor.submit(move || gate.pass())
        };
        let jobs = (0..n).map(job).collect();
        gate.wait_for(n);
        Self { gate, jobs }
    }

    /// Lets the jobs go, and waits until they have ended.
    ///
    /// # Panics
    /// If one of them failed.
    pub fn release(mut self) {
        self.gate.open();
        for job in std::mem::take(&mut self.jobs) {
            super::finish(job).unwrap();
        }
    }
}

impl Drop for Occupied {
    fn drop(&mut self) {
        self.gate.open();
    }
}
