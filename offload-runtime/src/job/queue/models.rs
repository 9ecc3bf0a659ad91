//! Loom models of the queue and its inbox: push, post, pop, cancel, ask and seal, in every order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::thread;

use super::bare::{Bare, queue};
use super::*;
use crate::error::Error;
use crate::job::models::{Tokens, explore, job, token_job};
use crate::job::{JobHandle, Shown, Taken};

fn push(queue: &Arc<Queue<Bare>>, job: Job) {
    let (_, pushed) = queue.lock().push(job, None);
    drop(pushed);
}

/// Runs the first job of `queue`. `false`: there is none.
fn run_first(queue: &Arc<Queue<Bare>>) -> bool {
    let mut guard: Guard<'_, Bare> = queue.lock();
    let Some(Taken { job, .. }) = guard.pop() else { return false };
    drop(guard);
    job.run();
    true
}

#[test]
fn push_and_cancel() {
    explore("push and drop of the handle", None, || {
        let tokens = Tokens::default();
        let queue = queue();
        let (job, handle) = token_job(&tokens);
        let to = Arc::clone(&queue);
        let pusher = thread::spawn(move || push(&to, job));
        drop(handle);
        pusher.join().unwrap();
        assert!(queue.lock().is_empty(), "a job whose handle is gone stays in the queue");
        assert_eq!(Arc::strong_count(&queue), 1, "an empty queue keeps itself alive");
    });
}

#[test]
fn pop_and_cancel() {
    explore("pop, and drop of two handles", Some(3), || {
        let tokens = Tokens::default();
        let queue = queue();
        let handles = [(); 2].map(|()| {
            let (job, handle) = token_job(&tokens);
            push(&queue, job);
            handle
        });
        let from = Arc::clone(&queue);
        let worker = thread::spawn(move || while run_first(&from) {});
        let [first, second] = handles;
        let dropper = thread::spawn(move || drop(second));
        drop(first);
        dropper.join().unwrap();
        worker.join().unwrap();
        assert!(queue.lock().is_empty());
    });
}

/// Posts, and looks after the job as a pool's submitter does. `false`: it was too late.
fn post(queue: &Arc<Queue<Bare>>, job: Job) -> bool {
    match queue.post(job) {
        Posted::Quietly { .. } => true,
        Posted::Asked => {
            drop(queue.lock());
            true
        }
        Posted::Not(job) if job.is_cancelled() => {
            push(queue, job);
            true
        }
        Posted::Not(job) => {
            job.refuse(Error::ShutDown);
            false
        }
        Posted::Late => true,
    }
}

/// The handle may find the job linked, and in the hands of the thread that posts it.
#[test]
fn post_and_cancel() {
    for open in [false, true] {
        explore("post and drop of the handle", None, move || {
            let tokens = Tokens::default();
            let queue = queue();
            if open {
                queue.lock().open();
            }
            let (job, handle) = token_job(&tokens);
            let to = Arc::clone(&queue);
            let poster = thread::spawn(move || post(&to, job));
            drop(handle);
            assert!(poster.join().unwrap());
            assert!(queue.lock().is_empty(), "a job whose handle is gone stays in the queue");
            queue.lock().ask();
            assert_eq!(Arc::strong_count(&queue), 1, "an empty queue keeps itself alive");
        });
    }
}

/// Who cancels a job that was posted before anybody knew of it finds it linked, or runs after it has been taken.
#[test]
fn a_new_job_is_posted_and_then_cancelled() {
    explore("post of a new job, drop of its handle, and a thread that takes it", Some(3), || {
        let tokens = Tokens::default();
        let queue = queue();
        queue.lock().open();
        let from = Arc::clone(&queue);
        let worker = thread::spawn(move || run_first(&from));
        let (job, mut handle) = token_job(&tokens);
        // SAFETY: both have been made here.
        let posted = queue.post_new(unsafe { NewJob::of(job, &mut handle) });
        assert!(matches!(posted, Posted::Quietly { .. }));
        let dropper = thread::spawn(move || drop(handle));
        worker.join().unwrap();
        dropper.join().unwrap();
        assert!(queue.lock().is_empty(), "a job whose handle is gone stays in the queue");
        assert!(queue.lock().ask());
        assert_eq!(Arc::strong_count(&queue), 1, "an empty queue keeps itself alive");
    });
}

/// A thread that does `post` with a job that nobody awaits.
fn spawn_poster(
    tokens: &Tokens,
    queue: &Arc<Queue<Bare>>,
    post: fn(&Arc<Queue<Bare>>, Job) -> bool,
) -> thread::JoinHandle<bool> {
    let (job, handle) = token_job(tokens);
    handle.detach();
    let queue = Arc::clone(queue);
    thread::spawn(move || post(&queue, job))
}

/// Whoever is not asked is seen by who asks.
#[test]
fn post_and_ask() {
    explore("two posts and a thread that is about to sleep", Some(3), || {
        let tokens = Tokens::default();
        let queue = queue();
        queue.lock().open();
        let posters =
            [(); 2].map(|()| spawn_poster(&tokens, &queue, |queue, job| matches!(queue.post(job), Posted::Asked)));
        let mut guard = queue.lock();
        while !guard.ask() {}
        let seen = guard.len();
        drop(guard);
        let asked = posters.into_iter().map(|poster| poster.join().unwrap()).filter(|asked| *asked).count();
        // Of those that were not seen the first was asked to come, and brings the others along.
        assert_eq!(asked, usize::from(seen < 2), "{seen} seen");
        while run_first(&queue) {}
        queue.lock().ask();
        assert_eq!(Arc::strong_count(&queue), 1);
    });
}

