#!/usr/bin/env bash
# The published crates build with the oldest compiler that they say they build with. Skipped, saying so, where that compiler
# can't be had.
set -euo pipefail
cd "$(dirname "$0")/.."

toolchain="$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml).0"
skip() {
    echo "skipped: $1"
    exit 0
}
command -v rustup >/dev/null || skip "no rustup to get Rust $toolchain with"
if ! rustup run "$toolchain" rustc --version 2>/dev/null; then
    timeout 300 rustup toolchain install "$toolchain" --profile minimal --no-self-update || skip "Rust $toolchain can't be had"
fi
CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/msrv" \
    rustup run "$toolchain" cargo check --locked --all-features -p offload-macros -p offload-runtime
