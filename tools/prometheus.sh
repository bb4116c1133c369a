#!/usr/bin/env bash
# Installs Prometheus and promtool in .tools/prometheus, from Debian's package, which is unpacked and not installed. PROMETHEUS=FOLDER
# takes those that are in a folder. Where apt-get has none, make examples skips the alerts, and the test that needs Prometheus fails.
set -euo pipefail
cd "$(dirname "$0")/.."

root=$PWD/.tools/prometheus
mkdir -p "$root"
if [ -n "${PROMETHEUS:-}" ]; then
    ln -sfn "$(realpath "$PROMETHEUS")"/{prometheus,promtool} "$root/"
    "$root/prometheus" --version | head -n 1
    exit
fi

# apt has checked the package's signature; the hash besides makes every machine use the same one. Once Debian has replaced this version,
# any other one serves.
version=2.42.0+ds-5+deb12u1
sha256=81d59a24fce84f7fbe97a45a4f2914b6a5881b5cd1db2a6a0e129e515e1a5f55

downloads=$(mktemp -d)
trap 'rm -rf "$downloads"' EXIT
download() {
    cd "$downloads"
    apt-get download -q "prometheus=$version" || apt-get download -q prometheus
}
fetch() {
    command -v apt-get >/dev/null || return 1
    (download) && return
    $([ "$(id -u)" = 0 ] || echo sudo -n) apt-get update -q && (download)
}
fetch || {
    echo "prometheus: apt-get has no package prometheus here; PROMETHEUS=FOLDER takes another one" >&2
    exit 0
}
package=$(echo "$downloads"/prometheus_*.deb)
if [[ ${package##*/} == "prometheus_${version}_amd64.deb" ]]; then
    echo "$sha256  $package" | sha256sum --check --quiet || {
        echo "prometheus: the package has another hash than tools/prometheus.sh names" >&2
        exit 1
    }
else
    echo "prometheus: Debian's ${package##*/} in place of $version: update tools/prometheus.sh" >&2
fi
dpkg-deb --fsys-tarfile "$package" | tar -x --directory "$root" --strip-components=3 ./usr/bin/prometheus ./usr/bin/promtool
"$root/prometheus" --version | head -n 1
