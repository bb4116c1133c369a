#!/usr/bin/env bash
# Installs Zig (the compiler, which links for any glibc) and cargo-zigbuild below .tools/zig, checked against tools/zig.txt.
set -euo pipefail
cd "$(dirname "$0")/.."

root=.tools/zig
python3 -m venv "$root" || { echo "zig: python3 -m venv failed; on Debian: apt-get install python3-venv" >&2; exit 1; }
"$root/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
    --requirement tools/zig.txt
# The binary itself, not the package's Python launcher.
ln -sfn "$(cd "$root" && bin/python -c 'import os, ziglang
print(os.path.relpath(os.path.join(os.path.dirname(ziglang.__file__), "zig")))')" "$root/zig"
echo "zig $("$root/zig" version)"
"$root/bin/cargo-zigbuild" --version
