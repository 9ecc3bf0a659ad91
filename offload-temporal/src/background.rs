//! The thread on which requests run, so that callers need no tokio runtime.

use std::future::Future;

use offload_runtime::Error;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A thread with a tokio runtime. It ends when this and all tasks that hold this are gone.
pub(crate) struct Background {
    handle: Handle,
    /// Never sent to: its drop ends the thread.
    _alive: oneshot::Sender<()>,
}

impl Background {
    pub(crate) fn start() -> Result<Self, Error> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::Spawn)?;
        let handle = runtime.handle().clone();
        let (alive, gone) = oneshot::channel::<()>();
        std::thread::Builder::new()
            .name("offload-temporal".into())
            .spawn(move || {
                // An error is how it ends: the sender was dropped.
                let _ = runtime.block_on(gone);
            })
            .map_err(Error::Spawn)?;
        Ok(Self { handle, _alive: alive })
    }

    /// Runs `future` on the thread.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.handle.spawn(future)
    }
}
