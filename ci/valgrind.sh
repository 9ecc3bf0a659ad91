#!/usr/bin/env bash
# The contract, the faults, streams, states, readers and writers, and a short soak under valgrind's memcheck: no error, and no leak but
# those that `ci/valgrind.supp` names.
#
#   ci/valgrind.sh
#
# About two minutes on two cores: by hand, not in `.ci/run`. What came of it stands at the head of `tests/contract/main.rs`.
#
# Not helgrind, nor DRD: they know the locks of the C library and no other, and Rust's are atomics and system calls. In a soak of a
# thousand jobs they report hundreds of "races", in std's own start of a thread as in ours, and a suppression for that would hide a
# real one as well. Races are looked for where atomics are understood: by the loom models (`ci/loom.sh`) and by
# ThreadSanitizer (`ci/sanitizers.sh`).
set -euo pipefail
cd "$(dirname "$0")/.."

command -v valgrind >/dev/null || { echo "valgrind is not installed" >&2; exit 1; }
export OFFLOAD_SOAK_JOBS="${OFFLOAD_SOAK_JOBS:-5000}"

# The tests of `faults::exit` end with jobs under way, whose values are leaked on purpose; those of `faults::spawn` limit the address
# space, of which valgrind needs most. Both start processes of their own.
skip=(--skip exit:: --skip spawn::)

for test in contract faults streams stateful io soak; do
    echo "== memcheck $test"
    program=$(cargo test --package tests --test "$test" --no-run --message-format=json |
        sed -n "s/.*\"name\":\"$test\".*\"executable\":\"\([^\"]*\)\".*/\1/p")
    # In the folder in which cargo runs them.
    (cd tests && valgrind --tool=memcheck --leak-check=full --show-leak-kinds=definite,indirect \
        --errors-for-leak-kinds=definite,indirect --fair-sched=yes --error-exitcode=9 --suppressions=../ci/valgrind.supp --quiet \
        "$program" --test-threads=1 "${skip[@]}")
done
