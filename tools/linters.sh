#!/usr/bin/env bash
# Installs ruff and shellcheck below .tools/linters, checked against tools/linters.txt, and links them into .tools/bin.
set -euo pipefail
cd "$(dirname "$0")/.."

root=.tools/linters
python3 -m venv "$root" || { echo "linters: python3 -m venv failed; on Debian: apt-get install python3-venv" >&2; exit 1; }
"$root/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
    --requirement tools/linters.txt
mkdir -p .tools/bin
for tool in ruff shellcheck; do
    ln -sfn "../linters/bin/$tool" ".tools/bin/$tool"
    "$root/bin/$tool" --version
done
