#!/usr/bin/env bash
# The runtime without any feature and with each one alone: no warning, and its own tests pass.
# The features are read from its manifest, so that a new one is covered by being there.
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t features < <(awk '
    /^\[/ { inside = $0 == "[features]" }
    inside && /^[a-z][a-z0-9_-]* *=/ && $1 != "default" { print $1 }
' offload-runtime/Cargo.toml)
((${#features[@]} > 0)) || { echo "no features found in offload-runtime/Cargo.toml" >&2; exit 1; }

runtime() {
    local verb=$1
    shift
    cargo "$verb" -q -p offload-runtime --no-default-features "$@"
}

echo "no feature"
runtime clippy -- -D warnings
runtime test
for feature in "${features[@]}"; do
    echo "feature $feature"
    runtime clippy --features "$feature" -- -D warnings
    runtime test --features "$feature" --lib
done

# Where Unix is missing: all but `process`, which says in one error that it needs it.
target=x86_64-pc-windows-gnu
if ! command -v rustup >/dev/null || ! timeout 300 rustup target add "$target" 2>/dev/null; then
    echo "skipped: no standard library of $target to check with"
    exit 0
fi
echo "no Unix"
others=("${features[@]/#process/remote}")
runtime check --target "$target" --features "$(IFS=,; echo "${others[*]}")"
if said=$(runtime check --target "$target" --features process 2>&1); then
    echo "the feature process compiles without Unix" >&2
    exit 1
fi
errors=$(grep '^error' <<<"$said" | grep -v '^error: could not compile')
if [[ $errors != 'error: the feature `process` of `offload-runtime` needs Unix: '* || $errors == *$'\n'* ]]; then
    echo "$said" >&2
    exit 1
fi
