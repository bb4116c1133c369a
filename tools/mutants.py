#!/usr/bin/env python3
"""mutants [--copy | DEFECT..]: plants the defects of tests/seeded/defects.yaml, one at a time, and shows which test catches each.

The sources are copied to target/mutants/tree and built in target/mutants/build, so nothing of a defect gets into another
build. A suite runs the tests that the table names first, then, if none failed, all suites do. Fails if a defect is not
caught. `--copy` only makes the copy.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]
TREE = ROOT / "target/mutants/tree"
BUILD = ROOT / "target/mutants/build"

# Line numbers and optimizations would take space and time, and change no result.
ENVIRONMENT = {
    **os.environ,
    "CARGO_TARGET_DIR": str(BUILD),
    "CARGO_PROFILE_DEV_DEBUG": "0",
    "CARGO_PROFILE_RELEASE_LTO": "false",
    "CARGO_PROFILE_RELEASE_OPT_LEVEL": "1",
    "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16",
    "DUO_MFA_WASM": str(TREE / "dist/duo_mfa.wasm"),
}

# What `.tools` has is not made again because the copies of these files are newer.
MODULE = ["make", "module", "SHRINK=no", "--old-file=tools/wasm-std.sh", "--old-file=rust-toolchain.toml"]

# From cheap to dear: a command that builds something for the suite, the suite, and tests to skip, which fail for another reason:
# those of the sources' text, and those that measure a build for release.
SUITES = {
    "lib": (None, ["cargo", "test", "--locked", "--lib"], []),
    "core": (None, ["cargo", "test", "--locked", "--test", "core"], ["seeded::", "layers::", "docs::"]),
    "wasm": (MODULE, ["cargo", "test", "--locked", "--test", "wasm"], ["costs::", "capabilities::"]),
}
# Seconds until a suite counts as one that does not end.
PATIENCE = 1800


class Unbuildable(Exception):
    """The sources do not compile."""


def copy_sources():
    """Makes the copy equal to the sources. Files that are equal already stay, so that little is built anew."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = set(subprocess.run(listed, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.split("\0")) - {""}
    for name in names:
        source, copy = ROOT / name, TREE / name
        if not copy.exists() or copy.read_bytes() != source.read_bytes():
            copy.parent.mkdir(parents=True, exist_ok=True)
            # With the time of the copying, since cargo builds again only what is newer than its last build.
            shutil.copy(source, copy)
    for copy in TREE.rglob("*"):
        name = copy.relative_to(TREE).as_posix()
        if copy.is_file() and name not in names and not name.startswith((".tools", "dist/")):
            copy.unlink()
    tools = TREE / ".tools"
    if not tools.is_symlink():
        tools.symlink_to(ROOT / ".tools")


def planted(text, defect):
    """The text with the defect in it."""
    lines, old = text.splitlines(), [line.strip() for line in defect["old"].splitlines()]
    stripped = [line.strip() for line in lines]
    places = [at for at in range(len(lines)) if stripped[at : at + len(old)] == old]
    if len(places) != 1:
        sys.exit(f"mutants: {defect['defect']}: {defect['file']} has `old` {len(places)} times")
    at = places[0]
    return "\n".join([*lines[:at], *defect["new"].splitlines(), *lines[at + len(old) :], ""])


def output(command):
    """The exit status and output of a command in the copy; `None` as the status if it did not end."""
    child = subprocess.Popen(
        command,
        cwd=TREE,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        text, _ = child.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        return None, child.communicate()[0]
    return child.returncode, text


def first_failure(suite, filters):
    """The first test of a suite that fails; `None` if all pass."""
    before, command, skipped = SUITES[suite]
    if before:
        status, text = output(before)
        if status:
            raise Unbuildable(text)
    skips = [word for name in skipped for word in ("--skip", name)]
    status, text = output([*command, "--", *filters, *skips])
    if status == 0:
        if re.search(r"^running 0 tests$", text, re.MULTILINE):
            sys.exit(f"mutants: the suite {suite} has no test {' '.join(filters)}")
        return None
    if failed := re.search(r"^test (\S+)(?: - should panic)? \.\.\. FAILED$", text, re.MULTILINE):
        return failed[1]
    if "test result:" not in text and "running " not in text:
        raise Unbuildable(text)
    return "(the suite did not end)" if status is None else "(the suite was aborted)"


def check_the_clean_tree(defects):
    """Without a defect, all tests have to pass that are to catch one."""
    for suite in SUITES:
        if filters := sorted({defect["tests"] for defect in defects if defect["suite"] == suite}):
            print(f"without a defect: {suite}", flush=True)
            if failed := first_failure(suite, filters):
                sys.exit(f"mutants: without a defect, {suite} {failed} fails")


def catch(defect):
    """The suite and the test that catch a defect; `None` if nothing does."""
    source = TREE / defect["file"]
    clean = source.read_text(encoding="utf-8")
    source.write_text(planted(clean, defect), encoding="utf-8")
    try:
        runs = [(defect["suite"], [defect["tests"]]), *((suite, []) for suite in SUITES)]
        for suite, filters in runs:
            if failed := first_failure(suite, filters):
                return suite, failed
        return None
    finally:
        source.write_text(clean, encoding="utf-8")


def main(names):
    if names == ["--copy"]:
        copy_sources()
        return 0
    defects = yaml.safe_load((ROOT / "tests/seeded/defects.yaml").read_text(encoding="utf-8"))
    if unknown := set(names) - {defect["defect"] for defect in defects}:
        sys.exit(f"mutants: tests/seeded/defects.yaml has no {', '.join(sorted(unknown))}")
    defects = [defect for defect in defects if not names or defect["defect"] in names]
    copy_sources()
    check_the_clean_tree(defects)
    caught = 0
    for defect in defects:
        began = time.monotonic()
        try:
            found = catch(defect)
        except Unbuildable as fault:
            print(fault)
            found = None
            said = "does not compile"
        else:
            said = "{} {}".format(*found) if found else "NOT CAUGHT"
        caught += found is not None
        print(f"{defect['defect']:30} {time.monotonic() - began:4.0f} s  {said}", flush=True)
    print(f"{caught} of {len(defects)} caught")
    return 0 if caught == len(defects) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
