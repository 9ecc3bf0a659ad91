//! The checks that every executor is put to, and those of the promises `inline`, `nested` and `closed_by`.

use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Wake, Waker};
use std::thread;

use super::Check;
use super::probe::{Checked, Subject, Token, Tokens, block_on, verify};
use crate::error::Error;
use crate::ext::ExecutorExt;
use crate::{is_cancelled, on_cancel};

pub(super) const ALL: &[Check] = &[
    Check { name: "a_value_reaches_its_handle", applies: |_, _| true, run: a_value_reaches_its_handle },
    Check { name: "each_job_runs_once", applies: |_, _| true, run: each_job_runs_once },
    Check { name: "a_job_may_submit_jobs", applies: |_, _| true, run: a_job_may_submit_jobs },
    Check { name: "submit_returns_before_the_job_ends", applies: |p, _| !p.inline, run: submit_returns_first },
    Check { name: "a_job_runs_where_it_is_submitted", applies: |p, _| p.inline, run: a_job_runs_where_it_is_submitted },
    Check { name: "a_detached_job_ends", applies: |_, _| true, run: a_detached_job_ends },
    Check { name: "a_running_job_is_cancelled", applies: |p, _| !p.inline, run: a_running_job_is_cancelled },
    Check { name: "a_running_job_is_abandoned", applies: |p, _| !p.inline, run: a_running_job_is_abandoned },
    Check { name: "a_panic_reaches_its_handle", applies: |_, _| true, run: a_panic_reaches_its_handle },
    Check { name: "panics_cost_no_thread", applies: |_, _| true, run: panics_cost_no_thread },
    Check { name: "destructors_may_panic", applies: |_, _| true, run: destructors_may_panic },
    Check { name: "a_waker_may_panic", applies: |p, _| !p.inline, run: a_waker_may_panic },
    Check { name: "a_waker_may_come_back", applies: |p, _| !p.inline, run: a_waker_may_come_back },
    Check { name: "nothing_lingers", applies: |_, _| true, run: nothing_lingers },
    Check { name: "nothing_is_lost_in_a_mixture", applies: |_, _| true, run: nothing_is_lost_in_a_mixture },
    Check { name: "a_dropped_executor_leaves_nothing_pending", applies: |_, _| true, run: a_dropped_executor },
    Check { name: "a_job_may_block_on_jobs", applies: |p, _| p.nested, run: a_job_may_block_on_jobs },
    Check { name: "a_closed_executor_refuses", applies: |_, closes| closes, run: a_closed_executor_refuses },
];

fn a_value_reaches_its_handle(on: &Subject) -> Checked {
    verify(!on.get().is_closed(), "a new executor says that it is closed")?;
    for i in 0..50_u64 {
        verify(on.value(on.submit(move || i * i))? == i * i, "a handle resolved to another job's value")?;
    }
    Ok(())
}

/// Four threads submit at once, then await.
fn each_job_runs_once(on: &Subject) -> Checked {
    const EACH: usize = 100;
    let runs: Arc<Vec<AtomicUsize>> = Arc::new((0..4 * EACH).map(|_| AtomicUsize::new(0)).collect());
    let handles: Vec<_> = thread::scope(|scope| {
        let producer = |n: usize| {
            let (runs, executor) = (Arc::clone(&runs), on.get());
            scope.spawn(move || {
                let submit = |i: usize| {
                    let runs = Arc::clone(&runs);
                    (i, executor.submit(move || (i, runs[i].fetch_add(1, Ordering::SeqCst))))
                };
                (n * EACH..(n + 1) * EACH).map(submit).collect::<Vec<_>>()
            })
        };
        let producers: Vec<_> = (0..4).map(producer).collect();
        producers.into_iter().flat_map(|producer| producer.join().unwrap_or_default()).collect()
    });
    verify(handles.len() == 4 * EACH, "`execute` panicked")?;
    for (i, handle) in handles {
        verify(on.value(handle)? == (i, 0), "a handle resolved to another job's value, or its job ran before")?;
    }
    verify(runs.iter().all(|runs| runs.load(Ordering::SeqCst) == 1), "a job did not run exactly once")
}

fn a_job_may_submit_jobs(on: &Subject) -> Checked {
    let executor = on.get();
    let inner = on.value(on.submit(move || executor.submit(|| 7)))?;
    verify(on.value(inner)? == 7, "a job that was submitted by a job returned another value")
}

fn submit_returns_first(on: &Subject) -> Checked {
    let gate = on.gate();
    let (door, submitter) = (gate.clone(), thread::current().id());
    let handle = on.submit(move || {
        if thread::current().id() == submitter {
            return false; // a door that this very thread is to open
        }
        door.pass();
        true
    });
    gate.open();
    let elsewhere = on.value(handle)?;
    verify(elsewhere, "the job ran inside `execute`: promise `inline`, or give it a thread")
}

