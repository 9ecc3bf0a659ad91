#!/usr/bin/env bash
# The live page of pools and the flagship example that mounts it: their tests, then those that need a browser or Prometheus.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo test -p offload-dashboard --all-features
cargo test -p service
timeout 600 cargo test -p offload-dashboard --all-features --test browser --test processes -- --ignored --test-threads 2
timeout 600 cargo test -p service --test browser --test prometheus -- --ignored
