"""Compares two states of an object: the values that differ, each with its path.

Items of lists are matched by name or port, otherwise by equal items. The order counts only where it has a meaning.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from meshc.plain import count
from meshc.review.differing import differing, unified

_KEYS = (("name",), ("number",), ("ip",), ("secretName",))
_PORT_KEYS = (("port", "protocol"), ("port",), ("number",), ("containerPort",), ("name",))
"""The keys that identify items of a list, and of a list of ports: the first key that is unique in both states."""
_UNORDERED = {
    *("apiGroups", "resources", "resourceNames", "nonResourceURLs", "verbs", "operations", "apiVersions"),
    *("rules", "subjects", "addresses", "subsets", "finalizers", "imagePullSecrets", "exportTo", "hosts"),
    *("externalIPs", "loadBalancerSourceRanges", "readers", "principals", "namespaces", "matchExpressions"),
}
"""Keys of lists whose order has no meaning."""
_RULE_OF_A_ROLE = '"apiGroups"'
"""Identifies rules of roles and webhooks, whose order has no meaning. The order of rules in routes and alerts has
one."""
_ORDERED = {"initContainers", "http", "tls", "tcp", "configPatches", "env"}
"""Keys of lists with named items whose order still has a meaning."""
_LINES = 12
"""The maximum number of lines of a text that are shown."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One value that differs: before and after, as text; None if the value doesn't exist.

    `several` is true if both are lines of a longer text.
    """

    path: str
    before: str | None
    after: str | None
    several: bool = False


def edits(before: object, after: object, path: str = "") -> Iterator[Edit]:
    """Every difference, in the order of the paths; none if both have the same meaning."""
    if before == after and _json(before) == _json(after):  # in Python 1 equals True, but not for an API server
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}, key=str):
            yield from _entry(before, after, key, _joined(path, str(key)))
    elif isinstance(before, tuple | list) and isinstance(after, tuple | list):
        yield from _lists(before, after, path)
    elif isinstance(before, str) and isinstance(after, str) and ("\n" in before.strip() or "\n" in after.strip()):
        yield from _texts(before, after, path)
    elif text(before) == text(after):
        yield Edit(path, _json(before), _json(after))
    else:
        yield Edit(path, text(before), text(after))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def text(value: object) -> str:
    """A value on one line: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else _json(value)


def _entry(before: Mapping[Any, Any], after: Mapping[Any, Any], key: object, path: str) -> Iterator[Edit]:
    if key not in before:
        yield Edit(path, None, text(after[key]))
    elif key not in after:
        yield Edit(path, text(before[key]), None)
    else:
        yield from edits(before[key], after[key], path)


def _joined(path: str, key: str) -> str:
    if not key or "." in key or "/" in key:
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key


def _lists(before: Sequence[Any], after: Sequence[Any], path: str) -> Iterator[Edit]:
    field = path.rpartition(".")[2]
    known = _PORT_KEYS if field == "ports" else _KEYS
    keys = next((keys for keys in known if _tells_apart(keys, before) and _tells_apart(keys, after)), None)
    if keys:
        old, new = ({_key(keys, item): item for item in items} for items in (before, after))
        for key in dict.fromkeys((*old, *new)):
            yield from _entry(old, new, key, f"{path}[{key}]")
        common = [[key for key in items if key in old and key in new] for items in (old, new)]
        if field in _ORDERED and common[0] != common[1]:
            yield Edit(f"{path} (order)", ", ".join(common[0]), ", ".join(common[1]))
        return
    old_texts, new_texts = [_json(item) for item in before], [_json(item) for item in after]
    if field in _UNORDERED and (field != "rules" or _RULE_OF_A_ROLE in text(after)):
        gone, come = Counter(old_texts) - Counter(new_texts), Counter(new_texts) - Counter(old_texts)
        left = [item for item in before if gone[_json(item)] > 0], [item for item in after if come[_json(item)] > 0]
        yield from _pairs(*left, path)
        return
    for a, b, c, d in differing(old_texts, new_texts):
        yield from _pairs(before[a:b], after[c:d], path, a)


def _pairs(before: Sequence[Any], after: Sequence[Any], path: str, first: int = 0) -> Iterator[Edit]:
    """Compares items at the same index. Further items of the longer list are removed or added."""
    for number, (old, new) in enumerate(zip(before, after, strict=False), first):
        yield from edits(old, new, f"{path}[{number}]")
    for item in before[len(after) :]:
        yield Edit(f"{path}[]", text(item), None)
    for item in after[len(before) :]:
        yield Edit(f"{path}[]", None, text(item))


def _tells_apart(keys: tuple[str, ...], items: Sequence[Any]) -> bool:
    for item in items:
        if not isinstance(item, Mapping) or not all(_is_key(item.get(key)) for key in keys):
            return False
    return len({_key(keys, item) for item in items}) == len(items)


def _is_key(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _key(keys: tuple[str, ...], item: Mapping[str, Any]) -> str:
    return "/".join(str(item[key]) for key in keys)


def _texts(before: str, after: str, path: str) -> Iterator[Edit]:
    """The lines that differ, without context."""
    lines = list(unified(before.splitlines(), after.splitlines()))
    old, new = ([line[1:] for line in lines if line[:1] == sign] for sign in "-+")
    if old or new:
        yield Edit(path, _some(old), _some(new), several=True)
    else:
        yield Edit(path, "line endings", "other line endings: nothing else differs")


def _some(lines: list[str]) -> str | None:
    more = len(lines) - _LINES
    return (
        "\n".join([*lines[:_LINES], *([f"... and {count(more, 'more line')}"] if more > 0 else [])]) if lines else None
    )
