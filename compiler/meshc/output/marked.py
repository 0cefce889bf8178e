"""Adds a mark before the name of each object in a unit, so that the units of several clusters fit into one build.

kustomize refuses two objects with the same identity, and clusters have many objects of the same name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from meshc.output.split import documents, head_of
from meshc.output.unit import files_of
from meshc.output.units import decoded
from meshc.overlays.layers import Layer
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from meshc.output.unit import Unit
    from meshc.plan.files import PatchPlan, UserFile
    from meshc.yamltext.document import Document

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._:-]*[A-Za-z0-9]")
"""A name that YAML writes without quotes, with a mark and without."""
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off"})
"""Names that YAML 1.1 writes with quotes."""
_PATTERN = re.compile(r"[A-Za-z0-9.*+?\[\]-]*")
"""A pattern of names that means the same behind a mark. With `|`, the versions of kustomize differ."""
_UNSURE = re.compile(rb"[&\r\x80-\xff]")
"""Characters of a file in which a mark may change more than a name, or be in another place: anchors, and line breaks
other than a newline."""
_BREAK = "---\n"


class _UnmarkableError(Exception):
    """A name of a unit can't get a mark."""


def with_marks(unit: Unit, mark: str) -> Mapping[str, bytes] | None:
    """The files of a unit, by path from the unit's folder, with marked names; None if it isn't certain that kustomize
    writes the marked objects like the others."""
    try:
        texts = [_object(text.decode(), mark).encode() for text in unit.texts]
        return files_of(texts, [_layer(layer, mark) for layer in unit.layers])
    except _UnmarkableError:
        return None


def unmarked(stream: bytes, marks: Iterable[str]) -> Mapping[str, bytes] | None:
    """What kustomize would have written for each unit alone, by mark; None if a document has another form."""
    found: dict[str, list[str]] = {mark: [] for mark in marks}
    for document in documents(stream.decode()):
        mark, dash, _ = head_of(document)[3].partition("-")
        mark += dash
        if mark not in found or document.count(mark) != 1:
            return None
        found[mark].append(document.replace(mark, ""))
    return {mark: _BREAK.join(texts).encode() for mark, texts in found.items()}


def _layer(layer: Layer, mark: str) -> Layer:
    """A layer in which every object has a marked name."""
    if {one.file.name for one in layer.patches if one.target} & {
        one.file.name for one in layer.patches if not one.target
    }:
        raise _UnmarkableError
    return Layer(
        tuple(_file(file, mark) for file in layer.resources),
        tuple(_patch(patch, mark) for patch in layer.patches),
        layer.for_all,
    )


def _patch(patch: PatchPlan, mark: str) -> PatchPlan:
    if any(_tests_name(one.body) for one in patch.file.objects):
        raise _UnmarkableError
    return replace(patch, target=_target(patch, mark)) if patch.target else replace(patch, file=_file(patch.file, mark))


def _object(text: str, mark: str) -> str:
    """An object in kustomize's style with a marked name."""
    name = _safe(head_of(text)[3])
    before, line, after = text.partition(f"\n  name: {name}\n")
    if not line or "\nmetadata:\n" not in f"\n{before}\n" or _is_left(before):
        raise _UnmarkableError
    return f"{before}\n  name: {mark}{name}\n{after}"


def _is_left(before: str) -> bool:
    """True if a text ends behind its metadata."""
    *_, metadata = before.rpartition("\nmetadata:")
    return any(line[:1] not in ("", " ") for line in metadata.split("\n"))


def _file(file: UserFile, mark: str) -> UserFile:
    """A user's file with a marked name in each object."""
    found, problems = read(file.data, "")
    if problems:
        raise _UnmarkableError
    text = file.data.decode()
    lines = list(accumulate((len(line) + 1 for line in text.split("\n")), initial=0))
    for start in sorted((_start_of_name(one, text, lines) for one in found), reverse=True):
        text = text[:start] + mark + text[start:]
    marked = text.encode()
    if _UNSURE.search(marked):
        again = [one.data for one in read(marked, "")[0]]
        if again != [_with_name(one.data, mark) for one in found]:
            raise _UnmarkableError  # for example, an alias repeats the name
    return replace(file, data=marked)


def _with_name(body: Any, mark: str) -> Any:
    """An object whose only difference is its name."""
    return {**body, "metadata": {**body["metadata"], "name": mark + body["metadata"]["name"]}}


def _start_of_name(document: Document, text: str, lines: list[int]) -> int:
    """The index of the first character of an object's name. Lines and columns count from 1."""
    if ("metadata", "name") not in document.values or str(document.data.get("kind")).endswith("List"):
        raise _UnmarkableError  # kustomize replaces a List by its items
    name = _safe(document.data["metadata"]["name"])
    line, column = document.values["metadata", "name"]
    start = lines[line - 1] + column - 1 if line <= len(lines) else len(text)
    start += text[start : start + 1] in ("'", '"')
    if not text.startswith(name, start):
        raise _UnmarkableError
    return start


def _target(patch: PatchPlan, mark: str) -> Mapping[str, str]:
    pattern = patch.target.get("name")
    if not pattern:  # kustomize doesn't compare the name
        return patch.target
    if not _PATTERN.fullmatch(pattern):
        raise _UnmarkableError
    return {**patch.target, "name": f"{mark}(?:{pattern})"}


def _tests_name(change: Any) -> bool:
    """True if a JSON patch compares the name of an object."""
    paths = (step.get("path") for step in change if step.get("op") == "test") if isinstance(change, tuple) else ()
    return any(decoded(str(path)) in ("", "metadata", "metadata/name") for path in paths)


def _safe(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name.lower() in _WORDS:
        raise _UnmarkableError
    return name
