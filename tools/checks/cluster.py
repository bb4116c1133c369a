"""Resources of Kubernetes: core kinds by the API's own schemas, others by the CRDs of a folder. Unknown fields are faults."""

import json

import kubernetes_validate
from jsonschema import Draft202012Validator

from . import documents

METADATA = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
STANDARD = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": METADATA, "status": {}}
# Keywords of JSON Schema that CRDs have in common with it; what else they have is translated below.
COMMON = (
    "type enum pattern required minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength minItems"
    " maxItems uniqueItems minProperties maxProperties anyOf allOf oneOf not"
).split()


COUNT = {"type": "integer", "minimum": 1}
# What the filter names a user by in a question to a rate limit service.
USERS = ["duo_mfa_prompt", "duo_mfa_start"]
# The limits of a rate limit service: those of Envoy's, and those of Limitador.
RATE_LIMIT = {"unit": {"enum": ["second", "minute", "hour", "day"]}, "requests_per_unit": COUNT}
RATELIMIT = {
    "domain": {"type": "string"},
    "descriptors": {"type": "array", "items": {"properties": {"key": {"enum": USERS}, "rate_limit": {"properties": RATE_LIMIT}}}},
}
LIMITADOR = {
    "namespace": {"type": "string"},
    "max_value": COUNT,
    "seconds": COUNT,
    "conditions": {"items": {"enum": [f"has(descriptors[0].{user})" for user in USERS]}},
    "variables": {"items": {"enum": [f"descriptors[0].{user}" for user in USERS]}},
}


def limits_faults(document):
    def exact(properties):
        return {"type": "object", "properties": properties, "required": sorted(properties), "additionalProperties": False}

    schema = {"type": "array", "items": exact(LIMITADOR)} if isinstance(document, list) else exact(RATELIMIT)
    return [error.message for error in Draft202012Validator(schema).iter_errors(document)]


class Crds:
    """The CRDs of a folder: JSON files with one or a list, and plain YAML files."""

    def __init__(self, folder=None):
        self.kinds = {}
        for path in sorted(folder.rglob("*")) if folder else []:
            if path.suffix == ".json":
                found = json.loads(path.read_text(encoding="utf-8"))
                self.add(found if isinstance(found, list) else [found])
            elif path.suffix in (".yaml", ".yml"):
                self.add(documents.read(path))
        if folder and not self.kinds:
            raise SystemExit(f"examples: no CustomResourceDefinition in {folder}")

    def add(self, found):
        for crd in found:
            if crd.get("kind", "CustomResourceDefinition") == "CustomResourceDefinition" and "spec" in crd:
                spec = crd["spec"]
                stored = next(version["schema"] for version in spec["versions"] if version.get("storage"))
                for version in spec["versions"]:
                    schema = version.get("schema", stored)["openAPIV3Schema"]
                    self.kinds[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = strict_root(schema)

    def faults(self, document):
        """None where no CRD of the resource's group is there."""
        version, kind = document["apiVersion"], document["kind"]
        schema = self.kinds.get((version, kind))
        if schema is None:
            groups = {known.split("/")[0] for known, _ in self.kinds}
            return [f"no kind {kind} in {version}"] if version.split("/")[0] in groups else None
        errors = Draft202012Validator(schema).iter_errors(document)
        return [f"{'.'.join(map(str, error.absolute_path)) or '.'}: {error.message[:300]}" for error in errors]


def strict_root(schema):
    out = strict(schema)
    out["properties"] = out.get("properties", {}) | STANDARD
    return out | {"required": sorted({*out.get("required", []), "metadata"}), "additionalProperties": False}


def strict(schema):
    """JSON Schema of a CRD's schema, where only what is named may be there."""
    out = {key: schema[key] for key in COMMON if key in schema}
    if "properties" in schema:
        out["properties"] = {name: strict(member) for name, member in schema["properties"].items()}
        out["additionalProperties"] = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    for key in ("items", "additionalProperties"):
        if key in schema:
            out[key] = strict(schema[key]) if isinstance(schema[key], dict) else schema[key]
    if schema.get("x-kubernetes-int-or-string"):
        out["type"] = ["integer", "string"]
    if schema.get("nullable") and "type" in out:
        out["type"] = [out["type"], "null"]
    return out


def core_faults(document):
    """None where the kind is not one of Kubernetes' own."""
    try:
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
    except kubernetes_validate.SchemaNotFoundError:
        return None
    except kubernetes_validate.ValidationError as error:
        return [f"{'.'.join(map(str, error.path)) or '.'}: {error.message[:300]}"]
    return []


# The fields of a provider of external authorization by HTTP in Istio's MeshConfig.
PROVIDER = frozenset(
    """service port timeout pathPrefix failOpen clearRouteCache statusOnError includeRequestHeadersInCheck
    includeAdditionalHeadersInCheck includeRequestBodyInCheck headersToUpstreamOnAllow headersToDownstreamOnAllow
    headersToDownstreamOnDeny""".split()
)


def mesh_faults(mesh):
    """Faults of the external authorization in Istio's MeshConfig, for which there is no schema of a resource."""
    providers = mesh.get("extensionProviders") or []
    found = [] if set(mesh) == {"extensionProviders"} and providers else ["not just extensionProviders"]
    for provider in providers:
        http = provider.get("envoyExtAuthzHttp") or {}
        found += [f"no such field: {field}" for field in sorted(set(http) - PROVIDER)]
        found += [f"no {field}" for field in ("service", "port") if not http.get(field)]
        found += ["lets requests pass while it is down"] if http.get("failOpen") else []
    return found


def variables_faults(variables):
    """A container's environment outside a Pod, as values of other charts have it."""
    container = {"name": "any", "image": "any", "env": variables}
    metadata, spec = {"name": "any"}, {"containers": [container]}
    return core_faults({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
