#!/usr/bin/env python3
"""fuzz SECONDS [TARGET]: has libFuzzer look for inputs that break a promise, SECONDS for each target of tests/fuzz, or for one.

Fails if it found any. The inputs that reach new code stay in target/fuzz/corpus, so the next run goes on from there.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
SEEDS = ROOT / "tests/fuzz/corpus"
BUILT = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "fuzz"

# Counters of branches, and the values that are compared. All checks of a debug build stay.
COVERAGE = (
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
)

# Where the words are that a target's inputs are made of. Without them it takes the fuzzer long to write, say, `integration_key`.
WORDS = {
    "callback": ["src/duo/universal/callback.rs"],
    "config_json": ["src/config/keys.rs", "src/config/reference"],
    "config_struct": ["src/config/keys.rs", "src/config/reference"],
    "duo": ["src/duo"],
    "gate": ["src/gate", "src/http", "src/session", "src/duo/response.rs", "src/duo/preauth_response.rs", "src/duo/auth_status.rs"],
    "id_token": ["src/duo/universal/id_token.rs", "src/duo/universal/confirmed_by.rs"],
    "client": ["src/http/hints.rs", "src/http/agent.rs", "src/http/accept.rs"],
    "head": ["src/http/head.rs", "src/http/overrides.rs"],
}

# Longer inputs find nothing more in these, and slow the others down.
MAX_BYTES = {"accept_language": 256, "host": 256, "path": 256, "return_path": 256}
USUAL_MAX_BYTES = 1024


def build():
    """The program that runs every target under libFuzzer, whose sources come with the crate libfuzzer-sys."""
    if not shutil.which(os.environ.get("CXX", "c++")):
        sys.exit("fuzz: libFuzzer needs a C++ compiler. Install one (on Debian: apt-get install g++), or name it: CXX=clang++")
    version = subprocess.run(["rustc", "-vV"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    host = re.search(r"^host: (\S+)$", version, re.MULTILINE).group(1)
    command = ["cargo", "build", "--locked", "--manifest-path", "tests/fuzz/driver/Cargo.toml"]
    # With a target named, the flags are for the program alone, and not for what cargo runs to build it.
    command += ["--target", host, "--target-dir", BUILT]
    subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, "RUSTFLAGS": " ".join(COVERAGE)})
    return BUILT / host / "debug/fuzz"


def dictionary(target):
    """The option for a file of words: the literals in the sources that read them."""
    words = set()
    for path in WORDS.get(target, []):
        for file in [ROOT / path] if path.endswith(".rs") else sorted((ROOT / path).rglob("*.rs")):
            code = file.read_text(encoding="utf-8").split("#[cfg(test)]")[0]
            code = re.sub(r"//.*", "", code)
            words.update(re.findall(r'"([!#-\[\]-~]{2,40})"', code))
    path = BUILT / f"{target}.dict"
    path.write_text("".join(f'"{word}"\n' for word in sorted(words)), encoding="utf-8")
    # libFuzzer refuses an empty file.
    return [f"-dict={path}"] if words else []


def run(program, target, seconds):
    """The executions, crashes and inputs of one target. A crash is a file that makes the program end again."""
    corpus, crashes = BUILT / "corpus" / target, BUILT / "crashes"
    corpus.mkdir(parents=True, exist_ok=True)
    crashes.mkdir(exist_ok=True)
    log = BUILT / f"{target}.log"
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={MAX_BYTES.get(target, USUAL_MAX_BYTES)}",
        *dictionary(target),
        f"-artifact_prefix={crashes / target}-",
        "-timeout=10",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
    ]
    environment = {**os.environ, "FUZZ_TARGET": target}
    with log.open("w", encoding="utf-8") as file:
        command = [program, corpus, SEEDS / target, *options]
        ended = subprocess.run(command, check=False, env=environment, stdout=file, stderr=file).returncode
    text = log.read_text(encoding="utf-8", errors="replace")
    counted = re.search(r"^stat::number_of_executed_units:\s+(\d+)", text, re.MULTILINE)
    if ended:
        found = re.findall(r"Test unit written to (\S+)", text)
        reason = re.findall(r"panicked at .*\n.*|ERROR: libFuzzer: .*", text)
        print(f"fuzz: {target} has crashed: {reason[0] if reason else f'see {log}'}")
        for file in found:
            print(f"fuzz: to see it again: FUZZ_TARGET={target} {program} {file}")
    executions = int(counted.group(1)) if counted else 0
    return executions, 1 if ended else 0, sum(1 for _ in corpus.iterdir())


def main():
    seconds, *chosen = sys.argv[1:]
    targets = sorted(folder.name for folder in SEEDS.iterdir())
    if unknown := set(chosen) - set(targets):
        sys.exit(f"fuzz: no target {', '.join(unknown)}; there are {', '.join(targets)}")
    program = build()
    rows = []
    for target in chosen or targets:
        print(f"fuzz: {target}, for {seconds} s", flush=True)
        rows.append((target, *run(program, target, seconds)))
    print(f"\n{'target':<16} {'executions':>12} {'crashes':>8} {'corpus':>7}")
    for target, executions, crashes, inputs in rows:
        print(f"{target:<16} {executions:>12} {crashes:>8} {inputs:>7}")
    executions, crashes = sum(row[1] for row in rows), sum(row[2] for row in rows)
    print(f"fuzz: targets={len(rows)} executions={executions} crashes={crashes}")
    return 1 if crashes or not executions else 0


if __name__ == "__main__":
    sys.exit(main())
