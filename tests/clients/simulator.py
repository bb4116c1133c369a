"""The duo-sim under test: the line of JSON that it prints at its start is the script's argument."""

import json
import sys
import urllib.request

SIM = json.loads(sys.argv[1])
PORT = int(SIM["https"].rsplit(":", 1)[1])


def control(method, path, body=None):
    request = urllib.request.Request(
        f"http://{SIM['control']}/sim{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def refused(exception, text, call, *args, **kwargs):
    try:
        answer = call(*args, **kwargs)
    except exception as error:
        assert text in str(error), error
    else:
        raise AssertionError(f"{answer} instead of {text}")
