"""The demo's processes: duo-sim, the application, Envoy with the filter. All on 127.0.0.1.

Nothing outlives the `with` block: not after an error, not after Ctrl-C or SIGTERM, and on Linux not after a SIGKILL
either, since the kernel ends Envoy with its parent and duo-sim ends with its standard input.
"""

import base64
import ctypes
import json
import os
import pathlib
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

from app import App

ROOT = pathlib.Path(__file__).resolve().parents[2]
API_HOST = "api-demo.duosecurity.com"
INTEGRATION_KEY = "DIDEMODEMODEMODEMODE"
CLIENT_ID = "DIDEMOWEBSDKDEMOWEBS"
# How Envoy loads the filter: `make demo HOST=native` takes the native module.
HOST = os.environ.get("DUO_MFA_HOST", "wasm")
# The module as envoy/demo.yaml, and what envoy/native.sed makes of it, name it; its file here; its component in Envoy's log.
MODULES = {
    "wasm": ("dist/duo_mfa.wasm", "dist/duo_mfa.wasm", "wasm"),
    "native": ("/opt/duo-mfa/0.1.0/libduo_mfa.so", "dist/libduo_mfa.so", "dynamic_modules"),
}
PORTS = {"envoy": 10000, "phone": 10001, "duo": 10002, "app": 10003, "universal": 10004, "prompt": 10005}
NAMES = {"envoy": "Envoy", "phone": "the phone", "duo": "Duo's API", "app": "the application"}
NAMES |= {"universal": "Envoy with Duo's page", "prompt": "Duo's page"}
FREE_PORTS = dict.fromkeys(PORTS, 0)


def fixed_ports():
    """The ports of `make demo`: six in a row, from DEMO_PORT on. None of them may be in use."""
    usual = min(PORTS.values())
    given = os.environ.get("DEMO_PORT", str(usual))
    last = 65535 - (max(PORTS.values()) - usual)
    if not (given.isascii() and given.isdigit() and 1024 <= int(given) <= last):
        raise SystemExit(f"DEMO_PORT={given}: must be a number from 1024 to {last}, the first of {len(PORTS)} ports in a row")
    ports = {name: int(given) + port - usual for name, port in PORTS.items()}
    for name, port in ports.items():
        with socket.socket() as probe:
            # Connections of an ended demo may still be closing.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise SystemExit(
                    f"port {port} for {NAMES[name]}: {error.strerror}. End the program that listens there, or take other ports: "
                    f"`make demo DEMO_PORT=20000` takes 20000 to {20000 + len(PORTS) - 1}"
                ) from None
    return ports


