"""Faults of each kind, planted in copies of shipped files: a check that lets one pass proves nothing."""

import contextlib
import pathlib
import shutil
import tempfile

from . import closed, cluster, documents, envoy, products, schema, tools
from .envoy import ROOT

CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
spec:
  group: example.com
  names: {kind: Lock}
  versions:
  - name: v1
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, required: [key], properties: {key: {type: string}, tries: {type: integer}}}
"""
LOCK = "{apiVersion: example.com/v1, kind: Lock, metadata: {name: front}, spec: {key: brass, tries: 3}}"

PRODUCTION = "envoy/production.yaml"
CHART = "envoy/helm/duo-mfa"
VALUES = f"{CHART}/ci/standalone-values.yaml"


def shipped(path):
    return (ROOT / path).read_text(encoding="utf-8")


def changed(text, old, new):
    if old not in text:
        raise SystemExit(f"examples: {old!r} is not there to plant a fault in")
    return text.replace(old, new, 1)


def last(text):
    return documents.documents(text)[-1]


@contextlib.contextmanager
def copied(folder):
    with tempfile.TemporaryDirectory() as temporary:
        target = pathlib.Path(temporary) / "copy"
        shutil.copytree(ROOT / folder, target)
        yield target


def in_envoy(stand_ins, path, old, new):
    return envoy.faults(stand_ins, changed(shipped(path), old, new))


def in_patches(stand_ins, old, new):
    document = last(changed(shipped("envoy/istio/envoyfilter.yaml"), old, new))
    return envoy.faults(stand_ins, documents.dump(products.patched(document)))


def in_plugin(stand_ins, path, old, new):
    document = last(changed(shipped(path), old, new))
    return envoy.faults(stand_ins, documents.dump(products.with_plugin(document)))


def in_universal(stand_ins, path, old, new):
    document = last(documents.with_universal(changed(shipped(path), old, new)))
    return envoy.faults(stand_ins, documents.dump(products.with_plugin(document)))


def in_schema(path, old, new):
    return schema.resource_faults(last(changed(shipped(path), old, new)))


def in_text(old, new):
    return schema.envoy_faults(last(changed(shipped(PRODUCTION), old, new)))


def in_resource(crds, old, new):
    lock = cluster.Crds()
    lock.add(documents.documents(CRD))
    found = lock.faults(last(changed(LOCK, old, new))) or []
    if crds.kinds:
        (plugin,) = [found for found in documents.read(ROOT / "envoy/istio/gateway.yaml") if found["kind"] == "WasmPlugin"]
        plugin["spec"]["pluginNmae"] = plugin["spec"].pop("pluginName")
        found = found and crds.faults(plugin)
    return found


def in_core(old, new):
    return cluster.core_faults(last(changed(shipped("envoy/kubernetes/base/deployment.yaml"), old, new)))


def in_closed(path, old, new):
    return closed.faults(last(changed(shipped(path), old, new)))


def in_kustomize(missing):
    with copied("envoy/kubernetes") as folder:
        (folder / "base" / missing).unlink()
        return tools.kustomize(folder / "overlays/production")[1]


def in_values(old, new):
    with copied(CHART) as chart:
        values = chart / "ci/standalone-values.yaml"
        values.write_text(changed(shipped(VALUES), old, new), encoding="utf-8")
        return tools.helm_template(chart, values)[1] and tools.helm_lint_faults(chart, values)


def in_template(old, new):
    with copied(CHART) as chart:
        template = chart / "templates/standalone.yaml"
        template.write_text(changed(template.read_text(encoding="utf-8"), old, new), encoding="utf-8")
        rendered, complaint = tools.helm_template(chart, chart / "ci/standalone-values.yaml")
        resources = documents.documents(rendered)
        return complaint or [fault for resource in resources for fault in cluster.core_faults(resource) or []]


def in_compose(old, new):
    with copied("envoy/compose") as folder:
        path = folder / "compose.yaml"
        path.write_text(changed(path.read_text(encoding="utf-8"), old, new), encoding="utf-8")
        return tools.compose_faults(path)


def in_alerts(old, new):
    with copied("envoy/observability") as folder:
        rules = folder / "alerts.yaml"
        rules.write_text(changed(rules.read_text(encoding="utf-8"), old, new), encoding="utf-8")
        return tools.rules_test_faults(folder / "alerts.test.yaml")


def in_loki(old, new):
    text = changed(shipped("envoy/observability/loki.yaml"), old, new)
    return tools.logql_faults(documents.documents(text)[0])


def twice(path, line):
    try:
        documents.documents(changed(shipped(path), line, f"{line}\n{line}"))
    except documents.yaml.YAMLError as error:
        return [str(error)]
    return []


def trials(stand_ins, crds):
    """The fault, a word that its report must contain, and the check."""
    yield "a typo in an Envoy field", "conect_timeout", lambda: in_envoy(stand_ins, PRODUCTION, "connect_timeout", "conect_timeout")
    deprecated = "respect_dns_ttl: true\n    connect_timeout"
    yield "a deprecated Envoy field", "respect_dns_ttl", lambda: in_envoy(stand_ins, PRODUCTION, "connect_timeout", deprecated)
    yield "a typo in the plugin configuration", "api_hots", lambda: in_envoy(stand_ins, PRODUCTION, '"api_host"', '"api_hots"')
    stray = changed(shipped(PRODUCTION), '"cluster": "duo_api"', '"cluster": "duo_apl"')
    yield "a plugin that names no cluster of the file", "duo_apl", lambda: tools.check_faults(stray)
    yield "a file without a stand-in", "stand-in", lambda: in_envoy(stand_ins, PRODUCTION, "jwks.json", "other.json")
    yield "a typo in an EnvoyFilter's patch", "conect_timeout", lambda: in_patches(stand_ins, "connect_timeout", "conect_timeout")
    bad = ("api_host:", "api_hots:")
    yield "a typo in a WasmPlugin's pluginConfig", "api_hots", lambda: in_plugin(stand_ins, "envoy/istio/gateway.yaml", *bad)
    hidden = ("#universal   client_id:", "#universal   client_idd:")
    yield "a typo in a line for the Universal Prompt", "client_idd", lambda: in_universal(stand_ins, "envoy/istio/gateway.yaml", *hidden)
    yield "the same in an EnvoyExtensionPolicy", "api_hots", lambda: in_plugin(stand_ins, "envoy/envoy-gateway/mfa.yaml", *bad)
    yield "a typo that the schema of a WasmPlugin finds", "api_hots", lambda: in_schema("envoy/istio/gateway.yaml", *bad)
    yield "the same for an EnvoyExtensionPolicy", "api_hots", lambda: in_schema("envoy/envoy-gateway/mfa.yaml", *bad)
    yield "the same for a text in Envoy's configuration", "api_hots", lambda: in_text('"api_host"', '"api_hots"')
    yield "an unknown field of a custom resource", "", lambda: in_resource(crds, "tries", "trys")
    yield "a wrong type in a custom resource", "integer", lambda: in_resource(cluster.Crds(), "tries: 3", "tries: three")
    yield "an unknown field of a core kind", "replicsa", lambda: in_core("replicas", "replicsa")
    yield "an unknown field that a chart renders", "replicsa", lambda: in_template("replicas:", "replicsa:")
    yield "a value that the chart does not know", "/form", lambda: in_values("form: standalone", "form: standalnoe")
    plugin = ("pluginConfig:", "pluginConfig:\n  duo: {timeuot: 5s}")
    yield "a key of pluginConfig that the chart does not know", "timeuot", lambda: in_values(*plugin)
    yield "a missing file of a kustomization", "service.yaml", lambda: in_kustomize("service.yaml")
    yield "an unknown key of a service in compose", "comand", lambda: in_compose("command:", "comand:")
    yield "a stage that LogQL does not have", "jsn", lambda: in_loki("| json |", "| jsn |")
    yield "a sum over time without a range", "not LogQL", lambda: in_loki(" [10m])", ")")
    if tools.PROMTOOL.exists():
        loud = ('{code="mfa_fraud"}[10m]) > 0', '{code="mfa_fraud"}[10m]) >= 0')
        yield "an alert that never stays silent", "DuoMfaFraudReported", lambda: in_alerts(*loud)
        mute = ('{code="mfa_fraud"}', '{code="fraud"}')
        yield "an alert that never fires", "DuoMfaFraudReported", lambda: in_alerts(*mute)
    native = "envoy/native.yaml"
    yield "a typo in the native module's configuration", "api_hots", lambda: in_envoy(stand_ins, native, '"api_host"', '"api_hots"')
    claim = ('"source": "header", "header": "x-basic-user"', '"source": "jwt", "metadata": ["envoy.filters.http.jwt_authn", "jwt", "sub"]')
    yield "a claim that the native module can't read", "metadata_not_reachable", lambda: in_envoy(stand_ins, native, *claim)
    local = "local: {filename: /opt/duo-mfa/0.1.0/libduo_mfa.so}"
    remote = 'remote: {sha256: "00", http_uri: {uri: "https://modules.example.com/m.so", cluster: app, timeout: 9s}}'
    downloaded = changed(shipped(native), local, remote)
    yield "a native module that Envoy downloads", "module_fails_open", lambda: tools.check_faults(downloaded)
    yield "a key given twice", "twice", lambda: twice("envoy/istio/gateway.yaml", "  phase: AUTHZ")
    san = ("match_typed_subject_alt_names", "# ")
    yield "a cluster that takes any certificate", "match_typed", lambda: in_closed(PRODUCTION, *san)
    yield "a WasmPlugin that fails open", "FAIL_OPEN", lambda: in_closed("envoy/istio/gateway.yaml", "FAIL_RELOAD", "FAIL_OPEN")
    inline = ("{env: DUO_SECRET_KEY}", "{inline: abc}")
    yield "a secret in a resource", "secret", lambda: in_closed("envoy/envoy-gateway/mfa.yaml", *inline)