fn a_job_runs_where_it_is_submitted(on: &Subject) -> Checked {
    let (log, order) = mpsc::channel();
    for i in 0..20 {
        let log = log.clone();
        let handle = on.submit(move || {
            let _ = log.send(i);
            thread::current().id()
        });
        verify(handle.is_finished(), "`submit` returned before the job had ended")?;
        verify(on.value(handle)? == thread::current().id(), "the job ran on another thread")?;
    }
    verify(order.try_iter().eq(0..20), "jobs ran in another order than they were submitted in")
}

fn a_detached_job_ends(on: &Subject) -> Checked {
    let tokens = Tokens::default();
    let (done, wait) = mpsc::channel();
    for _ in 0..20 {
        let (done, captured, returned) = (done.clone(), tokens.token(), tokens.token());
        let handle = on.submit(move || {
            let _captured = captured;
            let _ = done.send(is_cancelled());
            returned
        });
        handle.detach();
    }
    for _ in 0..20 {
        let cancelled = wait.recv_timeout(on.patience).map_err(|_| "a detached job did not run")?;
        verify(!cancelled, "a detached job is cancelled")?;
    }
    on.eventually("a detached job's result is kept", || tokens.alive() == 0)
}

fn a_running_job_is_cancelled(on: &Subject) -> Checked {
    let gate = on.gate();
    let (door, (hook, ran)) = (gate.clone(), mpsc::channel());
    let handle = on.submit(move || {
        let _guard = on_cancel(move || {
            let _ = hook.send(());
        });
        let before = is_cancelled();
        door.pass();
        (before, is_cancelled())
    });
    gate.wait_for(1)?;
    handle.cancel();
    verify(ran.try_recv().is_ok(), "the hook of a cancelled job has not run when `cancel` returns")?;
    gate.open();
    verify(on.value(handle)? == (false, true), "a job does not see that it is cancelled, or saw it before")?;
    verify(ran.try_recv().is_err(), "the hook of a cancelled job ran twice")
}

fn a_running_job_is_abandoned(on: &Subject) -> Checked {
    let gate = on.gate();
    let tokens = Tokens::default();
    let (door, returned, (saw, seen)) = (gate.clone(), tokens.token(), mpsc::channel());
    let handle = on.submit(move || {
        door.pass();
        let _ = saw.send(is_cancelled());
        returned
    });
    gate.wait_for(1)?;
    drop(handle);
    gate.open();
    let cancelled =
        seen.recv_timeout(on.patience).map_err(|_| "a running job did not go on when its handle was dropped")?;
    verify(cancelled, "a running job does not see that its handle was dropped")?;
    on.eventually("the result of an abandoned job is kept", || tokens.alive() == 0)
}

/// The payload of a panic on purpose. It is raised without the panic hook, so that nothing is printed.
struct Payload(u64);

fn a_panic_reaches_its_handle(on: &Subject) -> Checked {
    for i in 0..20 {
        let panicking = on.submit(move || -> u64 { resume_unwind(Box::new(Payload(i))) });
        let Err(Error::Panicked(panic)) = on.result(panicking)? else {
            return Err("a job's panic did not reach its handle: `Job::run` catches it, run the job by that".into());
        };
        let payload = panic.into_payload().downcast::<Payload>();
        verify(payload.is_ok_and(|payload| payload.0 == i), "the payload of a panic is another")?;
    }
    on.still_works()
}

fn panics_cost_no_thread(on: &Subject) -> Checked {
    for _ in 0..100 {
        on.submit(|| -> () { resume_unwind(Box::new(Payload(0))) }).detach();
    }
    on.still_works()?;
    match on.promises.parallel {
        Some(n) => on.occupy(n)?.release(on),
        None => Ok(()),
    }
}

/// A value whose destructor panics, quietly.
struct PanicsOnDrop(#[expect(dead_code, reason = "counted")] Token);

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        if !thread::panicking() {
            resume_unwind(Box::new(Payload(0)));
        }
    }
}

fn destructors_may_panic(on: &Subject) -> Checked {
    let tokens = Tokens::default();
    for _ in 0..10 {
        let (captured, returned, cancelled) = (tokens.token(), tokens.token(), tokens.token());
        let captured = PanicsOnDrop(captured);
        let result = on.result(on.submit(move || drop(captured)))?;
        verify(matches!(result, Err(Error::Panicked(_))), "a panic inside a job did not reach its handle")?;
        let returned = PanicsOnDrop(returned);
        on.submit(move || returned).detach();
        let cancelled = PanicsOnDrop(cancelled);
        let handle = on.submit(move || cancelled);
        handle.cancel();
        drop(handle);
    }
    on.still_works()?;
    on.eventually("a value whose destructor panics is kept", || tokens.alive() == 0)
}

/// Calls a function, once it is woken.
struct Calls<F>(F);

impl<F: Fn() + Send + Sync> Wake for Calls<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

/// Polls a job that stands at a door with a waker that calls `wake`, and opens the door.
fn woken_by(on: &Subject, wake: impl Fn() + Send + Sync + 'static) -> Checked {
    let gate = on.gate();
    let door = gate.clone();
    let mut handle = on.submit(move || door.pass());
    let waker = Waker::from(Arc::new(Calls(wake)));
    let pending = Pin::new(&mut handle).poll(&mut Context::from_waker(&waker)).is_pending();
    gate.open();
    verify(pending, "a job ended before its door was opened")?;
    on.value(handle)
}

