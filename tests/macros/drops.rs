//! What is kept, how long, and in which order it goes.

use crate::run;
use offload_runtime::{ThreadPool, blocking};
use std::sync::{Arc, Mutex};

type Log = Arc<Mutex<Vec<&'static str>>>;

/// Writes its name when it goes.
struct Noisy(&'static str, Log);

impl Drop for Noisy {
    fn drop(&mut self) {
        self.1.lock().unwrap().push(self.0);
    }
}

fn body(log: &Log) {
    log.lock().unwrap().push("body");
}

struct Owner {
    executor: ThreadPool,
    _noisy: Noisy,
}

impl Owner {
    #[blocking]
    fn unnamed(self, _permit: Noisy, _: Noisy, (_a, _): (Noisy, Noisy), log: Log, _last: Noisy) {
        body(&log);
    }

    fn unnamed_plain(self, _permit: Noisy, _: Noisy, (_a, _): (Noisy, Noisy), log: Log, _last: Noisy) {
        body(&log);
    }
}

fn owner(log: &Log) -> Owner {
    Owner { executor: ThreadPool::new(1), _noisy: Noisy("self", Arc::clone(log)) }
}

#[test]
fn arguments_go_after_the_body_in_the_order_of_a_plain_function() {
    let (log, plain) = (Log::default(), Log::default());
    let noisy = |name, log: &Log| Noisy(name, Arc::clone(log));
    let pair = |log: &Log| (noisy("a", log), noisy("rest", log));
    let own = owner(&log);
    run(own.unnamed(noisy("permit", &log), noisy("_", &log), pair(&log), Arc::clone(&log), noisy("last", &log)));
    owner(&plain).unnamed_plain(
        noisy("permit", &plain),
        noisy("_", &plain),
        pair(&plain),
        Arc::clone(&plain),
        noisy("last", &plain),
    );
    let (log, plain) = (log.lock().unwrap(), plain.lock().unwrap());
    assert_eq!(log[0], "body");
    assert_eq!(*log, *plain);
}

#[derive(Clone)]
struct Shared {
    executor: ThreadPool,
    token: Arc<()>,
}

impl Shared {
    #[blocking]
    fn borrowed(&self, token: &Arc<()>, option: Option<&Arc<()>>) -> (usize, Arc<()>) {
        (Arc::strong_count(&self.token) + option.map_or(0, |_| 1), Arc::clone(token))
    }

    #[blocking]
    fn by_arc(self: Arc<Self>, token: Arc<()>) -> usize {
        Arc::strong_count(&token)
    }

    #[blocking]
    fn waits(self: Arc<Self>, gate: std::sync::mpsc::Receiver<()>) {
        gate.recv().unwrap();
    }
}

#[test]
fn nothing_is_left_behind_by_an_await() {
    let token = Arc::new(());
    let shared = Shared { executor: ThreadPool::new(1), token: Arc::clone(&token) };
    run(async {
        let (_, result) = shared.borrowed(&token, Some(&token)).await;
        assert_eq!(Arc::strong_count(&token), 3, "here, in `shared` and in the result");
        drop(result);
        let shared = Arc::new(shared);
        Arc::clone(&shared).by_arc(Arc::clone(&token)).await;
        assert_eq!((Arc::strong_count(&token), Arc::strong_count(&shared)), (2, 1));
    });
}

#[test]
fn a_waiting_future_keeps_no_clone_of_an_arc() {
    let shared = Arc::new(Shared { executor: ThreadPool::new(1), token: Arc::new(()) });
    let (open, gate) = std::sync::mpsc::channel();
    let mut future = Box::pin(Arc::clone(&shared).waits(gate));
    let waker = std::task::Waker::noop();
    assert!(future.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
    assert_eq!(Arc::strong_count(&shared), 2, "one here, one in the job");
    open.send(()).unwrap();
    run(future);
    assert_eq!(Arc::strong_count(&shared), 1);
}
