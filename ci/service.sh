#!/usr/bin/env bash
# The flagship example: its tests, then the one that needs a browser.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo test -p service
cargo test -p service --test browser -- --ignored
