"""Finds other writers of the fields that output/ sets, from the field managers of a live object.

An API server records the writer of each field (`metadata.managedFields`). A tool that applies a field repeatedly
conflicts with the engine. A single earlier write matters only if the field still has another value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from meshc.capture.owners import MANAGERS
from meshc.kube import as_list, at

if TYPE_CHECKING:
    from meshc.kube import Body

OURS = "meshc-doctor"
"""The field manager of meshc's own, for what is only tried."""
_ENGINES = {"flux": "kustomize-controller", "argo-cd": "argocd-controller"}
_DEEPEST = 40
_KNOWN = {
    ("pilot-discovery", "MutatingWebhookConfiguration"): ("caBundle",),
    ("pilot-discovery", "ValidatingWebhookConfiguration"): ("caBundle", "failurePolicy"),
}
"""What istiod is meant to write into meshc's objects."""
_DEFAULTS = {"protocol": "TCP"}


class Held(NamedTuple):
    """A field of an object: who holds it, and whether with another value than output/ has."""

    manager: str
    field: str
    differs: bool


def held_by_others(theirs: Body, ours: Body, engine: str) -> Iterator[Held]:
    """Fields that output/ sets, and somebody else writes. `engine` is what applies output/, empty if not known."""
    entries = as_list(at(theirs, "metadata", "managedFields"))
    taken_over = max((_time(one) for one in entries if at(one, "manager") == _ENGINES.get(engine)), default="")
    for entry in entries:
        manager, fields = at(entry, "manager"), at(entry, "fieldsV1")
        mine = manager in (OURS, _ENGINES.get(engine)) or bool(at(entry, "subresource"))
        if not isinstance(manager, str) or not isinstance(fields, dict) or mine:
            continue
        again = manager in MANAGERS or (bool(engine) and at(entry, "operation") == "Apply")
        again = again and _time(entry) >= taken_over  # else it has written nothing since the engine has
        known = _KNOWN.get((manager, str(ours.get("kind"))), ())
        for path, one, other in _common(fields, ours, theirs):
            differs = not _says(other, one)
            if (again or differs) and path.rpartition(".")[2] not in known:
                yield Held(manager, path, differs)


def _time(entry: Any) -> str:
    """When it was written: times of this form are ordered as texts."""
    return str(at(entry, "time") or "")


def _common(fields: Mapping[str, Any], ours: Any, theirs: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Each field of the set that ours has as well: its path, our value and theirs."""
    for word, below in fields.items() if path.count(".") < _DEEPEST else ():
        found = _step(word, ours, theirs)
        if found is None:
            continue
        name, one, other = found
        here = f"{path}.{name}" if path and not name.startswith("[") else f"{path}{name}"
        if isinstance(below, dict) and below:
            yield from _common(below, one, other, here)
        else:
            yield here, one, other


def _step(word: str, ours: Any, theirs: Any) -> tuple[str, Any, Any] | None:
    """Where a word of a set leads to, on both sides; None where ours has nothing there."""
    form, _, rest = word.partition(":")
    if form == "f" and isinstance(ours, Mapping) and rest in ours:
        return rest, ours[rest], theirs.get(rest) if isinstance(theirs, Mapping) else None
    if form not in ("k", "v"):
        return None
    try:
        wanted = json.loads(rest)
    except (ValueError, RecursionError):
        return None
    if form == "v":
        return (f"[{rest}]", wanted, wanted) if wanted in as_list(ours) else None
    one, other = (next((each for each in as_list(side) if _is(each, wanted)), None) for side in (ours, theirs))
    named = ",".join(str(value) for value in wanted.values()) if isinstance(wanted, dict) else ""
    return None if one is None else (f"[{named}]", one, other)


def _is(item: Any, keys: Any) -> bool:
    """Whether an item of a list is the one of these keys."""
    if not isinstance(item, Mapping) or not isinstance(keys, dict) or not keys:
        return False
    return all(item.get(key, _DEFAULTS.get(key)) == value for key, value in keys.items())


def _says(theirs: Any, ours: Any) -> bool:
    """Whether a field that runs says what ours does; more in a mapping are defaults."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        return all(_says(theirs.get(key), one) for key, one in ours.items())
    if isinstance(ours, list | tuple) and isinstance(theirs, list | tuple):
        return len(ours) == len(theirs) and all(map(_says, theirs, ours))
    return bool(theirs == ours) or (theirs is None and ours in ("", (), [], {}))
