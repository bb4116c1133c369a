#!/usr/bin/env python3
"""The application of the demo: answers every request with what it got, as JSON; `/spa/` is examples/spa.

Usage: python3 examples/demo/app.py [PORT [ADDRESS]]
"""

import contextlib
import hashlib
import json
import pathlib
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SPA = pathlib.Path(__file__).resolve().parents[1] / "spa"
PAGES = {
    "/spa/": ("index.html", "text/html; charset=utf-8"),
    "/spa/signed-in.html": ("signed-in.html", "text/html; charset=utf-8"),
    "/spa/duo-mfa-fetch.js": ("duo-mfa-fetch.js", "text/javascript; charset=utf-8"),
}


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one write

    def answer(self):
        self.server.requests += 1
        body = self.body()
        if page := PAGES.get(self.path.partition("?")[0]):
            name, kind = page
            return self.send(kind, (SPA / name).read_bytes())
        answer = {
            "method": self.command,
            "path": self.path,
            "body_bytes": len(body),
            "body_sha256": hashlib.sha256(body).hexdigest(),
            "headers": [[name.lower(), value] for name, value in self.headers.items()],
            "requests": self.server.requests,
        }
        return self.send("application/json", json.dumps(answer, indent=2).encode() + b"\n")

    def send(self, kind, text):
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def body(self):
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(chunks)

    def log_message(self, *_):
        pass


class App(ThreadingHTTPServer):
    """Counts its requests, so that "nothing got through" can be seen and not only hoped for."""

    daemon_threads = True

    def __init__(self, port=0, address="127.0.0.1"):
        super().__init__((address, port), Echo)
        self.requests = 0


if __name__ == "__main__":
    app = App(*map(int, sys.argv[1:2]), *sys.argv[2:3])
    print("http://{}:{}".format(*app.server_address), flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        app.serve_forever()
