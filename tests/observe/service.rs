//! A service whose methods are offloaded.

use offload_runtime::{Error, Executor, ThreadPool, blocking};
use tracing::{info, info_span};

/// A service on an executor.
#[derive(Clone, Debug)]
pub struct Service<E = ThreadPool> {
    /// Where its methods run.
    pub executor: E,
}

impl<E: Executor + Clone + 'static> Service<E> {
    /// Logs what is looked for, inside a span of its own as well.
    #[blocking]
    pub fn find(&self, what: &str) -> usize {
        info!(what, "looking");
        info_span!("query", what).in_scope(|| info!("found"));
        what.len()
    }

    /// Fails unless `ok`.
    ///
    /// # Errors
    /// As asked, or where the executor refuses.
    #[blocking]
    pub fn check(&self, ok: bool) -> Result<(), Error> {
        if ok { Ok(()) } else { Err(Error::Unavailable("as asked".into())) }
    }
}
