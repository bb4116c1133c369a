#!/usr/bin/env bash
# reproduce TARGET FILE ..: builds FILE by `make TARGET` in two copies of this folder, each with a separate CARGO_HOME, and prints the SHA-256
# of both. Further pairs of target and file may follow. Fails if two files differ.
#
# The second build also has another time zone, language and number of jobs. The tools in .tools and the compiler are the same. Crates come from
# this machine's CARGO_HOME if it has them. Everything is below target/reproduce, some 500 MB at most, and is removed at the end.
set -euo pipefail
cd "$(dirname "$0")/.."

root=$PWD
work=$root/target/reproduce
crates=${CARGO_HOME:-$HOME/.cargo}/registry
rm -rf "$work"
mkdir -p "$work"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

build() { # FOLDER TARGET FILE ..
    local folder=$work/$1 home=$work/$1.home part
    shift
    mkdir -p "$folder" "$home/registry"
    git ls-files -z --cached --others --exclude-standard | tar -c --null --ignore-failed-read -T - 2>/dev/null | tar -x -C "$folder"
    ln -s "$root/.tools" "$folder/.tools"
    for part in index cache; do
        [ -d "$crates/$part" ] && cp -a "$crates/$part" "$home/registry/"
    done
    while (($#)); do
        env -u CARGO_TARGET_DIR CARGO_HOME="$home" make --no-print-directory -C "$folder" "$1" >"$work/log" 2>&1 || {
            tail -n 40 "$work/log" >&2
            return 1
        }
        install -D "$folder/$2" "$folder.built/$2"
        shift 2
    done
    rm -rf "$folder" "$home"
}

build one "$@"
TZ=Pacific/Auckland LC_ALL=C.UTF-8 CARGO_BUILD_JOBS=1 build a-folder-with-another-name "$@"

differ=0
while (($#)); do
    one=$work/one.built/$2 other=$work/a-folder-with-another-name.built/$2
    sha256sum "$one" "$other" | sed "s|$work/||"
    cmp -s "$one" "$other" || {
        echo "reproduce: the two builds of $2 differ" >&2
        differ=1
    }
    shift 2
done
exit $differ
