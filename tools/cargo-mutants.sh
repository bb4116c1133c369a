#!/usr/bin/env bash
# Installs cargo-mutants as .tools/bin/cargo-mutants, built from source (minutes).
set -euo pipefail
cd "$(dirname "$0")/.."

cargo install cargo-mutants --locked --version 27.1.0 --root .tools
.tools/bin/cargo-mutants mutants --version
