#!/usr/bin/env bash
# The examples as the README runs them; for `web`, the very commands that it prints.
set -euo pipefail
cd "$(dirname "$0")/.."

for file in examples/*.rs; do
    example=$(basename "$file" .rs)
    # Servers: `web` comes below, and `tests/examples/notes.rs` is the client of `notes`.
    [[ $example != web && $example != notes ]] || continue
    # A server, unless an argument makes it try itself.
    arguments=()
    [[ $example != processes ]] || arguments=(-- try)
    echo "-- cargo run --example $example ${arguments[*]}"
    cargo run -q --example "$example" "${arguments[@]}"
done

echo "-- cargo run --example web"
cargo build -q --example web
output=$(mktemp)
PORT=0 cargo run -q --example web >"$output" &
web=$!
# Whatever happens, it does not outlive this script.
trap 'kill -KILL "$web" 2>/dev/null || true; rm -f "$output"' EXIT
for _ in {1..300}; do
    ! grep -q '^Ctrl-C' "$output" || break
    sleep 0.1
done
cat "$output"
mapfile -t commands < <(sed -n 's/^ *\(curl .*\)/\1/p' "$output")
[[ ${#commands[@]} == 3 ]]
for command in "${commands[@]}"; do
    echo "\$ $command"
    eval "${command/curl/curl --silent --show-error --fail --max-time 60}"
done
kill -INT "$web"
wait "$web"
echo "-- web ended with status $?"
