"""Reads the objects that describe a mesh from live clusters, in the same form as a dump."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.capture.dump import CACERTS, Dump, public_only
from meshc.capture.dump_script import REMOTES
from meshc.capture.kinds import KINDS, Kind
from meshc.capture.resource import core
from meshc.capture.trouble import AskError, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshc.capture.ask import Api
    from meshc.kube import Body


def survey(api: Api, namespace: str) -> Dump:
    """The objects of a cluster. `namespace` is Istio's. Raises AskError if the server doesn't answer."""
    version = api.version()
    bodies: list[Body] = []
    untold: list[str] = []
    unknown: set[str] = set()

    def add(ask: Callable[[], list[Body]], *words: str) -> None:
        """Adds the objects that the user may read. A missing right only makes the mesh.yaml less complete."""
        try:
            bodies.extend(public_only(ask()))
        except AskError as error:
            if error.trouble is not Trouble.FORBIDDEN:
                raise
            untold.append(f"{error.what}; {error.hint}")
            unknown.update(words)

    for kind in KINDS:
        add(lambda kind=kind: _listed(api, kind, namespace), kind.word)  # type: ignore[misc]
    add(lambda: _secrets(api, namespace), CACERTS, REMOTES)
    known = {*(kind.word for kind in KINDS), CACERTS, REMOTES} - unknown
    return Dump(api.name, tuple(bodies), 0, tuple(untold), frozenset(known), version)


def _listed(api: Api, kind: Kind, namespace: str) -> list[Body]:
    """All objects of a kind, in the first version that the server knows; none if it knows no version. Raises
    AskError."""
    for version, resource in kind.resources(namespace):
        try:
            one = api.find(resource) if resource.name else None
            found = api.listed(resource) if not resource.name else [one] if one else []
        except AskError as error:
            if error.trouble is not Trouble.MISSING:
                raise
            continue
        return [{**body, "apiVersion": version, "kind": kind.name} for body in found]  # list items have neither
    return []


def _secrets(api: Api, namespace: str) -> list[Body]:
    """The Secrets of Istio only. Raises AskError."""
    found = api.listed(core("secrets", namespace))
    return [{**body, "apiVersion": "v1", "kind": "Secret"} for body in found]
