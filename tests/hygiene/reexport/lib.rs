//! A crate that passes `offload_runtime` on, as frameworks do, and has a public trait with a blocking default.

#![deny(warnings, async_fn_in_trait, missing_docs)]

pub use offload_runtime as offload;

/// Writes a blocking function into the caller's crate.
#[macro_export]
macro_rules! blocking_function {
    ($name:ident) => {
        #[$crate::offload::blocking(crate = $crate::offload)]
        fn $name(text: &str) -> usize {
            text.len()
        }
    };
}

/// A public trait whose default blocks: `async_fn_in_trait` has nothing to say about it.
pub trait Count: Clone + Send + Sync + 'static {
    /// Where it blocks.
    fn pool(&self) -> &offload::ThreadPool;

    /// Counts.
    #[offload::blocking(executor = self.pool())]
    fn count(&self, text: &str) -> usize {
        text.len()
    }
}
