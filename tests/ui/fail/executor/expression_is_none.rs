//! An expression that gives no executor.

use offload_runtime::blocking;

#[blocking(executor = 1 + 1)]
fn find(name: &str) -> usize {
    name.len()
}

fn main() {}
