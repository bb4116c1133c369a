#!/usr/bin/env python3
"""release OUT: collects in the folder OUT what a release publishes, and checks it. Same sources, same bytes; no network.

It needs what `make dist`, `make cli-static` and `make native` for the other kind of processor have built.
`release --check-tag TAG` compares a tag with the version.
"""

import hashlib
import json
import pathlib
import platform
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import uuid
import zipfile

import jsonschema
import referencing
from oci import about, archive, gzipped

ROOT = pathlib.Path(__file__).resolve().parents[1]
CHART = ROOT / "envoy/helm/duo-mfa"
MODULE = ROOT / "dist/duo_mfa.wasm"
IMAGE = ROOT / "dist/oci.tar"
PROGRAM = ROOT / "dist/duo-mfa"
LIBRARY = ROOT / "dist/libduo_mfa.so"
SCHEMAS = ROOT / ".tools/sbom-schemas"
HELM = ROOT / ".tools/validators/bin/helm"
MACHINE = platform.machine()
# The target of each artefact, and the arguments of cargo.
MODULE_BUILD = ("wasm32-wasip1", [])
OTHER_MACHINE = "x86_64" if MACHINE == "aarch64" else "aarch64"
LIBRARIES = {MACHINE: LIBRARY, OTHER_MACHINE: LIBRARY.with_name(f"libduo_mfa-{OTHER_MACHINE}.so")}
PROGRAM_BUILD = (f"{MACHINE}-unknown-linux-musl", ["--no-default-features", "--features=cli"])


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def chart(number):
    """The chart as `helm package` would write it, but the same bytes each time."""
    files = {}
    for path in sorted(CHART.rglob("*")):
        if path.is_file() and "ci" not in path.relative_to(CHART).parts:
            files[f"duo-mfa/{path.relative_to(CHART)}"] = path.read_bytes()
    head = files["duo-mfa/Chart.yaml"].decode()
    for key in ("version", "appVersion"):
        if not re.search(rf'(?m)^{key}: "?{re.escape(number)}"?$', head):
            sys.exit(f"release: {CHART / 'Chart.yaml'}: {key} is not {number}")
    return gzipped(archive(files))


def graph(build):
    """The crates that an artefact is built of, its procedural macros included, and which needs which."""
    target, arguments = build
    command = ["cargo", "metadata", "--format-version=1", "--locked", f"--filter-platform={target}", *arguments]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    needs, left = {}, [root]
    while left:
        name = left.pop()
        if name in needs:
            continue
        normal = [dependency["pkg"] for dependency in nodes[name]["deps"] if any(kind["kind"] is None for kind in dependency["dep_kinds"])]
        needs[name] = sorted(normal)
        left += normal
    return root, packages, needs


def checksums():
    """The SHA-256 of each crate's archive, as Cargo.lock has it."""
    lock = (ROOT / "Cargo.lock").read_text(encoding="utf-8")
    entries = re.findall(r'name = "(.*)"\nversion = "(.*)"\nsource = ".*"\nchecksum = "(.*)"', lock)
    return {(name, number): checksum for name, number, checksum in entries}


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def sbom(name, data, build):
    """A bill of materials: CycloneDX 1.6, JSON."""
    root, packages, needs = graph(build)
    known = checksums()
    order = sorted(needs, key=lambda it: purl(packages[it]))
    components = []
    for reference in order:
        package = packages[reference]
        if reference == root:
            continue
        components.append(
            {
                "type": "library",
                "bom-ref": purl(package),
                "name": package["name"],
                "version": package["version"],
                "purl": purl(package),
                "hashes": [{"alg": "SHA-256", "content": known[package["name"], package["version"]]}],
                "licenses": [{"expression": package["license"].replace("/", " OR ")}],
            }
        )
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, sha256(data))}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": purl(packages[root]),
                "name": name,
                "version": packages[root]["version"],
                "hashes": [{"alg": "SHA-256", "content": sha256(data)}],
                "licenses": [{"expression": packages[root]["license"]}],
            }
        },
        "components": components,
        "dependencies": [{"ref": purl(packages[one]), "dependsOn": sorted(purl(packages[it]) for it in needs[one])} for one in order],
    }
    return (json.dumps(document, indent=1) + "\n").encode()


