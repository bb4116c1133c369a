"""A configuration of Envoy, by a real Envoy with the real module: `--mode validate`, and no word of a deprecated field."""

import base64
import os
import pathlib
import re
import secrets
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENVOY = pathlib.Path(os.environ.get("DUO_MFA_ENVOY", ROOT / ".tools/bin/envoy"))
MODULE = pathlib.Path(os.environ.get("DUO_MFA_WASM", ROOT / "dist/duo_mfa.wasm"))
NATIVE = pathlib.Path(os.environ.get("DUO_MFA_NATIVE", ROOT / "dist/libduo_mfa.so"))

# The configurations name files of another machine. Each is replaced by a stand-in, by its name.
MODULES = {"duo_mfa.wasm": MODULE, "plugin.wasm": MODULE, "libduo_mfa.so": NATIVE}
CERTIFICATES = ("ca-certificates.crt", "clients-ca.pem", "server.pem", "duo-sim-ca.pem")
KEYS = ("server.key",)
TEXTS = {
    "users.htpasswd": "alice:{SHA}ieSV55Qc+eQOaYDRSha/AjzNTJE=\n",
    # The public key of RFC 7517, A.1.
    "jwks.json": '{"keys": [{"kty": "EC", "crv": "P-256", "kid": "1", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",'
    ' "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}',
}
FILE = re.compile(r"(?<=filename: )[\w./-]+")


class StandIns:
    """A folder with a file for each that a configuration may name."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        certificate, key = self.folder / "certificate.pem", self.folder / "key.pem"
        name = "/CN=stand-in.example.com"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
            + ["-subj", name, "-addext", "subjectAltName=DNS:stand-in.example.com", "-keyout", key, "-out", certificate],
            check=True,
            capture_output=True,
        )
        self.files = MODULES | dict.fromkeys(CERTIFICATES, certificate) | dict.fromkeys(KEYS, key)
        for name, text in TEXTS.items():
            self.files[name] = self.folder / name
            self.files[name].write_text(text, encoding="utf-8")

    def put(self, text):
        """The text with this machine's files in it, and the names for which there is none."""
        unknown = []

        def here(match):
            name = pathlib.PurePosixPath(match[0]).name
            if name not in self.files:
                unknown.append(match[0])
            return str(self.files.get(name, match[0]))

        return FILE.sub(here, text), unknown


def environment(text):
    """A secret for every variable that the configuration reads."""
    names = set(re.findall(r"\bDUO_[A-Z0-9_]+\b", text))
    made = {}
    for name in names:
        random = secrets.token_bytes(32)
        is_duos = "COOKIE_KEY" not in name and "ASSERTION_KEY" not in name
        made[name] = random.hex()[:40] if is_duos else base64.b64encode(random).decode()
    return made


def faults(stand_ins, text, variables=None):
    """The faults that Envoy reports in this configuration."""
    text, unknown = stand_ins.put(text)
    if unknown:
        return [f"no stand-in for {name} in tools/checks/envoy.py" for name in unknown]
    with tempfile.NamedTemporaryFile("w", dir=stand_ins.folder, suffix=".yaml", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        run = subprocess.run(
            [ENVOY, "--mode", "validate", "--log-level", "warning", "--config-path", file.name],
            env=environment(text) | (variables or {}),
            capture_output=True,
            text=True,
            check=False,
        )
    said = (run.stdout + run.stderr).splitlines()
    # The native module has the version of the interface of the oldest Envoy that it supports, which newer ones call deprecated.
    found = [line for line in said if "deprecated" in line.lower() and "ABI version" not in line]
    if run.returncode != 0:
        found += [line for line in said if "[error]" in line or "[critical]" in line] or said or ["Envoy said nothing"]
    return [re.sub(r"^(?:\[[^\]]*\])+ *", "", line) for line in found]
