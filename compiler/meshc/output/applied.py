"""Compares kustomize's output for a cluster with its input: which objects the patches changed or removed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
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


class Views:
    """Makes the views of one run, and parses a text that several clusters have only once. `offered` is as in `View`."""

    def __init__(self, plan: Plan, offered: Mapping[tuple[str, str], ServiceCopy]) -> None:
        self._plan, self._offered = plan, offered
        self._read: dict[bytes, Any] = {}

    def of(self, cluster: ClusterPlan, given: Given, built: FileTree) -> View:
        """The view of a cluster. An object whose text didn't change isn't parsed."""
        before = given.before()
        objects = [one for file in cluster.resources for one in file.objects if is_object(one.body)]
        theirs = {identity_of(one.body): one for one in objects}
        untouched = {text for data in given.files for text in _texts(data)}
        there: set[Identity] = set()
        touched: list[Touched] = []
        for name, data in built.items():
            for text in _texts(data):
                there.add(identity_in(text.decode()))
                body = None if text in untouched else self._parsed(text, name)
                one = _touched(cluster, body, before, theirs) if body is not None and is_object(body) else None
                touched += [one] if one else []
        gone = [
            Touched(body, body, of_patches(cluster, body), patched=False)
            for identity, body in before.items()
            if identity not in there
        ]

        def every() -> list[Body]:
            return [*(one.body for one in given.ours), *(one.body for one in objects)]

        return View(self._plan, cluster, touched, every, self._offered, gone, frozenset(theirs))

    def _parsed(self, text: bytes, name: str) -> Any:
        if text not in self._read:
            self._read[text] = next((document.data for document in read(text, name)[0]), None)
        return self._read[text]


def _touched(
    cluster: ClusterPlan, body: Body, before: Mapping[Identity, Body], theirs: Mapping[Identity, UserObject]
) -> Touched | None:
    """An object that the build changed; None if it is as meshc made it or as the user wrote it."""
    identity = identity_of(body)
    own = theirs.get(identity)
    if body == before.get(identity) or (own and body == own.body and not is_reached(cluster, body)):
        return None
    origin = before.get(identity, own.body if own else body)
    return Touched(body, before.get(identity), of_patches(cluster, origin, own), patched=True)


def _texts(data: bytes) -> Iterable[bytes]:
    return [text.rstrip(b"\n") for text in data.removeprefix(HEADER).split(_BETWEEN) if text.strip()]
