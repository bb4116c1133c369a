"""Faults: requests pass while the filter is down, calls to Duo over connections that anyone could answer, secrets in the open."""

from . import documents
from .products import plugin
from .words import ISTIO_VERIFIED, OPEN, VERIFIED


def faults(document):
    found = []
    for path, value in documents.walk(document):
        at = ".".join(path) or "."
        if path and OPEN.get(path[-1], ...) == value:
            found.append(f"{at}: {value} lets everybody pass while something is down")
        if not isinstance(value, dict):
            continue
        if str(value.get("@type", "")).endswith("UpstreamTlsContext"):
            trust = (value.get("common_tls_context") or {}).get("validation_context") or {}
            found += [f"{at}: TLS without {name}" for name in VERIFIED if name not in {*value, *trust}]
    found += istio_tls(document)
    carried = plugin(document)
    if carried:
        found += secrets(carried[0])
    return found


def istio_tls(document):
    if document.get("kind") != "DestinationRule":
        return []
    tls = document["spec"]["trafficPolicy"].get("tls", {})
    return [f"spec.trafficPolicy.tls: no {name}" for name in ISTIO_VERIFIED if not tls.get(name)]


def secrets(configuration):
    """A secret key or a cookie key is the name of a variable."""
    duo = configuration["duo"]
    given = {}
    # Without it browsers alone sign in.
    if "secret_key" in duo or "universal" not in duo:
        given["duo.secret_key"] = duo["secret_key"]
    if "universal" in duo:
        given["duo.universal.client_secret"] = duo["universal"]["client_secret"]
    given |= {f"session.keys.{index}": key for index, key in enumerate(configuration["session"]["keys"])}
    return [f"{at}: a secret in the configuration" for at, value in given.items() if list(value) != ["env"]]
