//! Jobs in the background, without the attribute: a callback on the event loop, a detached job, a cancelled one.
//!
//! `cargo run --example background`

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;

use offload_runtime::{Error, ExecutorExt, ThreadPool};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, LocalSet, spawn_local};

/// Runs `f` on the pool, then `callback` with its result on the event loop.
///
/// The callback runs on the thread that called this, so it may hold what cannot be sent to another.
fn run_background<T: Send + 'static>(
    pool: &ThreadPool,
    f: impl FnOnce() -> T + Send + 'static,
    callback: impl FnOnce(Result<T, Error>) + 'static,
) -> JoinHandle<()> {
    let handle = pool.submit(f); // enqueued by now, whatever becomes of the rest
    spawn_local(async move { callback(handle.await) })
}

/// A job in the background calls back.
async fn call_back(pool: &ThreadPool) {
    let results = Rc::new(RefCell::new(Vec::new()));
    let on_loop = Rc::clone(&results);
    let called_back = run_background(
        pool,
        || {
            println!("job: on {}", thread_name());
            (1..=10_u32).product::<u32>()
        },
        move |result| {
            println!("callback: {result:?} on {}", thread_name());
            on_loop.borrow_mut().push(result);
        },
    );
    println!("submitted; the event loop is free");
    called_back.await.expect("the callback does not panic");
    println!("results: {:?}", results.borrow());
}

/// A job whose handle is given up runs all the same.
async fn detach(pool: &ThreadPool) {
    let (done, wait) = oneshot::channel();
    pool.submit(move || {
        println!("detached job: on {}", thread_name());
        done.send(()).expect("this program waits for the detached job");
    })
    .detach();
    wait.await.expect("the detached job runs to its end");
    println!("detached job: done, without a handle");
}

/// A job that has not begun never does once it is cancelled. The pool's only thread is kept busy meanwhile.
async fn cancel(pool: &ThreadPool) {
    let (go_on, wait) = mpsc::channel::<()>();
    let first = pool.submit(move || wait.recv());
    let second = pool.submit(|| println!("never printed"));
    second.cancel();
    println!("cancelled job: {:?}", second.await);
    go_on.send(()).expect("the first job waits");
    println!("job before it: {:?}", first.await);
}

fn thread_name() -> String {
    thread::current().name().unwrap_or("a thread without a name").to_owned()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let pool = ThreadPool::builder().max_threads(1).thread_name("background").build();
    let event_loop = LocalSet::new();
    event_loop.run_until(call_back(&pool)).await;
    detach(&pool).await;
    cancel(&pool).await;
    pool.shutdown().await;
    println!("pool: {:?}", pool.submit(|| ()).await);
}
