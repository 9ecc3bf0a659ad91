#!/usr/bin/env bash
# The contract, the faults and a short soak under valgrind: memcheck (errors, leaks) and helgrind or DRD (races, lock order).
#
#   ci/valgrind.sh                    all three
#   ci/valgrind.sh memcheck           one of memcheck, helgrind, drd
#
# Fails at the first error that `ci/valgrind.supp` does not name; each suppression there has its reason. Half an hour or so on two
# cores: by hand, not in `.ci/run`. What came of it stands at the end of `tests/contract/main.rs`.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v valgrind >/dev/null || { echo "valgrind is not installed" >&2; exit 1; }
tools=(memcheck helgrind drd)
if (($# > 0)); then
    tools=("$@")
fi

# Tests of a panicking hook leave threads behind on purpose; those of `faults::exit` and `faults::spawn` start processes of their own.
skip=(--skip exit:: --skip spawn::)
export OFFLOAD_SOAK_JOBS="${OFFLOAD_SOAK_JOBS:-5000}" OFFLOAD_SOAK_SEED="${OFFLOAD_SOAK_SEED:-1}"

# The path of a test binary.
binary() {
    cargo test --package tests --test "$1" --no-run --message-format=json 2>/dev/null |
        sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1
}

for tool in "${tools[@]}"; do
    case $tool in
        memcheck) options=(--leak-check=full --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect) ;;
        helgrind) options=(--history-level=approx) ;;
        drd) options=(--check-stack-var=no) ;;
        *) echo "valgrind.sh: no such tool: $tool" >&2; exit 1 ;;
    esac
    for test in contract faults soak; do
        echo "== $tool $test"
        program=$(binary "$test")
        valgrind --tool="$tool" "${options[@]}" --fair-sched=yes --error-exitcode=9 --suppressions=ci/valgrind.supp --quiet \
            "$program" --test-threads=1 "${skip[@]}"
    done
done
