//! One contestant, so many jobs, as far as one stage of their life, and the process ends.
//!
//! For an instruction counter: run with two numbers of jobs, the difference is what that many jobs cost, and the difference between
//! two stages is what one stage costs. It is the same every time: the pool has one thread, which is kept busy until all jobs
//! are submitted, and from then on either it works or this thread does, never both.

use std::hint::black_box;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Wake, Waker};

use crate::contestants::{
    AffinityPool, Channel, Contestant, Declined, Offload, Rayon, Setup, SpawnBlocking, Stateful, Unblock,
};

const USAGE: &str = "\
Usage: count CONTESTANT STAGE JOBS
  CONTESTANT  offload, declined, stateful, spawn_blocking, unblock, rayon+oneshot, affinitypool or channel+oneshot
  STAGE       submit: queued behind a busy thread; poll: and each handle polled, leaving a waker; run: and run, the wakers
              woken; take: and each handle polled again, for the result";

/// How far the jobs are taken. Each stage includes those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Submit,
    Poll,
    Run,
    Take,
}

/// Does what the command line says. `Err`: how it should be used.
pub(crate) fn run() -> Result<(), String> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [contestant, stage, jobs] = arguments.as_slice() else { return Err(USAGE.to_owned()) };
    let jobs = jobs.parse().map_err(|_| USAGE.to_owned())?;
    let stage = match stage.as_str() {
        "submit" => Stage::Submit,
        "poll" => Stage::Poll,
        "run" => Stage::Run,
        "take" => Stage::Take,
        _ => return Err(USAGE.to_owned()),
    };
    let take_so_far = match contestant.as_str() {
        Offload::NAME => take_so_far::<Offload>,
        Declined::NAME => take_so_far::<Declined>,
        Stateful::NAME => take_so_far::<Stateful>,
        SpawnBlocking::NAME => take_so_far::<SpawnBlocking>,
        Unblock::NAME => take_so_far::<Unblock>,
        Rayon::NAME => take_so_far::<Rayon>,
        AffinityPool::NAME => take_so_far::<AffinityPool>,
        Channel::NAME => take_so_far::<Channel>,
        _ => return Err(USAGE.to_owned()),
    };
    take_so_far(stage, jobs)
}

/// Counts how often it is woken, and says when that was the last time.
struct CountDown {
    left: AtomicUsize,
    all_woken: mpsc::SyncSender<()>,
}

impl Wake for CountDown {
    fn wake(self: Arc<Self>) {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.all_woken.send(()).expect("the main thread waits for the last one");
        }
    }
}

fn take_so_far<C: Contestant>(stage: Stage, jobs: usize) -> ! {
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build();
    let runtime = runtime.expect("the machine has room for a runtime");
    let pool = C::start(&Setup { threads: 1, runtime: runtime.handle().clone() });
    let (arrive, arrived) = mpsc::sync_channel(1);
    let (open, gate) = mpsc::sync_channel::<()>(1);
    let occupied = pool.submit(move || {
        arrive.send(()).expect("the main thread waits for the arrival");
        gate.recv().expect("the gate is opened, or the process ends");
    });
    arrived.recv().expect("the pool has a thread");

    let (all_woken, wait) = mpsc::sync_channel(1);
    let waker = Waker::from(Arc::new(CountDown { left: AtomicUsize::new(jobs), all_woken }));
    let mut context = Context::from_waker(&waker);
    let mut handles = Vec::with_capacity(jobs);
    handles.extend((0..jobs as u64).map(|i| Some(pool.submit(move || i))));
    // Without a spare place the vector becomes a boxed slice as it is.
    let mut handles = Box::into_pin(handles.into_boxed_slice());
    if stage >= Stage::Poll {
        for_each(handles.as_mut(), |handle| {
            let handle = handle.as_pin_mut().expect("not taken yet");
            assert!(handle.poll(&mut context).is_pending(), "the only thread is busy");
        });
    }
    if stage >= Stage::Run {
        open.send(()).expect("the gate is there");
        wait.recv().expect("all jobs end");
    }
    if stage >= Stage::Take {
        for_each(handles.as_mut(), |mut handle| {
            // Ready, as its waker was woken; but after some results in a row a handle of ours gives way once.
            while handle.as_mut().as_pin_mut().expect("not taken yet").poll(&mut context).map(black_box).is_pending() {}
            handle.set(None);
        });
    }
    // Nothing is cleaned up: that would be counted.
    std::mem::forget((occupied, open, handles));
    std::process::exit(0);
}

/// Calls `visit` with each element, which stays where it is.
fn for_each<H>(slice: Pin<&mut [H]>, mut visit: impl FnMut(Pin<&mut H>)) {
    #[allow(unsafe_code, reason = "the standard library has no projection of pinned slices")]
    // SAFETY: the slice is not moved out of here, and its elements are given away pinned only.
    for element in unsafe { slice.get_unchecked_mut() } {
        #[allow(unsafe_code, reason = "as above")]
        // SAFETY: the element is a part of the pinned slice, and is pinned with it.
        visit(unsafe { Pin::new_unchecked(element) });
    }
}
