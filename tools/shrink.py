#!/usr/bin/env python3
"""shrink MODULE OUT: drops all code that no export reaches, and makes the rest smaller. Same input, same output.

A panic ends the VM, and nothing that comes from outside reaches one. The message of a panic is dropped too, with all code that
would format it: it traps at once. Without this step it still says where it was.
"""

import ctypes
import pathlib
import re
import sys

# What rustc's wasm32-wasip1 has (binaryen-c.h): mutable globals, saturating conversions, SIMD (asked for), bulk memory, sign extension,
# reference types, multiple values. Envoy refuses a module that uses more.
FEATURES = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 8 | 1 << 9


# Functions of Rust's libraries that only ever panic, by parts of their names.
PANICS = re.compile(
    r"core9panicking|core\.\.panicking|std9panicking|rust_panic|rust_begin_unwind|slice_error_fail|slice_index_fail"
    r"|13unwrap_failed|13expect_failed|handle_alloc_error|handle_error|capacity_overflow|3std5alloc|18panic_\w*borrow"
)


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


def shrink(source):
    library = binaryen()
    module = library.BinaryenModuleRead(source, len(source))
    library.BinaryenModuleSetFeatures(module, FEATURES)

    for index in range(library.BinaryenGetNumFunctions(module)):
        function = library.BinaryenGetFunctionByIndex(module, index)
        is_import = library.BinaryenFunctionGetBody(function) is None
        if not is_import and PANICS.search(library.BinaryenFunctionGetName(function).decode()):
            library.BinaryenFunctionSetBody(function, library.BinaryenUnreachable(module))

    library.BinaryenSetOptimizeLevel(3)
    library.BinaryenSetShrinkLevel(2)
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
