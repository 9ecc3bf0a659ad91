#!/usr/bin/env bash
# No warning of the compiler or of clippy, in any target, with all features. `ci/temporal.sh` does it for `offload-temporal`, which takes minutes to build
# and needs `protoc`.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo clippy --workspace --exclude offload-temporal --all-targets --all-features -- -D warnings
