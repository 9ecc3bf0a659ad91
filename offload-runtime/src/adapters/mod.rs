//! Executors that are not ours, or hardly any: the calling thread, tokio's blocking pool, rayon's pool.

mod inline;
#[cfg(feature = "rayon")]
mod rayon;
#[cfg(feature = "tokio")]
mod tokio;

pub use inline::Inline;
