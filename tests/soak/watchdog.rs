//! Notices that no job makes progress any more, and prints the seed.

use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use crate::ledger::Ledger;

/// How long nothing may happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// Ends its watch when it is dropped.
pub(crate) struct Watch(Arc<(Mutex<bool>, Condvar)>);

impl Drop for Watch {
    fn drop(&mut self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }
}

/// Watches the books of an epoch: if they stand still, ends the process with what is in them.
pub(crate) fn watch(seed: u64, epoch: u64, ledger: &Arc<Ledger>) -> Watch {
    let ended = Arc::new((Mutex::new(false), Condvar::new()));
    let watch = Watch(Arc::clone(&ended));
    let ledger = Arc::clone(ledger);
    thread::spawn(move || {
        let mut last = ledger.totals().to_string();
        loop {
            let guard = ended.0.lock().unwrap();
            let (guard, late) = ended.1.wait_timeout_while(guard, PATIENCE, |ended| !*ended).unwrap();
            drop(guard);
            if !late.timed_out() {
                return;
            }
            let now = ledger.totals().to_string();
            if now == last {
                eprintln!("epoch {epoch} of seed {seed} stands still: {now}");
                std::process::exit(101);
            }
            last = now;
        }
    });
    watch
}
