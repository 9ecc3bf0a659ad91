//! Who submits: jobs of all kinds, left in all ways.

use std::hint::spin_loop;
use std::panic::resume_unwind;
use std::time::{Duration, Instant};

use offload_runtime::{Error, JobHandle, check_cancelled, is_cancelled, on_cancel};
use tests::support::{Token, finish};

use crate::ledger::{Card, Fate, Ticket, Unseen};
use crate::random::Random;
use crate::scene::{Place, Scene};
use crate::streams;

/// What a producer awaits its jobs on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Thread,
    Tokio,
    Smol,
}

pub(crate) const KINDS: [Kind; 4] = [Kind::Thread, Kind::Thread, Kind::Tokio, Kind::Smol];

type Played = (JobHandle<Token>, Card);

/// Plays until the scene has had enough of it.
pub(crate) fn produce(kind: Kind, scene: Scene, random: Random) {
    let play = play(scene, random);
    match kind {
        Kind::Thread => pollster::block_on(play),
        Kind::Tokio => {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(play);
        }
        Kind::Smol => smol::block_on(play),
    }
}

async fn play(scene: Scene, mut random: Random) {
    let mut kept: Vec<Played> = Vec::new();
    let mut nth = 0;
    while scene.plays(nth) {
        nth += 1;
        if random.one_in(12) {
            scene.disturb(&mut random).await;
        }
        if random.one_in(8) {
            streams::play(&scene, &mut random).await;
        }
        if random.one_in(6) {
            let place = Place::any(&mut random);
            if let Some((handle, card)) = scene.submit_with_permit(place, complete).await {
                let result = handle.await;
                assert!(!matches!(result, Err(Error::QueueFull)), "a job with a permit was refused as full");
                card.close(result);
            }
        }
        kept.push(submit(&scene, &mut random, 3));
        // Now and then several are under way.
        if random.one_in(3) || kept.len() > 40 {
            let chosen = usize::try_from(random.below(kept.len() as u64)).expect("an index");
            leave(kept.swap_remove(chosen), &mut random).await;
        }
    }
    for played in kept {
        leave(played, &mut random).await;
    }
}

/// Awaits the job, or leaves it in another way.
async fn leave((mut handle, card): Played, random: &mut Random) {
    match random.below(8) {
        0 => {
            card.leave(Unseen::Dropped);
            drop(handle);
        }
        1 => {
            card.leave(Unseen::Detached);
            handle.detach();
        }
        2 => {
            handle.cancel();
            card.close(handle.await);
        }
        // Polled once, then given up or awaited.
        3 => match futures::future::poll_immediate(&mut handle).await {
            Some(result) => card.close(result),
            None if random.one_in(2) => {
                card.leave(Unseen::Dropped);
                drop(handle);
            }
            None => card.close(handle.await),
        },
        4 => {
            handle.cancel();
            card.leave(Unseen::Dropped);
            drop(handle);
        }
        _ => card.close(handle.await),
    }
}

/// The payload of a panic on purpose.
struct Payload(#[expect(dead_code, reason = "counted")] Token);

/// Submits one job of some kind, which submits others if `depth` allows.
fn submit(scene: &Scene, random: &mut Random, depth: u32) -> Played {
    let mut of_job = random.split();
    match random.below(12) {
        0 => scene.submit(random, |mut ticket| {
            let payload = Payload(ticket.ledger().tokens().token());
            ticket.ends(Fate::Panicked);
            resume_unwind(Box::new(payload));
        }),
        1 if depth > 0 => {
            let (inner, place) = (scene.clone(), Place::any(random));
            scene.submit_at(place, move |ticket| nested(ticket, &inner, (place, true), &mut of_job, depth - 1))
        }
        2 => scene.submit(random, ends_when_cancelled),
        3 => scene.submit(random, hooked),
        4 => scene.submit(random, move |ticket| {
            for _ in 0..of_job.below(5_000) {
                spin_loop();
            }
            complete(ticket)
        }),
        5 if of_job.one_in(8) => scene.submit(random, move |ticket| {
            // Longer than a view keeps a thread.
            let until = Instant::now() + Duration::from_micros(1_200);
            while Instant::now() < until {
                spin_loop();
            }
            complete(ticket)
        }),
        _ => scene.submit(random, complete),
    }
}

fn complete(mut ticket: Ticket) -> Token {
    let result = ticket.ledger().tokens().token();
    ticket.ends(Fate::Completed);
    result
}

/// Blocks on jobs of its own, in one of the ways in which one blocks, or leaves them.
fn nested(ticket: Ticket, scene: &Scene, (place, is_first): (Place, bool), random: &mut Random, depth: u32) -> Token {
    for _ in 0..=random.below(3) {
        let (handle, card) = submit_inside(scene, place.below(random, is_first), random, depth);
        match random.below(6) {
            0 => {
                card.leave(Unseen::Dropped);
                drop(handle);
            }
            1 => {
                card.leave(Unseen::Detached);
                handle.detach();
            }
            2 => card.close(futures::executor::block_on(handle)),
            3 => card.close(pollster::block_on(handle)),
            _ => card.close(finish(handle)),
        }
    }
    complete(ticket)
}

/// As `submit`, at a place that the job around it may block on.
fn submit_inside(scene: &Scene, place: Place, random: &mut Random, depth: u32) -> Played {
    let mut of_job = random.split();
    if depth > 0 && random.one_in(3) {
        let inner = scene.clone();
        return scene.submit_at(place, move |ticket| nested(ticket, &inner, (place, false), &mut of_job, depth - 1));
    }
    scene.submit_at(place, complete)
}

/// Looks for its cancellation for a while, and ends itself if it comes.
fn ends_when_cancelled(mut ticket: Ticket) -> Token {
    let result = ticket.ledger().tokens().token();
    for _ in 0..200 {
        if is_cancelled() {
            ticket.ends(Fate::Unwound);
            check_cancelled();
            unreachable!("once cancelled, it stays so");
        }
        spin_loop();
    }
    ticket.ends(Fate::Completed);
    result
}

/// Registers a hook, which runs at most once.
fn hooked(ticket: Ticket) -> Token {
    let (ledger, once) = (ticket.ledger().clone(), ticket.ledger().tokens().token());
    let guard = on_cancel(move || {
        let _once = once;
        ledger.hook_ran();
    });
    for _ in 0..500 {
        spin_loop();
    }
    drop(guard);
    complete(ticket)
}
