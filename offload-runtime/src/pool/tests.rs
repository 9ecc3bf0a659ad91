//! The pool's accounts, which cannot be seen from outside.

use std::sync::mpsc;
use std::time::Duration;

use super::ThreadPool;
use crate::ext::ExecutorExt;

/// A job that has given up its wait no longer counts as waiting: no thread beyond the maximum runs in its place.
#[test]
fn a_wait_that_is_over_no_longer_counts() {
    let pool = ThreadPool::new(1);
    let inner = pool.clone();
    let outer = pool.submit(move || {
        let (send, receive) = mpsc::channel();
        let mut awaited = inner.submit(move || receive.recv().unwrap());
        assert!(awaited.wait_timeout(Duration::from_millis(1)).is_none());
        let waiting = inner.queue().lock().waiting;
        send.send(7).unwrap();
        (waiting, awaited.wait().unwrap(), inner.queue().lock().waiting)
    });
    assert_eq!(outer.wait().unwrap(), (0, 7, 0));
}
