//! `unblock` of the crate `blocking`: one pool per process, whose limit is set anew for each row.

use std::num::NonZero;

use super::{Contestant, Setup};

#[derive(Debug)]
pub(crate) struct Unblock;

impl Contestant for Unblock {
    const NAME: &'static str = "unblock";

    fn start(setup: &Setup) -> Self {
        let threads = NonZero::new(setup.threads).expect("a pool has at least one thread");
        blocking::set_max_blocking_threads(threads);
        Self
    }

    #[inline]
    fn submit<F, T>(&self, f: F) -> impl Future<Output = T> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        blocking::unblock(f)
    }
}
