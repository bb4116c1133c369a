#!/usr/bin/env python3
"""exports MODULE OUT: puts the filter's callbacks in the place of the SDK's.

The SDK exports a dispatcher under the names of the ABI. The filter exports its callbacks as `duo_mfa:NAME`
(src/adapter/wasm/exports.rs): each gets its name, and no other function is exported, since Envoy enters the VM for each
callback that is there and skips those that are not. The SDK's code is then reached by nothing but its tables of methods; its functions are
emptied, so that all they use can go too. Same input, same output.
"""

import pathlib
import sys

OWN = b"duo_mfa:"
HEADER = b"\0asm\1\0\0\0"
CUSTOM, IMPORT, EXPORT, CODE = 0, 2, 7, 10
FUNCTION = 0
# No locals; `unreachable`; `end`.
EMPTY = bytes([0, 0x00, 0x0B])


def number(data, at):
    """An unsigned LEB128 number and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def leb(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def text(data, at):
    length, start = number(data, at)
    return data[start : start + length], start + length


def sections(module):
    """Number and content of each section."""
    if not module.startswith(HEADER):
        sys.exit("exports: not a WebAssembly module")
    at = len(HEADER)
    while at < len(module):
        kind = module[at]
        length, start = number(module, at + 1)
        at = start + length
        yield kind, module[start:at]


def imported_functions(section):
    """How many functions are imported. The others are numbered after them; this module imports nothing else."""
    count, at = number(section, 0)
    for _ in range(count):
        _, at = text(section, at)
        _, at = text(section, at)
        if section[at] != FUNCTION:
            sys.exit("exports: an import that is no function")
        _, at = number(section, at + 1)
    return count


def function_names(section):
    """The names of the custom section `name`: sub-section 1 holds those of functions."""
    names = {}
    title, at = text(section, 0)
    while title == b"name" and at < len(section):
        kind = section[at]
        length, start = number(section, at + 1)
        at = start + length
        if kind != 1:
            continue
        count, entry = number(section, start)
        for _ in range(count):
            index, entry = number(section, entry)
            names[index], entry = text(section, entry)
    return names


def renamed(section):
    """The exports of the filter's callbacks, and what is no function."""
    count, at = number(section, 0)
    kept, callbacks = [], 0
    for _ in range(count):
        name, at = text(section, at)
        kind = section[at]
        index, at = number(section, at + 1)
        if kind == FUNCTION and not name.startswith(OWN):
            continue
        callbacks += kind == FUNCTION
        name = name.removeprefix(OWN)
        kept.append(leb(len(name)) + name + bytes([kind]) + leb(index))
    if not callbacks:
        sys.exit("exports: the module exports no callback of the filter's")
    return leb(len(kept)) + b"".join(kept)


def without(section, emptied):
    """The code with those functions emptied."""
    count, at = number(section, 0)
    bodies = []
    for index in range(count):
        length, start = number(section, at)
        at = start + length
        body = EMPTY if index in emptied else section[start:at]
        bodies.append(leb(len(body)) + body)
    return leb(count) + b"".join(bodies)


def is_of_sdk(name):
    # A generic function of another crate ends with the name of the crate that it was compiled for.
    return b"proxy_wasm" in name.removesuffix(b"10proxy_wasm") and b"duo_mfa" not in name


def main():
    source, out = map(pathlib.Path, sys.argv[1:])
    parts = list(sections(source.read_bytes()))
    imported = sum(imported_functions(content) for kind, content in parts if kind == IMPORT)
    names = {k: v for kind, content in parts if kind == CUSTOM for k, v in function_names(content).items()}
    emptied = {index - imported for index, name in names.items() if is_of_sdk(name)}
    if not emptied:
        sys.exit("exports: the module does not say which functions are the SDK's")
    module = HEADER
    for kind, content in parts:
        if kind == EXPORT:
            content = renamed(content)
        elif kind == CODE:
            content = without(content, emptied)
        module += bytes([kind]) + leb(len(content)) + content
    # An unchanged file keeps its time.
    if not (out.exists() and out.read_bytes() == module):
        out.write_bytes(module)


main()
