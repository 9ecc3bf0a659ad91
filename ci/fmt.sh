#!/usr/bin/env bash
# Everything is formatted by rustfmt as `rustfmt.toml` has it.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo fmt --all --check
