#!/usr/bin/env bash
# The tests of child processes, over and over: what depends on the order of deaths and signals shows as a flake.
#
#   ci/process.sh       50 runs in a row, or as many as are given, of ten minutes at most each; stops at the first that fails
#
# By hand, not in `.ci/run`, which runs them once.
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${1:-50}
# All but the compile errors, which do not depend on chance.
tests=(--test calls --test failures --test methods --test moved --test own_program --test pool --test published --test start --test traces)
output=$(mktemp)
trap 'rm -f "$output"' EXIT
cargo test --quiet --package tests-process "${tests[@]}" --no-run
for ((run = 1; run <= runs; run++)); do
    # Children say on stderr how they panic or abort, on purpose: shown where a run fails.
    timeout 600 cargo test --quiet --package tests-process "${tests[@]}" >"$output" 2>&1 || {
        cat "$output" >&2
        echo "run $run of $runs failed" >&2
        exit 1
    }
    echo "run $run of $runs passed"
done
