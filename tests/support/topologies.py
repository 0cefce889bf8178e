"""Reads the meshes that docs/topologies.md shows."""

from __future__ import annotations

import re
from typing import NamedTuple

from support.paths import ROOT

PAGE = (ROOT / "docs/topologies.md").read_text()


class Topology(NamedTuple):
    """A mesh.yaml of the page, its picture, and the texts that files of output/ must contain."""

    title: str
    mesh: str
    picture: str
    found: list[tuple[str, str]]


def topologies() -> list[Topology]:
    sections = re.split(r"(?m)^## ", PAGE)[1:]
    meshes = [(one, re.findall(r"```yaml\n(.*?)```", one, re.DOTALL)) for one in sections]
    return [
        Topology(
            one.partition("\n")[0],
            mesh,
            "".join(re.findall(r"```mermaid\n(.*?)```", one, re.DOTALL)),
            re.findall(r"^\| `(output/[^`]*)` `([^`]*)`", one, re.MULTILINE),
        )
        for one, blocks in meshes
        for mesh in blocks
    ]
