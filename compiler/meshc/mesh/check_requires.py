"""Versions of the tools: mesh.yaml may say for which meshc and which kustomize it is written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from meshc import codes

if TYPE_CHECKING:
    from meshc.errors import Code, Problem
    from meshc.mesh.model import Mesh
    from meshc.mesh.source import Source


def meshc(mesh: Mesh, source: Source, version: str) -> Iterable[Problem]:
    """This meshc is in the range."""
    return _tool(source, "meshc", mesh.spec.requires.meshc, version, codes.MESHC_VERSION)


def kustomize(mesh: Mesh, source: Source, version: str) -> Iterable[Problem]:
    """The kustomize that was found is in the range."""
    return _tool(source, "kustomize", mesh.spec.requires.kustomize, version, codes.KUSTOMIZE_VERSION)


def _tool(source: Source, tool: str, wanted: str | None, version: str, code: Code) -> Iterable[Problem]:
    if wanted is None:
        return
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    path = ("spec", "requires", tool)
    try:
        fits = SpecifierSet(wanted).contains(version, prereleases=True)
    except InvalidSpecifier:
        what = f"requires.{tool} is no range of versions"
        yield source.problem(codes.BAD_VALUE, path, what, 'write one such as ">=0.1,<0.2"')
        return
    if not fits:
        what = f"this mesh.yaml asks for {tool} {wanted}, and this is {tool} {version}"
        yield source.problem(code, path, what, f"install a {tool} in that range, or change the range")
