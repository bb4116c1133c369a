#!/usr/bin/env python3
"""oci MODULE OUT: an OCI image layout that holds the module, without a container engine. Same module, same digest.

The image is of the kind that Istio, Envoy Gateway and Higress call `compat`: one layer (tar, gzip), in it one file,
`plugin.wasm`. `skopeo copy oci:OUT docker://REGISTRY/NAME:TAG` pushes it; OUT.tar is the same in one file (`oci-archive:`).
"""

import hashlib
import io
import json
import pathlib
import re
import shutil
import struct
import sys
import tarfile
import zlib

MEDIA = "application/vnd.oci.image."


class Layout:
    def __init__(self):
        self.files = {}

    def blob(self, data, kind):
        """Keeps a blob and gives its descriptor."""
        digest = hashlib.sha256(data).hexdigest()
        self.files[f"blobs/sha256/{digest}"] = data
        return {"mediaType": MEDIA + kind, "digest": f"sha256:{digest}", "size": len(data)}

    def write(self, out):
        if out.exists():
            if not (out / "oci-layout").is_file():
                sys.exit(f"oci: {out} is there and is no image layout")
            shutil.rmtree(out)
        for name, data in self.files.items():
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        out.with_name(out.name + ".tar").write_bytes(archive(self.files))


def archive(files):
    """A tar that says nothing of who made it and when."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(data), 0o644, 0
            tar.addfile(entry, io.BytesIO(data))
    return file.getvalue()


def gzipped(data):
    """As gzip writes it, with a head that does not depend on Python's version: no name, no time, an unknown system."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    head, tail = b"\x1f\x8b\x08" + bytes(5) + b"\x02\xff", struct.pack("<II", zlib.crc32(data), len(data))
    return head + deflate.compress(data) + deflate.flush() + tail


def text(value):
    return json.dumps(value, sort_keys=True).encode()


def image(module, package):
    layout = Layout()
    content = archive({"plugin.wasm": module})
    layer = layout.blob(gzipped(content), "layer.v1.tar+gzip")
    config = {
        "architecture": "wasm",
        "os": "wasip1",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(content).hexdigest()]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MEDIA + "manifest.v1+json",
        "config": layout.blob(text(config), "config.v1+json"),
        "layers": [layer],
        "annotations": {
            "module.wasm.image/variant": "compat",
            "org.opencontainers.image.title": package["name"],
            "org.opencontainers.image.version": package["version"],
            "org.opencontainers.image.licenses": package["license"],
        },
    }
    listed = layout.blob(text(manifest), "manifest.v1+json")
    listed["annotations"] = {"org.opencontainers.image.ref.name": package["version"]}
    layout.files["index.json"] = text({"schemaVersion": 2, "manifests": [listed]})
    layout.files["oci-layout"] = text({"imageLayoutVersion": "1.0.0"})
    return layout, listed["digest"]


def about():
    """Name, version, licence and more of the package, as Cargo.toml has them."""
    manifest = pathlib.Path(__file__).resolve().parents[1] / "Cargo.toml"
    head = manifest.read_text(encoding="utf-8").partition("\n\n")[0]
    return dict(re.findall(r'(?m)^(\w+) = "(.*)"$', head))


def main():
    module, out = map(pathlib.Path, sys.argv[1:])
    package = about()
    layout, digest = image(module.read_bytes(), package)
    layout.write(out)
    print(f"{out}: {package['name']}:{package['version']}@{digest}")


if __name__ == "__main__":
    main()
