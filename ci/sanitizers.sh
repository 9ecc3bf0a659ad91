#!/usr/bin/env bash
# The contract, the faults and a soak under AddressSanitizer (with its leak checker) and ThreadSanitizer, on an installed nightly.
#
#   ci/sanitizers.sh              both; ThreadSanitizer only if the nightly has the component `rust-src`
#   ci/sanitizers.sh address      one of address, thread
#
# By hand, not in `.ci/run`: each builds everything anew, into `target/sanitizer-*`. What came of it stands at the head of
# `tests/contract/main.rs`.
#
# ThreadSanitizer needs a standard library that was built for it, which takes `rust-src`: rustc refuses to mix the two, and where it is
# made to (`-Cunsafe-allow-abi-mismatch=sanitizer`), what std's compiled locks and condition variables order is not seen, and
# everything they guard is reported as a race: 672 reports in a soak of 3000 jobs, none of which can be distinguished from a real one.
set -euo pipefail
cd "$(dirname "$0")/.."

sanitizers=(address thread)
if (($# > 0)); then
    sanitizers=("$@")
fi
target=$(rustc +nightly --version --verbose | sed -n 's/^host: //p')
export OFFLOAD_SOAK_JOBS="${OFFLOAD_SOAK_JOBS:-60000}"
export ASAN_OPTIONS=detect_leaks=1 LSAN_OPTIONS="suppressions=$PWD/ci/lsan.supp"

# The tests of `faults::spawn` limit the address space, of which a sanitizer needs terabytes; those of `faults::exit` end with jobs
# under way, whose values are leaked on purpose.
skip=(--skip exit:: --skip spawn::)

for sanitizer in "${sanitizers[@]}"; do
    flags=(--package tests --target "$target")
    if [[ $sanitizer == thread ]]; then
        if [[ ! -d "$(rustc +nightly --print sysroot)/lib/rustlib/src/rust/library" ]]; then
            echo "sanitizers.sh: thread needs: rustup component add rust-src --toolchain nightly" >&2
            (($# == 0)) || exit 1
            continue
        fi
        flags+=(-Zbuild-std)
    fi
    for test in contract faults soak; do
        echo "== $sanitizer $test"
        RUSTFLAGS="-Zsanitizer=$sanitizer" CARGO_TARGET_DIR="target/sanitizer-$sanitizer" \
            cargo +nightly test "${flags[@]}" --test "$test" -- "${skip[@]}"
    done
done
