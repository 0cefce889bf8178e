"""istioctl turns a manifest into one with sidecars, by a cluster's compiled ConfigMaps. No cluster is asked."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from meshc import codes
from meshc.disk.scratch import scratch
from meshc.errors import MeshcError, ToolError
from meshc.process import Command, CommandError, run
from meshc.secrets.guard import plaintext_in
from meshc.tree import FileTree
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_OF_LATER_VERSIONS = b"--valuesFile"  # kube-inject of Istio 1.5 and later, whose templates are others


def find() -> str:
    """The classic istioctl to use: MESHC_ISTIOCTL, else the one on PATH. Raises ToolError if there is none."""
    named = os.environ.get("MESHC_ISTIOCTL")
    path = shutil.which(named or "istioctl")
    if path is None:
        raise ToolError(
            f'MESHC_ISTIOCTL is "{named}", which is no program'
            if named
            else "no istioctl was found on PATH\n  hint: name the one of Istio 1.0 with MESHC_ISTIOCTL"
        )
    if _OF_LATER_VERSIONS in run(Command((path, "kube-inject", "--help"), timeout=20)):
        raise ToolError(
            f"{path} is of a later Istio than 1.0, whose injection templates are others\n"
            "  hint: name the istioctl of Istio 1.0 with MESHC_ISTIOCTL"
        )
    return path


def kube_inject(program: str, configs: Mapping[str, str], manifest: bytes) -> bytes:
    """The manifest with sidecars. `configs` are the texts in ConfigMaps `istio` and `istio-sidecar-injector`.

    The manifest goes through standard input: it may hold Secrets, and is never written to disk. Raises CommandError
    with what istioctl says.
    """
    files = FileTree({f"{name}.yaml": text.encode() for name, text in configs.items()})
    with scratch(files) as folder:
        try:
            return run(Command(_arguments(program, folder), cwd=folder, stdin=manifest))
        except CommandError as error:
            if any(plaintext_in(error.said.encode(), "istioctl", codes.PLAINTEXT)):
                raise ToolError(f"{program} failed, and what it says holds a key or token") from None
            raise


def _arguments(program: str, folder: Path) -> tuple[str, ...]:
    inject, mesh = folder / "istio-sidecar-injector.yaml", folder / "istio.yaml"
    return (program, "kube-inject", "--injectConfigFile", str(inject), "--meshConfigFile", str(mesh), "-f", "-")


def configs_in(tree: FileTree) -> dict[str, str]:
    """The texts that injection needs from a rendered cluster, by ConfigMap. Raises MeshcError if one isn't there."""
    found: dict[str, str] = {}
    keys = {"istio": "mesh", "istio-sidecar-injector": "config"}
    for path, data in tree.items():
        documents, _ = read(data, path)
        for body in (document.data for document in documents if document.data["kind"] == "ConfigMap"):
            name = body["metadata"]["name"]
            text = (body.get("data") or {}).get(keys.get(name))
            if text:
                found[name] = text
    for name in keys.keys() - found.keys():
        raise MeshcError(f"ConfigMap {name} has no {keys[name]}\n  hint: look for a patch that takes it away")
    return found
