#!/usr/bin/env python3
"""shipped: no file that users copy from lets requests pass while something is down, holds a secret, or calls Duo
over a connection that anyone could answer. First it shows that it catches such faults, planted in copies of the very files.

Looks at all text below envoy/ and examples/, at templates and scripts too, and at the fenced blocks of Markdown files; comments
don't count. The one way to call Duo's place without TLS is to an address on loopback, where only a simulator is. The one
configuration that may allow secrets in it is a demo that sends browsers to a simulator on loopback.
`make examples` asks more of the YAML files, by parsing them; this needs nothing but Python.
"""

import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from checks.words import ISTIO_VERIFIED, OPEN, VERIFIED  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDERS = ("envoy", "examples")
PAGES = ("README.md", "SECURITY.md", "DESIGN.md", "docs/**/*.md", "envoy/**/*.md", "examples/**/*.md")

# Files in a folder of this name have faults on purpose; `make examples` proves that they are refused.
REFUSED = "refused"

FLAGS = "|".join(key for key, value in OPEN.items() if value is True)
WORDS = "|".join({value for value in OPEN.values() if value is not True})
PASS = re.compile(rf"\b(?:{FLAGS})\b[\"']?\s*:\s*[\"']?true|\b(?:{WORDS})\b", re.IGNORECASE)
INLINE = re.compile(r"\ballow_inline_secrets\b[\"']?\s*:\s*true")
# The key that needs `allow_inline_secrets`. No user could sign in at Duo with it.
DEMO_ORIGIN = re.compile(r"\bbrowser_origin\b[\"']?\s*:\s*[\"']http://127\.0\.0\.1:\d+[\"']")
# A secret's value, over line ends: `{env: NAME}`, or `env: NAME` in the next line. A schema refers to that, or describes the key.
SECRET = re.compile(r"\b(?:secret_key|skey|client_secret)\b[\"']?\s*:\s*(?!\{?\s*[\"']?(?:env|\$ref|description)\b)(?=\S)")
KEYS = re.compile(r"\bkeys\b[\"']?\s*:\s*(?:\[\s*|-\s*)(?!env\b)[\"'\w]")
# A variable's value: what makes one, takes one from elsewhere, or cannot be one. Programs have names for values.
VARIABLE = re.compile(
    r"\bDUO_(?:SECRET_KEY|CLIENT_SECRET|MFA_COOKIE_KEY\w*)[\"']?(?:=|:\s+)[\"']?(?!\$|\{|\.\.\.|\.(?:\}|data\.)|<|(?i:replace))(?=[^\s\"',)}\]])"
)
LOOPBACK = re.compile(r"127\.\d+\.\d+\.\d+|::1|localhost")


def uncommented(text):
    return re.sub(r"(?m)(?:^|(?<=\s))#.*$", "", text)


def pieces(path, text):
    """The parts of a file that are looked at, each with the number of its first line."""
    if path.suffix != ".md":
        yield 1, uncommented(text)
        return
    for fence in re.finditer(r"(?m)^( *)```[^\n]*\n(.*?)^\1```", text, re.DOTALL):
        yield text.count("\n", 0, fence.start(2)) + 1, uncommented(fence[2])


def depth(line):
    """Where a line's first key begins; a list's dash is no more than indentation."""
    return len(re.match(r"(?:\s|- )*", line)[0])


def mapping(lines, number):
    """The mapping that the key in this line is a member of."""
    own = depth(lines[number])

    def inside(line):
        # The conditions of a chart's template have any depth.
        return not line.strip() or line.lstrip().startswith("{{") or depth(line) >= own

    first, last = number, number + 1
    while not lines[first].lstrip().startswith("- ") and first and inside(lines[first - 1]):
        first -= 1
    while last < len(lines) and inside(lines[last]) and not (depth(lines[last]) == own and lines[last].lstrip().startswith("- ")):
        last += 1
    return "\n".join(lines[first:last])


def has(text, key):
    return re.search(rf"\b{key}\b[\"']?\s*:", text)


