#!/usr/bin/env bash
# Checks the programs, the tests and the module with the oldest Rust that Cargo.toml promises (rust-version), installed by rustup.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -nE 's/^rust-version = "(.*)"$/\1/p' Cargo.toml)
command -v rustup >/dev/null || { echo "msrv: rustup is not on PATH; see https://rustup.rs" >&2; exit 1; }
rustup toolchain install "$version" --profile minimal --target wasm32-wasip1
target=${CARGO_TARGET_DIR:-target}/msrv
cargo "+$version" check --locked --all-targets --target-dir "$target"
cargo "+$version" check --locked --lib --target wasm32-wasip1 --target-dir "$target"
echo "msrv: Rust $version builds the programs, the tests and the module"
