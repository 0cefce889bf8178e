"""One table with the keys that each command adds to its JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

Shape = Any
"""The shape of a value: str, int or bool; [shape] for a list; {key: shape} for an object with these keys; (shape, None)
for a value that may be null; Each, Either, Of or Ref, described below; dict for an object with any keys and values."""


@dataclass(frozen=True, slots=True)
class Each:
    """An object whose keys are names that the user chose, and whose values all have the same shape."""

    shape: Shape


@dataclass(frozen=True, slots=True)
class Either:
    """One of several objects."""

    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Of:
    """A part of the plan, by the name of its class: its fields are the keys."""

    name: str


@dataclass(frozen=True, slots=True)
class Ref:
    """A shape of `NAMED`, which may be recursive."""

    name: str


_TEXTS = [str]
_AUTHORITY = {
    **dict.fromkeys(("name", "state", "subject", "fingerprint", "key", "notBefore", "notAfter", "issuer"), str),
    "expiring": bool,
    "broken": bool,
    "notes": _TEXTS,
}
_SIGNING = {**_AUTHORITY, "signsFor": _TEXTS, "placedIn": _TEXTS, "below": [Ref("authority")]}
NAMED: Mapping[str, Shape] = MappingProxyType({"authority": _SIGNING})
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
        "fix": (Either(({"was": str, "value": str}, {"rename": str})), None),
    }
)
"""A problem."""
EVERY: Mapping[str, Shape] = MappingProxyType(
    {"version": int, "command": str, "exit": int, "error": str, "hint": str, "problems": [PROBLEM]}
)
"""The keys at the start of every command's document."""
_PLAN = {
    **dict.fromkeys(("mesh", "generation", "istioNamespace", "trustDomain"), str),
    "trustDomainAliases": _TEXTS,
    **dict.fromkeys(("clusterDomain", "meshID"), str),
    "images": Of("Images"),
    "mutualTLS": str,
    "controlPlaneTLS": bool,
    "ca": str,
    "fastRootRotation": bool,
    **dict.fromkeys(("certificates", "sealed"), str),
    "requireBinding": bool,
    "networks": [Of("NetworkPlan")],
    "clusters": [Of("ClusterPlan")],
    "bases": [Of("ServiceBase")],
    "delivery": Of("Delivery"),
}
_STEP = dict.fromkeys(("cluster", "step", "what", "command"), str)
_IDENTITY = dict.fromkeys(("group", "kind", "namespace", "name"), str)
_CHANGE = {
    "action": str,
    **_IDENTITY,
    "clusters": _TEXTS,
    "from": str,
    "stays": bool,
    "edits": [{"path": str, "before": (str, None), "after": (str, None)}],
}
_SETTING = {**dict.fromkeys(("what", "before", "after"), str), "clusters": _TEXTS}
_TOUCHED = {
    **dict.fromkeys(("cluster", "state"), str),
    **dict.fromkeys(("add", "change", "delete", "settings"), int),
    "dangers": _TEXTS,
}
_END = {
    **dict.fromkeys(("cluster", "transport", "signedBy", "why"), str),
    "network": (str, None),
    "gateways": _TEXTS,
}
_OBJECT = {**_IDENTITY, "from": [{"what": str, "where": str}], "patches": _TEXTS}
SHAPES: Mapping[str, Mapping[str, Shape]] = MappingProxyType(
    {
        "ca status": {"mesh": str, "authorities": [_AUTHORITY], **_TRUST},
        "ca tree": {"mesh": str, "authorities": [Ref("authority")]},
        "capture facts": {"mesh": str, "clusters": [_ROW]},
        "check": {
            "stale": [{"file": str, "state": str, "because": _TEXTS, "differs": _TEXTS}],
            "pending": _TEXTS,
            "expiring": _TEXTS,
        },
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
            "settings": [_SETTING],
            "byCluster": [_TOUCHED],
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
            "ends": [_END],
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
            "secrets": [
                {
                    **dict.fromkeys(("cluster", "file", "form", "state", "notAfter"), str),
                    "openedBy": _TEXTS,
                    "notes": _TEXTS,
                }
            ],
        },
        "tree": {
            "cluster": str,
            "role": str,
            "place": str,
            "components": [{"name": str, "folder": str, "objects": [_OBJECT]}],
        },
        "validate": {"pending": _TEXTS, "fixed": _TEXTS},
        "version": {"meshc": str, "python": str, "system": str},
        "verify": {"kustomize": str, "clusters": _TEXTS, "differing": _TEXTS},
    }
)
"""The keys that each command adds, with their shapes. A key without data is null."""
