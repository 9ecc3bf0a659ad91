//! Loom models of the queue and its inbox: push, pop, cancel, promote, park and seal, in every order.

use std::sync::atomic::AtomicUsize;

use loom::thread;

use super::*;
use crate::error::Error;
use crate::job::models::{End, Token, Tokens, explore, job, token_job};
use crate::job::{JobHandle, Shown};

/// An owner with one worker, which is in the model, or in none.
struct Bare;

struct Workers {
    /// How many workers are coming; `None` if no other could be had.
    coming: Option<usize>,
    /// How often a worker was called.
    called: usize,
}

impl Owner for Bare {
    type Guarded = Workers;
    type Wake = ();

    fn settle(guard: &mut Guard<'_, Self>) {
        let coming = guard.coming;
        if guard.publish(coming) {
            guard.called += 1;
            guard.coming = coming.map(|coming| coming + 1);
            let coming = guard.coming;
            let _ = guard.publish(coming);
        }
    }

    fn perform(_: &Arc<Queue<Self>>, (): ()) {}

    fn cancelled(_: &Arc<Queue<Self>>, _: &Claimed) {}

    fn refused(_: &Arc<Queue<Self>>, job: Claimed, why: &Error) {
        job.refuse(why.duplicate());
    }

    fn wait(_: &mut Workers, _: Wait) {}
}

fn queue_with(coming: Option<usize>) -> Arc<Queue<Bare>> {
    let queue = Queue::new(Bare, Workers { coming, called: 0 }, None);
    queue.lock().finish();
    queue
}

/// A queue whose submitters need not come to the lock.
fn queue() -> Arc<Queue<Bare>> {
    queue_with(None)
}

/// Pushes as an executor does. `false`: it was too late.
fn push(queue: &Arc<Queue<Bare>>, job: Job) -> bool {
    match queue.push(job, Stamp::NONE) {
        Ok(()) | Err(Rejected::Cancelled(_)) => true,
        Err(Rejected::Sealed(job)) => {
            job.refuse(Error::ShutDown);
            false
        }
    }
}

/// Runs the first job of `queue`. `false`: there is none.
fn run_first(queue: &Arc<Queue<Bare>>) -> bool {
    let mut guard = queue.lock();
    let next = guard.pop();
    guard.finish();
    let Some((job, _)) = next else { return false };
    job.run();
    true
}

fn seal(queue: &Arc<Queue<Bare>>) {
    let mut guard = queue.lock();
    guard.seal();
    guard.finish();
}

/// Nothing is left in `queue`, or refers to it.
fn assert_empty(queue: &Arc<Queue<Bare>>) {
    let mut guard = queue.lock();
    let next = guard.pop();
    guard.finish();
    assert!(next.is_none() && !queue.lock().has_next(), "a job whose handle is gone stays in the queue");
    seal(queue);
    assert!(!queue.has_jobs(), "a job is counted that is not there");
    assert_eq!(Arc::strong_count(queue), 1, "a sealed queue without jobs keeps itself");
}

/// How a handle cancels its job.
const CANCELS: [End; 2] = [|handle| drop(handle), cancel];

fn cancel(handle: JobHandle<Token>) {
    handle.cancel();
    assert!(handle.is_finished(), "it does not run, and has no result");
    assert!(matches!(loom::future::block_on(handle), Err(Error::Cancelled)));
}

/// The handle may find the job linked, and in the hands of the thread that pushes it.
#[test]
fn push_and_cancel() {
    for end in CANCELS {
        explore("push and cancel", None, move || {
            let tokens = Tokens::default();
            let queue = queue();
            let (job, handle) = token_job(&tokens);
            let to = Arc::clone(&queue);
            let pusher = thread::spawn(move || assert!(push(&to, job)));
            end(handle);
            pusher.join().unwrap();
            assert_empty(&queue);
        });
    }
}

/// A worker comes between: it finds the job that was cancelled on its way to the queue, and releases it.
#[test]
fn push_and_cancel_and_pop() {
    explore("push, cancel and pop", Some(3), || {
        let tokens = Tokens::default();
        let queue = queue();
        let (job, handle) = token_job(&tokens);
        let (to, from) = (Arc::clone(&queue), Arc::clone(&queue));
        let pusher = thread::spawn(move || assert!(push(&to, job)));
        let worker = thread::spawn(move || run_first(&from));
        drop(handle);
        pusher.join().unwrap();
        worker.join().unwrap();
        assert_empty(&queue);
    });
}

#[test]
fn pop_and_cancel() {
    explore("pop, and drop of two handles", Some(2), || {
        let tokens = Tokens::default();
        let queue = queue();
        let handles = [(); 2].map(|()| {
            let (job, handle) = token_job(&tokens);
            assert!(push(&queue, job));
            handle
        });
        let from = Arc::clone(&queue);
        let worker = thread::spawn(move || while run_first(&from) {});
        let [first, second] = handles;
        let dropper = thread::spawn(move || drop(second));
        drop(first);
        dropper.join().unwrap();
        worker.join().unwrap();
        assert_empty(&queue);
    });
}

