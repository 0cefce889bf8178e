"""A repository that records each read with a digest, so that a later run can see whether an input changed.

It compares digests of bytes, never modification times, because a checkout can set those to any value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeVar

from meshc.disk.digest import digest_of
from meshc.disk.files import files_of
from meshc.disk.repository import Kind, Repository
from meshc.errors import MeshcError

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Watched(Repository):
    """A repository that records each read with a digest of its result."""

    notes: dict[str, str] = field(default_factory=dict)

    def read_file(self, relative: str) -> bytes:
        return self._noted(f"read {relative}", lambda: Repository.read_file(self, relative), bytes)

    def kind(self, relative: str) -> Kind:
        return self._noted(f"kind {relative}", lambda: Repository.kind(self, relative), _told)

    def list_files(self, relative: str) -> tuple[str, ...]:
        return self._noted(f"list {relative}", lambda: Repository.list_files(self, relative), _told)

    def match_files(self, pattern: str) -> tuple[str, ...]:
        return self._noted(f"match {pattern}", lambda: Repository.match_files(self, pattern), _told)

    def _noted(self, question: str, ask: Callable[[], _Answer], as_bytes: Callable[[_Answer], bytes]) -> _Answer:
        try:
            answer = ask()
        except (OSError, MeshcError) as error:
            self.notes[question] = _told(error).decode()
            raise
        self.notes[question] = sha256(as_bytes(answer)).hexdigest()
        return answer


def hears_the_same(repository: Repository, notes: Mapping[str, str]) -> bool:
    """True if every recorded read still has the same result."""
    again = Watched(repository.base, repository.root)
    asks = {"read": again.read_file, "kind": again.kind, "list": again.list_files, "match": again.match_files}
    for question, answer in notes.items():
        word, _, path = question.partition(" ")
        with suppress(OSError, MeshcError):
            asks[word](path)
        if again.notes[question] != answer:
            return False
    return True


def digest_on_disk(repository: Repository, folders: Iterable[str]) -> str:
    """The digest of all files in folders, generated or not. Raises IrregularError for a link."""
    return digest_of({path: data for folder in folders for path, data in files_of(repository.base, folder).items()})


def _told(answer: object) -> bytes:
    return repr(answer).encode()
