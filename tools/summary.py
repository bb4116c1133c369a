#!/usr/bin/env python3
"""summary LOG: adds up what the test suites printed; fails unless they proved that nobody was wrongly admitted."""

import re
import sys


def main():
    with open(sys.argv[1], encoding="utf-8", errors="replace") as file:
        log = file.read()
    counts = dict.fromkeys(("passed", "failed", "ignored"), 0)
    results = re.findall(r"^test result: .*", log, re.MULTILINE)
    for result in results:
        for number, what in re.findall(r"(\d+) (passed|failed|ignored)", result):
            counts[what] += int(number)
    totals = {}
    proofs = re.findall(r"\bwrongly_admitted=\d+(?: \w+=\d+)*", log)
    for proof in proofs:
        for name, number in re.findall(r"(\w+)=(\d+)", proof):
            totals[name] = totals.get(name, 0) + int(number)

    print(f"\n{len(results)} test binaries: " + ", ".join(f"{number} {what}" for what, number in counts.items()))
    print(" ".join(f"{name}={number}" for name, number in totals.items()) or "no suite printed wrongly_admitted=")
    bad = sum(totals.get(name, 0) for name in ("wrongly_admitted", "stuck", "traps"))
    sound = proofs and counts["passed"] and not counts["failed"] and not bad
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
