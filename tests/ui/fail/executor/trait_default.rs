//! A default method of a trait sees no fields.

use offload_runtime::blocking;

trait Find: Clone + Send + Sync + 'static {
    #[blocking]
    fn find(&self) -> u32 {
        1
    }
}

fn main() {}
