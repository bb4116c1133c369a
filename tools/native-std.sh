#!/usr/bin/env bash
# native-std: finds the sources of Rust's standard library and writes .tools/native-std/env, which `make native` sources.
#
# With them cargo builds the standard library for size, and without what prints a backtrace: the library is smaller by a fifth. Where rustup
# can't reach its server, the standard library is taken as it comes.
set -euo pipefail
cd "$(dirname "$0")/.."

sources=$(rustc --print sysroot)/lib/rustlib/src/rust
folder=.tools/native-std
mkdir -p "$folder"
if [ -f "$sources/library/std/Cargo.toml" ] || { command -v rustup >/dev/null && rustup component add rust-src; }; then
    # Cargo builds the standard library for those who ask for unstable features.
    cat >"$folder/env" <<ENV
export RUSTC_BOOTSTRAP=1
export NATIVE_RUSTFLAGS="-Zlocation-detail=none --remap-path-prefix=$sources=/rustc"
export NATIVE_CARGO_FLAGS="-Zbuild-std=std,panic_unwind -Zbuild-std-features=optimize_for_size"
ENV
else
    echo "native-std: no sources of the standard library from rustup, taking it as it comes: the library will be larger"
    cat >"$folder/env" <<ENV
export NATIVE_RUSTFLAGS=
export NATIVE_CARGO_FLAGS=
ENV
fi
