#!/usr/bin/env bash
# What is published, as real subscribers and exporters get it: the `metrics` facade, `tracing`, OpenTelemetry, tokio-console.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo test -p observe
ci/console.sh
