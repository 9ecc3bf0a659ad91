//! The books: what became of each job, as the job knows it and as its handle knows it, and whether the two agree.

use std::fmt;
use std::ops::AddAssign;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use offload_runtime::Error;
use tests::support::{Token, Tokens};

/// What happened to a job's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Completed,
    Panicked,
    /// It ended itself by `check_cancelled`.
    Unwound,
    /// It never ran.
    Unrun,
}

/// How a job was left without a look at its result.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unseen {
    Dropped,
    Detached,
}

/// The books of one epoch.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    submitted: AtomicU64,
    completed: AtomicU64,
    panicked: AtomicU64,
    cancelled: AtomicU64,
    refused: AtomicU64,
    lost: AtomicU64,
    hooks: AtomicU64,
    streams: [AtomicU64; 4],
    tokens: Tokens,
}

/// How a stream was left.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Left {
    AtItsEnd,
    HalfWay,
    Panicked,
    Refused,
}

/// The state of a card: what is known of its job so far. The side that adds the second half enters the job in the books.
const FATE: u32 = 0b0011;
const ENDED: u32 = 0b0100;
const SEEN: u32 = 0b1000;
const DETACHED: u32 = 0b1_0000;

/// One job, as its handle's side knows it.
#[derive(Debug)]
pub(crate) struct Card {
    word: Arc<AtomicU32>,
    ledger: Arc<Ledger>,
}

/// One job, as the job knows it: captured by its closure.
#[derive(Debug)]
pub(crate) struct Ticket {
    word: Arc<AtomicU32>,
    ledger: Arc<Ledger>,
    fate: Fate,
    _token: Token,
}

impl Ledger {
    /// Enters a job that is about to be submitted.
    pub(crate) fn open(self: &Arc<Self>) -> (Card, Ticket) {
        self.submitted.fetch_add(1, Ordering::SeqCst);
        let word = Arc::new(AtomicU32::new(0));
        let ticket = Ticket {
            word: Arc::clone(&word),
            ledger: Arc::clone(self),
            fate: Fate::Unrun,
            _token: self.tokens.token(),
        };
        (Card { word, ledger: Arc::clone(self) }, ticket)
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// A cancel hook has run.
    pub(crate) fn hook_ran(&self) {
        self.hooks.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn stream_left(&self, how: Left) {
        self.streams[how as usize].fetch_add(1, Ordering::SeqCst);
    }

    fn enter_unseen(&self, word: u32) {
        let of = match fate_of(word) {
            Fate::Completed => &self.completed,
            Fate::Panicked => &self.panicked,
            Fate::Unwound => &self.cancelled,
            // Dropping a handle cancels; a job that was to run and did not was refused.
            Fate::Unrun if word & DETACHED == 0 => &self.cancelled,
            Fate::Unrun => &self.refused,
        };
        of.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn totals(&self) -> Totals {
        let read = |count: &AtomicU64| count.load(Ordering::SeqCst);
        Totals {
            // Last to be read first, so that a job under way shows as missing, not as too many.
            completed: read(&self.completed),
            panicked: read(&self.panicked),
            cancelled: read(&self.cancelled),
            refused: read(&self.refused),
            lost: read(&self.lost),
            hooks: read(&self.hooks),
            streams: [0, 1, 2, 3].map(|how| read(&self.streams[how])),
            submitted: read(&self.submitted),
        }
    }
}

fn fate_of(word: u32) -> Fate {
    match word & FATE {
        0 => Fate::Completed,
        1 => Fate::Panicked,
        2 => Fate::Unwound,
        _ => Fate::Unrun,
    }
}

impl Ticket {
    /// The body begins. Until it says how it ends, that is by a panic.
    pub(crate) fn begin(&mut self) {
        assert_eq!(self.fate, Fate::Unrun, "a body runs once");
        self.fate = Fate::Panicked;
    }

    /// How the body is about to end.
    pub(crate) fn ends(&mut self, fate: Fate) {
        self.fate = fate;
    }

    pub(crate) fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let before = self.word.fetch_or(self.fate as u32 | ENDED, Ordering::SeqCst);
        assert_eq!(before & ENDED, 0, "a closure is dropped once");
        if before & SEEN != 0 {
            self.ledger.enter_unseen(self.word.load(Ordering::SeqCst));
        }
    }
}

impl Card {
    /// The handle has said how it ended; that has to be what happened, and to have happened before.
    pub(crate) fn close<T>(self, result: Result<T, Error>) {
        let word = self.word.fetch_or(SEEN, Ordering::SeqCst);
        assert_ne!(word & ENDED, 0, "a handle resolved while its closure was there (C7): {:?}", result.err());
        let fate = fate_of(word);
        let (agrees, of) = match &result {
            Ok(_) => (fate == Fate::Completed, &self.ledger.completed),
            Err(Error::Panicked(_)) => (fate == Fate::Panicked, &self.ledger.panicked),
            Err(Error::Cancelled) => (matches!(fate, Fate::Unrun | Fate::Unwound), &self.ledger.cancelled),
            Err(Error::ShutDown | Error::QueueFull | Error::State(_)) => (fate == Fate::Unrun, &self.ledger.refused),
            Err(Error::Lost) => (fate == Fate::Unrun, &self.ledger.lost),
            Err(_) => (false, &self.ledger.lost),
        };
        assert!(agrees, "the handle says {:?}, and the job {fate:?}", result.err());
        of.fetch_add(1, Ordering::SeqCst);
    }

    /// The handle is about to be dropped or detached.
    pub(crate) fn leave(self, how: Unseen) {
        let bits = match how {
            Unseen::Dropped => SEEN,
            Unseen::Detached => SEEN | DETACHED,
        };
        let before = self.word.fetch_or(bits, Ordering::SeqCst);
        if before & ENDED != 0 {
            self.ledger.enter_unseen(before | bits);
        }
    }
}

/// The sums.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) submitted: u64,
    completed: u64,
    panicked: u64,
    cancelled: u64,
    refused: u64,
    lost: u64,
    hooks: u64,
    streams: [u64; 4],
}

impl Totals {
    pub(crate) fn is_balanced(&self) -> bool {
        self.submitted == self.completed + self.panicked + self.cancelled + self.refused + self.lost
    }

    pub(crate) fn has_all_kinds(&self) -> bool {
        [self.completed, self.panicked, self.cancelled, self.refused, self.hooks]
            .iter()
            .chain(&self.streams)
            .all(|count| *count > 0)
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.submitted += other.submitted;
        self.completed += other.completed;
        self.panicked += other.panicked;
        self.cancelled += other.cancelled;
        self.refused += other.refused;
        self.lost += other.lost;
        self.hooks += other.hooks;
        for (here, there) in self.streams.iter_mut().zip(other.streams) {
            *here += there;
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            submitted,
            completed,
            panicked,
            cancelled,
            refused,
            lost,
            hooks,
            streams: [ended, half_way, broken, turned_away],
        } = self;
        write!(
            f,
            "{submitted} submitted = {completed} completed + {panicked} panicked + {cancelled} cancelled + {refused} refused + \
             {lost} lost; {hooks} cancel hooks ran; streams: {ended} ended, {half_way} were dropped half way, {broken} panicked, \
             {turned_away} were refused"
        )
    }
}
