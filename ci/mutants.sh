#!/usr/bin/env bash
# Changes one thing at a time in the job, the pool, views, streams, states and readers, and sees whether a test fails. Survivors are printed, and
# left in `mutants.out/missed.txt`; what is known of them stands at the head of `tests/contract/main.rs`.
#
#   ci/mutants.sh                                       all: some 1,950 mutants, more than three hours on two cores
#   ci/mutants.sh --no-config ..                        nothing of `.cargo/mutants.toml`: for one file, with `-f FILE` and the tests to run
#   ci/mutants.sh --in-diff <(git diff main)            what a branch has changed
#   ci/mutants.sh --iterate                             again, without those that were caught
#
# By hand, not in `.ci/run`. It takes the arguments of cargo-mutants (`cargo install cargo-mutants --locked`); which files it changes and
# by which tests is in `.cargo/mutants.toml`. A test binary is given up at its first failure, or when it has been silent for some seconds,
# since most mutants of a pool hang (`ci/until-it-fails.sh`; OFFLOAD_SILENCE=20 for a machine that is busy).
#
# What leaks memory or breaks an ordering, and no test sees, is to be tried on the loom models (`ci/loom.sh`), by hand.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo mutants --version >/dev/null || { echo "cargo install cargo-mutants --locked" >&2; exit 1; }
host=$(rustc --version --verbose | sed -n 's/^host: //p')
host=${host^^}
export "CARGO_TARGET_${host//-/_}_RUNNER=$PWD/ci/until-it-fails.sh"
# Nothing here reads a backtrace, and there are hundreds of builds.
export CARGO_PROFILE_DEV_DEBUG=none
exec cargo mutants --jobs 1 --timeout 120 "$@"
