"""Compares the objects of output/ with a live cluster and returns rows: objects that are missing or different, and
tools that also write them.

Compares only the fields in output/, because all other fields are defaults, or were written by controllers. If a dry run
is allowed (see `trial`), the server itself says what an apply would change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from meshc.capture.live_trees import objects_in, trimmed
from meshc.capture.managers import held_by_others
from meshc.capture.meaning import meant
from meshc.capture.owners import Tool, owner_of
from meshc.capture.resource import Resource
from meshc.capture.rows import Check, Row, State
from meshc.capture.trouble import AskError, Trouble
from meshc.kube import as_list, identity_of
from meshc.plain import short
from meshc.review.blocks import some

if TYPE_CHECKING:
    from meshc.capture.ask import Api
    from meshc.capture.dry_run import Trial
    from meshc.capture.owners import Owner
    from meshc.kube import Body, Identity
    from meshc.tree import FileTree

_NAMES = 4
_FIELDS = 3
_TOOLS = {"flux": Tool.FLUX, "argo-cd": Tool.ARGO_CD}
_WEBHOOKS = "ValidatingWebhookConfiguration"


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine that applies output/: its word in mesh.yaml, and its object for a cluster. Both are empty if they
    aren't known."""

    word: str = ""
    name: str = ""

    def is_owner(self, owner: Owner) -> bool:
        """True if this engine is the owner. Field managers only show the tool."""
        if not owner.name:
            return owner.tool is _TOOLS.get(self.word)
        return bool(self.name) and owner.name in (self.name, self.name.partition("/")[2])


@dataclass(slots=True)
class _Found:
    """The objects that differ from output/, and those that other tools write. Each list has the texts for the
    report."""

    lacking: list[str] = field(default_factory=list)
    otherwise: list[str] = field(default_factory=list)
    more: list[str] = field(default_factory=list)
    refused: dict[str, list[str]] = field(default_factory=dict)
    untold: dict[str, AskError] = field(default_factory=dict)
    owned: dict[str, list[str]] = field(default_factory=dict)
    fields: dict[str, list[str]] = field(default_factory=dict)


class _Kinds:
    """The resource of each object, as the server reports it."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: dict[str, Mapping[str, tuple[str, bool]]] = {}

    def resource(self, body: Body) -> Resource | None:
        """The resource of an object; None for a kind that the server doesn't know. Raises AskError."""
        identity, version = identity_of(body), str(body.get("apiVersion"))
        if version not in self._known:
            self._known[version] = self._api.kinds(version)
        plural, namespaced = self._known[version].get(identity.kind, ("", False))
        group, _, number = version.rpartition("/")
        place = identity.namespace if namespaced else ""
        return Resource(plural, place, identity.name, group, number) if plural else None


def held(api: Api, cluster: str, output: FileTree, engine: Engine, trial: Trial | None = None) -> Iterator[Row]:
    """Rows for all objects of a cluster together; with `trial`, from a dry run on the server.

    `engine` is the object that applies them, empty if none is known. Raises AskError if the server doesn't answer.
    """
    kinds, found, objects = _Kinds(api), _Found(), objects_in(output)
    for identity, ours in objects.items():
        try:
            resource = kinds.resource(ours)
            theirs = api.find(resource) if resource else None
        except AskError as error:
            if error.trouble is not Trouble.FORBIDDEN:
                raise
            found.untold[identity.kind] = error
            continue
        if resource is None or theirs is None:
            found.lacking.append(str(identity))
            continue
        _note_writers(found, identity, theirs, ours, engine)
        _note_difference(found, identity, resource, (theirs, ours), trial)
    yield from _of_objects(cluster, found, len(objects))
    yield from _untried(cluster, trial)
    yield from _of_writers(cluster, found)


def _note_writers(found: _Found, identity: Identity, theirs: Body, ours: Body, engine: Engine) -> None:
    owner = owner_of(theirs)
    if owner and not engine.is_owner(owner):
        found.owned.setdefault(str(owner), []).append(str(identity))
    fields: dict[str, list[str]] = {}
    for one in held_by_others(theirs, ours, engine.word):
        fields.setdefault(one.manager, []).append(f"{one.field}{' (another value)' if one.differs else ''}")
    for manager, names in fields.items():
        found.fields.setdefault(manager, []).append(_with(identity, names))