def faults(text, is_program):
    """Each fault, with its line, counted from 0."""
    for rule, pattern in (
        ("lets requests pass while something is down", PASS),
        ("a secret in the configuration", SECRET),
        ("a secret in the configuration", KEYS),
        ("a secret in the open", VARIABLE),
    ):
        if pattern is not VARIABLE or not is_program:
            yield from ((text.count("\n", 0, match.start()), rule) for match in pattern.finditer(text))
    for match in INLINE.finditer(text):
        of_plugin = text[max(text.rfind("version", 0, match.start()), 0) : match.start()]
        if not DEMO_ORIGIN.search(of_plugin):
            yield text.count("\n", 0, match.start()), "allows secrets in the configuration"
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if "UpstreamTlsContext" in line:
            yield from ((number, f"TLS without {key}") for key in VERIFIED if not has(mapping(lines, number), key))
        if re.match(r"\s*(?:- )?load_assignment:", line):
            cluster = mapping(lines, number)
            leads_to_duo = "duosecurity.com" in cluster or re.search(r"\bname:\s*[\"']?duo", cluster)
            addresses = re.findall(r"\baddress:\s*[\"']?([\w.:-]+)", cluster)
            is_here = addresses and all(LOOPBACK.fullmatch(address) for address in addresses)
            if leads_to_duo and not is_here and "UpstreamTlsContext" not in cluster:
                yield number, "a cluster of Duo without TLS"
    yield from objects(text)


def objects(text):
    """Faults of the resources from which control planes make a cluster of Duo."""
    at = 0
    kinds = re.findall(r"(?m)^kind:\s*(\w+)", text)
    for document in re.split(r"(?m)^---\s*$", text):
        kind = re.search(r"(?m)^kind:\s*(\w+)", document)
        if kind and kind[1] == "DestinationRule":
            yield from ((at, f"a DestinationRule without {key}") for key in ISTIO_VERIFIED if not has(document, key))
        if kind and kind[1] == "Backend" and "duosecurity.com" in document and "BackendTLSPolicy" not in kinds:
            yield at, "a Backend of Duo without a BackendTLSPolicy"
        at += document.count("\n")


def found(path, text):
    for first, piece in pieces(path, text):
        for number, fault in faults(piece, path.suffix == ".py"):
            yield f"{path}:{first + number}: {fault}"


def files():
    paths = {path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()}
    paths |= {path for pattern in PAGES for path in ROOT.glob(pattern)}
    for path in sorted(paths):
        if {"__pycache__", "node_modules", REFUSED}.intersection(path.parts):
            continue
        try:
            yield path.relative_to(ROOT), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


