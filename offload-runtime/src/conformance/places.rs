//! The checks of the promises `parallel`, `at_most` and `in_order`: how many jobs run at once, and what happens to queued ones.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use super::probe::{Checked, Subject, Tokens, verify};
use super::{Check, Promises};
use crate::error::Error;

pub(super) const ALL: &[Check] = &[
    Check { name: "so_many_run_at_once", applies: |p, _| p.parallel.is_some(), run: so_many_run_at_once },
    Check { name: "no_more_run_at_once", applies: |p, _| limit(p).is_some(), run: no_more_run_at_once },
    Check { name: "submit_waits_for_no_thread", applies: |p, _| limit(p).is_some(), run: submit_waits_for_no_thread },
    Check { name: "a_waiting_job_is_abandoned", applies: |p, _| limit(p).is_some(), run: a_waiting_job_is_abandoned },
    Check { name: "a_waiting_job_is_cancelled", applies: |p, _| limit(p).is_some(), run: a_waiting_job_is_cancelled },
    Check {
        name: "a_cancelled_job_keeps_its_place_until_it_ends",
        applies: |p, _| limit(p).is_some(),
        run: a_cancelled_job_keeps_its_place,
    },
    Check { name: "jobs_run_in_order", applies: |p, _| p.in_order && limit(p) == Some(1), run: jobs_run_in_order },
];

/// How many threads have to be held so that a job waits.
fn limit(promises: &Promises) -> Option<usize> {
    promises.at_most.filter(|_| !promises.inline)
}

/// The same, of an executor that the check applies to.
fn limit_of(on: &Subject) -> Checked<usize> {
    limit(&on.promises).ok_or_else(|| "no limit was promised".into())
}

fn so_many_run_at_once(on: &Subject) -> Checked {
    // Twice: the second time the threads that there are have to be woken.
    for _ in 0..2 {
        on.occupy(on.promises.parallel.unwrap_or(1))?.release(on)?;
    }
    Ok(())
}

fn no_more_run_at_once(on: &Subject) -> Checked {
    let limit = limit_of(on)?;
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let job = |_| {
        let (running, most) = (Arc::clone(&running), Arc::clone(&most));
        on.submit(move || {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::yield_now();
            running.fetch_sub(1, Ordering::SeqCst);
        })
    };
    let handles: Vec<_> = (0..300).map(job).collect();
    handles.into_iter().try_for_each(|handle| on.value(handle))?;
    let most = most.load(Ordering::SeqCst);
    verify(most <= limit, format!("{most} jobs ran at once"))
}

fn submit_waits_for_no_thread(on: &Subject) -> Checked {
    let occupied = on.occupy(limit_of(on)?)?;
    let waiting: Vec<_> = (0..50).map(|i| on.submit(move || i)).collect();
    verify(!waiting.iter().any(crate::JobHandle::is_finished), "a job ended though no place was free")?;
    occupied.release(on)?;
    for (i, handle) in waiting.into_iter().enumerate() {
        verify(on.value(handle)? == i, "a handle resolved to another job's value")?;
    }
    Ok(())
}

fn a_waiting_job_is_abandoned(on: &Subject) -> Checked {
    let limit = limit_of(on)?;
    for position in 0..3 {
        let occupied = on.occupy(limit)?;
        let tokens = Tokens::default();
        let (log, ran) = mpsc::channel();
        let job = |i| {
            let (log, token) = (log.clone(), tokens.token());
            on.submit(move || {
                let _token = token;
                let _ = log.send(i);
            })
        };
        let mut handles: Vec<_> = (0..3).map(job).collect();
        drop(handles.remove(position));
        verify(tokens.alive() == 2, "what a waiting job captured is still there when its handle is dropped")?;
        occupied.release(on)?;
        handles.into_iter().try_for_each(|handle| on.value(handle))?;
        let mut ran: Vec<_> = ran.try_iter().collect();
        ran.sort_unstable();
        let expected: Vec<_> = (0..3).filter(|i| *i != position).collect();
        verify(ran == expected, format!("of three jobs, the handle of number {position} dropped, {ran:?} ran"))?;
    }
    Ok(())
}

fn a_waiting_job_is_cancelled(on: &Subject) -> Checked {
    let occupied = on.occupy(limit_of(on)?)?;
    let tokens = Tokens::default();
    let token = tokens.token();
    let handle = on.submit(move || drop(token));
    handle.cancel();
    verify(tokens.alive() == 0, "what a waiting job captured is still there when it is cancelled")?;
    let result = on.result(handle)?;
    verify(matches!(result, Err(Error::Cancelled)), format!("a job that was cancelled while it waited: {result:?}"))?;
    occupied.release(on)?;
    on.still_works()
}

/// A job that was given up still has its thread: no other may run in its place.
fn a_cancelled_job_keeps_its_place(on: &Subject) -> Checked {
    let limit = limit_of(on)?;
    let gate = on.gate();
    let job = |_| {
        let gate = gate.clone();
        on.submit(move || gate.pass())
    };
    let running: Vec<_> = (0..limit).map(job).collect();
    gate.wait_for(limit)?;
    drop(running);
    let (log, began) = mpsc::channel();
    let waiting = on.submit(move || {
        let _ = log.send(());
    });
    // Nothing tells of something that does not happen: what runs too early may be missed here, but not every time.
    let early = began.recv_timeout(std::time::Duration::from_millis(50)).is_ok();
    gate.open();
    on.value(waiting)?;
    verify(!early, "a job began while the places were taken by jobs that were given up")
}

fn jobs_run_in_order(on: &Subject) -> Checked {
    let occupied = on.occupy(1)?;
    let (log, order) = mpsc::channel();
    let job = |i| {
        let log = log.clone();
        on.submit(move || {
            let _ = log.send(i);
        })
    };
    let handles: Vec<_> = (0..100).map(job).collect();
    occupied.release(on)?;
    handles.into_iter().try_for_each(|handle| on.value(handle))?;
    verify(order.try_iter().eq(0..100), "jobs ran in another order than they were submitted in")
}
