#!/usr/bin/env bash
# That the benchmarks run: all rows but those that run the compiler, in a few short rounds. What they measure here says little.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo run --quiet --release --package benches -- --quick
