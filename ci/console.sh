#!/usr/bin/env bash
# Jobs in tokio-console, by its real subscriber. That one asserts a flag of the compiler, so it has a target directory of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
export RUSTFLAGS="${RUSTFLAGS:-} --cfg console_without_tokio_unstable"
CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/console" cargo test -p observe --test console
