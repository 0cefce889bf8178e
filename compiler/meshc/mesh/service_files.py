"""Finds the Services in an application's folder, and notes the ignored files.

Application folders contain many other files: values of charts, templates, dashboards, CRDs, hooks without a name. Only
documents with `kind: Service` are parsed as YAML, so that other documents cause no errors and cost no time.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from meshc import codes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from meshc.errors import Path, Problem
    from meshc.mesh.model import Service
    from meshc.mesh.source import Source

_SERVICE = re.compile(
    rb"(?i)\bkind[\"']?\s*+:\s*+(?:[&!][^\s,{}]{0,200}+\s++)?(?:\*|[\"']?+\s*+(?:services?(?:list)?|namespace)\b)"
)
_OBJECT = re.compile(rb"(?i)\bkind[\"']?\s*:")
_VERSION = re.compile(rb"(?i)\bapiVersion[\"']?\s*:")
_DOCUMENT = re.compile(rb"(?m)^---(?=\s|$)")
_PATTERN = frozenset("*?/.")
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Chosen:
    """Selects the files of a folder: those that match a pattern under include, if there is one, and none under exclude.

    An item of include or exclude is a pattern if it contains `*`, `?`, `/` or `.`, which no name of a Service can have.
    """

    path: str
    include: tuple[str, ...]
    exclude: tuple[str, ...]

    @staticmethod
    def of(entry: Service) -> Chosen:
        include = tuple(word for word in entry.include or () if is_pattern(word))
        return Chosen(entry.manifests or "", include, tuple(word for word in entry.exclude if is_pattern(word)))

    def files(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if self._fits(name)]

    def idle(self, names: Sequence[str]) -> Iterator[str]:
        """Patterns that match no file."""
        below = [self._below(name) for name in names]
        yield from (one for one in (*self.include, *self.exclude) if not any(fnmatchcase(name, one) for name in below))

    def _fits(self, name: str) -> bool:
        below = self._below(name)
        included = not self.include or any(fnmatchcase(below, pattern) for pattern in self.include)
        return included and not any(fnmatchcase(below, pattern) for pattern in self.exclude)

    def _below(self, name: str) -> str:
        return posixpath.relpath(name, posixpath.normpath(self.path))


def is_pattern(word: str) -> bool:
    """True if an item of include or exclude is a pattern of files, not a Service."""
    return not _PATTERN.isdisjoint(word)


@dataclass
class PassedOver:
    """The files of a folder that weren't read, by reason."""

    objectless: list[str] = field(default_factory=list)
    templates: list[str] = field(default_factory=list)

    def told(self, source: Source, at: Path, path: str) -> Iterator[Problem]:
        """One notice for each reason, not for each file."""
        if self.templates:
            what = f'"{path}": ignored, because these files are Helm templates: {_listed(self.templates)}'
            hint = "render the chart with helm template, and use its output"
            yield source.problem(codes.PASSED_OVER, at, what, hint)
        if self.objectless:
            what = f'"{path}": ignored, because these files have no Kubernetes object: {_listed(self.objectless)}'
            yield source.problem(
                codes.PASSED_OVER, at, what, 'nothing to do; or select files, such as include: ["deploy/*.yaml"]'
            )


def services_alone(data: bytes) -> bytes:
    """The Services and Namespaces of a file on their original lines; other documents become blank lines."""
    starts = [0, *(found.start() for found in _DOCUMENT.finditer(data) if found.start())]
    parts = [data[start:end] for start, end in zip(starts, [*starts[1:], len(data)], strict=True)]
    if not any(map(_SERVICE.search, parts)):
        return b""
    return b"".join(part if _SERVICE.search(part) else b"\n" * part.count(b"\n") for part in parts)


def is_template(data: bytes) -> bool:
    """True if a file is a Helm template."""
    return b"{{" in data


def holds_object(data: bytes) -> bool:
    """True if anything in a file looks like a Kubernetes object."""
    return bool(_OBJECT.search(data) and _VERSION.search(data))


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
