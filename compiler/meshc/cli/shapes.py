"""What each command adds to its JSON document, as one table, and the JSON Schema that is made from the table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

Shape = Any
"""str, int or bool; [shape] for a list of such; {key: shape} for an object with these keys; (shape, None) for what may
be null; EACH of a shape for an object with keys that the user chose; dict for an object that the table leaves open."""


class Each:
    """An object whose keys are names that the user chose, and whose values are all of one shape."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape


_TEXTS = [str]
_AUTHORITY = {
    **dict.fromkeys(("name", "state", "subject", "fingerprint", "key", "notBefore", "notAfter", "issuer"), str),
    "expiring": bool,
    "broken": bool,
    "notes": _TEXTS,
}
_ROW = dict.fromkeys(("cluster", "check", "of", "what", "state", "says", "hint"), str) | {
    "place": (str, None),
    "until": (str, None),
}
_ROTATION = {"next": str, "underOldRoot": _TEXTS, "since": str, "until": str, "allowed": bool, "why": str}
_DOMAIN = {"now": str, "aliases": _TEXTS, "left": (str, None), "since": str, "until": str, "allowed": bool}
_TRUST = {"rotation": _ROTATION, "departed": [_AUTHORITY]}
PROBLEM: Mapping[str, Shape] = MappingProxyType(
    {
        **dict.fromkeys(("code", "severity", "file"), str),
        **dict.fromkeys(("line", "column"), int),
        **dict.fromkeys(("path", "what", "hint"), str),
        "also": _TEXTS,
        "clusters": _TEXTS,
        "fix": (dict, None),
    }
)
"""A problem."""
EVERY: Mapping[str, Shape] = MappingProxyType(
    {"version": int, "command": str, "exit": int, "error": str, "hint": str, "problems": [PROBLEM]}
)
"""What the document of every command begins with."""
_PLAN = {
    **dict.fromkeys(("mesh", "generation", "istioNamespace", "trustDomain"), str),
    "trustDomainAliases": _TEXTS,
    **dict.fromkeys(("clusterDomain", "meshID"), str),
    "images": dict,
    "mutualTLS": str,
    "controlPlaneTLS": bool,
    "ca": str,
    "fastRootRotation": bool,
    **dict.fromkeys(("certificates", "sealed"), str),
    "requireBinding": bool,
    "networks": [dict],
    "clusters": [dict],
    "bases": [dict],
    "delivery": dict,
}
_STEP = dict.fromkeys(("cluster", "step", "what", "command"), str)
_CHANGE = {"action": str, "clusters": _TEXTS, "edits": [dict]}
SHAPES: Mapping[str, Mapping[str, Shape]] = MappingProxyType(
    {
        "ca status": {"mesh": str, "authorities": [_AUTHORITY], **_TRUST},
        "ca tree": {"mesh": str, "authorities": [_AUTHORITY]},
        "capture facts": {"mesh": str, "clusters": [_ROW]},
        "check": {"stale": [{"file": str, "state": str}], "pending": _TEXTS, "expiring": _TEXTS},
        "compile": {
            "mesh": str,
            **dict.fromkeys(("written", "unchanged", "removed", "pending"), _TEXTS),
            "delivery": str,
            "byKustomize": _TEXTS,
            "files": int,
        },
        "diff": {
            "mesh": str,
            "base": str,
            "summary": {"add": int, "change": int, "delete": int, "clusters": _TEXTS},
            "renamed": Each(str),
            "dangers": [PROBLEM],
            "settings": [dict],
            "changes": [_CHANGE],
        },
        "doctor": {
            "mesh": str,
            "clusters": [_ROW],
            **_TRUST,
            "meshc": str,
            "python": str,
            "tools": [
                {**dict.fromkeys(("name", "usedFor", "variable", "version", "command"), str), "passedOver": _TEXTS}
            ],
            "repository": str,
        },
        "fmt": {"changed": _TEXTS},
        "next": {"mesh": str, "steps": [_STEP], "uncommitted": _TEXTS, "trustDomain": _DOMAIN, **_TRUST},
        "path": {
            "caller": str,
            "host": str,
            "resolves": str,
            "controlPlanes": _TEXTS,
            "ends": [dict],
            "why": str,
            "remarks": _TEXTS,
        },
        "plan": {**_PLAN, "pending": _TEXTS},
        "publish": {
            **dict.fromkeys(("mesh", "target", "branch"), str),
            "newBranch": bool,
            **dict.fromkeys(("path", "source"), str),
            "differs": bool,
            **dict.fromkeys(("commit", "message"), str),
            "dryRun": bool,
            "notes": _TEXTS,
        },
        "secrets scan": {"files": int},
        "secrets status": {
            "mesh": str,
            "secrets": [{**dict.fromkeys(("cluster", "file", "form", "state", "notAfter"), str), "notes": _TEXTS}],
        },
        "tree": {
            "cluster": str,
            "role": str,
            "place": str,
            "components": [{"name": str, "folder": str, "objects": [dict]}],
        },
        "validate": {"pending": _TEXTS, "fixed": _TEXTS},
        "version": {"meshc": str, "python": str, "system": str},
        "verify": {"kustomize": str, "clusters": _TEXTS, "differing": _TEXTS},
    }
)
"""The keys that each command adds, with what they hold. One that a command has nothing to tell for is null."""


def schema_of(command: str) -> dict[str, Any]:
    """The JSON Schema of the document of a command. New keys may come, so that further keys are allowed."""
    every = {key: _schema(shape) for key, shape in EVERY.items()}
    own = {key: _schema((shape, None)) for key, shape in SHAPES[command].items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"meshc {command} --format json",
        "type": "object",
        "required": [*every, *own],
        "properties": {**every, "version": {"const": 1}, "command": {"const": command}, **own},
    }


_TYPES = {str: "string", int: "integer", bool: "boolean", dict: "object"}


def _schema(shape: Shape) -> dict[str, Any]:
    match shape:
        case (inner, None):
            found = _schema(inner)
            return found if isinstance(found["type"], list) else {**found, "type": [found["type"], "null"]}
        case [inner]:
            return {"type": "array", "items": _schema(inner)}
        case Each():
            return {"type": "object", "additionalProperties": _schema(shape.shape)}
        case type():
            return {"type": _TYPES[shape]}
    properties = {key: _schema(inner) for key, inner in shape.items()}
    return {"type": "object", "required": list(properties), "properties": properties}
