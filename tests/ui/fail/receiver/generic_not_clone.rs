//! Where `Clone` is derived, it is asked of the type parameters as well.

use offload_runtime::{ThreadPool, blocking};
use std::sync::Arc;

#[derive(Clone)]
struct Store<K> {
    executor: ThreadPool,
    keys: Arc<Vec<K>>,
}

impl<K: Send + Sync + 'static> Store<K> {
    #[blocking]
    fn len(&self) -> usize {
        self.keys.len()
    }
}

fn main() {}