# A change to a copy of a shipped file, and words that its report must contain.
PRODUCTION, DEMO, README = "envoy/production.yaml", "envoy/demo.yaml", "README.md"
ISTIO, GATEWAY = "envoy/istio", "envoy/envoy-gateway"
PLANTED = [
    (PRODUCTION, r"failure_policy: FAIL_RELOAD", "failure_policy: FAIL_OPEN", "pass while"),
    (PRODUCTION, r"failure_policy: FAIL_RELOAD", "fail_open: true", "pass while"),
    (README, r"failure_policy: FAIL_RELOAD", "fail_open: true", "pass while"),
    (f"{ISTIO}/gateway.yaml", r"failStrategy: \w+", "failStrategy: FAIL_OPEN", "pass while"),
    (f"{GATEWAY}/mfa.yaml", r"failOpen: false", "failOpen: true", "pass while"),
    (PRODUCTION, r'"version": 1,', '"version": 1, "allow_inline_secrets": true,', "allows secrets"),
    (DEMO, r'"request_bodies": true', '"request_bodies": true, "allow_inline_secrets": true', "allows secrets"),
    (DEMO, r'"browser_origin": "http://127.0.0.1', '"browser_origin": "http://192.0.2.1', "allows secrets"),
    (DEMO, r'\{"env": "DUO_CLIENT_SECRET"\}', '"SimulatedWebSdkSecretSimulatedWebSdk0001"', "a secret in the"),
    (PRODUCTION, r'\{"env": "DUO_SECRET_KEY"\}', '"Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep"', "a secret in the"),
    (README, r'\{"env": "DUO_SECRET_KEY"\}', '"Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep"', "a secret in the"),
    (
        f"{ISTIO}/gateway.yaml",
        r"secret_key: \{ ?env: DUO_SECRET_KEY ?\}",
        "secret_key: Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep",
        "a secret in the",
    ),
    (PRODUCTION, r'"keys": \[\{"env": "DUO_MFA_COOKIE_KEY"\}, ', '"keys": ["b1c7Yk2mUeN0h3xkq8rW5tVz6aD9sGfJ4pLwQ1eRoHc=", ', "a secret"),
    ("examples/jwt/README.md", r"DUO_SECRET_KEY=\.\.\.", "DUO_SECRET_KEY=Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep", "in the open"),
    ("examples/jwt/README.md", r"DUO_SECRET_KEY=\.\.\.", "DUO_SECRET_KEY=.Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4E", "in the open"),
    (PRODUCTION, r"\n +sni: .*", "", "TLS without sni"),
    (PRODUCTION, r"\n +trusted_ca: .*", "", "TLS without trusted_ca"),
    (PRODUCTION, r"\n +match_typed_subject_alt_names: .*", "", "TLS without match_typed_subject_alt_names"),
    (README, r"\n +match_typed_subject_alt_names: .*", "", "TLS without match_typed_subject_alt_names"),
    (DEMO, r"\n +sni: .*", "", "TLS without sni"),
    (
        PRODUCTION,
        r"(?s)\n +transport_socket:\n( +)name: envoy.transport_sockets.tls\n(?=[^-]*sni).*?(?=\n    typed_ext)",
        "",
        "without TLS",
    ),
    ("envoy/helm/duo-mfa/templates/_envoy.tpl", r"\n +match_typed_subject_alt_names: .*", "", "TLS without match_typed"),
    (f"{ISTIO}/envoyfilter.yaml", r"\n +sni: .*", "", "TLS without sni"),
    (f"{ISTIO}/duo-api.yaml", r"mode: \w+,? ?", "", "a DestinationRule without mode"),
    (f"{ISTIO}/duo-api.yaml", r"sni: [\w.-]+,? ?", "", "a DestinationRule without sni"),
    (f"{ISTIO}/duo-api.yaml", r"subjectAltNames: \[[^\]]*\],? ?", "", "a DestinationRule without subjectAltNames"),
    (f"{GATEWAY}/duo-api.yaml", r"kind: BackendTLSPolicy", "kind: Backup", "without a BackendTLSPolicy"),
]


def missed():
    """Planted faults that are not found, and files to plant one in that don't hold what it replaces."""
    for name, old, new, said in PLANTED:
        text = (ROOT / name).read_text(encoding="utf-8")
        planted, count = re.subn(old, new, text, count=1)
        if not count:
            yield f"{name}: {old} is not there to plant a fault in"
        elif not any(said in line for line in found(pathlib.Path(name), planted)):
            yield f"{name}: not caught: {old} -> {new}"
    plain = "clusters:\n- name: duo_api\n  load_assignment: {address: {socket_address: {address: 127.0.0.1}}}\n"
    if list(found(pathlib.Path("plain.yaml"), plain)):
        yield "a simulator on loopback needs no TLS"
    if not list(found(pathlib.Path("plain.yaml"), plain.replace("127.0.0.1", "192.0.2.1"))):
        yield "not caught: a simulator elsewhere without TLS"


def main():
    shipped = list(files())
    wrong = [line for path, text in shipped for line in found(path, text)] + list(missed())
    print("\n".join(wrong), end="\n" if wrong else "")
    print(f"shipped: {len(shipped)} files, {len(wrong)} faults; {len(PLANTED) + 1} were planted to see that they are caught")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