def _note_difference(
    found: _Found, identity: Identity, resource: Resource, pair: tuple[Body, Body], trial: Trial | None
) -> None:
    theirs, ours = pair
    tried = trial.of(resource, _left_to_istiod(ours), theirs) if trial else None
    if tried is None:
        if not _holds(theirs, ours):
            found.otherwise.append(str(identity))
        return
    if tried.refused:
        found.refused.setdefault(tried.refused, []).append(str(identity))
    if tried.changed:
        found.otherwise.append(_with(identity, tried.changed))
    if tried.more:
        found.more.append(_with(identity, tried.more))


def _of_objects(cluster: str, found: _Found, number: int) -> Iterator[Row]:
    hint = f"sync output/{cluster}; meshc adopt --context {cluster} --diff shows the differences"
    for what, names in (("lacks", found.lacking), ("has different values:", found.otherwise)):
        if names:
            yield Row(cluster, Check.OBJECTS, State.DIFFERS, f"{what} {_shown(names)}", hint)
    if found.more:
        says = f"has more list items than output/{cluster}: {_shown(found.more)}"
        yield Row(cluster, Check.OBJECTS, State.DIFFERS, says, "a sync doesn't remove them: use kubectl edit")
    for why, names in found.refused.items():
        hint = "run kubectl apply --server-side --dry-run=server -f FILE to see why"
        yield Row(cluster, Check.OBJECTS, State.FAILED, f"can't be applied: {_shown(names)} {why}", hint)
    for kind, error in found.untold.items():
        yield Row(cluster, Check.OBJECTS, State.UNKNOWN, f"{kind}: {error.what}", error.hint)
    if not (found.lacking or found.otherwise or found.more or found.refused or found.untold):
        yield Row(cluster, Check.OBJECTS, State.OK, f"all {number} of output/{cluster}")


def _untried(cluster: str, trial: Trial | None) -> Iterator[Row]:
    untried = trial.untried if trial else {}
    for why, hint in dict.fromkeys(untried.values()):
        kinds = [kind for kind, one in untried.items() if one == (why, hint)]
        says = f"compared without the server's defaults and admission: {', '.join(kinds)}: {why}"
        yield Row(cluster, Check.OBJECTS, State.UNKNOWN, says, hint)


def _of_writers(cluster: str, found: _Found) -> Iterator[Row]:
    for name, names in found.owned.items():
        says = f"{name} also applies these objects: {_shown(names)}"
        yield Row(cluster, Check.OWNERS, State.DIFFERS, says, "hand them over: docs/hand-over.md")
    for manager, names in found.fields.items():
        says = f"{short(manager, 60)} writes fields that output/ sets: {_shown(names)}"
        hint = "kubectl get --show-managed-fields -o yaml shows the owner of each field; stop the tool that writes it"
        yield Row(cluster, Check.FIELDS, State.DIFFERS, says, hint)


def _holds(theirs: Body, ours: Body) -> bool:
    wanted = meant(_full(_left_to_istiod(ours)))
    return meant(trimmed(theirs, wanted)) == wanted


def _left_to_istiod(ours: Body) -> dict[str, Any]:
    """Our object without the fields that istiod changes itself: it sets failurePolicy to Fail when it is ready."""
    if ours.get("kind") != _WEBHOOKS:
        return dict(ours)
    hooks = [{key: one[key] for key in one if key != "failurePolicy"} for one in as_list(ours.get("webhooks"))]
    return {**ours, "webhooks": hooks}


def _full(value: Any) -> Any:
    """A value in the form that a server stores: without empty parts."""
    if isinstance(value, Mapping):
        return {key: _full(one) for key, one in value.items() if one not in (None, "", {}, [], ())}
    return [_full(one) for one in value] if isinstance(value, list | tuple) else value


def _with(identity: Identity, fields: Sequence[str]) -> str:
    return f"{identity} ({some([short(one, 80) for one in fields], _FIELDS)})"


def _shown(found: list[str]) -> str:
    return some(found, _NAMES)
