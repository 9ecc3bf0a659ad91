//! C7 to the last block: however jobs end, no memory is left behind.
//!
//! A test binary of its own, whose allocator counts. Each way to end is played many times: a block that one of them left
//! would be left many times.

use std::sync::{Arc, mpsc};
use std::task::Waker;

use offload_runtime::{Error, Executor, ExecutorExt, JobHandle, ThreadPool, check_cancelled, on_cancel};
use tests::support::{Counting, Gate, Keeping, Occupied, eventually, finish, poll_once};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// There is one profiler for the process.
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// How often each way to end is played.
const TIMES: usize = 60;
/// What may come and go meanwhile: buffers that grow, locals of threads.
const OTHERS: usize = TIMES / 3;

/// A way for a job to end, and what it is called.
type Ways<'a> = Vec<(&'static str, Box<dyn Fn() + 'a>)>;

/// A waker whose last reference is the job's.
fn registered<T>(handle: &mut JobHandle<T>) {
    assert!(poll_once(handle, &Waker::from(Arc::new(Counting::default()))).is_pending());
}

/// Ways for a job to end that is queued behind others.
fn queued<'a>(executor: &'a (dyn Executor + 'static)) -> Ways<'a> {
    let submit = || executor.submit(|| vec![1_u8]);
    let polled = move || {
        let mut handle = submit();
        registered(&mut handle);
        handle
    };
    let cancelled = |handle: JobHandle<Vec<u8>>| {
        handle.cancel();
        handle
    };
    vec![
        ("dropped in the queue", Box::new(move || drop(submit()))),
        ("dropped in the queue after a poll", Box::new(move || drop(polled()))),
        ("cancelled in the queue, and dropped", Box::new(move || drop(cancelled(submit())))),
        ("cancelled in the queue, and awaited", Box::new(move || drop(finish(cancelled(polled()))))),
        ("detached in the queue", Box::new(move || polled().detach())),
    ]
}

/// Which side comes first to the end of a job.
#[derive(Clone, Copy)]
enum Order {
    JobFirst,
    HandleFirst,
}

/// Ways for a job to end that an executor has in its hands.
fn kept() -> Ways<'static> {
    type Give = fn(JobHandle<Vec<u8>>);
    type End = fn(offload_runtime::Job);
    // What becomes of the handle, whether it was polled before, and whether it has to be waited for.
    let handles: [(Give, bool, bool); 6] = [
        (|handle| drop(handle), false, false),
        (|handle| drop(handle), true, false),
        (|handle| handle.detach(), true, false),
        (|handle| handle.cancel(), true, false),
        (|handle| drop(finish(handle)), true, true),
        (
            |handle| {
                handle.cancel();
                drop(finish(handle));
            },
            true,
            false,
        ),
    ];
    let ends: [End; 3] = [|job| job.run(), |job| drop(job), |job| job.refuse(Error::QueueFull)];
    let mut ways: Ways<'static> = Vec::new();
    for (given_up, with_waker, waits) in handles {
        for end in ends {
            for order in [Order::JobFirst, Order::HandleFirst] {
                ways.push((
                    "kept by an executor",
                    Box::new(move || {
                        let executor = Keeping::default();
                        let mut handle = executor.submit(|| vec![1_u8]);
                        if with_waker {
                            registered(&mut handle);
                        }
                        let job = executor.0.lock().unwrap().pop().unwrap();
                        match order {
                            Order::JobFirst => {
                                end(job);
                                given_up(handle);
                            }
                            Order::HandleFirst if waits => std::thread::scope(|scope| {
                                scope.spawn(|| given_up(handle));
                                end(job);
                            }),
                            Order::HandleFirst => {
                                given_up(handle);
                                end(job);
                            }
                        }
                    }),
                ));
            }
        }
    }
    ways
}

