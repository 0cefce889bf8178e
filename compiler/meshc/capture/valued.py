"""Merges Helm values from all of their sources into one mapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from meshc.yamltext.read import read


def merged(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """Merges values as Helm does: mappings key by key, anything else as a whole."""
    found = dict(lower)
    for key, one in upper.items():
        below = found.get(key)
        found[key] = merged(below, one) if isinstance(below, Mapping) and isinstance(one, Mapping) else one
    return found


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping; an empty mapping for anything else."""
    return value if isinstance(value, dict) else {}


def parsed(text: Any) -> dict[str, Any]:
    """The values in a YAML text."""
    documents, problems = read(str(text or "").encode(), "values")
    return dict(mapping(documents[0].data)) if documents and not problems else {}


def put(values: dict[str, Any], steps: Sequence[str], value: Any) -> None:
    """Sets one value, as `--set` does."""
    for step in steps[:-1]:
        inner = dict(mapping(values.get(step)))
        values[step] = inner
        values = inner
    values[steps[-1]] = value
