//! Closures and outputs that are too large to be moved about on a worker's stack are boxed.
//!
//! Unoptimised code copies a value each time it is moved, and a worker has 2 MiB of stack. A large closure is boxed by its submitter and
//! copied once, by the call itself; a large output is boxed by the worker.

/// The largest value, in bytes, that is stored in the cell itself. Tokio boxes futures from 2 KiB (debug) or 16 KiB (release) on.
const MAX: usize = 2048;

/// Whether values of `T` are boxed.
pub(crate) const fn is_large<T>() -> bool {
    size_of::<T>() > MAX
}