#[test]
fn posts_of_one_thread_are_taken_in_order() {
    explore("three posts and a thread that takes them", Some(3), || {
        let tokens = Tokens::default();
        let queue = queue();
        queue.lock().open();
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
        let poster = thread::spawn(move || {
            for job in jobs {
                assert!(post(&to, job));
            }
        });
        let from = Arc::clone(&queue);
        let worker = thread::spawn(move || while run_first(&from) {});
        poster.join().unwrap();
        worker.join().unwrap();
        while run_first(&queue) {}
        assert_eq!(order.load(Ordering::SeqCst), 3);
        queue.lock().ask();
    });
}

#[test]
fn post_and_seal() {
    for open in [false, true] {
        explore("a post, the seal, and a handle that goes", Some(3), move || {
            let tokens = Tokens::default();
            let queue = queue();
            if open {
                queue.lock().open();
            }
            let (job, handle) = token_job(&tokens);
            let to = Arc::clone(&queue);
            let poster = thread::spawn(move || post(&to, job));
            let dropper = thread::spawn(move || drop(handle));
            queue.lock().seal();
            let before = queue.lock().len();
            let posted = poster.join().unwrap();
            dropper.join().unwrap();
            assert!(posted || before == 0, "a job that was turned away is in the queue");
            assert!(queue.lock().is_empty());
            assert_eq!(Arc::strong_count(&queue), 1);
            assert!(matches!(queue.post(job_of_nothing()), Posted::Not(_)));
        });
    }
}

/// A job that comes too late was to be put before another, perhaps, and is left in the list to the handle that has cancelled it.
#[test]
fn a_late_post_and_cancel() {
    explore("a late post, and drop of the handle", Some(3), || {
        let tokens = Tokens::default();
        let queue = queue();
        queue.lock().open();
        let (first, of_first) = token_job(&tokens);
        of_first.detach();
        assert!(post(&queue, first));
        let (job, handle) = token_job(&tokens);
        let (to, sealed) = (Arc::clone(&queue), Arc::clone(&queue));
        let poster = thread::spawn(move || post(&to, job));
        let sealer = thread::spawn(move || sealed.lock().seal());
        drop(handle);
        poster.join().unwrap();
        sealer.join().unwrap();
        assert!(run_first(&queue) && !run_first(&queue), "the first job is there, and no other");
        assert_eq!(Arc::strong_count(&queue), 1);
    });
}

/// A job that comes too late has seen another in the inbox, perhaps, which it was to be put before.
#[test]
fn two_posts_and_seal() {
    explore("two posts and the seal", Some(2), || {
        let tokens = Tokens::default();
        let queue = queue();
        queue.lock().open();
        let posters = [(); 2].map(|()| spawn_poster(&tokens, &queue, post));
        let from = Arc::clone(&queue);
        let worker = thread::spawn(move || while run_first(&from) {});
        queue.lock().seal();
        for poster in posters {
            poster.join().unwrap();
        }
        worker.join().unwrap();
        while run_first(&queue) {}
        assert!(queue.lock().is_empty());
        assert_eq!(Arc::strong_count(&queue), 1);
    });
}

fn job_of_nothing() -> Job {
    let (job, handle) = job(|| ());
    handle.detach();
    job
}

#[test]
fn a_posted_job_keeps_its_queue() {
    explore("cancel of a posted job as the queue's last users go", None, || {
        let tokens = Tokens::default();
        let queue = queue();
        queue.lock().open();
        let (job, handle) = token_job(&tokens);
        let poster = thread::spawn(move || {
            assert!(post(&queue, job));
            // The last one to know of it: it asks, as a pool's last thread does.
            while !queue.lock().ask() {}
            drop(queue);
        });
        drop(handle);
        poster.join().unwrap();
    });
}

#[test]
fn a_cancelling_handle_outlives_the_queue_it_leaves() {
    explore("cancel as the queue's last users go", None, || {
        let tokens = Tokens::default();
        let queue = queue();
        let (job, handle) = token_job(&tokens);
        push(&queue, job);
        let worker = thread::spawn(move || {
            run_first(&queue);
            drop(queue);
        });
        drop(handle);
        worker.join().unwrap();
    });
}

/// A job that was taken from `queue`.
fn claimed(queue: &Arc<Queue<Bare>>, f: impl FnOnce() + Send + 'static) -> (Claimed, JobHandle<()>) {
    let (job, handle) = job(f);
    push(queue, job);
    (queue.lock().pop().unwrap().job, handle)
}

/// The cell that is looked at is there, however the look and the end of the job meet: of one after the other, or of one inside the other.
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
                if of_looker.look().is_some() {
                    count.fetch_add(1, Ordering::SeqCst);
                }
            });
            let run = |(job, handle): (Claimed, JobHandle<()>), shown: &Shown| {
                drop(job.run_shown(shown, |_| ()));
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
            assert!(shown.look().is_none(), "a job is shown that has ended");
            looker.join().unwrap();
        });
        assert!(seen.load(Ordering::SeqCst) > 0, "no look met a job");
    }
}
