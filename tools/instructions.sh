#!/usr/bin/env bash
# Prints how many instructions a pass by cookie takes in native code, by callgrind: RequestHead::read and Gate::open,
# without rules and with two rules by path.
set -euo pipefail
cd "$(dirname "$0")/.."

program=$(cargo build --locked --release --bench instructions --message-format json |
    sed -nE 's|.*"executable":"([^"]+/instructions-[^"]+)".*|\1|p' | tail -n 1)

count() { # PASSES [rules]
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$@" 2>&1 |
        sed -nE 's/.*Collected : ([0-9]+).*/\1/p'
}
for rules in "" rules; do
    few=$(count 1000 ${rules:+"$rules"})
    many=$(count 11000 ${rules:+"$rules"})
    echo "instructions of a pass${rules:+ with two rules by path}: $(((many - few) / 10000))"
done
