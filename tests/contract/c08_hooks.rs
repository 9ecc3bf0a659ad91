//! C8 and C10: a start hook that waits for its own pool is refused with a message, and one that waits for others is not.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use offload_runtime::{ExecutorExt, Limited, ThreadPool};
use tests::support::{Gate, PATIENCE, eventually, finish, with_hook, within};

/// A pool whose start hook does what the test says, with the pool.
struct Hooked {
    pool: Arc<OnceLock<ThreadPool>>,
}

impl Hooked {
    fn new(threads: usize, hook: impl Fn(&ThreadPool) + Send + Sync + 'static) -> Self {
        let slot = Arc::new(OnceLock::<ThreadPool>::new());
        let of_hook = Arc::downgrade(&slot);
        let start = move || {
            if let Some(slot) = of_hook.upgrade() {
                hook(slot.wait());
            }
        };
        slot.set(ThreadPool::builder().max_threads(threads).on_thread_start(start).build()).unwrap();
        Self { pool: slot }
    }

    fn pool(&self) -> &ThreadPool {
        self.pool.wait()
    }
}

/// The messages of panics while `f` runs.
fn panics_of(f: impl FnOnce() + Send + 'static) -> Vec<String> {
    let messages = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&messages);
    with_hook(
        move |info| {
            heard.lock().unwrap().push(info.payload().downcast_ref::<&str>().copied().unwrap_or_default().to_owned());
        },
        || within(PATIENCE, f),
    );
    let messages = messages.lock().unwrap();
    messages.clone()
}

#[test]
fn c08_a_start_hook_that_awaits_its_own_pool_panics_with_a_message() {
    for threads in [1, 2] {
        let messages = panics_of(move || {
            let hooked = Hooked::new(threads, |pool| drop(finish(pool.submit(|| ()))));
            finish(hooked.pool().submit(|| ())).unwrap();
            finish(hooked.pool().shutdown());
        });
        assert!(messages.iter().any(|message| {
            message.contains("a hook of a thread, or a state that is dropped, awaits a job of its own pool")
        }));
    }
}

#[test]
fn c08_a_start_hook_that_awaits_a_view_of_its_own_pool_panics_with_a_message() {
    let messages = panics_of(|| {
        let views = Arc::new(OnceLock::<Limited<Limited<ThreadPool>>>::new());
        let of_hook = Arc::clone(&views);
        let hooked = Hooked::new(1, move |pool| {
            let view = of_hook.get_or_init(|| pool.clone().limited(1).limited(1));
            drop(finish(view.submit(|| ())));
        });
        finish(hooked.pool().submit(|| ())).unwrap();
        finish(hooked.pool().shutdown());
    });
    assert!(messages.iter().any(|message| message.contains("awaits a job of its own pool")), "{messages:?}");
}

/// To submit is not to await.
#[test]
fn c08_a_start_hook_may_submit_to_its_own_pool() {
    within(PATIENCE, || {
        let ran = Gate::closed();
        ran.open();
        let counted = ran.clone();
        let hooked = Hooked::new(1, move |pool| {
            let counted = counted.clone();
            pool.submit(move || counted.pass()).detach();
        });
        finish(hooked.pool().submit(|| ())).unwrap();
        ran.wait_for(1);
        finish(hooked.pool().shutdown());
    });
}

#[test]
fn c08_a_start_hook_may_await_another_pool() {
    within(PATIENCE, || {
        let (other, seen) = (ThreadPool::new(1), Arc::new(OnceLock::new()));
        let of_hook = Arc::clone(&seen);
        let view = other.clone().limited(1);
        let hooked = Hooked::new(1, move |_| {
            let _ = of_hook.set(finish(other.submit(|| 1)).unwrap() + finish(view.submit(|| 1)).unwrap());
        });
        finish(hooked.pool().submit(|| ())).unwrap();
        assert_eq!(seen.get(), Some(&2));
    });
}

/// The job has ended, or another thread runs it: the thread that the hook prepares is not needed for it.
#[test]
fn c08_a_start_hook_may_await_a_job_that_other_threads_run() {
    within(PATIENCE, || {
        let gate = Gate::closed();
        let door = gate.clone();
        let (handle, seen) = (Arc::new(Mutex::new(None)), Arc::new(OnceLock::new()));
        let (of_hook, of_seen) = (Arc::clone(&handle), Arc::clone(&seen));
        let hooked = Hooked::new(2, move |_| {
            let handle: Option<offload_runtime::JobHandle<()>> = of_hook.lock().unwrap().take();
            if let Some(handle) = handle {
                let _ = of_seen.set(finish(handle).is_ok());
            }
        });
        let first = hooked.pool().submit(move || door.pass());
        gate.wait_for(1);
        *handle.lock().unwrap() = Some(first);
        let second = hooked.pool().submit(|| ());
        eventually("the hook awaits the first job", || handle.lock().unwrap().is_none());
        gate.open();
        finish(second).unwrap();
        eventually("the hook has the result", || seen.get() == Some(&true));
    });
}

/// A stop hook runs on a thread that has left the pool: another may be started for what it awaits. A closed pool refuses it.
#[test]
fn c08_a_stop_hook_may_await_its_own_pool() {
    within(PATIENCE, || {
        let slot = Arc::new(OnceLock::<ThreadPool>::new());
        let (of_hook, results) = (Arc::downgrade(&slot), Arc::new(Mutex::new(Vec::new())));
        let seen = Arc::clone(&results);
        let stop = move || {
            // Once, since the job starts a thread that stops, too.
            let is_first = seen.lock().unwrap().is_empty();
            if let (Some(slot), true) = (of_hook.upgrade(), is_first) {
                seen.lock().unwrap().push(None);
                let result = slot.get().map(|pool| finish(pool.submit(|| 1)).ok());
                seen.lock().unwrap().push(result.flatten());
            }
        };
        slot.set(ThreadPool::builder().max_threads(1).keep_alive(Duration::ZERO).on_thread_stop(stop).build()).unwrap();
        finish(slot.wait().submit(|| ())).unwrap();
        eventually("the hook has its result", || results.lock().unwrap().as_slice() == [None, Some(1)]);
        finish(slot.wait().shutdown());
    });
}

/// The slow-job hook is on a thread of its own, and may do as it likes.
#[test]
fn c08_a_slow_job_hook_may_await_its_own_pool() {
    within(PATIENCE, || {
        let slot = Arc::new(OnceLock::<ThreadPool>::new());
        let (of_hook, gate) = (Arc::downgrade(&slot), Gate::closed());
        let door = gate.clone();
        let report = move |_: &offload_runtime::RunningJob| {
            if let Some(slot) = of_hook.upgrade() {
                finish(slot.wait().submit(|| ())).unwrap();
                door.open();
            }
        };
        let builder = ThreadPool::builder().max_threads(2).warn_after(Duration::from_millis(1)).on_slow_job(report);
        slot.set(builder.build()).unwrap();
        let of_job = gate.clone();
        finish(slot.wait().submit(move || of_job.pass())).unwrap();
    });
}
