#!/usr/bin/env bash
# Explores the loom models of the cell, the queue, the pool, the limited view and the async writer, and prints how many interleavings each had.
# In release, as the models are searches; with the assertions and the overflow checks of a debug build, as they are checks.
set -euo pipefail
cd "$(dirname "$0")/.."
export RUSTFLAGS="${RUSTFLAGS:-} --cfg offload_loom"
export CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS=true
CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/loom" cargo test --release -p offload-runtime --features futures-io --lib models -- --nocapture --test-threads 2
