//! What several of these services need in order to be tested.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use std::{env, fs, process};

use offload_runtime::ThreadPool;

/// A pool that refuses, as the pools of a program that is ending do.
pub(crate) fn closed() -> ThreadPool {
    let pool = ThreadPool::new(1);
    pool.close();
    pool
}

/// The message of the panic that `future` ends in.
pub(crate) async fn panic_of<F: Future>(future: F) -> String {
    let mut future = pin!(future);
    let payload = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(_)) => Poll::Ready(None),
        Err(payload) => Poll::Ready(Some(payload)),
    });
    message(&*payload.await.expect("the future should have panicked"))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).expect("a panic of text").to_owned()
}

/// Far more than anything here takes: what has not ended by then hangs.
pub(crate) const HANGS: Duration = Duration::from_secs(60);

/// Awaits what would never end if what is tested did not work.
pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(HANGS, future).await.expect("this should have ended long ago")
}

/// A folder for one test, gone when this is dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(test: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}-{}", process::id()));
        fs::create_dir_all(&folder).expect("the folder for tests can be written");
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is overwritten by the next run, or cleaned with the target folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}
