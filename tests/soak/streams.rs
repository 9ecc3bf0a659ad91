//! Streams on all executors of ours: pulled and sent, taken to their end, dropped half way, ended by a panic or a refusal.

use std::panic::resume_unwind;

use futures::StreamExt;
use offload_runtime::Yielder;
use tests::support::{Token, Tokens};

use crate::ledger::Left;
use crate::random::Random;
use crate::scene::Scene;

/// What a stream is to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    items: u64,
    panics: bool,
    pub(crate) is_sent: bool,
    pub(crate) buffer: usize,
}

/// Every value that crosses is counted, and so are the iterator and the body.
pub(crate) enum Item {
    Number(u64, #[expect(dead_code, reason = "counted")] Token),
    Panicked,
    Refused,
}

impl Plan {
    fn new(random: &mut Random) -> Self {
        let buffer = random.of(&[1, 2, 5, 64]);
        Self { items: random.below(40), panics: random.one_in(5), is_sent: random.one_in(2), buffer }
    }

    /// The iterator.
    pub(crate) fn pull(self, tokens: Tokens) -> impl Iterator<Item = Item> + Send {
        let captured = tokens.token();
        (0..=self.items).map_while(move |n| {
            let _ = &captured;
            if n < self.items {
                return Some(Item::Number(n, tokens.token()));
            }
            if self.panics {
                resume_unwind(Box::new(tokens.token()));
            }
            None
        })
    }

    /// The body.
    pub(crate) fn send(self, tokens: Tokens, out: &mut Yielder<Item>) {
        for item in self.pull(tokens) {
            if out.send(item).is_err() {
                return;
            }
        }
    }
}

/// Plays one stream.
pub(crate) async fn play(scene: &Scene, random: &mut Random) {
    let plan = Plan::new(random);
    let most = if random.one_in(3) { random.below(plan.items + 1) } else { u64::MAX };
    let mut stream = scene.stream(random, plan).panicked(|_| Item::Panicked).refused(|_| Item::Refused);
    let mut taken = 0;
    let left = loop {
        if taken == most {
            break Left::HalfWay;
        }
        match stream.next().await {
            Some(Item::Number(n, _)) => assert_eq!(n, taken, "{plan:?}"),
            Some(Item::Panicked) => {
                assert!(plan.panics && taken == plan.items, "{plan:?} panicked after {taken}");
                break Left::Panicked;
            }
            Some(Item::Refused) => break Left::Refused,
            None => {
                assert!(!plan.panics && taken == plan.items, "{plan:?} ended after {taken}");
                break Left::AtItsEnd;
            }
        }
        taken += 1;
    };
    if !matches!(left, Left::HalfWay) {
        assert!(stream.next().await.is_none(), "{plan:?} goes on after its end");
    }
    scene.ledger().stream_left(left);
}
