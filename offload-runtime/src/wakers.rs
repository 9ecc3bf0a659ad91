//! Wakers of callers that wait for one state of an executor (ended, idle), and are all woken at once.

use std::task::Waker;

/// The wakers, by the numbers of the futures that wait. Guarded by the executor's lock.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    next: u64,
    registered: Vec<(u64, Waker)>,
}

impl Wakers {
    /// A number for a future that will wait.
    pub(crate) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.registered.is_empty()
    }

    /// Registers the waker of the future `number`. What it returns is to be dropped after unlocking: the waker is user code.
    #[must_use]
    pub(crate) fn register(&mut self, number: u64, waker: Waker) -> Option<Waker> {
        if let Some((_, known)) = self.registered.iter_mut().find(|(known, _)| *known == number) {
            return Some(std::mem::replace(known, waker));
        }
        self.registered.push((number, waker));
        None
    }

    /// The future `number` is gone. What it returns is to be dropped after unlocking.
    #[must_use]
    pub(crate) fn remove(&mut self, number: u64) -> Option<Waker> {
        let position = self.registered.iter().position(|(known, _)| *known == number)?;
        Some(self.registered.swap_remove(position).1)
    }

    /// Takes all, to be woken after unlocking.
    #[must_use]
    pub(crate) fn take(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.registered).into_iter().map(|(_, waker)| waker).collect()
    }
}
