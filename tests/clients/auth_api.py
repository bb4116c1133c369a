"""All endpoints of duo-sim through Duo's Python client, in v5, v2-sha512 and v2-sha1.

Argument: the line of JSON that duo-sim prints at its start.
"""

import functools
import hashlib
import threading
import time

import duo_client
import simulator
from simulator import PORT, SIM, control

KEYS = {"ikey": "DIWJ8X6AEYOR5OMC6TQ1", "skey": "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep"}
FORMS = {
    "v5": {},
    "v2-sha512": {"sig_version": 2},
    "v2-sha1": {"sig_version": 2, "digestmod": hashlib.sha1},
}


def client(form, **changes):
    settings = {**KEYS, "host": "localhost", "port": PORT, "ca_certs": SIM["ca"], **FORMS[form]}
    return duo_client.Auth(**{**settings, **changes})


refused = functools.partial(simulator.refused, RuntimeError)


def push(api, action):
    """An asynchronous push that is answered while the client waits for it."""
    pushinfo = "path=%2Fadmin&%C3%BC=%E2%82%AC"
    txid = api.auth(
        "push",
        username="alice",
        device="auto",
        async_txn=True,
        type="Sign-in",
        display_username="Alice Ö",
        pushinfo=pushinfo,
        ipaddr="203.0.113.9",
    )["txid"]
    first = api.auth_status(txid)
    assert (first["waiting"], first["status"]) == (True, "pushed"), first
    threading.Timer(0.2, control, ("POST", f"/transactions/{txid}/{action}")).start()
    last = api.auth_status(txid)
    assert not last["waiting"], last
    told = next(it for it in control("GET", "/transactions") if it["txid"] == txid)["context"]
    assert told["pushinfo"] == [["path", "/admin"], ["ü", "€"]], told
    assert (told["type"], told["display_username"]) == ("Sign-in", "Alice Ö"), told
    return last["success"], last["status"]


def enrollment(api, name):
    enrolled = api.enroll(username=name, valid_secs=600)
    user_id, code = enrolled["user_id"], enrolled["activation_code"]
    assert api.enroll_status(user_id, code) == "waiting"
    assert api.preauth(username=name)["result"] == "enroll"
    control("POST", "/enrollments/claim", {"activation_code": code})
    assert api.enroll_status(user_id, code) == "success"
    assert api.enroll_status(user_id, "duo://other") == "invalid"
    assert api.preauth(username=name)["result"] == "auth"
    refused("Invalid request parameters", api.enroll, username=name)


def verified_push(api):
    offer = api.preauth(username="bob", client_supports_verified_push="1")
    txid = offer["txid"]
    assert api.auth("push", username="bob", device="auto", async_txn=True, txid=txid) == {"txid": txid}
    control("POST", f"/transactions/{txid}/approve", {"code": offer["verification_code"]})
    assert api.auth_status(txid)["success"]


def remembered_device(api):
    token = api.auth("passcode", username="rita", passcode="123456")["trusted_device_token"]
    assert api.preauth(username="rita")["result"] == "auth"
    assert api.preauth(username="rita", trusted_device_token=token)["result"] == "allow"
    assert api.preauth(username="alice", trusted_device_token=token)["result"] == "auth"


def endpoints(form):
    api = client(form)
    assert abs(api.ping()["time"] - time.time()) < 10
    assert abs(api.check()["time"] - time.time()) < 10
    assert api.logo().startswith(b"\x89PNG")
    assert api.preauth(username="alice", ipaddr="203.0.113.9", client_supports_verified_push="1")["result"] == "auth"
    assert api.preauth(username="zoë +~*&=/%")["result"] == "enroll"
    assert api.preauth(username="bella")["result"] == "allow"
    assert api.preauth(username="mallory")["result"] == "deny"
    assert push(api, "approve") == (True, "allow")
    assert push(api, "deny") == (False, "deny")
    assert push(api, "fraud") == (False, "fraud")
    assert api.auth("passcode", username="alice", passcode="123456")["result"] == "allow"
    assert api.auth("passcode", username="alice", passcode="000000")["result"] == "deny"
    assert api.auth("sms", username="carol", device="auto")["status"] == "sent"
    code = control("GET", "/messages")[-1]["codes"][0]
    assert api.auth("passcode", username="carol", passcode=code)["result"] == "allow"
    txid = api.auth("phone", username="peter", device="auto", async_txn=True)["txid"]
    assert api.auth_status(txid)["status"] == "calling"
    verified_push(api)
    remembered_device(api)
    enrollment(api, f"newcomer-{form}")
    refused("Invalid request parameters", api.auth_status, "45f7c92b-f45f-4862-8545-e0f58e78075a")
    used = {it["signature"] for it in control("GET", "/requests")}
    assert used == {form}, used


def refusals(form):
    refused("Invalid signature in request credentials", client(form, skey="x" * 40).check)
    refused("Invalid integration key in request credentials", client(form, ikey="DIX").check)
    control("POST", "/faults", {"kind": "skew", "seconds": 400, "times": 1})
    refused("Bad request timestamp", client(form).check)


def rate_limit(form):
    """The client waits and asks again."""
    control("POST", "/faults", {"kind": "rate_limit", "endpoint": "check", "times": 1})
    assert "time" in client(form).check()
    assert control("GET", "/counters")["endpoints"]["check"]["calls"] == 2


for form in FORMS:
    for examine in (endpoints, refusals, rate_limit):
        control("POST", "/reset")
        examine(form)
    print(f"duo_client {form}: all endpoints")
