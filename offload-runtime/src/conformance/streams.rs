//! The checks of streams: an iterator that leaves its thread and comes back, a body that sends.

use std::future::poll_fn;
use std::panic::resume_unwind;
use std::pin::Pin;

use futures_core::Stream as _;

use super::Check;
use super::probe::{Checked, Subject, Tokens, block_on, verify};
use crate::ext::ExecutorExt;
use crate::stream::{BlockingStream, Yielder};

pub(super) const ALL: &[Check] = &[
    Check { name: "a_stream_has_all_items_in_order", applies: |_, _| true, run: a_stream_has_all_items_in_order },
    Check { name: "a_panic_ends_its_stream", applies: |_, _| true, run: a_panic_ends_its_stream },
    Check { name: "a_stream_is_dropped_half_way", applies: |_, _| true, run: a_stream_is_dropped_half_way },
];

/// The most items that a body sends which is to be stopped. Where it runs on the thread of its consumer, nothing stops it.
const MOST: u64 = 10_000;

/// The last item of a stream that panicked, and of one that was refused.
const PANICKED: u64 = u64::MAX;
const REFUSED: u64 = u64::MAX - 1;

/// Takes `n` items of a stream, or as many as there are.
fn take<T: Send + 'static>(on: &Subject, stream: &mut BlockingStream<T>, n: u64) -> Checked<Vec<T>> {
    let mut items = Vec::new();
    for _ in 0..n {
        let next = block_on(poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx)), on.patience);
        match next.ok_or("a stream stays pending")? {
            Some(item) => items.push(item),
            None => break,
        }
    }
    Ok(items)
}

fn a_stream_has_all_items_in_order(on: &Subject) -> Checked {
    for buffer in [1, 3, 64] {
        let mut pulled = on.get().stream(|| 0..300_u64).refused(|_| REFUSED).buffer(buffer);
        let body = |out: &mut Yielder<u64>| {
            (0..300).all(|n| out.send(n).is_ok());
        };
        let mut sent = on.get().generate(body).refused(|_| REFUSED).buffer(buffer);
        for stream in [&mut pulled, &mut sent] {
            let is_all = take(on, stream, u64::MAX)?.into_iter().eq(0..300);
            verify(is_all, "an item of a stream is missing, or not in its place")?;
        }
    }
    Ok(())
}

fn a_panic_ends_its_stream(on: &Subject) -> Checked {
    for at in [0, 1, 70] {
        let panics = move |n| if n == at { resume_unwind(Box::new(())) } else { n };
        let mut stream = on.get().stream(move || (0..).map(panics)).panicked(|_| PANICKED).refused(|_| REFUSED);
        let is_all = take(on, &mut stream, u64::MAX)?.into_iter().eq((0..at).chain([PANICKED]));
        verify(is_all, "a stream does not end with its iterator's panic, after the items before it")?;
    }
    on.still_works()
}

fn a_stream_is_dropped_half_way(on: &Subject) -> Checked {
    let tokens = Tokens::default();
    for taken in [0, 1, 2, 9] {
        let token = tokens.token();
        let iterator = move || {
            (0_u64..).inspect(move |_| {
                let _ = &token;
            })
        };
        let mut pulled = on.get().stream(iterator).refused(|_| REFUSED).buffer(2);
        let token = tokens.token();
        let body = move |out: &mut Yielder<u64>| {
            let _token = token;
            (0..MOST).all(|n| out.send(n).is_ok());
        };
        let mut sent = on.get().generate(body).refused(|_| REFUSED).buffer(2);
        for stream in [&mut pulled, &mut sent] {
            let items = take(on, stream, taken)?;
            verify(items.into_iter().eq(0..taken), "a stream that was to be dropped half way has ended before")?;
        }
    }
    on.still_works()?;
    on.eventually("an iterator or a body is kept, though its stream was dropped", || tokens.alive() == 0)
}
