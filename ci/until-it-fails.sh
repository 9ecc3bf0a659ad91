#!/usr/bin/env bash
# Runs a test binary until its first failure, or until it has been silent for so long that something hangs. For `ci/mutants.sh`, where
# either is what was to be seen and the rest of the run would be waiting.
set -uo pipefail
set -m # a process group of its own, so that what the tests start ends with them

silence=${OFFLOAD_SILENCE:-8}
# Not a coprocess, of which bash forgets the number and the output as it ends: an empty test binary is faster than the next line.
scratch=$(mktemp -d)
mkfifo "$scratch/output"
"$@" >"$scratch/output" 2>&1 &
group=$!
exec 3<"$scratch/output"
rm -rf "$scratch"

give_up() {
    echo "$1"
    kill -KILL -- "-$group" 2>/dev/null
    exit 101
}

while true; do
    IFS= read -r -t "$silence" line <&3
    status=$?
    ((status <= 128)) || give_up "nothing for $silence s: a test hangs"
    ((status == 0)) || break
    printf '%s\n' "$line"
    [[ $line != test\ *FAILED ]] || give_up "one failure is enough"
done
wait "$group"
