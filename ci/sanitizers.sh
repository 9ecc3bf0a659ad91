#!/usr/bin/env bash
# The contract, the faults and a soak under AddressSanitizer (with its leak checker) and ThreadSanitizer, on an installed nightly.
#
#   ci/sanitizers.sh              both
#   ci/sanitizers.sh address      one of address, thread
#
# By hand, not in `.ci/run`: each builds everything anew, into `target/sanitizer-*`. What came of it stands in `tests/contract/main.rs`.
#
# Without the `rust-src` component the standard library is not instrumented. For addresses that loses nothing of ours. For threads it
# means that what std's compiled code synchronises (locks, condition variables, the start and end of threads, channels) is not seen
# where it was not inlined, and shows as races that are none: those that `ci/tsan.supp` names, each with its reason.
set -euo pipefail
cd "$(dirname "$0")/.."

sanitizers=(address thread)
if (($# > 0)); then
    sanitizers=("$@")
fi
target=$(rustc +nightly --version --verbose | sed -n 's/^host: //p')
export OFFLOAD_SOAK_JOBS="${OFFLOAD_SOAK_JOBS:-60000}"
export ASAN_OPTIONS=detect_leaks=1 LSAN_OPTIONS="suppressions=$PWD/ci/lsan.supp" TSAN_OPTIONS="suppressions=$PWD/ci/tsan.supp"

# The tests of `faults::spawn` limit the address space, of which a sanitizer needs terabytes; those of `faults::exit` end with jobs
# under way, whose values are leaked on purpose.
skip=(--skip exit:: --skip spawn::)

for sanitizer in "${sanitizers[@]}"; do
    for test in contract faults soak; do
        echo "== $sanitizer $test"
        RUSTFLAGS="-Zsanitizer=$sanitizer" CARGO_TARGET_DIR="target/sanitizer-$sanitizer" \
            cargo +nightly test --package tests --target "$target" --test "$test" -- "${skip[@]}"
    done
done
