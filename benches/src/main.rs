//! `cargo run --release -p benches`: one table of all contestants, also as JSON and as a chart. `--help` tells the options.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: benches::Counting = benches::Counting;

fn main() -> ExitCode {
    benches::table()
}
