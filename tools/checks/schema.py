"""The shipped JSON Schemas of docs/schema, by another validator than that of the Rust tests."""

import functools
import json

import jsonschema

from . import documents
from .envoy import ROOT

FOLDER = ROOT / "docs/schema/v1"
RESOURCES = {"WasmPlugin": "wasmplugin", "TrafficExtension": "wasmplugin", "EnvoyExtensionPolicy": "envoyextensionpolicy"}


@functools.cache
def validator(name):
    schema = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def faults(name, document):
    found = validator(name).iter_errors(document)
    return [f"{'/'.join(map(str, fault.absolute_path))}: {fault.message}"[:300] for fault in found]


def resource_faults(document):
    """The faults of a resource that carries a plugin configuration, by the schema of its kind."""
    return faults(RESOURCES[document["kind"]], document)


def envoy_faults(document):
    """The faults of the plugin configurations in an Envoy's, where each is a text."""
    texts = [value for _, value in documents.walk(document) if isinstance(value, str) and '"session"' in value]
    return [fault for text in texts for fault in faults("plugin", json.loads(text))]
