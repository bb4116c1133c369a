"""YAML as its readers take it: several documents in a file, and a key given twice is a fault."""

import pathlib
import subprocess

import yaml

# Makes a configuration with the wasm module one with the native module.
NATIVE = pathlib.Path(__file__).resolve().parents[2] / "envoy/native.sed"
# Begins lines that a user switches on for Duo's Universal Prompt.
UNIVERSAL = "#universal "


class Loader(yaml.SafeLoader):
    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} is given twice", node.start_mark)
        return super().construct_mapping(node, deep)


def documents(text):
    """All documents that are not empty. Raises yaml.YAMLError."""
    return [document for document in yaml.load_all(text, Loader) if document is not None]


def read(path):
    return documents(path.read_text(encoding="utf-8"))


def with_universal(text):
    """The text with these lines switched on."""
    return text.replace(UNIVERSAL, "")


def natively(text):
    """The text for the native module; None if it has no wasm module in Envoy's own configuration."""
    if ".http.wasm.v3.Wasm" not in text:
        return None
    return subprocess.run(["sed", "-f", NATIVE], input=text, capture_output=True, text=True, check=True).stdout


def dump(document):
    return yaml.safe_dump(document, sort_keys=False)


def walk(value, path=()):
    """Every member of a document with its path, parents first."""
    yield path, value
    if isinstance(value, dict):
        for key, member in value.items():
            yield from walk(member, (*path, str(key)))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from walk(member, (*path, str(index)))


def kind(document):
    return f"{document.get('kind')}/{(document.get('metadata') or {}).get('name')}"
