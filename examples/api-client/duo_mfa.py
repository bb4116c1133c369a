#!/usr/bin/env python3
"""A client of an application behind the filter, with nothing but the standard library.

    python3 duo_mfa.py URL [BODY]

The first factor is DUO_MFA_AUTHORIZATION, the value of the header `authorization`; DUO_MFA_PASSCODE, where it is set, is a
passcode to be taken instead of a push. As a module: `Client(origin, headers).request("GET", "/reports")`.
"""

import http.client
import json
import os
import sys
import time
import urllib.parse

APPROVAL = "__Host-duo_mfa"
# A held request waits for a person, a minute by default.
PATIENCE = 90


class Refused(Exception):
    """The filter's refusal: a problem document, or the end of a sign-in."""

    def __init__(self, answer):
        super().__init__(answer.get("detail") or answer.get("message") or "refused")
        self.code = answer.get("code", "")


class Client:
    """Keeps the approval, and nothing else, from one request to the next. `headers` are those of the first factor."""

    def __init__(self, origin, headers, prefix="/.duo-mfa"):
        self.origin = urllib.parse.urlsplit(origin)
        self.headers = headers
        self.prefix = prefix
        self.approval = None

    def request(self, method, path, body=None, passcode=None):
        """The application's answer: status, headers, body. Signs in where the request is not held."""
        headers = {"x-duo-mfa-passcode": passcode} if passcode else {}
        status, answer, content = self.send(method, path, body, headers)
        problem = problem_of(answer, content)
        if problem and problem["code"] == "mfa_required":
            self.sign_in()
            status, answer, content = self.send(method, path, body, {})
            problem = problem_of(answer, content)
        if problem:
            raise Refused(problem)
        return status, answer, content

    def sign_in(self, factor="push", show=lambda text: print(text, file=sys.stderr)):
        """Starts a push and waits for its end. `show` gets the text for the user, with the code of a verified push."""
        state = self.own("POST", f"/auth?factor={factor}&device=auto")
        transaction = {"x-duo-mfa-transaction": state.get("transaction", "")}
        if state.get("state") == "waiting":
            code = state.get("verification_code")
            show(state["message"] + (f" The code is {code}." if code else ""))
        while state.get("state") == "waiting":
            time.sleep(state.get("poll_after_ms", 1000) / 1000)
            state = self.own("GET", "/status", transaction)
        if state.get("state") != "approved":
            raise Refused(state)

    def own(self, method, path, headers=None):
        """Asks one of the filter's own endpoints."""
        status, _, content = self.send(method, self.prefix + path, None, headers or {})
        state = json.loads(content)
        if status >= 400:
            raise Refused(state)
        return state

    def send(self, method, path, body, headers):
        kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        connection = kinds[self.origin.scheme](self.origin.netloc, timeout=PATIENCE)
        headers = {"accept": "*/*", **self.headers, **headers}
        if self.approval:
            headers["cookie"] = f"{APPROVAL}={self.approval}"
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            self.keep(response)
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def keep(self, response):
        for line in response.headers.get_all("set-cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            if name == APPROVAL:
                self.approval = value or None


def problem_of(headers, content):
    """The filter's refusal. The application's problem documents have other types."""
    if headers.get_content_type() != "application/problem+json":
        return None
    problem = json.loads(content)
    return problem if str(problem.get("type")).startswith("urn:duo-mfa:") else None


def main():
    url = urllib.parse.urlsplit(sys.argv[1])
    body = sys.argv[2].encode() if len(sys.argv) > 2 else None
    path = urllib.parse.urlunsplit(("", "", url.path or "/", url.query, ""))
    client = Client(f"{url.scheme}://{url.netloc}", {"authorization": os.environ["DUO_MFA_AUTHORIZATION"]})
    try:
        status, _, content = client.request("POST" if body else "GET", path, body, os.environ.get("DUO_MFA_PASSCODE"))
    except Refused as refusal:
        sys.exit(f"{refusal.code}: {refusal}")
    sys.stdout.buffer.write(content)
    return 0 if status < 400 else 1


if __name__ == "__main__":
    sys.exit(main())
