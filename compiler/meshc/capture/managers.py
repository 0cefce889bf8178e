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
"""The name of meshc's own field manager, for dry runs."""
_ENGINES = {"flux": "kustomize-controller", "argo-cd": "argocd-controller"}
_DEEPEST = 40
_KNOWN = {
    ("pilot-discovery", "MutatingWebhookConfiguration"): ("caBundle",),
    ("pilot-discovery", "ValidatingWebhookConfiguration"): ("caBundle", "failurePolicy"),
}
"""The fields of meshc's objects that istiod is expected to write."""
_DEFAULTS = {"protocol": "TCP"}


class Held(NamedTuple):
    """A field of an object with its manager. `differs` is true if its value isn't the one in output/."""

    manager: str
    field: str
    differs: bool


def held_by_others(theirs: Body, ours: Body, engine: str) -> Iterator[Held]:
    """The fields that output/ sets and another manager writes. `engine` is the engine that applies output/, empty if
    not known."""
    entries = as_list(at(theirs, "metadata", "managedFields"))
    taken_over = max((_time(one) for one in entries if at(one, "manager") == _ENGINES.get(engine)), default="")
    for entry in entries:
        manager, fields = at(entry, "manager"), at(entry, "fieldsV1")
        mine = manager in (OURS, _ENGINES.get(engine)) or bool(at(entry, "subresource"))
        if not isinstance(manager, str) or not isinstance(fields, dict) or mine:
            continue
        again = manager in MANAGERS or (bool(engine) and at(entry, "operation") == "Apply")
        again = again and _time(entry) >= taken_over  # else its last write is older than the engine's
        known = _KNOWN.get((manager, str(ours.get("kind"))), ())
        for path, one, other in _common(fields, ours, theirs):
            differs = not _says(other, one)
            if (again or differs) and path.rpartition(".")[2] not in known:
                yield Held(manager, path, differs)


def _time(entry: Any) -> str:
    """The time of the entry as text. Texts of this form sort by time."""
    return str(at(entry, "time") or "")


def _common(fields: Mapping[str, Any], ours: Any, theirs: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Each field of the set that our object has too: its path, our value and the live value."""
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
    """Resolves one key of `fieldsV1` on both sides: name, our value, live value. None if our object has no such
    field."""
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
    """True if the item of a list has these keys."""
    if not isinstance(item, Mapping) or not isinstance(keys, dict) or not keys:
        return False
    return all(item.get(key, _DEFAULTS.get(key)) == value for key, value in keys.items())


def _says(theirs: Any, ours: Any) -> bool:
    """True if the live value equals ours. Further keys of a mapping are defaults."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        return all(_says(theirs.get(key), one) for key, one in ours.items())
    if isinstance(ours, list | tuple) and isinstance(theirs, list | tuple):
        return len(ours) == len(theirs) and all(map(_says, theirs, ours))
    return bool(theirs == ours) or (theirs is None and ours in ("", (), [], {}))
