#!/usr/bin/env bash
# Explores the loom models of the cell, the queue, the pool and the limited view, and prints how many interleavings each had.
# In release: the models are searches.
set -euo pipefail
cd "$(dirname "$0")/.."
export RUSTFLAGS="${RUSTFLAGS:-} --cfg offload_loom"
CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/loom" cargo test --release -p offload-runtime --lib models -- --nocapture --test-threads 2
