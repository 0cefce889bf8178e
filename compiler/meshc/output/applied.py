"""Compares kustomize's output for a cluster with its input: which objects the patches changed or removed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from meshc.checks.applied.causes import of_patches
from meshc.checks.applied.laid_out import is_reached
from meshc.checks.applied.view import Touched, View
from meshc.kube import identity_of, is_object
from meshc.output.split import identity_in
from meshc.tree import HEADER
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from meshc.kube import Body, Identity, KubeObject
    from meshc.plan.files import UserObject
    from meshc.plan.ir import ClusterPlan, Plan
    from meshc.plan.offers import ServiceCopy
    from meshc.tree import FileTree

_BETWEEN = b"\n---\n"


@dataclass(frozen=True, slots=True)
class Given:
    """A cluster before the build: its objects, and the files and the objects that kustomize got.

    `identities` is None if kustomize got all objects.
    """

    ours: Collection[KubeObject]
    files: Collection[bytes]
    identities: Collection[Identity] | None

    def before(self) -> dict[Identity, Body]:
        """The objects that kustomize got, in the form in which meshc or a chart made them."""
        wanted = self.identities
        return {one.identity: one.body for one in self.ours if wanted is None or one.identity in wanted}


@dataclass(frozen=True)
class _Document:
    """A document of a file in kustomize's style."""

    text: bytes

    @cached_property
    def named(self) -> Identity:
        """The identity in the text, which is known without parsing."""
        return identity_in(self.text.decode())

    @cached_property
    def parsed(self) -> tuple[Identity, Body] | None:
        """The object with its identity; None if the document isn't one."""
        body: Any = next((document.data for document in read(self.text, "")[0]), None)
        return (identity_of(body), body) if is_object(body) else None


class Views:
    """Makes the views of one run, and parses a text that several clusters have only once. `offered` is as in `View`."""

    def __init__(self, plan: Plan, offered: Mapping[tuple[str, str], ServiceCopy]) -> None:
        self._plan, self._offered = plan, offered
        self._in_file: dict[bytes, dict[bytes, _Document]] = {}
        self._documents: dict[bytes, _Document] = {}

    def of(self, cluster: ClusterPlan, given: Given, built: FileTree) -> View:
        """The view of a cluster. An object whose text didn't change isn't parsed."""
        before = given.before()
        objects = [one for file in cluster.resources for one in file.objects if is_object(one.body)]
        theirs = {identity_of(one.body): one for one in objects}
        untouched = set[bytes]().union(*map(self._of, given.files))
        there = [one for data in built.values() for one in self._of(data).values()]
        parsed = (one.parsed for one in there if one.text not in untouched)
        touched = (_touched(cluster, *one, before, theirs) for one in parsed if one)
        named = {one.named for one in there}
        gone = [
            Touched(identity, body, body, of_patches(cluster, body), patched=False)
            for identity, body in before.items()
            if identity not in named
        ]

        def every() -> list[Body]:
            return [*(one.body for one in given.ours), *(one.body for one in objects)]

        return View(self._plan, cluster, [*filter(None, touched)], every, self._offered, gone, frozenset(theirs))

    def _of(self, data: bytes) -> Mapping[bytes, _Document]:
        """The documents of a file, by their text."""
        if data not in self._in_file:
            texts = [text.rstrip(b"\n") for text in data.removeprefix(HEADER).split(_BETWEEN) if text.strip()]
            self._in_file[data] = {text: self._documents.setdefault(text, _Document(text)) for text in texts}
        return self._in_file[data]


def _touched(
    cluster: ClusterPlan,
    identity: Identity,
    body: Body,
    before: Mapping[Identity, Body],
    theirs: Mapping[Identity, UserObject],
) -> Touched | None:
    """An object that the build changed; None if it is as meshc made it or as the user wrote it."""
    own = theirs.get(identity)
    if body == before.get(identity) or (own and body == own.body and not is_reached(cluster, body)):
        return None
    origin = before.get(identity, own.body if own else body)
    return Touched(identity, body, before.get(identity), of_patches(cluster, origin, own), patched=True)
