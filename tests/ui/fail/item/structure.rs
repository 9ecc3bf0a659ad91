//! Not a function.

use offload_runtime::blocking;

#[blocking]
struct Users;

fn main() {}
