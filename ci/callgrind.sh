#!/usr/bin/env bash
# Counts the instructions of one call: submitting it, running it, awaiting it; ours beside every peer.
#
#   ci/callgrind.sh          prints the table; fails if ours has grown by more than 5% over ci/callgrind.figures
#   ci/callgrind.sh --keep   prints the table and keeps its figures there
#
# The program `count` of the package `benches` takes jobs as far as one stage and exits. A stage's figure is a difference of
# differences: of two numbers of jobs, so that what happens once falls out, and of the stage and the one before. Nothing
# runs at the same time as anything else, so the figures are the same every time.
#
# `own` leaves out what the C library does (malloc, free, memcpy), which differs from system to system; it is what is compared.
# `all` is compared too where the kept figures are from the same C library.
#
# `unused` is ours with the features `metrics` and `tokio`, which another crate of a program may have enabled: without a recorder, and submitting outside
# of a runtime. It may cost a job no more than 120 instructions. `declined` is the same for a pool that declines both: no more than 60.
#
# `stateful` is a `StatefulPool`, whose jobs find the state of their thread and put it back: no more than 120 instructions.
set -euo pipefail
cd "$(dirname "$0")/.."

figures=ci/callgrind.figures
contestants=(offload spawn_blocking unblock rayon+oneshot affinitypool channel+oneshot)
stages=(submit poll run take)
jobs=1000
libc=$(ldd --version 2>&1 | sed -n 1p)

command -v valgrind >/dev/null || { echo "valgrind is not installed" >&2; exit 1; }
count=${CARGO_TARGET_DIR:-target}/release/count
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cargo build --quiet --release --package benches --bin count --features publish,context
mkdir "$scratch/unused"
cp "$count" "$scratch/unused/count"
cargo build --quiet --release --package benches --bin count

# Prints `CONTESTANT STAGE JOBS ALL OWN`.
measure() {
    local out=$scratch/$1-$2-$3 program=$count
    [[ $1 != unused && $1 != declined ]] || program=$scratch/unused/count
    valgrind --tool=callgrind --compress-strings=no --compress-pos=no --callgrind-out-file="$out" \
        "$program" "${1/unused/offload}" "$2" "$3" >/dev/null 2>"$out.log" || { cat "$out.log" >&2; return 1; }
    # A line after `calls=` is the cost of what is called, which stands under its own name too.
    awk -v key="$1 $2 $3" '
        /^ob=/ { own = /\/count$/ }
        /^calls=/ { called = 1; next }
        /^[0-9]/ { if (!called) { all += $2; if (own) mine += $2 } called = 0 }
        END { printf "%s %d %d\n", key, all, mine }' "$out"
    rm -f "$out"
}
export -f measure
export scratch count

for contestant in "${contestants[@]}" unused declined stateful; do
    for stage in "${stages[@]}"; do
        printf '%s\n' "$contestant $stage $jobs" "$contestant $stage $((2 * jobs))"
    done
done | xargs -P "$(nproc)" -L 1 bash -c 'measure "$@"' measure >"$scratch/measured"

# `CONTESTANT submit ALL OWN`, and the same for `run` and `await`, which is its two polls.
awk -v jobs="$jobs" '
    { sign = $3 == jobs ? -1 : 1; all[$1, $2] += sign * $4 / jobs; own[$1, $2] += sign * $5 / jobs; names[$1] }
    END {
        for (name in names) {
            print name, "submit", all[name, "submit"], own[name, "submit"]
            print name, "run", all[name, "run"] - all[name, "poll"], own[name, "run"] - own[name, "poll"]
            print name, "await", all[name, "poll"] - all[name, "submit"] + all[name, "take"] - all[name, "run"], \
                own[name, "poll"] - own[name, "submit"] + own[name, "take"] - own[name, "run"]
        }
    }' "$scratch/measured" | sort >"$scratch/figures"

printf '%-16s %14s %14s %14s %14s   (of which own)\n' 'instructions' submit run await together
for contestant in "${contestants[@]}" unused declined stateful; do
    awk -v name="$contestant" '
        $1 == name { all[$2] = $3; own[$2] = $4 }
        END {
            printf "%-16s", name
            count = split("submit run await", stages, " ")
            for (i = 1; i <= count; i++) {
                printf " %14s", sprintf("%.0f (%.0f)", all[stages[i]], own[stages[i]])
                total += all[stages[i]]; mine += own[stages[i]]
            }
            printf " %14s\n", sprintf("%.0f (%.0f)", total, mine)
        }' "$scratch/figures"
done

if [[ ${1:-} == --keep ]]; then
    {
        echo "# Instructions per job, all and own; see ci/callgrind.sh, which writes this with --keep."
        echo "# $(rustc --version)"
        echo "libc $libc"
        cat "$scratch/figures"
    } >"$figures"
    echo "kept in $figures"
    exit
fi

awk '
    { sum[$1] += $4 }
    END {
        more = sum["unused"] - sum["offload"]
        declined = sum["declined"] - sum["offload"]
        stateful = sum["stateful"] - sum["offload"]
        printf "features that are not used: %d instructions for each job; where the pool declines them: %d\n", more, declined
        printf "a state: %d instructions for each job\n", stateful
        exit !(sum["unused"] > 0 && more <= 120 && sum["declined"] > 0 && declined <= 60 && sum["stateful"] > 0 && stateful <= 120)
    }' "$scratch/figures"

awk -v libc="libc $libc" '
    FNR == NR && /^libc / { same_libc = $0 == libc; next }
    FNR == NR && $1 == "offload" { kept_all[$2] = $3; kept_own[$2] = $4; next }
    FNR == NR { next }
    function compare(what, now, kept) {
        if (now <= kept * 1.05) return
        printf "%s: %d instructions, %.1f%% more than the %d that are kept\n", what, now, (now / kept - 1) * 100, kept
        grown = 1
    }
    $1 == "offload" {
        if (!($2 in kept_own)) { printf "no kept figure for %s\n", $2; grown = 1; next }
        seen++
        compare($2 " (own)", $4, kept_own[$2])
        if (same_libc) compare($2, $3, kept_all[$2])
    }
    END {
        if (seen != 3) { print "figures are missing"; exit 1 }
        if (grown) exit 1
        print "within 5% of the kept figures"
    }' "$figures" "$scratch/figures"
