"""Writes the result of a command as a JSON document that always has the same keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from meshc.plain import plain

if TYPE_CHECKING:
    from meshc.errors import Exit, MeshcError, Problem

VERSION = 1
"""Raised when a key changes its meaning or is removed. New keys don't raise it."""

_PLAN = (
    "mesh", "generation", "istioNamespace", "trustDomain", "trustDomainAliases", "clusterDomain", "meshID",
    "images", "mutualTLS", "controlPlaneTLS", "ca", "fastRootRotation", "certificates", "sealed",
    "requireBinding", "networks", "clusters", "bases", "delivery",
)  # fmt: skip
_TRUST = ("rotation", "departed")

KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ca status": ("mesh", "authorities", *_TRUST),
        "ca tree": ("mesh", "authorities"),
        "capture facts": ("mesh", "clusters"),
        "check": ("stale", "pending", "expiring"),
        "compile": ("mesh", "written", "unchanged", "removed", "pending", "delivery", "byKustomize", "files"),
        "diff": ("mesh", "base", "summary", "renamed", "dangers", "settings", "changes"),
        "doctor": ("mesh", "clusters", *_TRUST, "meshc", "python", "tools", "repository"),
        "next": ("mesh", "steps", "uncommitted", "trustDomain", *_TRUST),
        "path": ("caller", "host", "resolves", "controlPlanes", "ends", "why", "remarks"),
        "plan": (*_PLAN, "pending"),
        "publish": (
            "mesh", "target", "branch", "newBranch", "path", "source", "differs", "commit", "message", "dryRun",
            "notes",
        ),
        "secrets scan": ("files",),
        "secrets status": ("mesh", "secrets"),
        "tree": ("cluster", "role", "place", "components"),
        "validate": ("pending",),
        "version": ("meshc", "python", "system"),
        "verify": ("kustomize", "clusters", "differing"),
    }
)  # fmt: skip
"""The keys that each command adds. A key without a value, for example after an error, is null."""


def document(
    command: str, own: Mapping[str, Any], problems: Iterable[Problem], end: Exit, error: MeshcError | None = None
) -> dict[str, Any]:
    """The document of a command: the keys of every command, then its own keys."""
    keys = KEYS[command]
    assert own.keys() <= set(keys), f"{command} has keys that aren't documented"  # noqa: S101
    return {
        "version": VERSION,
        "command": command,
        "exit": int(end),
        "error": _plain(error.what) if error else "",
        "hint": _plain(error.hint) if error else "",
        "problems": [as_json(problem) for problem in problems],
        **{key: own.get(key) for key in keys},
    }


def as_json(problem: Problem) -> dict[str, Any]:
    """A problem as data; every key is always there."""
    place = problem.place
    return {
        "code": problem.code.id,
        "severity": str(problem.severity),
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "path": problem.path,
        "what": problem.what,
        "hint": problem.hint,
        "also": [str(other) for other in problem.also],
        "clusters": list(problem.clusters),
    }


def _plain(text: str) -> str:
    return "\n".join(map(plain, text.split("\n")))