#[test]
fn pushes_of_one_thread_are_taken_in_order() {
    explore("three pushes and a thread that takes them", Some(3), || {
        let tokens = Tokens::default();
        let queue = queue();
        let order = Arc::new(AtomicUsize::new(0));
        let jobs: Vec<_> = (0..3)
            .map(|place| {
                let (order, token) = (Arc::clone(&order), tokens.new_one());
                let (job, handle) = job(move || {
                    assert_eq!(order.fetch_add(1, Ordering::SeqCst), place);
                    drop(token);
                });
                handle.detach();
                job
            })
            .collect();
        let to = Arc::clone(&queue);
        let pusher = thread::spawn(move || {
            for job in jobs {
                assert!(push(&to, job));
            }
        });
        let from = Arc::clone(&queue);
        let worker = thread::spawn(move || while run_first(&from) {});
        pusher.join().unwrap();
        worker.join().unwrap();
        while run_first(&queue) {}
        assert_eq!(order.load(Ordering::SeqCst), 3);
        assert_empty(&queue);
    });
}

/// A thread that pushes a job without an awaiter.
fn spawn_pusher(tokens: &Tokens, queue: &Arc<Queue<Bare>>) -> thread::JoinHandle<bool> {
    let (job, handle) = token_job(tokens);
    handle.detach();
    let queue = Arc::clone(queue);
    thread::spawn(move || push(&queue, job))
}

/// A worker takes what there is and parks. A job that it has not seen calls it back, whichever submitter counts it.
#[test]
fn push_and_park() {
    for submitters in [1, 2] {
        let preemptions = if submitters == 1 { None } else { Some(3) };
        explore(&format!("{submitters} pushes and a worker that parks"), preemptions, move || {
            let tokens = Tokens::default();
            let queue = queue_with(Some(1));
            let pushers: Vec<_> = (0..submitters).map(|_| spawn_pusher(&tokens, &queue)).collect();
            // The worker.
            let mut guard = queue.lock();
            while let Some((job, _)) = guard.pop() {
                guard.finish();
                job.run();
                guard = queue.lock();
            }
            guard.coming = Some(0);
            guard.finish();
            for pusher in pushers {
                assert!(pusher.join().unwrap());
            }
            let guard = queue.lock();
            assert!(!guard.has_next() || guard.called > 0, "jobs are queued, and no worker was called for them");
            assert!(guard.called <= submitters, "a worker was called for nothing");
            guard.finish();
            while run_first(&queue) {}
            assert_empty(&queue);
        });
    }
}

/// A sealed queue takes no job more; one that is cancelled on the way is left to its canceller.
#[test]
fn push_and_seal_and_cancel() {
    explore("a push, the seal, and a handle that goes", Some(3), || {
        let tokens = Tokens::default();
        let queue = queue();
        let (job, handle) = token_job(&tokens);
        let to = Arc::clone(&queue);
        let pusher = thread::spawn(move || push(&to, job));
        let dropper = thread::spawn(move || drop(handle));
        seal(&queue);
        let before = queue.lock().listed();
        let is_pushed = pusher.join().unwrap();
        dropper.join().unwrap();
        assert!(is_pushed || before == 0, "a job that was turned away is in the queue");
        assert_empty(&queue);
    });
}

/// The same, without another to hold the queue: it is there until the canceller has left it, and no longer.
#[test]
fn the_queue_goes_as_its_last_job_is_cancelled() {
    for sealed_by_submitter in [true, false] {
        explore("cancel as the last users of the queue go", Some(4), move || {
            let tokens = Tokens::default();
            let queue = queue();
            let kept = Arc::downgrade(&queue);
            let (job, handle) = token_job(&tokens);
            let other = Arc::clone(&queue);
            let submitter = thread::spawn(move || {
                push(&other, job);
                if sealed_by_submitter {
                    seal(&other);
                }
                drop(other);
            });
            if !sealed_by_submitter {
                seal(&queue);
            }
            drop(queue);
            drop(handle);
            submitter.join().unwrap();
            if let Some(queue) = kept.upgrade() {
                // A job that was cancelled before it was pushed is found by the next that looks, as is a pool's last worker.
                assert_empty(&queue);
            }
            assert!(kept.upgrade().is_none());
        });
    }
}

#[test]
fn the_queue_goes_as_its_last_job_is_taken() {
    explore("cancel, and a worker that is the last user of the queue", Some(4), || {
        let tokens = Tokens::default();
        let queue = queue();
        let kept = Arc::downgrade(&queue);
        let (job, handle) = token_job(&tokens);
        assert!(push(&queue, job));
        seal(&queue);
        let worker = thread::spawn(move || {
            run_first(&queue);
            drop(queue);
        });
        drop(handle);
        worker.join().unwrap();
        assert!(kept.upgrade().is_none(), "a sealed queue without jobs keeps itself");
    });
}