fn a_waker_may_panic(on: &Subject) -> Checked {
    for _ in 0..10 {
        woken_by(on, || resume_unwind(Box::new(Payload(0))))?;
    }
    on.still_works()
}

fn a_waker_may_come_back(on: &Subject) -> Checked {
    let (came, wait) = mpsc::channel();
    let executor = on.get();
    let gate = on.gate();
    let door = gate.clone();
    let mut handle = on.submit(move || door.pass());
    let waker = Waker::from(Arc::new(Calls(move || {
        drop(executor.submit(|| ()));
        executor.submit(|| ()).detach();
        let _ = came.send(());
    })));
    let pending = Pin::new(&mut handle).poll(&mut Context::from_waker(&waker)).is_pending();
    gate.open();
    verify(pending, "a job ended before its door was opened")?;
    let back = wait.recv_timeout(on.patience);
    verify(back.is_ok(), "a waker that submits does not return: is the job run under a lock of the executor?")?;
    on.value(handle)?;
    on.still_works()
}

fn nothing_lingers(on: &Subject) -> Checked {
    let tokens = Tokens::default();
    for _ in 0..100 {
        let (captured, returned) = (tokens.token(), tokens.token());
        let result = on.value(on.submit(move || {
            let _captured = captured;
            returned
        }))?;
        verify(tokens.alive() == 1, "when the handle resolved, something that the job captured was still there")?;
        drop(result);
        verify(tokens.alive() == 0, "a copy of a result was kept")?;
    }
    Ok(())
}

/// Jobs that are awaited, dropped, cancelled, detached, that panic: in the end nothing is left of any.
fn nothing_is_lost_in_a_mixture(on: &Subject) -> Checked {
    let tokens = Tokens::default();
    let mixture = |executor: &dyn crate::Executor, patience| -> Checked {
        for i in 0..200 {
            let (captured, returned) = (tokens.token(), tokens.token());
            let handle = executor.submit(move || {
                let _captured = captured;
                if i % 7 == 3 {
                    resume_unwind(Box::new(Payload(i)));
                }
                returned
            });
            let awaited = match i % 5 {
                0 => block_on(handle, patience),
                1 => {
                    handle.cancel();
                    block_on(handle, patience)
                }
                2 => {
                    drop(handle);
                    continue;
                }
                _ => {
                    handle.detach();
                    continue;
                }
            };
            verify(awaited.is_some(), "the handle of a job stays pending")?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let run = |_| scope.spawn(|| mixture(&*on.get(), on.patience));
        let threads: Vec<_> = (0..3).map(run).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| Err("`execute` panicked".into())))
    })?;
    on.eventually("something that a job captured or returned is never dropped", || tokens.alive() == 0)
}

fn a_dropped_executor(on: &Subject) -> Checked {
    let tokens = Tokens::default();
    let patience = on.patience;
    let handles: Vec<_> = (0..50).map(|_| tokens.token()).map(|token| on.submit(move || drop(token))).collect();
    on.abandon();
    for handle in handles {
        let resolved = block_on(handle, patience);
        verify(resolved.is_some(), "the executor was dropped, and the handle of a job stays pending")?;
    }
    verify(tokens.alive() == 0, "what a job captured outlived its handle")
}

fn a_job_may_block_on_jobs(on: &Subject) -> Checked {
    fn deep(executor: &Arc<dyn crate::Executor>, depth: u64, patience: std::time::Duration) -> u64 {
        if depth == 0 {
            return 0;
        }
        let inner = Arc::clone(executor);
        let handle = executor.submit(move || deep(&inner, depth - 1, patience));
        // What is not `Some(Ok(_))` shows as a depth that is too small.
        block_on(handle, patience).and_then(Result::ok).map_or(0, |below| below + 1)
    }
    // The innermost gives up first, and the others have a result to return.
    let (executor, patience) = (on.get(), on.patience / 2);
    let depth = on.value(on.submit(move || deep(&executor, 8, patience)))?;
    verify(depth == 8, "a job that blocks on a job of its own executor does not end")
}

fn a_closed_executor_refuses(on: &Subject) -> Checked {
    let tokens = Tokens::default();
    let before: Vec<_> = (0..20).map(|_| tokens.token()).map(|token| on.submit(move || drop(token))).collect();
    on.close();
    on.close();
    for _ in 0..5 {
        let token = tokens.token();
        let refused = on.result(on.submit(move || drop(token)))?;
        verify(
            matches!(refused, Err(Error::ShutDown | Error::Lost)),
            format!("after it was closed a job resolved to {refused:?}"),
        )?;
    }
    for handle in before {
        let result = on.result(handle)?;
        verify(
            matches!(result, Ok(()) | Err(Error::ShutDown | Error::Lost)),
            format!("a job from before it was closed resolved to {result:?}"),
        )?;
    }
    verify(tokens.alive() == 0, "what a job captured outlived its handle")
}
