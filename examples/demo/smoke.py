#!/usr/bin/env python3
"""Runs the demo by script, and says of each step whether it happened: `make smoke`."""

import base64
import concurrent.futures
import functools
import hashlib
import http.client
import json
import pathlib
import secrets
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

import readme
from stack import FREE_PORTS, HOST, PORTS, Stack

COOKIE = "__Host-duo_mfa"


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.cookies = [value.partition(";")[0] for value in response.headers.get_all("set-cookie", [])]
        self.location = response.headers.get("location", "")
        text = response.read()
        self.text = text.decode(errors="replace")
        try:
            self.json = json.loads(text)
        except ValueError:
            self.json = {}
        self.shown = f"{self.status} {text[:300]!r}"

    def seen(self, name):
        """The values of a header that reached the application."""
        return [value for key, value in self.json.get("headers", []) if key == name]

    def approval(self):
        return next((cookie for cookie in self.cookies if cookie.startswith(f"{COOKIE}=")), None)


# How a browser without JavaScript sends a form.
FORM = {
    "accept": "text/html",
    "content-type": "application/x-www-form-urlencoded",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "sec-fetch-site": "same-origin",
}


# The same after a page of another site, such as Duo's.
BACK = {**FORM, "sec-fetch-site": "cross-site"}


class Client:
    """A program without a browser: the filter holds its requests while Duo asks the user."""

    def __init__(self, stack, name="envoy"):
        self.host, self.port = urllib.parse.urlsplit(stack.url(name)).hostname, stack.ports[name]

    def send(self, method, path, user, body=None, cookie=None, more=None):
        password = base64.b64encode(f"{user}:demo".encode()).decode()
        headers = {"authorization": f"Basic {password}", "user-agent": "smoke", **(more or {})}
        if cookie:
            headers["cookie"] = cookie
        connection = http.client.HTTPConnection(self.host, self.port, timeout=90)
        try:
            connection.request(method, path, body, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()


class Duo:
    """duo-sim's control interface: what a person does with the phone, and what was asked of Duo."""

    def __init__(self, stack):
        self.url = stack.url("phone") + "/sim"

    def answer(self, user, action):
        """Waits for a push to the user and answers it."""
        self.send("POST", "/answer", {"username": user, "answer": action, "wait_ms": 20_000})

    def approve_from_here_on(self, user):
        self.send("PUT", f"/users/{user}/auto", {"answer": "approve", "after_ms": 200})

    def calls(self):
        """Calls for a user; the filter's own checks of Duo come and go."""
        endpoints = self.send("GET", "/counters")["endpoints"]
        return sum(count["calls"] for name, count in endpoints.items() if name not in ("ping", "check", "health_check"))

    def send(self, method, path, body=None):
        text = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, text, {"content-type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)


class DuoPage:
    """Duo's page, as a browser without JavaScript uses it."""

    def __init__(self, stack):
        self.origin, self.port = stack.url("prompt"), stack.ports["prompt"]

    def send(self, method, target, form=None):
        body = None if form is None else urllib.parse.urlencode(form)
        headers = {"content-type": "application/x-www-form-urlencoded"} if form else {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, target, body, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def passkey(self, address):
        """Opens the address and presses "Use a passkey"; gives the redirect to the application."""
        expect(address.startswith(f"{self.origin}/oauth/v1/authorize?"), address)
        opened = self.send("GET", address.removeprefix(self.origin))
        expect(opened.status == 303 and opened.location.startswith("/frame/prompt?"), opened)
        page = self.send("GET", opened.location)
        expect(page.status == 200 and "Use a passkey" in page.text, page)
        sid = urllib.parse.parse_qs(opened.location.partition("?")[2])["sid"][0]
        pressed = self.send("POST", "/frame/prompt", {"sid": sid, "factor": "passkey"})
        expect(pressed.status == 303, pressed)
        return pressed.location


class Fault(Exception):
    pass


class Smoke:
    def __init__(self, stack):
        self.app = stack.app
        self.ports = stack.ports
        self.folder = stack.folder.name
        self.client = Client(stack)
        self.browser = Client(stack, "universal")
        self.universal = stack.url("universal")
        self.duo_page = DuoPage(stack)
        self.duo = Duo(stack)
        self.cookie = None

    def steps(self):
        yield "200 after an approved push, approval cookie set", self.approved_push
        yield "200 with the cookie, no call to Duo, cookie not shown to the application", self.cookie_alone
        yield "403 mfa_denied after a denial, nothing reached the application", self.denied_push
        yield "429 too_many_requests and no second push right after it", self.no_push_after_denial
        yield "403 duo_denied by Duo's policy, nothing reached the application", self.denied_by_policy
        yield "held POST of 100000 bytes arrived with the same SHA-256", self.held_body
        if HOST == "native":
            yield "held POST above the buffer limit arrived once it was approved", self.slowed_body
        else:
            yield "413 to a held POST above the buffer limit, nothing reached the application", self.body_above_the_limit
        yield "303 and an approval after a passcode in a form, as sent without JavaScript", self.passcode_of_a_form
        yield "Universal Prompt: 403 with a start page, no call to Duo", self.start_page
        yield "Universal Prompt: 200 after a passkey at Duo's page", self.passkey_at_duo
        yield "Universal Prompt: 403 to a callback in another browser, nothing reached the application", self.stolen_callback
        yield "README's line for a cookie key makes 32 bytes", self.readme_key
        self.duo.approve_from_here_on("alice")
        self.duo.approve_from_here_on("two")
        for command, status in readme.demo():
            yield f"README: {command} -> {status}", functools.partial(self.readme_command, command, status)
        for page, command, lines in readme.shown():
            yield f"{page}: {command}", functools.partial(self.shown_command, command, lines)

    def approved_push(self):
        answer = self.held("alice", "approve", "GET", "/reports")
        expect(answer.status == 200, answer)
        expect((answer.seen("x-duo-mfa-user"), answer.seen("x-duo-mfa-factor")) == (["alice"], ["push"]), answer)
        self.cookie = answer.approval()
        expect(self.cookie, answer)

    def cookie_alone(self):
        before = self.duo.calls()
        answer = self.client.send("GET", "/reports", "alice", cookie=self.cookie)
        expect(self.cookie and answer.status == 200, answer)
        expect(self.duo.calls() == before, answer)
        expect(COOKIE not in "".join(answer.seen("cookie")), answer)

    def denied_push(self):
        before = self.app.requests
        answer = self.held("rita", "deny", "GET", "/reports")
        expect((answer.status, answer.json.get("code")) == (403, "mfa_denied"), answer)
        expect(not answer.approval() and self.app.requests == before, answer)

    def no_push_after_denial(self):
        answer = self.client.send("GET", "/reports", "rita")
        expect((answer.status, answer.json.get("code")) == (429, "too_many_requests"), answer)

    def denied_by_policy(self):
        before = self.app.requests
        answer = self.client.send("GET", "/reports", "mallory")
        expect((answer.status, answer.json.get("code")) == (403, "duo_denied"), answer)
        expect(not answer.approval() and self.app.requests == before, answer)

    def held_body(self):
        self.body_arrives("two", 100_000)

    def slowed_body(self):
        """Envoy does not buffer a body for a dynamic module that only waits: the client is slowed down."""
        self.body_arrives("peter", 2_000_000)

    def body_arrives(self, user, size):
        body = secrets.token_bytes(size)
        answer = self.held(user, "approve", "POST", "/upload", body)
        expect(answer.status == 200, answer)
        expect(answer.json.get("body_sha256") == hashlib.sha256(body).hexdigest(), answer)

    def body_above_the_limit(self):
        before = self.app.requests
        answer = self.client.send("POST", "/upload", "peter", bytes(2_000_000))
        expect(answer.status == 413 and self.app.requests == before, answer)

    def passcode_of_a_form(self):
        path = "/.duo-mfa/auth?factor=passcode&return_to=%2Freports"
        answer = self.client.send("POST", path, "alice", b"passcode=123456", more=FORM)
        expect(answer.status == 303 and answer.approval(), answer)

    def start_page(self):
        before, reached = self.duo.calls(), self.app.requests
        answer = self.browser.send("GET", "/reports", "tom", more=FORM)
        expect(answer.status == 403 and "/.duo-mfa/start" in answer.text, answer)
        expect((self.duo.calls(), self.app.requests) == (before, reached), answer)

    def passkey_at_duo(self):
        cookie, target = self.leave_and_return("tom")
        arrived = self.browser.send("GET", target, "tom", cookie=cookie, more=BACK)
        expect(arrived.status == 200 and arrived.approval(), arrived)
        answer = self.browser.send("GET", "/reports", "tom", cookie=arrived.approval(), more=FORM)
        expect(answer.status == 200, answer)
        expect((answer.seen("x-duo-mfa-user"), answer.seen("x-duo-mfa-factor")) == (["tom"], ["webauthn"]), answer)

    def stolen_callback(self):
        _, target = self.leave_and_return("tom")
        before = self.app.requests
        answer = self.browser.send("GET", target, "tom", more=BACK)
        expect(answer.status == 403 and not answer.approval() and self.app.requests == before, answer)

    def leave_and_return(self, user):
        """Presses the button, signs in at Duo's page, and gives the browser's cookie and the callback's path and query."""
        pressed = self.browser.send("POST", "/.duo-mfa/start?return_to=%2Freports", user, b"", more=FORM)
        expect(pressed.status == 303 and len(pressed.cookies) == 1, pressed)
        address = self.duo_page.passkey(pressed.location)
        expect(address.startswith(f"{self.universal}/.duo-mfa/callback?"), address)
        return pressed.cookies[0], address.removeprefix(self.universal)

    def readme_key(self):
        (command,) = readme.session("key")
        key = subprocess.check_output(["sh", "-c", command])
        expect(len(base64.b64decode(key, validate=False)) == 32, key)

    def readme_command(self, command, status):
        run = self.run(command.replace("curl ", "curl -sS -o /dev/null -w '%{http_code}' --max-time 60 ", 1))
        expect(run.stdout == status, f"{run.stdout} {run.stderr}")

    def shown_command(self, command, lines):
        run = self.run(command)
        expect(run.stdout.splitlines() == lines, f"{run.stdout} {run.stderr}")

    def run(self, command):
        """Runs a command of a document, at this demo's ports."""
        for name, number in PORTS.items():
            command = command.replace(f"127.0.0.1:{number}", f"127.0.0.1:{self.ports[name]}")
        return subprocess.run(["sh", "-c", command], cwd=self.folder, capture_output=True, text=True, check=False)

    def held(self, user, action, method, path, body=None):
        """Sends a request, answers the push that it causes, and gives what came back."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            answer = pool.submit(self.client.send, method, path, user, body)
            self.duo.answer(user, action)
            return answer.result()


def expect(holds, answer):
    if not holds:
        raise Fault(answer.shown if isinstance(answer, Answer) else answer)


def run(log):
    failed = 0
    with Stack(FREE_PORTS, log) as stack:
        for name, step in Smoke(stack).steps():
            try:
                step()
                print(f"ok    {name}", flush=True)
            except (Fault, OSError) as fault:
                failed += 1
                print(f"FAIL  {name}: {fault}", flush=True)
    return failed


def main():
    with tempfile.NamedTemporaryFile(prefix="duo-mfa-smoke-", suffix=".log") as log:
        try:
            failed = run(log)
        except SystemExit as fault:
            failed = fault.code
        if failed:
            print(f"{failed}\n--- Envoy's log" if isinstance(failed, str) else "--- Envoy's log")
            print(pathlib.Path(log.name).read_text(encoding="utf-8", errors="replace"))
            return 1
    print("smoke: all of it happened")
    return 0


if __name__ == "__main__":
    sys.exit(main())
