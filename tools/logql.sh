#!/usr/bin/env bash
# Installs Grafana's grammar of LogQL in .tools/logql, for tools/logql/faults.mjs. npm compares each package with the hash in
# tools/logql/package-lock.json.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p .tools/logql
cp tools/logql/package.json tools/logql/package-lock.json .tools/logql/
npm ci --prefix .tools/logql --ignore-scripts --no-audit --no-fund --silent
echo '["{app=\"envoy\"}"]' | node tools/logql/faults.mjs >/dev/null
