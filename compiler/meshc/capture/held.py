"""Compares the objects of output/ with a live cluster and returns rows: objects that are missing or different, and
tools that also write them.

Compares only the fields in output/, because all other fields are defaults, or were written by controllers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from meshc.capture.meaning import meant
from meshc.capture.owners import owner_of
from meshc.capture.resource import Resource
from meshc.capture.rows import Check, Row, State
from meshc.capture.theirs import objects_in, trimmed
from meshc.capture.trouble import AskError, Trouble
from meshc.kube import as_list, identity_of
from meshc.review.blocks import some

if TYPE_CHECKING:
    from meshc.capture.ask import Api
    from meshc.kube import Body, Identity
    from meshc.tree import FileTree

_NAMES = 4
_WEBHOOKS = "ValidatingWebhookConfiguration"


class _Kinds:
    """The resource of each object, as the server reports it."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: dict[str, Mapping[str, tuple[str, bool]]] = {}

    def resource(self, body: Body) -> Resource | None:
        """The resource of an object; The resource of an object; The resource of an object; None for a kind that the
        server doesn't know. Raises AskError."""
        identity, version = identity_of(body), str(body.get("apiVersion"))
        if version not in self._known:
            self._known[version] = self._api.kinds(version)
        plural, namespaced = self._known[version].get(identity.kind, ("", False))
        group, _, number = version.rpartition("/")
        place = identity.namespace if namespaced else ""
        return Resource(plural, place, identity.name, group, number) if plural else None


def held(api: Api, cluster: str, output: FileTree, engine: str) -> Iterator[Row]:
    """Rows for all objects of a cluster together.

    `engine` is the object that applies them, empty if none is known. Raises AskError if the server doesn't answer.
    """
    kinds = _Kinds(api)
    lacking: list[Identity] = []
    otherwise: list[Identity] = []
    owned: dict[str, list[Identity]] = {}
    untold: dict[str, AskError] = {}
    objects = objects_in(output)
    for identity, ours in objects.items():
        try:
            resource = kinds.resource(ours)
            theirs = api.find(resource) if resource else None
        except AskError as error:
            if error.trouble is not Trouble.FORBIDDEN:
                raise
            untold[identity.kind] = error
            continue
        if theirs is None:
            lacking.append(identity)
            continue
        owner = owner_of(theirs)
        if owner and not (engine and owner.name in (engine, engine.partition("/")[2])):
            owned.setdefault(str(owner), []).append(identity)
        if not _holds(theirs, ours):
            otherwise.append(identity)
    hint = f"let output/{cluster} be synced; meshc adopt --context {cluster} --diff tells what differs"
    if lacking:
        yield Row(cluster, Check.OBJECTS, State.DIFFERS, f"lacks {_shown(lacking)}", hint)
    if otherwise:
        yield Row(cluster, Check.OBJECTS, State.DIFFERS, f"holds otherwise {_shown(otherwise)}", hint)
    for kind, why in untold.items():
        yield Row(cluster, Check.OBJECTS, State.UNKNOWN, f"{kind}: {why.what}", why.hint)
    if not (lacking or otherwise or untold):
        yield Row(cluster, Check.OBJECTS, State.OK, f"all {len(objects)} of output/{cluster}")
    for name, found in owned.items():
        says = f"{name} applies, too: {_shown(found)}"
        yield Row(cluster, Check.OWNERS, State.DIFFERS, says, "hand it over: docs/hand-over.md")


def _holds(theirs: Body, ours: Body) -> bool:
    wanted = meant(_said(ours))
    return meant(trimmed(theirs, wanted)) == wanted


def _said(ours: Body) -> dict[str, Any]:
    """Our object as a server stores it: without empty fields, and without fields that istiod changes itself."""
    said: dict[str, Any] = _full(ours)
    if said.get("kind") == _WEBHOOKS:  # istiod sets failurePolicy to Fail when it is ready
        hooks = as_list(said.get("webhooks"))
        said["webhooks"] = [{key: one[key] for key in one if key != "failurePolicy"} for one in hooks]
    return said


def _full(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _full(one) for key, one in value.items() if one not in (None, "", {}, [], ())}
    return [_full(one) for one in value] if isinstance(value, list | tuple) else value


def _shown(found: list[Identity]) -> str:
    return some([str(one) for one in found], _NAMES)
