//! What `#[blocking]` accepts, each form called and its result compared. One topic per file.

#![allow(
    clippy::boxed_local,
    clippy::many_single_char_names,
    clippy::needless_pass_by_value,
    clippy::non_minimal_cfg,
    clippy::question_mark,
    clippy::never_loop,
    clippy::too_many_arguments,
    clippy::trivially_copy_pass_by_ref,
    clippy::unnecessary_debug_formatting,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "forms are shown, not code that does something; `tests/hygiene` shows that the attribute adds no warning"
)]

mod arguments;
mod attributes;
mod blocks;
mod bodies;
mod boxes;
mod captures;
mod conversions;
mod drops;
mod executors;
mod generics;
mod names;
mod outputs;
mod placement;
mod receivers;
mod refusals;
mod results;
mod rival;
mod sites;
mod state;
mod twins;
mod waits;

use offload_runtime::ThreadPool;
use std::future::Future;
use std::sync::Arc;

/// A service as users write them: a handle of what is shared, and its executor.
#[derive(Clone, Debug)]
struct Service {
    executor: ThreadPool,
    words: Arc<Vec<String>>,
}

impl Service {
    fn new() -> Self {
        let words = ["ada", "grace", "edsger"].map(str::to_owned).to_vec();
        Self { executor: ThreadPool::new(2), words: Arc::new(words) }
    }
}

fn run<F: Future>(future: F) -> F::Output {
    pollster::block_on(future)
}

/// Whether the code that asks runs on a worker of a pool.
fn on_worker() -> bool {
    std::thread::current().name().is_some_and(|name| name.starts_with("offload"))
}
