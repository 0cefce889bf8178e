"""Follows the labels and annotations that earlier patches set, because a later patch's selectors match them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshc.kube import at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshc.kube import Body
    from meshc.overlays.selectors import Requirement

_BOTH = ("labels", "annotations")
_Words = Mapping[str, Any] | None
"""None after a change that meshc can't follow: then every selector may match."""
UNKNOWN: Mapping[str, Any] = {"$patch": ""}
"""A change that meshc can't follow."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The labels and annotations of an object after some patches."""

    labels: _Words
    annotations: _Words

    @staticmethod
    def of(body: Body) -> Marks:
        metadata = body.get("metadata") or {}
        return Marks(metadata.get("labels") or {}, metadata.get("annotations") or {})

    def may_have(self, requirements: Iterable[Requirement], where: str) -> bool:
        words: _Words = getattr(self, where)
        return words is None or all(one.holds(words) for one in requirements)

    def after(self, change: Any) -> Marks:
        """The labels and annotations after a patch: a strategic merge patch, or the steps of a JSON patch."""
        if isinstance(change, dict):
            return Marks(*(_merged(getattr(self, where), change, where) for where in _BOTH))
        found = self
        for step in change:
            found = Marks(*(_stepped(getattr(found, where), step, where) for where in _BOTH))
        return found


def _merged(words: _Words, change: Mapping[str, Any], where: str) -> _Words:
    written = at(change, "metadata", where)
    if any("$patch" in (part or {}) for part in (change, at(change, "metadata"), written) if isinstance(part, dict)):
        return None
    if words is None or written is None:
        return {} if words is not None and where in (at(change, "metadata") or {}) else words
    return {key: value for key, value in {**words, **written}.items() if value is not None}


def _stepped(words: _Words, step: Mapping[str, Any], where: str) -> _Words:
    _, *parts = (part.replace("~1", "/").replace("~0", "~") for part in step["path"].split("/"))
    what, path = step["op"], ["metadata", where]
    if what == "move" and str(step.get("from")).startswith("/metadata"):
        return None
    if words is None or what == "test" or parts[:2] != path[: len(parts)]:
        return words
    value = step.get("value")
    if parts == path and what in ("add", "replace") and isinstance(value, dict):
        return value
    if parts == path and what == "remove":
        return {}
    if len(parts) == 3 and what in ("add", "replace"):
        return {**words, parts[2]: value}
    if len(parts) == 3 and what == "remove":
        return {key: kept for key, kept in words.items() if key != parts[2]}
    return None
