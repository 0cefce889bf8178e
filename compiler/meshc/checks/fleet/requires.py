"""Checks `requires`: the versions of meshc and kustomize that a mesh.yaml needs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from meshc import codes
from meshc.errors import dotted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshc.errors import Code, Problem
    from meshc.mesh.model import Mesh
    from meshc.mesh.source import Source


def meshc(mesh: Mesh, source: Source, version: str) -> Iterable[Problem]:
    """This meshc is in its range, and the range of kustomize is valid; `kustomize` later checks the version."""
    yield from _tool(source, "meshc", mesh.spec.requires.meshc, version, codes.MESHC_VERSION)
    yield from _range(source, "kustomize", mesh.spec.requires.kustomize)


def kustomize(mesh: Mesh, source: Source, version: str) -> Iterable[Problem]:
    """The installed kustomize is in its range."""
    return _tool(source, "kustomize", mesh.spec.requires.kustomize, version, codes.KUSTOMIZE_VERSION)


def _tool(source: Source, tool: str, wanted: str | None, version: str, code: Code) -> Iterable[Problem]:
    if wanted is None:
        return
    if faults := list(_range(source, tool, wanted)):
        yield from faults
        return
    from packaging.specifiers import SpecifierSet

    if not SpecifierSet(wanted).contains(version, prereleases=True):
        what = f"this mesh.yaml requires {tool} {wanted}, but this is {tool} {version}"
        hint = f"install a version of {tool} in that range, or change the range"
        yield source.problem(code, ("spec", "requires", tool), what, hint)


def _range(source: Source, tool: str, wanted: str | None) -> Iterable[Problem]:
    if wanted is None:
        return
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        SpecifierSet(wanted)
    except InvalidSpecifier:
        path = ("spec", "requires", tool)
        what = f"{dotted(path)}: {json.dumps(wanted[:60], ensure_ascii=False)} isn't a range of versions"
        yield source.problem(codes.BAD_VALUE, path, what, 'write one such as ">=0.1,<0.2"')
