#!/usr/bin/env bash
# Installs what the other steps need and a new machine may lack. What is there already needs no network.
set -euo pipefail
cd "$(dirname "$0")/.."

if command -v rustup >/dev/null; then
    # The first call of a pinned toolchain fetches it, with the components that `rust-toolchain.toml` names.
    cargo --version
    for component in rustfmt clippy; do
        cargo "${component/rust/}" --version 2>/dev/null || rustup component add "$component"
    done
fi

missing=()
# `chromium`, `chromedriver` and `npm` are for the live page of pools, `prometheus` for the alert rules.
for program in curl cc valgrind chromium chromedriver npm prometheus; do
    command -v "$program" >/dev/null || missing+=("$program")
done
# For `ci/temporal.sh`.
command -v protoc >/dev/null || missing+=(protoc)
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
if ((${#missing[@]} > 0)); then
    echo "installing: ${missing[*]}"
    packages=("${missing[@]/#cc/gcc}")
    packages=("${packages[@]/#chromedriver/chromium-driver}")
    packages=("${packages[@]/#protoc/protobuf-compiler}")
    sudo=$([[ $EUID == 0 ]] || echo sudo)
    $sudo apt-get update -qq
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${packages[@]}"
fi

# The accessibility checks of the live page.
if [[ ! -e target/axe/node_modules/axe-core/axe.min.js ]]; then
    mkdir -p target/axe
    npm install --prefix target/axe --silent --no-audit --no-fund axe-core@4.14
fi
