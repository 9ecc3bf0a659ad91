#!/usr/bin/env bash
# Both crates can be packaged and build from their packages, the runtime against the packaged macros, as one release.
# Nothing is uploaded. What is packaged is the working tree, so that this can be run before a commit.
set -euo pipefail
cd "$(dirname "$0")/.."

crates=(offload-macros offload-runtime)
for crate in "${crates[@]}"; do
    # A package holds what is in its folder only: these are copies, and have to stay copies.
    cmp LICENSE-APACHE "$crate/LICENSE-APACHE"
    cmp LICENSE-MIT "$crate/LICENSE-MIT"
    files=$(cargo package --list --allow-dirty -p "$crate")
    for file in README.md LICENSE-APACHE LICENSE-MIT; do
        grep -qx "$file" <<<"$files" || { echo "$crate's package lacks $file" >&2; exit 1; }
    done
done
cargo package --allow-dirty "${crates[@]/#/--package=}"
