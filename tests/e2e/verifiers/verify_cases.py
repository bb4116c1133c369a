"""Runs the cases of standard input through examples/assertion/verify.py, and prints a line for each."""

import json
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "examples/assertion"))

from verify import Refused, Verifier  # noqa: E402

given = json.load(sys.stdin)
verifier = Verifier(given["jwks"], given["issuer"], given["audience"])
for case in given["cases"]:
    request = case["request"]
    try:
        if request:
            claims = verifier.verify_request(
                case["assertion"],
                request["method"],
                request["host"],
                request["path"],
                request["body"].encode(),
                case["max_age"],
                case["approvers"],
            )
        else:
            claims = verifier.verify(case["assertion"], case["max_age"], case["approvers"])
        print("accepted", claims["sub"])
    except Refused as refused:
        print("refused", refused)