class Stack:
    """`ports` of 0 are chosen freely. Envoy's output goes to `log`, a file, or to the terminal where it is None."""

    def __init__(self, ports, log=None):
        self.ports = dict(ports)
        self.log = log
        self.children = {}

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="duo-mfa-demo-")
        # Both unwind the stack; a shell's background job would ignore SIGINT.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        keys = {"DUO_SECRET_KEY": secrets.token_hex(20), "DUO_CLIENT_SECRET": secrets.token_hex(20)}
        self.start_app()
        self.start_duo_sim(keys)
        self.start_envoy(keys)

    def start_app(self):
        try:
            self.app = App(self.ports["app"])
        except OSError as error:
            raise SystemExit(f"port {self.ports['app']} for the application: {error.strerror}") from None
        self.ports["app"] = self.app.server_port
        threading.Thread(target=self.app.serve_forever, daemon=True).start()

    def start_duo_sim(self, keys):
        command = [
            self.binary(),
            "--exit-with-stdin",
            *("--https", f"127.0.0.1:{self.ports['duo']}", "--control", f"127.0.0.1:{self.ports['phone']}"),
            *("--http", f"127.0.0.1:{self.ports['prompt']}"),
            *("--api-host", API_HOST, "--integration-key", INTEGRATION_KEY, "--secret-key", keys["DUO_SECRET_KEY"]),
            *("--client-id", CLIENT_ID, "--client-secret", keys["DUO_CLIENT_SECRET"]),
            *("--state-dir", pathlib.Path(self.folder.name) / "duo-sim"),
        ]
        child = self.spawn("duo-sim", command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = child.stdout.readline()
        if not line:
            raise SystemExit("duo-sim did not start")
        sim = json.loads(line)
        self.authority = sim["ca"]
        self.ports["duo"] = port(sim["https"])
        self.ports["phone"] = port(sim["control"])
        self.ports["prompt"] = port(sim["http"])
        # Whatever else it says must not fill the pipe.
        threading.Thread(target=child.stdout.read, daemon=True).start()

    def start_envoy(self, keys):
        for name in ("envoy", "universal"):
            self.ports[name] = self.ports[name] or free_port()
        configuration = pathlib.Path(self.folder.name) / "envoy.yaml"
        configuration.write_text(self.configuration(), encoding="utf-8")
        environment = {
            **os.environ,
            **keys,
            # Made anew at each start: approvals of the last run are void.
            "DUO_MFA_COOKIE_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        }
        self.spawn(
            "envoy",
            [
                ROOT / ".tools/bin/envoy",
                *("--config-path", configuration, "--concurrency", "2", "--disable-hot-restart"),
                *("--log-level", "error", "--component-log-level", f"{module()[2]}:info"),
            ],
            env=environment,
            stdout=self.log,
            stderr=self.log,
        )
        self.wait_for_envoy()

    def configuration(self):
        text = (ROOT / "envoy/demo.yaml").read_text(encoding="utf-8")
        named, file, _ = module()
        # Both listeners have a native module; they share a wasm module's VM.
        times = {f"filename: {named}": 2 if HOST == "native" else 1}
        if HOST == "native":
            switch = ["sed", "-f", ROOT / "envoy/native.sed"]
            text = subprocess.run(switch, input=text, capture_output=True, text=True, check=True).stdout
        for old, new in {
            "port_value: 10000": f"port_value: {self.ports['envoy']}",
            "port_value: 10002": f"port_value: {self.ports['duo']}",
            "port_value: 10003": f"port_value: {self.ports['app']}",
            "port_value: 10004": f"port_value: {self.ports['universal']}",
            "http://127.0.0.1:10005": self.url("prompt"),
            f"filename: {named}": f"filename: {json.dumps(str(ROOT / file))}",
            "filename: duo-sim-ca.pem": f"filename: {json.dumps(self.authority)}",
        }.items():
            if text.count(old) != times.get(old, 1):
                raise SystemExit(f"envoy/demo.yaml: {old!r} is there {text.count(old)} times")
            text = text.replace(old, new)
        return text

    def wait_for_envoy(self):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if self.children["envoy"].poll() is not None:
                raise SystemExit("Envoy ended at once; its log says why")
            try:
                # Without a password: basic_auth answers, so filters and workers are up.
                request = urllib.request.Request(self.url("envoy"))
                urllib.request.urlopen(request, timeout=5)
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit("Envoy does not answer")

    def url(self, name):
        # For the host "localhost", a browser sends no cookies of 127.0.0.1.
        host = "localhost" if name == "universal" else "127.0.0.1"
        return f"http://{host}:{self.ports[name]}"

    def ended(self):
        """The name of a process that is gone, if one is."""
        return next((name for name, child in self.children.items() if child.poll() is not None), None)

    def binary(self):
        metadata = subprocess.check_output(["cargo", "metadata", "--format-version=1", "--no-deps", "--offline"], cwd=ROOT)
        return pathlib.Path(json.loads(metadata)["target_directory"]) / "debug/duo-sim"

    def spawn(self, name, command, **options):
        # In a separate session, so that Ctrl-C reaches this program alone, which then ends them in order.
        child = subprocess.Popen(command, start_new_session=True, preexec_fn=end_with_parent, **options)  # noqa: PLW1509 (no threads here)
        self.children[name] = child
        return child

    def stop(self):
        for child in reversed(self.children.values()):
            if child.stdin:
                child.stdin.close()
            child.terminate()
        for child in self.children.values():
            try:
                child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self.folder.cleanup()


def module():
    if HOST not in MODULES:
        raise SystemExit(f"HOST={HOST}: there are {' and '.join(MODULES)}")
    return MODULES[HOST]


def end_with_parent():
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def port(address):
    return int(address.rpartition(":")[2])
