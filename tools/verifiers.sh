#!/usr/bin/env bash
# Installs PyJWT and jose below .tools/verifiers, for the tests of examples/assertion. pip and npm compare each package with a hash
# in tools/verifiers.
set -euo pipefail
cd "$(dirname "$0")/.."

root=.tools/verifiers
python3 -m venv "$root" || { echo "verifiers: python3 -m venv failed; on Debian: apt-get install python3-venv" >&2; exit 1; }
"$root/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
    --requirement tools/verifiers/requirements.txt
cp tools/verifiers/package.json tools/verifiers/package-lock.json "$root/"
# In its folder: under another prefix npm would not read the machine's own settings.
(cd "$root" && npm ci --ignore-scripts --no-audit --no-fund --silent)
"$root/bin/python" -c 'import jwt.algorithms; assert jwt.algorithms.has_crypto'
test -f "$root/node_modules/jose/package.json"
