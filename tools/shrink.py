#!/usr/bin/env python3
"""shrink MODULE OUT: drops all code that no export reaches, and makes the rest smaller. Same input, same output.

A panic ends the VM, and nothing that comes from outside reaches one. The message of a panic is dropped too, with all code that
would format it, and with the places in the source: it traps at once. Without this step it still says where it was.
"""

import ctypes
import pathlib
import re
import struct
import sys

# What rustc's wasm32-wasip1 has (binaryen-c.h): mutable globals, saturating conversions, SIMD (asked for), bulk memory, sign extension,
# reference types, multiple values. Envoy refuses a module that uses more.
FEATURES = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 8 | 1 << 9


# Functions of Rust's libraries that only ever panic, or print what a panic says, by parts of their names. Never the name of a crate: the
# compiler keeps one of several equal functions, under any of their names.
PANICS = re.compile(
    r"core9panicking|core\.\.panicking|std9panicking|rust_panic|rust_begin_unwind|slice_error_fail|slice_index_fail"
    r"|13unwrap_failed|13expect_failed|handle_alloc_error|handle_error|capacity_overflow|3std5alloc|16DisplayBacktrace|5stdio|18panic_\w*borrow"
)


# The name of a source file.
SOURCE = re.compile(rb"[\w./+-]+\.rs")


class Written(ctypes.Structure):
    _fields_ = [("binary", ctypes.c_void_p), ("size", ctypes.c_size_t), ("source_map", ctypes.c_void_p)]


def binaryen():
    root = pathlib.Path(__file__).resolve().parent.parent / ".tools/binaryen"
    found = sorted(root.glob("lib/python*/site-packages/icpp_binaryen/lib/libbinaryen.*"))
    if not found:
        sys.exit("shrink: no Binaryen; run tools/binaryen.sh")
    library = ctypes.CDLL(str(found[0]))
    module, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint32
    for name, result, *arguments in [
        ("ModuleRead", module, text, ctypes.c_size_t),
        ("ModuleSetFeatures", None, module, number),
        ("GetNumFunctions", number, module),
        ("GetFunctionByIndex", ctypes.c_void_p, module, number),
        ("FunctionGetName", text, ctypes.c_void_p),
        ("FunctionGetBody", ctypes.c_void_p, ctypes.c_void_p),
        ("FunctionSetBody", None, ctypes.c_void_p, ctypes.c_void_p),
        ("Unreachable", ctypes.c_void_p, module),
        ("SetOptimizeLevel", None, ctypes.c_int),
        ("SetShrinkLevel", None, ctypes.c_int),
        ("SetOneCallerInlineMaxSize", None, number),
        ("SetLowMemoryUnused", None, ctypes.c_bool),
        ("SetDebugInfo", None, ctypes.c_bool),
        ("ModuleRunPasses", None, module, ctypes.POINTER(text), number),
        ("ModuleOptimize", None, module),
        ("ModuleValidate", ctypes.c_bool, module),
        ("ModuleAllocateAndWrite", Written, module, text),
    ]:
        function = getattr(library, f"Binaryen{name}")
        function.restype, function.argtypes = result, arguments
    return library


def leb(data, at):
    """The number at a place in LEB128, and the place after it."""
    number, shift = 0, 0
    while True:
        byte = data[at]
        number, shift, at = number | (byte & 0x7F) << shift, shift + 7, at + 1
        if byte < 0x80:
            return number, at


def segments(module):
    """The address and the place in the file of each active data segment, and its size."""
    at = 8
    while at < len(module):
        section, (size, start) = module[at], leb(module, at + 1)
        at = start + size
        if section == 11:
            count, here = leb(module, start)
            for _ in range(count):
                # Flags 0, then the address: i32.const, its number, end.
                if module[here] != 0 or module[here + 1] != 0x41:
                    sys.exit("shrink: a data segment of an unknown kind")
                address, here = leb(module, here + 2)
                size, here = leb(module, here + 1)
                yield address, here, size
                here += size


def without_places(module):
    """Zeroes the places in the source that panics name (a file's name, its length, a line, a column), and the names.

    Binaryen leaves out the zeros. The `log` crate keeps such places too, and the filter does not log them.
    """
    module, found = bytearray(module), list(segments(module))

    def name(address, size):
        for start, at, length in found:
            if start <= address and address + size <= start + length:
                at += address - start
                return slice(at, at + size)
        return None

    places = []
    for start, at, length in found:
        for offset in range(-start % 4, length - 15, 4):
            address, size, line, column = struct.unpack_from("<4I", module, at + offset)
            if 4 <= size <= 256 and 0 < line < 100_000 and 0 < column < 1_000:
                named = name(address, size)
                if named and SOURCE.fullmatch(module[named]):
                    places += [slice(at + offset, at + offset + 16), named]
    for place in places:
        module[place] = bytes(place.stop - place.start)
    return bytes(module)


def shrink(source):
    library = binaryen()
    source = without_places(source)
    module = library.BinaryenModuleRead(source, len(source))
    library.BinaryenModuleSetFeatures(module, FEATURES)

    for index in range(library.BinaryenGetNumFunctions(module)):
        function = library.BinaryenGetFunctionByIndex(module, index)
        is_import = library.BinaryenFunctionGetBody(function) is None
        if not is_import and PANICS.search(library.BinaryenFunctionGetName(function).decode()):
            library.BinaryenFunctionSetBody(function, library.BinaryenUnreachable(module))

    library.BinaryenSetOptimizeLevel(3)
    library.BinaryenSetShrinkLevel(2)
    # Otherwise every function with one caller, however large, becomes a part of it. V8 needs more memory the larger a function is.
    library.BinaryenSetOneCallerInlineMaxSize(100)
    # rustc's linker puts the stack at the bottom of the memory. Only a stack that is about to overflow reaches the first 1,024 bytes.
    library.BinaryenSetLowMemoryUnused(True)
    library.BinaryenSetDebugInfo(False)
    library.BinaryenModuleOptimize(module)
    passes = [b"strip-producers", b"strip-target-features"]
    library.BinaryenModuleRunPasses(module, (ctypes.c_char_p * len(passes))(*passes), len(passes))
    if not library.BinaryenModuleValidate(module):
        sys.exit("shrink: the result is not valid")
    written = library.BinaryenModuleAllocateAndWrite(module, None)
    return ctypes.string_at(written.binary, written.size)


def main():
    source, out = map(pathlib.Path, sys.argv[1:])
    small = shrink(source.read_bytes())
    # An unchanged file keeps its time.
    if not (out.exists() and out.read_bytes() == small):
        out.write_bytes(small)


main()
