#!/usr/bin/env bash
# The soak test in its long form: at least ten million jobs, in release. `tests/soak/main.rs` says what it does and what came of it.
#
#   ci/soak.sh                     ten million jobs with a fresh seed, which is printed
#   ci/soak.sh JOBS [SEED]         so many, by that seed
#
# Some five minutes on two cores. It is not part of `.ci/run`, whose `test` step runs 200 000 jobs of it.
set -euo pipefail
cd "$(dirname "$0")/.."

export OFFLOAD_SOAK_JOBS="${1:-10_000_000}"
if (($# > 1)); then
    export OFFLOAD_SOAK_SEED="$2"
fi
cargo test --release --package tests --test soak -- --nocapture
