"""Builds two trees to compare: live objects, and the objects that meshc would apply.

They differ where an apply changes an object. Keeps only the fields of a live object that meshc's object has, because
all other fields are defaults, or were written by controllers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from meshc.capture.dump import word_of
from meshc.capture.meaning import meant, unmarked
from meshc.capture.owners import Owner, owner_of
from meshc.kube import at, identity_of
from meshc.tree import FileTree
from meshc.yamltext.read import read
from meshc.yamltext.write import write

if TYPE_CHECKING:
    from meshc.capture.dump import Dump
    from meshc.kube import Body, Identity

FILE = "objects.yaml"


@dataclass(slots=True)
class Sides:
    """The live objects and the objects that would be applied, as trees of output/.

    `marked` are the objects on which an apply only writes its owner. `unread` are objects that may or may not exist in
    the cluster. `owned` are objects that another tool also applies, by owner and cluster.
    """

    before: FileTree
    after: FileTree
    marked: dict[str, list[Identity]] = field(default_factory=dict)
    unread: dict[str, list[Identity]] = field(default_factory=dict)
    owned: dict[tuple[Owner, str], list[Identity]] = field(default_factory=dict)


def as_applied(theirs: Mapping[str, Dump], output: FileTree) -> Sides:
    """Both sides by cluster, for `review.diff.compare`, without Secrets, because they are sealed or must not be
    shown."""
    before: dict[str, bytes] = {}
    after: dict[str, bytes] = {}
    sides = Sides(FileTree({}), FileTree({}))
    for cluster, dump in theirs.items():
        running = {_identity(body): body for body in dump.bodies}
        old: list[Body] = []
        new: list[Body] = []
        for identity, body in objects_in(output.under(cluster)).items():
            if identity in running:
                if owner := owner_of(running[identity]):
                    sides.owned.setdefault((owner, cluster), []).append(identity)
                there = trimmed(running[identity], body)
                told = [meant(unmarked(one)) for one in (there, body)]
                old.append(told[0])
                new.append(told[1])
                if told[0] == told[1] and meant(there) != meant(body):
                    sides.marked.setdefault(cluster, []).append(identity)
            elif word_of(body) in dump.known:
                new.append(body)
            else:
                sides.unread.setdefault(cluster, []).append(identity)
        before[f"{cluster}/{FILE}"], after[f"{cluster}/{FILE}"] = _text(old), _text(new)
    sides.before, sides.after = FileTree(before), FileTree(after)
    return sides


def objects_in(tree: FileTree) -> dict[Identity, Body]:
    """The objects of a cluster's folder in output/, without Secrets."""
    found: dict[Identity, Body] = {}
    for path, data in tree.items():
        for document in read(data, path)[0]:
            if isinstance(document.data, dict) and document.data.get("kind") not in (None, "Secret", "Kustomization"):
                found[identity_of(document.data)] = document.data
    return found


def _identity(body: Body) -> Identity:
    """The identity of an object, independent of the group that workloads had before Kubernetes 1.16."""
    identity = identity_of(body)
    return identity._replace(group="apps") if identity.group == "extensions" else identity


def trimmed(theirs: Body, ours: Body) -> Body:
    """The fields of a live object that ours has too, with the apiVersion of ours, because an API server can return any
    version."""
    found = _common(theirs, ours)
    if at(theirs, "kind") == at(ours, "kind"):
        found["apiVersion"] = ours.get("apiVersion")
    return {key: found[key] for key in ours if key in found}


def _common(theirs: Any, ours: Any) -> Any:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return {key: _common(theirs[key], ours[key]) for key in ours if key in theirs}
    if isinstance(theirs, list | tuple) and isinstance(ours, list | tuple) and len(theirs) == len(ours):
        named = [{at(one, "name"): one for one in each if isinstance(one, dict)} for each in (theirs, ours)]
        if all(len(each) == len(ours) and None not in each for each in named):  # in any order
            theirs = [named[0].get(at(one, "name"), there) for one, there in zip(ours, theirs, strict=True)]
        return [_common(one, other) for one, other in zip(theirs, ours, strict=True)]
    return theirs


def _text(bodies: Sequence[Body]) -> bytes:
    return "---\n".join(write(body) for body in bodies).encode()
