"""Resources of Istio and Envoy Gateway that carry a part of Envoy's configuration, put into a plain Envoy."""

import copy
import json

import yaml

MANAGER = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
NATIVE = "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter"
WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"
TEXT = "type.googleapis.com/google.protobuf.StringValue"


def plain(filters):
    """An Envoy with these filters before the router."""
    router = {"name": "envoy.filters.http.router", "typed_config": {"@type": ROUTER}}
    route = {"match": {"prefix": "/"}, "direct_response": {"status": 200}}
    manager = {
        "@type": MANAGER,
        "stat_prefix": "plain",
        "use_remote_address": True,
        "route_config": {"virtual_hosts": [{"name": "app", "domains": ["*"], "routes": [route]}]},
        "http_filters": [*filters, router],
    }
    connection_manager = {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
    listener = {
        "name": "plain",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        "filter_chains": [{"filters": [connection_manager]}],
    }
    return {"static_resources": {"listeners": [listener], "clusters": []}}


def plugin(document):
    """The plugin configuration in a resource, and the names of its host variables; None where the kind has none."""
    spec = document.get("spec") or {}
    if document.get("kind") == "EnvoyExtensionPolicy":
        if is_native(document):
            (module,) = spec["dynamicModule"]
            return module["config"], []
        (module,) = spec["wasm"]
        return module["config"], module["env"]["hostKeys"]
    if document.get("kind") not in ("WasmPlugin", "TrafficExtension"):
        return None
    module = spec.get("wasm", spec)
    if "pluginConfig" not in module:
        # Higress has its plugins' configuration, and no variables.
        return module["defaultConfig"], ["DUO_SECRET_KEY", "DUO_MFA_COOKIE_KEY"]
    return module["pluginConfig"], [entry["name"] for entry in module["vmConfig"]["env"] if entry["valueFrom"] == "HOST"]


def with_plugin(document):
    """An Envoy with a resource's plugin configuration, as JSON in a StringValue, which is how the products send it."""
    configuration, variables = plugin(document)
    value = {"@type": TEXT, "value": json.dumps(configuration)}
    if is_native(document):
        module = {"module": {"local": {"filename": "/opt/duo-mfa/libduo_mfa.so"}}}
        config = {"@type": NATIVE, "filter_name": "duo_mfa", "dynamic_module_config": module, "filter_config": value}
        return plain([{"name": "duo_mfa", "typed_config": config}])
    vm = {
        "runtime": "envoy.wasm.runtime.v8",
        "code": {"local": {"filename": "/etc/envoy/duo_mfa.wasm"}},
        "environment_variables": {"host_env_keys": variables},
    }
    config = {"name": "duo_mfa", "root_id": "duo_mfa", "vm_config": vm, "configuration": value}
    return plain([{"name": "duo_mfa", "typed_config": {"@type": WASM, "config": config}}])


def is_native(document):
    return "dynamicModule" in (document.get("spec") or {})


def with_bootstrap(document):
    """An Envoy with what an EnvoyProxy of Envoy Gateway merges into the bootstrap, or adds to it."""
    bootstrap = document["spec"]["bootstrap"]
    if bootstrap["type"] == "Merge":
        return plain([]) | yaml.safe_load(bootstrap["value"])
    # As in Envoy Gateway's own bootstrap.
    envoy = plain([]) | {"layered_runtime": {"layers": [{"name": "global_config", "static_layer": {}}]}}
    for patch in bootstrap["jsonPatches"]:
        *path, last = patch["path"].strip("/").split("/")
        place = envoy
        for step in path:
            place = place[int(step) if isinstance(place, list) else step]
        if patch["op"] != "add" or not isinstance(place, dict):
            raise ValueError(f"no such patch in tools/checks/products.py: {patch}")
        place[last] = patch["value"]
    return envoy


def patched(document):
    """An Envoy with an EnvoyFilter's patches. Raises ValueError on a patch that is not among those that we ship."""
    envoy = plain([])
    manager = envoy["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    filters = manager["http_filters"]
    for change in document["spec"]["configPatches"]:
        where, patch = change["applyTo"], change["patch"]
        value = copy.deepcopy(patch["value"])
        match where, patch["operation"]:
            case "CLUSTER", "ADD":
                envoy["static_resources"]["clusters"].append(value)
            case "HTTP_FILTER", "INSERT_FIRST":
                filters.insert(0, value)
            case "HTTP_FILTER", "INSERT_BEFORE":
                before = change["match"]["listener"]["filterChain"]["filter"]["subFilter"]["name"]
                names = [known["name"] for known in filters]
                if before not in names:
                    raise ValueError(f"no filter {before} to insert before")
                filters.insert(names.index(before), value)
            case "BOOTSTRAP", "MERGE":
                envoy.update(value)
            case other:
                raise ValueError(f"no such patch in tools/checks/products.py: {other}")
    return envoy