/// Ways to end for a job that runs, or has run.
fn run<'a>(executor: &'a (dyn Executor + 'static)) -> Ways<'a> {
    let held = move || {
        let (gate, (begun, wait)) = (Gate::closed(), mpsc::channel());
        let door = gate.clone();
        let mut handle = executor.submit(move || {
            let _guard = on_cancel(|| ());
            begun.send(()).unwrap();
            door.pass();
            check_cancelled();
            vec![1_u8]
        });
        wait.recv().unwrap();
        registered(&mut handle);
        (gate, handle)
    };
    vec![
        ("awaited", Box::new(move || drop(finish(executor.submit(|| vec![1_u8]))))),
        (
            "dropped when it had ended",
            Box::new(move || {
                let handle = executor.submit(|| vec![1_u8]);
                eventually("the job ends", || handle.is_finished());
            }),
        ),
        (
            "dropped while it ran",
            Box::new(move || {
                let (gate, handle) = held();
                drop(handle);
                gate.open();
            }),
        ),
        (
            "detached while it ran",
            Box::new(move || {
                let (gate, handle) = held();
                handle.detach();
                gate.open();
            }),
        ),
        (
            "cancelled while it ran",
            Box::new(move || {
                let (gate, handle) = held();
                handle.cancel();
                gate.open();
                drop(finish(handle));
            }),
        ),
        (
            "panicked",
            Box::new(move || {
                drop(finish(executor.submit(|| -> () { std::panic::resume_unwind(Box::new(7_u8)) })));
                executor.submit(|| -> () { std::panic::resume_unwind(Box::new(7_u8)) }).detach();
            }),
        ),
        (
            "with a hook whose guard was leaked",
            Box::new(move || {
                drop(finish(executor.submit(|| {
                    let guard = on_cancel(|| ());
                    drop(on_cancel(|| ()));
                    drop(guard);
                })));
            }),
        ),
    ]
}

/// Ways for a job to end that another job awaits, or gives up.
fn nested<E: Executor + Clone + 'static>(executor: &E) -> Ways<'_> {
    let outer = |body: fn(E)| {
        let of_job = executor.clone();
        move || {
            finish(executor.submit({
                let of_job = of_job.clone();
                move || body(of_job)
            }))
            .unwrap();
        }
    };
    vec![
        ("awaited by a job", Box::new(outer(|inner| drop(finish(inner.submit(|| vec![1_u8])))))),
        (
            "joined by a job",
            Box::new(outer(|inner| {
                let jobs = (0..40).map(|_| inner.submit(|| vec![1_u8]));
                drop(finish(futures::future::join_all(jobs)));
            })),
        ),
        (
            "given up by a job after a poll",
            Box::new(outer(|inner| {
                let mut job = inner.submit(|| vec![1_u8]);
                if poll_once(&mut job, Waker::noop()).is_pending() {
                    drop(job);
                }
            })),
        ),
        (
            "detached by a job after a poll",
            Box::new(outer(|inner| {
                let mut job = inner.submit(|| vec![1_u8]);
                if poll_once(&mut job, Waker::noop()).is_pending() {
                    job.detach();
                }
            })),
        ),
        (
            "cancelled with the job that awaits it",
            Box::new(|| {
                let (gate, of_job) = (Gate::closed(), executor.clone());
                let door = gate.clone();
                let outer = executor.submit(move || finish(of_job.submit(move || door.pass())).is_ok());
                gate.wait_for(1);
                outer.cancel();
                let canceller = outer.canceller();
                gate.open();
                drop((finish(outer), canceller));
            }),
        ),
    ]
}

/// After twenty thousand jobs, all of them awaited by one job, memory in use is the same as after a thousand.
#[test]
fn c07_memory_does_not_grow_with_the_number_of_jobs() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let _profiler = dhat::Profiler::builder().testing().build();
    let pool = ThreadPool::new(2);
    let view = pool.clone().limited(2);
    let (of_job, begun) = (view.clone(), std::time::Instant::now());
    let outer = pool.submit(move || {
        let mut bytes = Vec::new();
        for n in 0..20_000 {
            let job = of_job.submit(move || drop(on_cancel(move || assert!(n < 20_000))));
            drop(finish(job));
            if n % 1_000 == 999 {
                bytes.push(dhat::HeapStats::get().curr_bytes);
            }
            // Under valgrind fewer do.
            if begun.elapsed() > std::time::Duration::from_secs(60) {
                break;
            }
        }
        bytes
    });
    let bytes = pollster::block_on(outer).unwrap();
    let (first, last) = (bytes[0], bytes[bytes.len() - 1]);
    assert!(last < first + 64 * 1024, "{bytes:?}");
}

#[track_caller]
fn leaves_nothing(what: &str, way: &dyn Fn(), settle: &dyn Fn()) {
    let play = || {
        for _ in 0..TIMES {
            way();
        }
        settle();
    };
    play(); // buffers grow, threads make their locals
    let before = dhat::HeapStats::get().curr_blocks;
    play();
    // Threads that have counted themselves out have still to end.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    let blocks = || dhat::HeapStats::get().curr_blocks;
    while blocks() >= before + OTHERS && std::time::Instant::now() < deadline {
        std::thread::yield_now();
    }
    let after = blocks();
    assert!(after < before + OTHERS, "{what}: {before} blocks, then {after}");
}

#[test]
fn c07_no_memory_lingers() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let _profiler = dhat::Profiler::builder().testing().build();
    let pool = ThreadPool::new(1);
    let view = pool.clone().limited(1);
    for executor in [&pool as &(dyn Executor + 'static), &view] {
        let settle = || finish(executor.submit(|| ())).unwrap();
        for (what, way) in run(executor) {
            leaves_nothing(what, &*way, &settle);
        }
        for (what, way) in queued(executor) {
            let behind_another = || {
                let occupied = Occupied::new(executor, 1);
                way();
                occupied.release();
            };
            leaves_nothing(what, &behind_another, &settle);
        }
    }
    let settle = || finish(pool.submit(|| ())).unwrap();
    for (what, way) in nested(&pool).into_iter().chain(nested(&view)) {
        leaves_nothing(what, &*way, &settle);
    }
    for (what, way) in kept() {
        leaves_nothing(what, &*way, &|| ());
    }
    let closed = ThreadPool::new(1);
    closed.close();
    leaves_nothing("refused", &|| drop(closed.submit(|| vec![1_u8])), &|| ());
    let ends: [fn(ThreadPool); 3] = [|pool| drop(pool), |pool| drop(pool.shutdown()), |pool| drop(pool.shutdown_now())];
    for end in ends {
        let pool = || {
            let pool = ThreadPool::new(2);
            pool.clone().limited(1).submit(|| ()).detach();
            let last = pool.shutdown();
            end(pool);
            finish(last);
        };
        leaves_nothing("a pool and its view", &pool, &|| ());
    }
}
