#!/usr/bin/env bash
# The documentation of the published crates builds without a warning, with all features.
set -euo pipefail
cd "$(dirname "$0")/.."
RUSTDOCFLAGS="${RUSTDOCFLAGS:-} -D warnings" cargo doc --no-deps --all-features -p offload-macros -p offload-runtime -p offload-dashboard