#[test]
fn two_pushes_and_seal() {
    explore("two pushes and the seal", Some(2), || {
        let tokens = Tokens::default();
        let queue = queue();
        let pushers = [(); 2].map(|()| spawn_pusher(&tokens, &queue));
        seal(&queue);
        while run_first(&queue) {}
        for pusher in pushers {
            pusher.join().unwrap();
        }
        assert_empty(&queue);
    });
}

/// A job is awaited by a running one while it is pushed, taken or cancelled: it comes first if it is there.
#[test]
fn promote_and_push() {
    explore("an awaited job that is being pushed", Some(3), || {
        let tokens = Tokens::default();
        let queue = queue();
        let (first, of_first) = token_job(&tokens);
        assert!(push(&queue, first));
        let (second, of_second) = token_job(&tokens);
        let to = Arc::clone(&queue);
        let pusher = thread::spawn(move || assert!(push(&to, second)));
        of_second.canceller().promote(Queue::id(&queue));
        let is_awaited = queue.lock().has_awaited();
        pusher.join().unwrap();
        assert!(run_first(&queue));
        assert_eq!((of_first.is_finished(), of_second.is_finished()), (!is_awaited, is_awaited));
        assert!(run_first(&queue));
        drop((of_first, of_second));
        assert_empty(&queue);
    });
}

#[test]
fn promote_and_pop_and_cancel() {
    explore("an awaited job that is taken or cancelled", Some(2), || {
        let tokens = Tokens::default();
        let queue = queue();
        let (first, of_first) = token_job(&tokens);
        let (second, of_second) = token_job(&tokens);
        assert!(push(&queue, first) && push(&queue, second));
        let from = Arc::clone(&queue);
        let worker = thread::spawn(move || while run_first(&from) {});
        let canceller = of_second.canceller();
        let cancels = thread::spawn(move || canceller.cancel());
        of_second.canceller().promote(Queue::id(&queue));
        worker.join().unwrap();
        cancels.join().unwrap();
        assert!(of_first.is_finished() && of_second.is_finished());
        drop((of_first, of_second));
        assert_empty(&queue);
    });
}

/// A queued job: its canceller and its handle, in every order, beside the worker that takes it.
#[test]
fn a_canceller_of_a_queued_job() {
    let ends: [(&str, End); 2] = [("is dropped", |handle| drop(handle)), ("is detached", |handle| handle.detach())];
    for (name, end) in ends {
        explore(&format!("a canceller of a queued job, and a handle that {name}"), Some(2), move || {
            let tokens = Tokens::default();
            let queue = queue();
            let (job, handle) = token_job(&tokens);
            assert!(push(&queue, job));
            let (from, canceller) = (Arc::clone(&queue), handle.canceller());
            let worker = thread::spawn(move || run_first(&from));
            let cancels = thread::spawn(move || canceller.cancel());
            end(handle);
            worker.join().unwrap();
            cancels.join().unwrap();
            assert_empty(&queue);
        });
    }
}

/// A job that was taken from `queue`.
fn claimed(queue: &Arc<Queue<Bare>>, f: impl FnOnce() + Send + 'static) -> (Claimed, JobHandle<()>) {
    let (job, handle) = job(f);
    assert!(push(queue, job));
    let mut guard = queue.lock();
    let (claimed, _) = guard.pop().unwrap();
    guard.finish();
    (claimed, handle)
}

/// The cell that is seen is there, however the look and the end of the job meet: of one after the other, or of one inside the other.
#[test]
fn a_look_at_a_job_and_its_end() {
    for nested in [false, true] {
        let seen = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&seen);
        explore(&format!("a look at jobs that end, nested: {nested}"), Some(3), move || {
            let queue = queue();
            let shown = Arc::new(Shown::new());
            let (of_looker, count) = (Arc::clone(&shown), Arc::clone(&count));
            let looker = thread::spawn(move || {
                if of_looker.see().is_some() {
                    count.fetch_add(1, Ordering::SeqCst);
                }
            });
            let run = |(job, handle): (Claimed, JobHandle<()>), shown: &Shown| {
                drop(job.run_shown(shown, None, |_| ()));
                // Frees the cell.
                drop(handle);
            };
            let (second, in_first) = (claimed(&queue, || ()), Arc::clone(&shown));
            if nested {
                run(claimed(&queue, move || run(second, &in_first)), &shown);
            } else {
                run(claimed(&queue, || ()), &shown);
                run(second, &shown);
            }
            assert!(shown.see().is_none(), "a job is shown that has ended");
            looker.join().unwrap();
            assert_empty(&queue);
        });
        assert!(seen.load(Ordering::SeqCst) > 0, "no look met a job");
    }
}
