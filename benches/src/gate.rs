//! Occupies all threads of a pool: so that each has started, or so that what is submitted meanwhile has to wait.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::contestants::Contestant;
use crate::host::THREADS;

/// Bounds the wait for a pool that does not use the threads that it was given.
const LIMIT: Duration = Duration::from_secs(30);

/// All threads of a pool, held in jobs until this is opened.
pub(crate) struct Gate {
    open: Sender<()>,
    held: Vec<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Gate {
    /// Returns once every thread of `pool` has run `first` and waits.
    pub(crate) fn close<C: Contestant>(pool: &C, first: impl Fn() + Copy + Send + 'static) -> Self {
        let (open, opened) = channel();
        let opened = Arc::new(Mutex::new(opened));
        let (tell, arrivals) = channel();
        let occupy = || {
            let (tell, opened) = (tell.clone(), Arc::clone(&opened));
            pool.submit(move || {
                first();
                tell.send(()).expect("the submitter waits for the arrivals");
                // The sender is dropped to open the gate, which ends the wait of each in turn.
                let _ = opened.lock().expect("no job panics").recv();
            })
        };
        let held = (0..THREADS).map(|_| Box::pin(occupy()) as _).collect();
        for _ in 0..THREADS {
            arrivals.recv_timeout(LIMIT).expect("a pool runs as many jobs at once as it has threads");
        }
        Self { open, held }
    }

    /// Lets the threads go and waits until their jobs have ended.
    pub(crate) fn open(self) {
        drop(self.open);
        self.held.into_iter().for_each(pollster::block_on);
    }
}

/// Waits until only the caller holds `token`: all jobs that captured it have run or been dropped, so none runs in the next turn.
pub(crate) fn wait_for_all(token: &Arc<()>) {
    let begun = Instant::now();
    while Arc::strong_count(token) > 1 {
        assert!(begun.elapsed() < LIMIT, "a pool gets through with its jobs");
        thread::sleep(Duration::from_micros(200));
    }
}
