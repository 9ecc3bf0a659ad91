#!/usr/bin/env bash
# The benchmarks' own arithmetic, and that they run: all rows, in a few short turns. What they measure here says little, so there are no verdicts.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo test --quiet --release --package benches
cargo run --quiet --release --package benches -- --quick
