"""Runs the real `helm template` for a chart and its values, without network, plugins or a cluster."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meshc.disk.repository import LARGEST_INPUT
from meshc.disk.scratch import scratch
from meshc.errors import BuildError, ToolError
from meshc.kube import Version
from meshc.process import Command, CommandError, identity, run
from meshc.supported import HELM
from meshc.tree import FileTree

if TYPE_CHECKING:
    from meshc.disk.repository import Repository

NAMED = "MESHC_HELM"


@dataclass(frozen=True, slots=True)
class Helm:
    """A helm program that works, and its version."""

    program: str
    version: Version

    def template(
        self,
        files: Mapping[str, bytes],
        values: Mapping[str, Any],
        release: str,
        namespace: str,
        kubernetes: Version,
    ) -> bytes:
        """The output of `helm template` for a chart. Raises BuildError if helm refuses the chart or the values.

        A scratch folder contains only the chart and a file of values. It is also helm's home, so helm finds no
        plugins, no repositories and no credentials. Values are never among helm's arguments.
        """
        tree = FileTree({**FileTree(files).at("chart"), "values.json": json.dumps(values).encode()})
        with scratch(tree) as root:
            asked = ("template", release, "chart", "--namespace", namespace, "--values", "values.json")
            known = ("--include-crds", "--kube-version", str(kubernetes)) if kubernetes.major else ("--include-crds",)
            try:
                return run(Command((self.program, *asked, *known), cwd=root, timeout=60, output=_MOST))
            except CommandError as error:
                said = error.said.replace(f"{root}/", "").replace(str(root), ".")
                raise BuildError(_brief(said) or error.why) from None

    def pull(self, chart: str, source: str, version: str) -> bytes:
        """The .tgz of a chart, from an oci:// or https:// address. Raises BuildError.

        Uses the network, with the user's own settings of helm: proxies, and registries with a login.
        """
        source = source.rstrip("/")
        named: tuple[str, ...] = (f"{source}/{chart}",) if source.startswith("oci://") else (chart, "--repo", source)
        if source.startswith(("oci://localhost:", "oci://127.0.0.1:")):
            named = (*named, "--plain-http")  # a registry on this machine has no certificate
        with scratch(FileTree({})) as root:
            try:
                asked = (self.program, "pull", *named, "--version", version)
                run(Command(asked, cwd=root, timeout=300, as_person=True))
            except CommandError as error:
                raise BuildError(_brief(error.said) or error.why) from None
            found = sorted(root.glob("*.tgz"))
            if len(found) != 1:
                raise BuildError(f"helm pull left {len(found)} files")
            if found[0].stat().st_size > LARGEST_INPUT:
                raise BuildError(f"its archive is larger than {LARGEST_INPUT >> 20} MiB, which no compile would read")
            return found[0].read_bytes()


_LONGEST = 600
_MOST = 8 << 20
"""The most bytes that helm may print for one chart. meshc can't read more."""


def _brief(said: str) -> str:
    """helm's error message on one line, without log lines and advice."""
    lines = [line for line in said.splitlines() if not line.startswith(("level=", "WARNING:", "Use --debug"))]
    line = " ".join(" ".join(lines).split()).removeprefix("Error: ")
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."


def find(cache: Repository) -> Helm:
    """The helm to use: MESHC_HELM, else the one on PATH. Raises ToolError if there is none, or another major version.

    helm's version is cached, as is the version of kustomize.
    """
    named = os.environ.get(NAMED, "")
    path = shutil.which(named or "helm")
    if path is None:
        why = f'{NAMED} is "{named}", which is not an executable program' if named else "no helm was found on PATH"
        raise ToolError(f"{why}, and mesh.yaml names charts", f"install helm 3 or 4, or name one with {NAMED}")
    key = identity(Path(path), "helm")
    said = cache.cache_get(key)
    if said is None:
        try:
            said = run(Command((str(Path(path).resolve()), "version", "--short"), timeout=20))
        except CommandError as error:
            raise ToolError(f'"{path}" doesn\'t tell its version: {_brief(error.said) or error.why}') from None
        cache.cache_put(key, said)
    version = Version.parse(said.decode(errors="replace").strip())
    if version is None or version.major not in HELM:
        raise ToolError(f'"{path}" is not helm 3 or 4', f"install one, or name it with {NAMED}")
    return Helm(str(Path(path).resolve()), version)
