//! When a thread looks, and what a handle does before.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::*;
use crate::context::CallerContext;
use crate::job::{Origin, Unjudged, pair_for};

#[test]
fn looks_in_vain_are_skipped_more_and_more() {
    for skipped in [1, 3, 7, 15, 31, 63, 63] {
        assert_eq!(when(), When::Now);
        assert!(!look_now(|| false));
        assert!((0..skipped).all(|_| when() == When::Not));
    }
    assert!(look_now(|| true));
    assert_eq!((when(), when()), (When::Now, When::Now));
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// One wake-up for the turn of the others, one for the result.
#[test]
fn where_jobs_are_short_other_tasks_come_before_the_look() {
    assert!((0..SHORT_JOBS).all(|_| look(|| true)));
    let origin = Origin::of_caller();
    let (job, mut handle) = pair_for(origin, || 7, Unjudged, CallerContext::of(origin));
    let count = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&count));
    let mut poll = || Pin::new(&mut handle).poll(&mut Context::from_waker(&waker));
    assert!(poll().is_pending());
    assert_eq!(count.0.load(Ordering::SeqCst), 1, "its task is to be polled again at once");
    assert!(poll().is_pending());
    assert!(poll().is_pending());
    assert_eq!(count.0.load(Ordering::SeqCst), 1, "from then on it waits for the result");
    job.run();
    assert_eq!(count.0.load(Ordering::SeqCst), 2);
    assert!(matches!(poll(), Poll::Ready(Ok(7))));
}
