"""Reads from Git's history when paths last changed, and all their earlier contents.

Uses only plumbing commands, whose output doesn't depend on settings of a repository.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from meshc.git import ask_git
from meshc.process import CommandError
from meshc.review.committed import Commits

_FILES = (b"100644", b"100755")
_LAST_SECOND = 253402300799
"""The last second of the year 9999. The time of a commit can be any number."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A commit with its time."""

    commit: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """One earlier content of a file, with the file's path in the requested folder."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True)
class History:
    """The history of the branch around the folder of a mesh.yaml."""

    base: Path

    def last_change(self, paths: Iterable[str]) -> Changed | None:
        """The last change of any of the paths, which are relative to mesh.yaml, on this branch; None if Git knows no
        such commit.

        Changes of a merged branch count from the merge, because nothing was synced before.
        """
        return next(iter(self.changes(paths, 1)), None)

    def changes(self, paths: Iterable[str], most: int) -> list[Changed]:
        """The last changes, at most `most`, newest first."""
        words = ("--first-parent", "--timestamp", f"--max-count={most}", "--end-of-options", "HEAD", "--", *paths)
        rows = [line.split() for line in self._asked("rev-list", *words).decode().splitlines()]
        return [
            Changed(row[1], datetime.fromtimestamp(min(max(int(row[0]), 0), _LAST_SECOND), UTC))
            for row in rows
            if len(row) == 2
        ]

    def versions(self, folder: str, names: Collection[str], commits: int, largest: int) -> list[Version]:
        """All contents that files with these names had in a folder next to mesh.yaml or below it, newest first.

        Reads at most `commits` commits that changed the folder, and as many contents, each of at most `largest` bytes.
        """
        shas = self._asked(
            "rev-list", "--full-history", f"--max-count={commits}", "--end-of-options", "HEAD", "--", folder
        )
        if not shas:
            return []
        flags = ("-r", "-m", "--root", "--raw", "--no-abbrev", "--no-renames", "--no-commit-id", "-z")
        rows = iter(self._asked("diff-tree", "--stdin", *flags, "--", folder, stdin=shas).split(b"\0"))
        top = posixpath.normpath(posixpath.join(Commits(self.base).place_in_repository(), folder))
        found: dict[tuple[str, bytes], None] = {}
        for facts in rows:  # `:100644 100644 <old> <new> M`, then the path
            path = next(rows, b"").decode(errors="surrogateescape")
            inside = path if top == "." else path.removeprefix(f"{top}/")
            if posixpath.basename(inside) in names and facts.startswith(b":"):
                was, now, old, new, _ = facts[1:].split()
                found |= dict.fromkeys((inside, blob) for mode, blob in ((now, new), (was, old)) if mode in _FILES)
        kept = list(found)[:commits]
        contents = self._contents({blob for _, blob in kept}, largest)
        return [Version(path, contents[blob]) for path, blob in kept if blob in contents]

    def _contents(self, blobs: Collection[bytes], largest: int) -> dict[bytes, bytes]:
        """The content of each blob that exists locally and isn't larger."""
        asked = b"".join(blob + b"\n" for blob in sorted(blobs))
        sizes = [line.split() for line in self._asked("cat-file", "--batch-check", stdin=asked).splitlines()]
        small = [words[0] for words in sizes if len(words) == 3 and int(words[2]) <= largest]
        said = self._asked("cat-file", "--batch", stdin=b"".join(blob + b"\n" for blob in small)) if small else b""
        found, position = {}, 0
        for blob in small:
            end = said.index(b"\n", position)
            size = int(said[position:end].rsplit(b" ", 1)[1])
            found[blob] = said[end + 1 : end + 1 + size]
            position = end + size + 2
        return found

    def _asked(self, *words: str, stdin: bytes = b"") -> bytes:
        """The output of Git; empty if Git fails."""
        try:
            return ask_git(self.base, *words, stdin=stdin)
        except CommandError:
            return b""
