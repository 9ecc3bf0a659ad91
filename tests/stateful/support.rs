//! States that are counted, and that cannot leave their thread.

use std::cell::Cell;
use std::convert::Infallible;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use offload_runtime::{StatefulPool, StatefulPoolBuilder};
use tests::support::{Token, Tokens};

/// What happened to the states of a pool.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    pub(crate) alive: Tokens,
    opened: Arc<AtomicUsize>,
    /// The most states that there were at once.
    most: Arc<AtomicUsize>,
    /// Threads on which a state was dropped that was opened on another.
    strayed: Arc<Mutex<Vec<ThreadId>>>,
}

impl Log {
    /// Opens one more state.
    pub(crate) fn open(&self) -> State {
        let token = self.alive.token();
        self.most.fetch_max(self.alive.alive(), Ordering::SeqCst);
        let number = self.opened.fetch_add(1, Ordering::SeqCst) + 1;
        State { number, used: Rc::new(Cell::new(0)), home: thread::current().id(), log: self.clone(), _token: token }
    }

    /// A pool of such states.
    pub(crate) fn pool(&self, threads: usize) -> StatefulPool<State> {
        self.build(StatefulPool::builder().max_threads(threads))
    }

    pub(crate) fn build(&self, builder: StatefulPoolBuilder<State>) -> StatefulPool<State> {
        let log = self.clone();
        builder.open(move || Ok::<_, Infallible>(log.open()))
    }

    /// How many were opened.
    pub(crate) fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    /// The most there were at once.
    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    /// Checks that every state was dropped, once, on the thread that had opened it.
    #[track_caller]
    pub(crate) fn assert_all_dropped_at_home(&self) {
        assert_eq!(self.alive.alive(), 0);
        assert_eq!(*self.strayed.lock().unwrap(), []);
    }
}

/// A state that is neither `Send` nor `Clone`.
#[derive(Debug)]
pub(crate) struct State {
    /// Which it is: the first that was opened is 1.
    pub(crate) number: usize,
    pub(crate) used: Rc<Cell<usize>>,
    home: ThreadId,
    log: Log,
    _token: Token,
}

impl State {
    /// Counts a use, which has to be at home.
    pub(crate) fn use_it(&mut self) -> usize {
        assert_eq!(thread::current().id(), self.home);
        self.used.set(self.used.get() + 1);
        self.used.get()
    }
}

impl Drop for State {
    fn drop(&mut self) {
        if thread::current().id() != self.home {
            self.log.strayed.lock().unwrap().push(thread::current().id());
        }
    }
}
