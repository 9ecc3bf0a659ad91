#!/usr/bin/env bash
# That the benchmarks run: all rows, in a few short turns. What they measure here says little, so there are no verdicts.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo run --quiet --release --package benches -- --quick
