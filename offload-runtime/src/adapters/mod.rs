//! Executors that are not ours, or hardly any: the calling thread, a test, tokio's blocking pool, rayon's pool.

mod inline;
#[cfg(feature = "testing")]
mod manual;
#[cfg(feature = "rayon")]
mod rayon;
#[cfg(feature = "tokio")]
mod tokio;

pub use inline::Inline;
#[cfg(feature = "testing")]
pub use manual::ManualExecutor;
