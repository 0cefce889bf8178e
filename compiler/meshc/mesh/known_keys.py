"""Finds the intended key for an unknown key in mesh.yaml."""

from __future__ import annotations

import difflib
import posixpath
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from meshc import codes
from meshc.errors import Path, Problem
from meshc.mesh.model import Mesh
from meshc.nearest import slip
from meshc.plain import short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshc.yamltext.document import Document


def unknown_key(document: Document, path: Path, known: Sequence[str] = (), *, whole: type[BaseModel] = Mesh) -> Problem:
    """The problem of an unknown key, with the key that was probably intended."""
    place, name = document.key_place(path), document.name(path)
    known = known or known_keys(path[:-1], whole)
    key = str(path[-1])
    close = nearest_of(key, known)
    fix = slip(key, _free(document, path, known)) if close else None
    hint = close
    if form := _KUSTOMIZES.get(key) if {"patches", "resources"} & {*known} else None:
        hint, fix = form, None
    elif places := _places_of(key) if whole is Mesh and not fix else []:
        belongs = f'"{key}" is a key under {" or ".join(places)}'
        hint = f"{close} {belongs}" if close else belongs
    hint = hint or (f"known keys: {', '.join(known)}" if known else "")
    what = f'{document.name(path[:-1]) or posixpath.basename(document.file)}: unknown key "{short(key, 60)}"'
    return codes.UNKNOWN_KEY.at(place, what, hint, path=name, fix=fix)


def _free(document: Document, path: Path, known: Sequence[str]) -> list[str]:
    """The known keys that the mapping doesn't have yet."""
    holder, at = document.at(path[:-1])
    beside = holder.data
    for step in at:
        beside = beside[step]
    return [one for one in known if one not in beside]


_COMPONENT = "write a component, a folder with kind: Component, and name it under components"

_KUSTOMIZES = {
    "patchesStrategicMerge": "write patches: [patch.yaml], or patches: with - patch: |- and its lines",
    "patchesJson6902": "write patches: with - {path: patch.yaml, target: {kind: ..., name: ...}}",
    "bases": "write the folder under resources",
    "kustomization": _COMPONENT,
    "transformers": _COMPONENT,
    **dict.fromkeys(
        (
            *("images", "replicas", "commonLabels", "commonAnnotations", "namePrefix", "nameSuffix"),
            *("configMapGenerator", "secretGenerator", "generators", "replacements", "vars"),
        ),
        _COMPONENT,
    ),
    "secretGenerator": "seal the Secret instead: meshc secrets seal",
}
"""Forms that users of kustomize write, and the form that mesh.yaml accepts."""

_FEW = 3


def _places_of(key: str) -> list[str]:
    """The mappings with such a key, as `spec.clusters[]`; empty if there are many."""
    found: list[str] = []
    waiting: list[tuple[str, type[BaseModel], int]] = [("", Mesh, 0)]
    while waiting:
        place, model, depth = waiting.pop(0)
        for field in model.model_fields.values():
            if field.alias == key:
                found.append(place or "mesh.yaml")
            inner = f"{place}.{field.alias}".lstrip(".") + ("[]" if "tuple" in str(field.annotation) else "")
            if depth < _DEEPEST:
                waiting += [(inner, one, depth + 1) for one in _models_in(field.annotation)]
    places = list(dict.fromkeys(found))
    return places if len(places) <= _FEW else []


_DEEPEST = 6


def nearest_of(word: str, known: Sequence[str]) -> str:
    """A hint with the intended word, ignoring upper and lower case."""
    by_case = {k.lower(): k for k in known}
    close = difflib.get_close_matches(word.lower(), by_case, 1)
    return f'did you mean "{by_case[close[0]]}"?' if close else ""


def known_keys(path: Path, whole: type[BaseModel] = Mesh) -> list[str]:
    """The keys that the mapping at `path` may have, its own first, then shared ones."""
    found = [
        (name not in model.__annotations__, field.alias or "")
        for model in models_at(path, whole)
        for name, field in model.model_fields.items()
    ]
    return [alias for _, alias in sorted(found, key=lambda one: one[0])]


def models_at(path: Path, whole: type[BaseModel] = Mesh) -> list[type[BaseModel]]:
    """The possible models of a mapping at `path`."""
    models = [whole]
    for step in path:
        if isinstance(step, int):
            continue
        models = [
            model
            for parent in models
            for field in parent.model_fields.values()
            if field.alias == step
            for model in _models_in(field.annotation)
        ]
    return models


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
