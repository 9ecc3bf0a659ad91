//! `remote::Meter`: each end of a call is counted once, as what it is, before its handle resolves.

use std::sync::mpsc;

use offload_runtime::remote::{Call, Failure, Format, Meter, MeteredCall, RemoteExecutor, RemoteMetrics};
use offload_runtime::{Error, JobHandle};
use pollster::block_on;
use tests_process::functions;

/// Gives its calls to the test.
struct Kept {
    meter: Meter,
    calls: mpsc::SyncSender<MeteredCall>,
}

impl RemoteExecutor for Kept {
    fn format(&self) -> Format {
        Format::Json
    }

    fn execute(&self, call: Call) {
        self.calls.send(self.meter.submit(call)).unwrap();
    }
}

/// Makes a call, ends it, and returns what the handle says, with the figures.
fn ended(end: impl FnOnce(MeteredCall, &mut Option<JobHandle<u64>>)) -> (Option<Result<u64, Error>>, RemoteMetrics) {
    let (calls, given) = mpsc::sync_channel(1);
    let kept = Kept { meter: Meter::new("kept"), calls };
    let mut handle = Some(functions::add(&kept, 1, 2));
    let call = given.recv().unwrap();
    let metrics = kept.meter.metrics();
    assert_eq!((metrics.submitted(), metrics.queued(), metrics.running()), (1, 1, 0));
    end(call, &mut handle);
    // Not awaited yet.
    let metrics = kept.meter.metrics();
    assert_eq!((metrics.submitted(), metrics.queued(), metrics.running()), (1, 0, 0), "{metrics}");
    (handle.map(block_on), metrics)
}

/// Completed, panicked, cancelled before and after its start, refused, abandoned.
fn figures(metrics: &RemoteMetrics) -> [u64; 6] {
    let (before, after) = (metrics.cancelled_before_start(), metrics.cancelled_after_start());
    [metrics.completed(), metrics.panicked(), before, after, metrics.refused(), metrics.abandoned()]
}

#[test]
fn a_result() {
    let (result, metrics) = ended(|mut call, _| {
        assert_eq!(call.call().payload(), b"[1,2]");
        call.begin();
        call.begin();
        call.complete(Ok(b"3".to_vec()));
    });
    assert_eq!((result.unwrap().unwrap(), figures(&metrics)), (3, [1, 0, 0, 0, 0, 0]));
    assert_eq!((metrics.wait().count(), metrics.run().count()), (1, 1));
    assert_eq!(metrics.by_site()[0].completed(), 1);
    assert!(metrics.to_string().starts_with("kept: 0 running, 0 queued; 1 completed"), "{metrics}");
}

#[test]
fn a_result_of_a_call_that_has_not_begun() {
    let (result, metrics) = ended(|call, _| call.complete(Ok(b"3".to_vec())));
    assert_eq!((result.unwrap().unwrap(), figures(&metrics)), (3, [1, 0, 0, 0, 0, 0]));
}

#[test]
fn failures_count_as_panicked_with_their_reason() {
    let (result, metrics) = ended(|call, _| call.complete(Err(Failure::Panicked("out of cheese".into()))));
    assert!(matches!(result, Some(Err(Error::Panicked(_)))));
    assert_eq!(figures(&metrics), [0, 1, 0, 0, 0, 0]);
    assert_eq!(metrics.recent_panics()[0].message(), Some("out of cheese"));

    let (result, metrics) = ended(|mut call, _| {
        call.begin();
        call.refuse(Error::Died { status: "killed".into() });
    });
    assert!(matches!(result, Some(Err(Error::Died { .. }))));
    assert_eq!(figures(&metrics), [0, 1, 0, 0, 0, 0]);
    assert!(metrics.recent_panics()[0].message().unwrap().contains("killed"));
}

#[test]
fn a_refusal() {
    let (result, metrics) = ended(|call, _| call.refuse(Error::QueueFull));
    assert!(matches!(result, Some(Err(Error::QueueFull))));
    assert_eq!((figures(&metrics), metrics.refused_queue_full()), ([0, 0, 0, 0, 1, 0], 1));
}

#[test]
fn a_call_that_is_dropped_is_refused_or_panicked_and_lost() {
    let (result, metrics) = ended(|call, _| drop(call));
    assert!(matches!(result, Some(Err(Error::Lost))));
    assert_eq!(figures(&metrics), [0, 0, 0, 0, 1, 0]);

    let (result, metrics) = ended(|mut call, _| {
        call.begin();
        drop(call);
    });
    assert!(matches!(result, Some(Err(Error::Lost))));
    assert_eq!(figures(&metrics), [0, 1, 0, 0, 0, 0]);
}

#[test]
fn cancellations_before_and_after_the_start() {
    let (_, metrics) = ended(|call, handle| {
        drop(handle.take());
        drop(call);
    });
    assert_eq!(figures(&metrics), [0, 0, 1, 0, 0, 0]);

    let (_, metrics) = ended(|mut call, handle| {
        call.begin();
        drop(handle.take());
        drop(call);
    });
    assert_eq!(figures(&metrics), [0, 0, 0, 1, 0, 1]);

    // By its worker, or by another caller.
    let (result, metrics) = ended(|call, _| call.complete(Err(Failure::Cancelled)));
    assert!(matches!(result, Some(Err(Error::Cancelled))));
    assert_eq!(figures(&metrics), [0, 0, 0, 1, 0, 0]);
    let (_, metrics) = ended(|mut call, _| {
        call.begin();
        call.refuse(Error::Cancelled);
    });
    assert_eq!(figures(&metrics), [0, 0, 0, 1, 0, 0]);

    // A refusal is not seen by a caller that has left.
    let (_, metrics) = ended(|call, handle| {
        drop(handle.take());
        call.refuse(Error::QueueFull);
    });
    assert_eq!(figures(&metrics), [0, 0, 1, 0, 0, 0]);
}

#[test]
fn a_result_whose_caller_has_left_is_completed_and_abandoned() {
    let (_, metrics) = ended(|mut call, handle| {
        call.begin();
        drop(handle.take());
        call.complete(Ok(b"3".to_vec()));
    });
    assert_eq!(figures(&metrics), [1, 0, 0, 0, 0, 1]);
}
