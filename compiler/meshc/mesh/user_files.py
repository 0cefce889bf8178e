"""A user's file, its documents, and the objects in them, each with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from meshc.errors import Path, Place, Rewrite

if TYPE_CHECKING:
    from meshc.yamltext.document import Document


@dataclass(frozen=True, slots=True)
class Manifest:
    """One document of a user's file. The place of a document from kustomize is in mesh.yaml."""

    document: Document
    named: Place | None = None

    @property
    def data(self) -> Any:
        return self.document.data

    def place(self, path: Path) -> Place:
        return self.named or self.document.place(path)

    def fix(self, was: str, value: str) -> Rewrite | None:
        """The fix of a value of this document, if the document is alone in a file."""
        return None if self.named else Rewrite(was, value)


@dataclass(frozen=True, slots=True)
class UserFile:
    """A user's file: its path, its bytes, its documents.

    For the output of kustomize, the path is the folder's, with / at the end.
    """

    path: str
    data: bytes = field(repr=False)
    manifests: tuple[Manifest, ...] = field(repr=False)


def objects_in(manifests: Iterable[Manifest]) -> Iterator[tuple[Manifest, Path, Any]]:
    """Every object of some manifests, including the items of Lists: its manifest, its path in there, its data."""
    for manifest in manifests:
        yield from _unwrapped(manifest, (), manifest.data)


def _unwrapped(manifest: Manifest, path: Path, data: Any) -> Iterator[tuple[Manifest, Path, Any]]:
    if isinstance(data, dict) and str(data.get("kind", "")).endswith("List") and isinstance(data.get("items"), tuple):
        for number, item in enumerate(data["items"]):
            yield from _unwrapped(manifest, (*path, "items", number), item)
    else:
        yield manifest, path, data
