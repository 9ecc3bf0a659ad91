//! The soak test: everything at once, for long, with exact books.
//!
//! Each epoch sets up a scene: a pool of random size, views of it, a pool of states that fail to open now and then, a foreign executor. Four producers submit random jobs to it
//! (two bare threads, a tokio runtime, a smol executor). At some moment the pool is closed, shut down,
//! stopped or dropped. Jobs are awaited, dropped, cancelled, detached and kept for later; they return, panic, block on jobs of their
//! own, end themselves when cancelled, register hooks. Threads grow and retire all along, for their keep-alive is next to nothing.
//!
//! The books have to balance at the end of each epoch, exactly: submitted = completed + panicked + cancelled + refused + lost; what
//! each handle said has to agree with what happened to its job; and no value that a job captured or returned is left.
//!
//! The seed is printed. `OFFLOAD_SOAK_SEED` plays it again: the decisions are the same, the interleaving is the machine's.
//! `OFFLOAD_SOAK_JOBS` says how many jobs (default 200 000: some ten seconds). The long form is `ci/soak.sh`, which counted, on two cores, by
//! seed 328550785406874391, of three million jobs, in 116 s and 927 epochs, while other work had half of the machine:
//!
//! ```text
//! 3001695 submitted = 2147505 completed + 134524 panicked + 301441 cancelled + 413671 refused + 4554 lost;
//! 53 cancel hooks ran; streams: 108918 ended, 70585 were dropped half way, 27310 panicked, 71053 were refused
//! ```
//!
//! `streams.rs`: what streams hand over is in order and complete, and they end as they were to.
//!
//! `held.rs` is a soak of its own, of what is decided about jobs that take some ten nanoseconds: in release only.
//!
//! Whenever a scene ends, the pool's own books ([`ThreadPool::metrics`](offload_runtime::ThreadPool::metrics)) have to balance too.

mod held;
mod ledger;
mod producer;
mod random;
mod scene;
mod streams;
mod watchdog;

use std::sync::Arc;
use std::time::Instant;

use ledger::Ledger;
use random::Random;
use scene::Scene;
use tests::support::eventually;

const JOBS: u64 = 200_000;

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.replace('_', "").parse().unwrap_or_else(|_| panic!("{name} has to be a number, and is {text}")))
}

#[test]
fn soak() {
    let seed = from_environment("OFFLOAD_SOAK_SEED").unwrap_or_else(random::seed_of_now);
    let jobs = from_environment("OFFLOAD_SOAK_JOBS").unwrap_or(JOBS);
    println!("to play this again: OFFLOAD_SOAK_SEED={seed} OFFLOAD_SOAK_JOBS={jobs}");
    let begun = Instant::now();
    let mut random = Random::new(seed);
    let mut total = ledger::Totals::default();
    let mut epochs = 0_u64;
    while total.submitted < jobs {
        let ledger = Arc::new(Ledger::default());
        let watchdog = watchdog::watch(seed, epochs, &ledger);
        epoch(random.split(), &ledger);
        // What was detached or given up may still be on its way.
        eventually("the books balance", || ledger.totals().is_balanced() && ledger.tokens().alive() == 0);
        drop(watchdog);
        total += ledger.totals();
        epochs += 1;
    }
    assert!(total.is_balanced());
    println!("{total}");
    println!("{epochs} epochs in {:.1?}", begun.elapsed());
    // It was not all of one kind, if it was enough.
    assert!(jobs < JOBS || total.has_all_kinds(), "{total}");
}

fn epoch(mut random: Random, ledger: &Arc<Ledger>) {
    let scene = Scene::new(&mut random, ledger);
    std::thread::scope(|scope| {
        for kind in producer::KINDS {
            let (scene, random) = (scene.clone(), random.split());
            scope.spawn(move || producer::produce(kind, scene, random));
        }
        let (scene, random) = (scene.clone(), random.split());
        scope.spawn(move || scene.end(random));
    });
    scene.leave();
}
