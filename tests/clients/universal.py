"""The Universal Prompt of duo-sim through Duo's Python client, unmodified.

Argument: the line of JSON that duo-sim prints at its start.
"""

import functools
import http.client
import socket
import ssl
import urllib.parse

import simulator
from duo_universal.client import Client, DuoException
from simulator import PORT, SIM, control

HOST = f"localhost:{PORT}"
CLIENT_ID = "DISIMULATEDWEBSDK001"
CLIENT_SECRET = "SimulatedWebSdkSecretSimulatedWebSdk0001"
REDIRECT_URI = "https://app.example.com/.duo-mfa/callback"


def client(**changes):
    settings = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "host": HOST, "redirect_uri": REDIRECT_URI}
    return Client(**{**settings, "duo_certs": SIM["ca"], **changes})


refused = functools.partial(simulator.refused, DuoException)


def opened(url):
    """The address that a browser is sent to; the redirect is not followed."""
    parts = urllib.parse.urlsplit(url)
    context = ssl.create_default_context(cafile=SIM["ca"])
    connection = http.client.HTTPSConnection("localhost", PORT, context=context, timeout=30)
    connection.request("GET", f"{parts.path}?{parts.query}")
    answer = connection.getresponse()
    assert answer.status == 303, (answer.status, answer.read())
    location = urllib.parse.urlsplit(answer.headers["location"])
    connection.close()
    assert f"{location.scheme}://{location.netloc}{location.path}" == REDIRECT_URI, location
    return dict(urllib.parse.parse_qsl(location.query))


def came_back(api, nonce=None, name="duo_code", user="alice"):
    """The code of a browser that came back with the state it was sent with."""
    state = api.generate_state()
    back = opened(api.create_auth_url(user, state, nonce=nonce))
    assert back["state"] == state, back
    return back[name]


def health_check():
    assert client().health_check()["stat"] == "OK"
    refused("invalid_client", client(client_secret="x" * 40).health_check)
    refused("invalid_client", client(client_id="DIWJ8X6AEYOR5OMC6TQ1").health_check)
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    refused("", client(host=f"localhost:{closed.getsockname()[1]}").health_check)
    for fault in ({"kind": "status", "status": 502, "body": "<html>"}, {"kind": "malformed"}, {"kind": "empty"}):
        control("POST", "/faults", {"endpoint": "health_check", "times": 1, **fault})
        refused("", client().health_check)


def exchange():
    api = client()
    claims = api.exchange_authorization_code_for_2fa_result(came_back(api), "alice")
    assert claims["preferred_username"] == "alice", claims
    assert claims["auth_result"]["result"] == "allow", claims
    assert claims["auth_context"]["factor"] == "webauthn_security_key", claims
    entry = control("GET", "/requests?endpoint=token")[-1]
    assert entry["headers"]["content-length"] == "0", "all parameters are in the query"
    assert entry["jwt"]["claims"]["iss"] == CLIENT_ID, entry


def refusals():
    api = client()
    exchanged = api.exchange_authorization_code_for_2fa_result
    code = came_back(api)
    exchanged(code, "alice")
    refused("invalid_grant", exchanged, code, "alice")
    refused("The username is invalid", exchanged, came_back(api), "bob")
    other = client(redirect_uri="https://app.example.com/other")
    refused("invalid_grant", other.exchange_authorization_code_for_2fa_result, came_back(api), "alice")
    wrong = client(client_secret="x" * 40)
    refused("invalid_client", wrong.exchange_authorization_code_for_2fa_result, came_back(api), "alice")
    control("POST", "/faults", {"endpoint": "token", "kind": "secret", "secret": "x" * 40, "times": 1})
    refused("", exchanged, came_back(api), "alice")


def nonces():
    api, nonce = client(), "n" * 36
    exchanged = api.exchange_authorization_code_for_2fa_result
    assert exchanged(came_back(api, nonce), "alice", nonce=nonce)["nonce"] == nonce
    refused("The nonce is invalid", exchanged, came_back(api, nonce), "alice", nonce="o" * 36)


def plain_code():
    api = client(use_duo_code_attribute=False)
    code = came_back(api, name="code")
    assert api.exchange_authorization_code_for_2fa_result(code, "alice")["sub"] == "alice"


def denial():
    """The client looks at nothing that says `deny`: its caller has to."""
    api = client()
    denied = {"auth_result": {"result": "deny", "status": "deny"}}
    control("POST", "/faults", {"endpoint": "token", "kind": "claims", "merge": denied, "times": 1})
    claims = api.exchange_authorization_code_for_2fa_result(came_back(api), "alice")
    assert claims["auth_result"]["result"] == "deny", claims


def unusual_names():
    api = client()
    for user in ["zoë+o'neil&=%\"\\ 名", "a"]:
        control("POST", "/universal", {"user": user, "answer": "approve"})
        code = came_back(api, user=user)
        assert api.exchange_authorization_code_for_2fa_result(code, user)["preferred_username"] == user


for examine in (health_check, exchange, refusals, nonces, plain_code, denial, unusual_names):
    control("POST", "/reset")
    control("POST", "/universal", {"user": "alice", "answer": "approve", "factor": "webauthn_security_key"})
    examine()
    print(f"duo_universal: {examine.__name__}")
