//! Blocking Rust methods, awaited.

#[forbid(unsafe_code)]
mod adapters;
#[forbid(unsafe_code)]
mod cancel;
#[cfg(feature = "testing")]
#[forbid(unsafe_code)]
pub mod conformance;
#[forbid(unsafe_code)]
mod context;
#[forbid(unsafe_code)]
mod default;
#[forbid(unsafe_code)]
mod error;
#[forbid(unsafe_code)]
mod executor;
#[allow(unsafe_code, reason = "all of it is here; `job/mod.rs` tells by what rules")]
mod job;
#[forbid(unsafe_code)]
mod limited;
#[forbid(unsafe_code)]
mod pool;
#[forbid(unsafe_code)]
mod site;
#[forbid(unsafe_code)]
mod sync;

#[doc(hidden)]
#[forbid(unsafe_code)]
#[path = "private.rs"]
pub mod __private;

pub use adapters::Inline;
pub use cancel::{CancelGuard, check_cancelled, is_cancelled, on_cancel};
pub use default::{AlreadySet, default_executor, set_default_executor};
pub use error::{Error, Panic};
pub use executor::{Executor, ExecutorExt};
pub use job::{Job, JobHandle};
pub use limited::Limited;
#[doc(inline)]
pub use offload_macros::blocking;
pub use pool::{RunningJob, Shutdown, StillRunning, ThreadPool, ThreadPoolBuilder};
pub use site::Site;
