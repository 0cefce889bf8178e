"""`meshc tree` and `meshc ca tree`: show the objects of a cluster, and the CAs of the mesh, as a tree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from meshc.cli.progress import TERMINAL
from meshc.cli.report import Format, show_result, tell
from meshc.commands.ca_tree import Authority, ca_tree
from meshc.commands.opened import Opened
from meshc.commands.tree import Leaf, Tree, tree_of
from meshc.commands.work import opened_work
from meshc.plain import count, plain

if TYPE_CHECKING:
    from pathlib import Path

_Node = tuple[str, Sequence["_Node"]]
"""A line, and the nodes below it."""


def tree_command(file: Path, cluster: str, form: Format) -> None:
    """Prints the tree of a cluster."""
    found = tree_of(Opened(file, listener=TERMINAL), cluster)
    if form.is_document:
        show_result(form, "tree", _data(found))
        return
    for line in _drawn([_cluster(found)]):
        tell(plain(line))


def ca_tree_command(file: Path, form: Format) -> None:
    """Prints the roots with the CAs below them."""
    work = opened_work(file, TERMINAL, writes=False)
    found = ca_tree(work, datetime.now(UTC))
    if form.is_document:
        show_result(form, "ca tree", {"mesh": work.plan.mesh, "authorities": [_authority(one) for one in found]})
        return
    for line in _drawn([_of_authority(one) for one in found]):
        tell(plain(line))


def _data(tree: Tree) -> dict[str, Any]:
    listed = [
        {"name": one.component, "folder": one.folder, "objects": [_leaf(leaf) for leaf in one.leaves]}
        for one in tree.branches
    ]
    return {"cluster": tree.cluster, "role": tree.role, "place": tree.place, "components": listed}


def _leaf(leaf: Leaf) -> dict[str, Any]:
    origins = [{"what": one.what, "where": one.where} for one in leaf.origins]
    return {**leaf.identity._asdict(), "from": origins, "patches": list(leaf.patches)}


def _authority(one: Authority) -> dict[str, Any]:
    below = [_authority(authority) for authority in one.below]
    return {**one.row.as_json(), "signsFor": list(one.signs_for), "placedIn": list(one.placed_in), "below": below}


def _cluster(tree: Tree) -> _Node:
    return f"{tree.cluster}  {tree.role}  {tree.place}", [
        _branch(one.component, one.leaves, one.folder) for one in tree.branches
    ]


def _branch(component: str, leaves: Sequence[Leaf], folder: str) -> _Node:
    if folder:
        return f"{component}  {folder}: kustomize makes its objects", []
    return f"{component}  {count(len(leaves), 'object')}", [(_told(leaf), []) for leaf in leaves]


def _told(leaf: Leaf) -> str:
    origins = ", ".join(f"chart {one.where}" if one.what == "chart" else one.where for one in leaf.origins)
    return f"{leaf.identity}  {origins}" + (f", patched by {', '.join(leaf.patches)}" if leaf.patches else "")


def _of_authority(one: Authority) -> _Node:
    row = one.row
    head = f"{row.name}  {row.state}{f' until {row.until}' if row.until else ''}"
    told: list[_Node] = [(line, []) for line in (row.subject, row.fingerprint and f"sha256 {row.fingerprint}") if line]
    told += [(f"signs for {_listed(one.signs_for)}", [])] if one.signs_for else []
    told += [(f"trusted in {_listed(one.placed_in)}", [])] if one.placed_in else []
    told += [(note, []) for note in row.notes]
    return head, [*told, *(_of_authority(below) for below in one.below)]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


_NAMED = 6


def _drawn(nodes: Sequence[_Node], before: str | None = None) -> Iterator[str]:
    """The nodes as lines, connected by drawn lines."""
    for number, (line, below) in enumerate(nodes, 1):
        last = number == len(nodes)
        if before is None:
            yield line
            yield from _drawn(below, "")
        else:
            yield f"{before}{'`-- ' if last else '|-- '}{line}"
            yield from _drawn(below, before + ("    " if last else "|   "))