def sbom_validator():
    """A validator of bills of materials."""
    (wheel,) = SCHEMAS.glob("cyclonedx_python_lib-*.whl")
    with zipfile.ZipFile(wheel) as files:
        names = [name for name in files.namelist() if name.endswith(".SNAPSHOT.schema.json")]
        schemas = [json.loads(files.read(name)) for name in names]
    resources = [(schema["$id"], referencing.Resource.from_contents(schema)) for schema in schemas]
    (ours,) = [schema for schema in schemas if schema["$id"].endswith("bom-1.6.schema.json")]
    registry = referencing.Registry().with_resources(resources)
    return jsonschema.validators.validator_for(ours)(ours, registry=registry)


def needs_loader(program):
    """Whether an ELF file has a program header of type PT_INTERP."""
    start, size, count = *struct.unpack_from("<Q", program, 32), *struct.unpack_from("<HH", program, 54)
    return any(struct.unpack_from("<I", program, start + index * size) == (3,) for index in range(count))


def machine_of(library):
    """The kind of processor that an ELF file is for."""
    (number,) = struct.unpack_from("<H", library, 18)
    return {62: "x86_64", 183: "aarch64"}.get(number, number)


def check(out, files, number):
    """The faults of a collected release."""
    validator = sbom_validator()
    for name, data in files.items():
        if name.endswith(".cdx.json"):
            document = json.loads(data)
            yield from (f"{name}: {fault.message}" for fault in validator.iter_errors(document))
            references = {entry["bom-ref"] for entry in document["components"]}
            listed = {it for entry in document["dependencies"] for it in entry["dependsOn"]}
            yield from (f"{name}: {it} is needed and no component" for it in listed - references)
    machines = {machine: machine_of(path.read_bytes()) for machine, path in LIBRARIES.items()}
    yield from (f"{LIBRARIES[machine]} is for {found}" for machine, found in machines.items() if found != machine)
    if needs_loader(PROGRAM.read_bytes()):
        yield f"{PROGRAM} needs a dynamic loader"
    said = subprocess.run([PROGRAM, "version"], check=False, capture_output=True, text=True).stdout
    if said != f"duo-mfa {number}\n":
        yield f"{PROGRAM} prints {said!r}"
    chart_file = next(out / name for name in files if name.endswith(".tgz"))
    with tarfile.open(chart_file) as tar:
        if "duo-mfa/Chart.yaml" not in tar.getnames():
            yield f"{chart_file.name} has no chart"
    for values_file in sorted((CHART / "ci").glob("*.yaml")):
        command = [HELM, "template", "duo-mfa", chart_file, "--values", values_file, "--kube-version", "1.32.0"]
        rendered = subprocess.run(command, check=False, capture_output=True, text=True)
        if rendered.returncode:
            yield f"{chart_file.name} with {values_file.name}: {rendered.stderr.strip()}"


def main():
    number = about()["version"]
    if sys.argv[1] == "--check-tag":
        if sys.argv[2] != f"v{number}":
            sys.exit(f"release: the tag is {sys.argv[2]}, and Cargo.toml has the version {number}")
        return
    out = pathlib.Path(sys.argv[1])
    module, program = MODULE.read_bytes(), PROGRAM.read_bytes()
    files = {
        f"duo_mfa-{number}.wasm": module,
        f"duo_mfa-{number}.oci.tar": IMAGE.read_bytes(),
        f"duo_mfa-{number}.cdx.json": sbom("duo_mfa.wasm", module, MODULE_BUILD),
        f"duo-mfa-{number}-{MACHINE}-linux": program,
        f"duo-mfa-{number}-{MACHINE}-linux.cdx.json": sbom("duo-mfa", program, PROGRAM_BUILD),
        f"duo-mfa-chart-{number}.tgz": chart(number),
    }
    for machine, path in LIBRARIES.items():
        name, library = f"libduo_mfa-{number}-{machine}-linux", path.read_bytes()
        build = (f"{machine}-unknown-linux-gnu", ["--no-default-features", "--features=native"])
        files |= {f"{name}.so": library, f"{name}.cdx.json": sbom("libduo_mfa.so", library, build)}
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    for name, data in files.items():
        (out / name).write_bytes(data)
        (out / name).chmod(0o755 if name.endswith("-linux") else 0o644)
    sums = "".join(f"{sha256(data)}  {name}\n" for name, data in sorted(files.items()))
    (out / "SHA256SUMS").write_text(sums, encoding="utf-8")
    faults = list(check(out, files, number))
    for fault in faults:
        print(f"release: {fault}", file=sys.stderr)
    print(sums, end="")
    sys.exit(bool(faults))


main()
