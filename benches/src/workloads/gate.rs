//! A gate that keeps all threads of a pool until it is opened, so that what is submitted meanwhile has to wait.

use std::sync::mpsc::channel;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::contestants::Contestant;

/// Guards against a pool that does not use the threads that it was given.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until nobody holds `token` any more but the caller: all jobs that captured it have run or been dropped. Otherwise a pool that
/// still works off a turn's jobs would work in the next one's.
pub(crate) fn wait_for_all(token: &Arc<()>) {
    let begun = Instant::now();
    while Arc::strong_count(token) > 1 {
        assert!(begun.elapsed() < PATIENCE, "a pool gets through with its jobs");
        thread::sleep(Duration::from_micros(200));
    }
}

#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

/// Occupies `threads` threads of `pool`. Returns what opens the gate and waits until they have passed.
pub(crate) fn close<C: Contestant>(pool: &C, threads: usize) -> impl FnOnce() + 'static {
    let gate = Arc::new(Gate::default());
    let (arrive, arrived) = channel();
    let handles: Vec<_> = (0..threads)
        .map(|_| {
            let (gate, arrive) = (Arc::clone(&gate), arrive.clone());
            pool.submit(move || {
                arrive.send(()).expect("somebody waits for the arrivals");
                let closed = gate.open.lock().expect("no job panics");
                drop(gate.opened.wait_while(closed, |open| !*open).expect("no job panics"));
            })
        })
        .collect();
    for _ in 0..threads {
        arrived.recv_timeout(PATIENCE).expect("a pool runs as many jobs at once as it has threads");
    }
    move || {
        *gate.open.lock().expect("no job panics") = true;
        gate.opened.notify_all();
        for handle in handles {
            pollster::block_on(handle);
        }
    }
}
