#!/usr/bin/env bash
# wasm-std MODE: finds a standard library for wasm32-wasip1 and writes .tools/wasm-MODE/env, which `make wasm` sources.
#
# rustup's target is the normal way. Where rustup can't reach its server, Debian's packaged compiler and the sources
# of its standard library do the same: they are unpacked in that folder (not installed) and cargo builds std itself.
# MODE is rustup, debian, or auto: the first of the two that works.
set -euo pipefail
cd "$(dirname "$0")/.."

mode=$1
folder=$PWD/.tools/wasm-$mode
mkdir -p "$folder"

from_rustup() {
    local sysroot
    sysroot=$(rustc --print sysroot)
    if ! ls "$sysroot"/lib/rustlib/wasm32-wasip1/lib/libstd-*.rlib >/dev/null 2>&1; then
        command -v rustup >/dev/null || return 1
        rustup target add wasm32-wasip1 || return 1
    fi
    cat >"$folder/env" <<ENV
export WASM_RUSTFLAGS=
export WASM_CARGO_FLAGS=
export WASM_LINT=clippy
ENV
}

from_debian() {
    local root=$folder/debian host sysroot standard_library llvm
    if ! command -v apt-get >/dev/null; then
        echo "wasm-std: neither rustup's wasm32-wasip1 target nor apt-get is available" >&2
        return 1
    fi
    dependency() {
        apt-cache depends --no-recommends --no-suggests "$1" | sed -nE "s/^ +Depends: ($2)\$/\1/p" | head -n 1
    }
    standard_library=$(dependency libstd-rust-web-dev 'libstd-rust-web-[0-9.]+')
    [ -n "$standard_library" ] || { echo "wasm-std: no libstd-rust-web-dev in apt's lists (try apt-get update)" >&2; return 1; }
    llvm=$(dependency "$standard_library" 'libllvm[0-9]+')
    rm -rf "$root" "$folder/packages"
    mkdir -p "$root" "$folder/packages"
    (
        cd "$folder/packages"
        apt-get download -q rustc-web "$standard_library" libstd-rust-web-dev rust-web-src "$llvm" wasi-libc
        for package in *.deb; do dpkg -x "$package" "$root"; done
    )
    rm -rf "$folder/packages"
    host=$(rustc -vV | sed -n 's/^host: //p')
    sysroot=$(rustc --print sysroot)
    cat >"$folder/rustc" <<WRAPPER
#!/bin/sh
LD_LIBRARY_PATH=$root/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || echo x86_64-linux-gnu) exec $root/usr/bin/rustc "\$@"
WRAPPER
    chmod +x "$folder/rustc"
    "$folder/rustc" --version
    cat >"$folder/env" <<ENV
export RUSTC=$folder/rustc
export RUSTC_BOOTSTRAP=1
export CARGO_TARGET_WASM32_WASIP1_LINKER=$sysroot/lib/rustlib/$host/bin/rust-lld
export WASM_RUSTFLAGS="-L $root/usr/lib/wasm32-wasi"
export WASM_CARGO_FLAGS=-Zbuild-std=std,panic_abort
export WASM_LINT=check # rustup's clippy can't read what Debian's compiler wrote
ENV
}

from_debian_instead() {
    echo "wasm-std: no wasm32-wasip1 from rustup, taking Debian's packages"
    from_debian
}

case $mode in
    rustup) from_rustup ;;
    debian) from_debian ;;
    auto) from_rustup || from_debian_instead ;;
    *) echo "wasm-std: MODE (WASM_STD of make) is rustup, debian or auto, not $mode" >&2; exit 2 ;;
esac
