//! Without `self`, the option is a path.

use offload_runtime::blocking;

#[blocking(executor = io)]
fn find(name: &str) -> usize {
    name.len()
}

fn main() {}
