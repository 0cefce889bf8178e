"""Compares the compiled trees with those on disk, and writes the folders and files that differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from meshc.errors import RefusedError
from meshc.overlays.layout import BASES
from meshc.tree import HEADER, FileTree
from meshc.version import __version__

if TYPE_CHECKING:
    from meshc.disk.repository import Repository
    from meshc.kube import Version
    from meshc.overlays.layout import Layout

OVERLAYS, OUTPUT = "overlays", "output"
DELIVERY = "_delivery"
"""The folder of output/ with the objects for Argo CD or Flux; no name of a cluster starts with _."""

VERSIONS = f"{OUTPUT}/_meshc.yaml"
"""The file with the versions of meshc and kustomize that wrote the trees. A new version alone is no reason to write it
again."""


@dataclass(frozen=True, slots=True)
class Written:
    """The result of a compile, by cluster; `files` is the number of compiled files in both trees.

    `delivery` is the state of output/_delivery/: written, unchanged or removed; empty if there is none. `trees` is what
    is on disk now, if everything was compiled.
    """

    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    delivery: str
    files: int
    trees: Mapping[str, bytes]


def expected_tree(layout: Layout, rendered: Mapping[str, FileTree], delivery: FileTree) -> FileTree:
    """Both compiled trees, with paths relative to mesh.yaml. `delivery` is below output/ too."""
    output = (tree.at(f"{OUTPUT}/{name}") for name, tree in rendered.items())
    return FileTree.join(layout.tree.at(OVERLAYS), *output, delivery.at(OUTPUT))


def read_trees(repository: Repository) -> FileTree:
    """Both trees on disk."""
    return repository.read_generated((OVERLAYS, OUTPUT))


def refuse_another(found: FileTree, mesh: str) -> None:
    """Raises RefusedError if the trees belong to another mesh, because the two meshes would remove each other's
    files."""
    wrote = versions_in(found).get("mesh", mesh)
    if wrote != mesh:
        raise RefusedError(
            f'overlays/ and output/ here are those of mesh "{wrote}", not of "{mesh}"',
            f"give each mesh a folder of its own; if you renamed this mesh, write mesh: {mesh} into {VERSIONS}",
        )


def out_of_step(found: FileTree, expected: FileTree) -> Iterator[tuple[str, Literal["missing", "left over", "stale"]]]:
    """Every file that differs from the compiled one, with the kind of difference."""
    for path in sorted({*found, *expected} - {VERSIONS}):
        if path not in found:
            yield path, "missing"
        elif path not in expected:
            yield path, "left over"
        elif found[path] != expected[path]:
            yield path, "stale"


def cluster_of(path: str) -> str:
    """The cluster of a file in overlays/ or output/; empty for files that clusters share."""
    parts = path.split("/")
    return parts[1] if len(parts) > 2 and parts[0] in (OVERLAYS, OUTPUT) and parts[1] != BASES else ""


def versions_in(found: FileTree) -> dict[str, str]:
    """The content of `_meshc.yaml`: the versions of meshc and kustomize, and the mesh's name."""
    lines = found.get(VERSIONS, b"").decode(errors="replace").splitlines()
    return dict(line.split(": ", 1) for line in lines if ": " in line and not line.startswith("#"))


def versions_file(kustomize: Version, mesh: str) -> bytes:
    """The content of `_meshc.yaml` that this meshc writes."""
    return HEADER + f"kustomize: {kustomize}\nmesh: {mesh}\nmeshc: {__version__}\n".encode()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a compile for both trees. `mesh` is the name of the mesh."""

    layout: Layout
    rendered: Mapping[str, FileTree]
    delivery: FileTree
    mesh: str


def write_trees(done: Outcome, repository: Repository, kustomize: Version, *, whole: bool) -> Written:
    """Writes both trees completely or not at all. Only a compile of all clusters removes files that are left over.

    A compile of some clusters doesn't change the delivery if that would name a missing folder, or omit an existing one.
    Raises RefusedError for a file that meshc didn't make or for trees of another mesh, and ToolError if the disk fails;
    the trees are then as before.
    """
    found = read_trees(repository)
    rendered, delivery = done.rendered, done.delivery
    refuse_another(found, done.mesh)
    if not whole and not _delivers_what_stands(done.layout, rendered, found):
        delivery = found.under(f"{OUTPUT}/{DELIVERY}").at(DELIVERY)
    expected = expected_tree(done.layout, rendered, delivery)
    wanted = _wanted(expected, found, rendered, whole=whole)
    standing = {unit: {unit: found[unit]} if unit in found else dict(found.under(unit)) for unit in wanted}
    changed = {unit: files for unit, files in wanted.items() if standing[unit] != files}
    versions = found.get(VERSIONS, b"")
    if changed or "mesh" not in versions_in(found):
        content = {unit: FileTree(files) or None for unit, files in changed.items()}
        versions = versions_file(kustomize, done.mesh)
        repository.replace({**content, VERSIONS: versions})
    names = {unit.partition("/")[2] for unit in changed}
    removed = {unit.partition("/")[2] for unit, files in changed.items() if not files}
    return Written(
        written=tuple(name for name in rendered if name in names),
        unchanged=tuple(name for name in rendered if name not in names),
        removed=tuple(sorted(removed - {BASES, DELIVERY})),
        delivery=_state(DELIVERY in names, DELIVERY in removed, f"{OUTPUT}/{DELIVERY}" in wanted),
        files=sum(map(len, wanted.values())),
        trees={**expected, VERSIONS: versions},
    )


def _delivers_what_stands(layout: Layout, rendered: Mapping[str, FileTree], found: FileTree) -> bool:
    """True if output/ will contain exactly the clusters of the mesh."""
    folders = {path.split("/")[1] for path in found if path.startswith(f"{OUTPUT}/") and path != VERSIONS}
    return {*rendered, *folders} - {DELIVERY} == {*layout.clusters}


def _state(changed: bool, removed: bool, there: bool) -> str:
    return "removed" if removed else "written" if changed else "unchanged" if there else ""


def _wanted(
    expected: FileTree, found: FileTree, rendered: Mapping[str, FileTree], *, whole: bool
) -> dict[str, dict[str, bytes]]:
    """The files that each unit should have; none for a unit that is left over."""
    wanted: dict[str, dict[str, bytes]] = {_unit(path): {} for path in (found if whole else ())}
    names = {*rendered, BASES, DELIVERY}
    for path, data in expected.items():
        unit = _unit(path)
        if unit.partition("/")[2] in names:
            wanted.setdefault(unit, {})[path.removeprefix(unit + "/")] = data
    if not whole:  # overlays that aren't compiled now may still use a removed base
        bases = f"{OVERLAYS}/{BASES}"
        wanted[bases] = {**found.under(bases), **wanted.get(bases, {})}
    wanted.pop(VERSIONS, None)
    return wanted


def _unit(path: str) -> str:
    """The unit of a path: the folder or the top-level file that is replaced as a whole."""
    return "/".join(path.split("/")[:2])
