"""Reads the files of a commit, only from Git's objects.

Uses no filter, hook or setting of a repository, downloads nothing, and checks out no file.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha1
from pathlib import Path

from meshc.disk.files import OutsideError, quoted
from meshc.disk.matching import fitting, steady
from meshc.disk.repository import LFS_POINTER
from meshc.errors import ToolError, UsageError
from meshc.git import ask_git
from meshc.process import CommandError

_REF = re.compile(r"(?![-^])(?!.*\.\.)[^\s:?*\[\\\x00-\x1f\x7f]{1,200}")
_DEFAULTS = ("origin/main", "origin/master", "main", "master")
_SHALLOW = "in CI fetch the whole history: fetch-depth: 0, or GIT_DEPTH: 0"


def under_review() -> str:
    """In CI, the target branch of the pull request or merge request; empty elsewhere."""
    return os.environ.get("GITHUB_BASE_REF") or os.environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME") or ""


@dataclass(frozen=True, slots=True)
class Commits:
    """The history around the folder of a mesh.yaml."""

    base: Path

    def commit(self, ref: str) -> str:
        """The full hash of a commit. Raises UsageError for an invalid name, and for a commit that Git doesn't know."""
        if not _REF.fullmatch(ref):
            raise UsageError(f'"{ref[:80]}" isn\'t the name of a commit')
        found = self._asked("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        if not found:
            raise UsageError(f'this repository has no commit "{ref}"', f"fetch it first; {_SHALLOW}")
        return found

    def default_base(self) -> tuple[str, str]:
        """The commit where this branch left the default branch, and its name.

        In a pull request of GitHub or a merge request of GitLab, the target branch counts instead. Raises UsageError if
        no branch is known, or if none shares a commit with this one.
        """
        told = under_review()
        head = self._asked("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
        for ref in [f"origin/{told}"] if told else [*([head] if head else []), *_DEFAULTS]:
            if _REF.fullmatch(ref) and self._asked("rev-parse", "--verify", "--quiet", "--end-of-options", ref):
                found = self._asked("merge-base", "HEAD", ref)
                if not found:
                    raise UsageError(
                        f'HEAD and "{ref}" have no common commit', f"name a commit with --base; {_SHALLOW}"
                    )
                return found, ref
        raise UsageError("no branch to compare with was found", f"name a commit with --base; {_SHALLOW}")

    def message(self, commit: str) -> bytes:
        """The message of a commit."""
        return self._run("log", "-1", "--format=%B", "--end-of-options", commit)

    def current(self) -> str:
        """The branch that is checked out; "" if there is none."""
        return self._asked("symbolic-ref", "--quiet", "--short", "HEAD")

    def published(self, branch: str) -> tuple[str, str]:
        """The last known commit of a branch on origin, else of the local branch, and its name; "" if there is no such
        branch."""
        for ref in (f"refs/remotes/origin/{branch}", f"refs/heads/{branch}"):
            if found := self._asked("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"):
                return found, ref.removeprefix("refs/").removeprefix("remotes/").removeprefix("heads/")
        return "", branch

    def files(self, commit: str, folder: str, known: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
        """The files of a commit in a folder next to mesh.yaml, by path in that folder, without links.

        `known` are files whose content is already known: an equal file isn't read again.
        """
        return self._files(commit, f"{self._prefix()}{folder}".rstrip("/"), known or {})

    def files_at_top(self, commit: str, folder: str, known: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
        """The same for a folder at the top of the repository; "" means the whole repository."""
        return self._files(commit, folder, known or {})

    def place_in_repository(self) -> str:
        """The folder of mesh.yaml from the top of the repository, with a / at its end unless it is the top."""
        return self._prefix()

    def file(self, commit: str, path: str) -> bytes | None:
        """The content of a file next to mesh.yaml in a commit; None if the commit has no such file."""
        top = f"{self._prefix()}{path}"
        folder, _, name = top.rpartition("/")
        return self._files(commit, folder, {}, only=name).get(name)

    def at(self, commit: str) -> Committed:
        """The files of a commit, which are read by their paths from the folder of mesh.yaml."""
        return Committed(self, commit)

    def matching(self, commit: str, pattern: str) -> dict[str, bytes]:
        """The files that match a pattern, by path from mesh.yaml, without links. Raises OutsideError."""
        prefix = self._prefix()
        top = posixpath.normpath(posixpath.join(prefix, pattern))
        if top.startswith(("../", "/")):
            raise OutsideError(f"{quoted(pattern)} leaves the repository")
        folder, names = steady(top)
        folder = folder if names else posixpath.dirname(folder)
        words = [f"{folder}/"] if folder else []
        rows = self._run("ls-tree", "-r", "-z", "--full-tree", "--end-of-options", commit, *words).split(b"\0")
        blobs: dict[str, bytes] = {}
        for row in rows:
            meta, _, path = row.partition(b"\t")
            if row.startswith((b"100644 ", b"100755 ")):
                blobs[path.decode(errors="surrogateescape")] = meta.rpartition(b" ")[2]
        fit = fitting(blobs, top)
        read = self._blobs({path: blobs[path] for path in fit})
        return {posixpath.relpath(path, prefix or "."): read[path] for path in fit}

    def changed(self, commit: str, files: Mapping[str, bytes]) -> dict[str, bytes | None]:
        """The files that differ in a commit, by path from mesh.yaml: the bytes in the commit, or None if it has no such
        file."""
        prefix = self._prefix()
        tops = {posixpath.normpath(posixpath.join(prefix, path)): path for path in files}
        rows = self._run("ls-tree", "-r", "-z", "--full-tree", "--end-of-options", commit)
        names: dict[str, bytes] = {}
        for row in rows.split(b"\0"):
            meta, _, path = row.partition(b"\t")
            top = path.decode(errors="surrogateescape")
            if top in tops:
                names[tops[top]] = meta.rpartition(b" ")[2]
        others = {path: name for path, name in names.items() if _name_of(files[path]) != name}
        return {path: None for path in files if path not in names} | self._blobs(others)

    def folder(self, commit: str, path: str) -> str | None:
        """The Git hash of a folder in a commit; None if there is no such folder. A path that starts with `./` is
        relative to mesh.yaml.

        Folders with the same content have the same hash.
        """
        return self._asked("rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}:{path}") or None

    def last_change(self, paths: tuple[str, ...]) -> str:
        """The last commit that changed one of the paths, which are relative to mesh.yaml; "" if there is none."""
        return self._asked("log", "-1", "--format=%H", "--end-of-options", "HEAD", "--", *paths)

    def changed_since(self, commit: str) -> tuple[str, ...]:
        """The files in the folder of mesh.yaml that later commits changed."""
        words = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--relative", "--end-of-options")
        said = self._run(*words, commit, "HEAD", "--", ".")
        return tuple(path for path in said.decode(errors="replace").split("\0") if path)

    def _files(self, commit: str, folder: str, known: Mapping[str, bytes], only: str = "") -> dict[str, bytes]:
        prefix = f"{folder}/" if folder else ""
        rows = self._run(
            "ls-tree", "-r", "-z", "--full-tree", "--end-of-options", commit, *filter(None, [prefix + only])
        )
        wanted: dict[str, bytes] = {}
        found: dict[str, bytes] = {}
        for row in rows.split(b"\0"):
            meta, _, path = row.partition(b"\t")
            mode, _, name = meta.partition(b" blob ")
            relative = path.decode(errors="surrogateescape").removeprefix(prefix)
            if only and relative != only:
                continue
            if mode not in (b"100644", b"100755"):
                continue
            if relative in known and _name_of(known[relative]) == name:
                found[relative] = known[relative]
            else:
                wanted[relative] = name
        read = self._blobs(wanted)
        if pointers := [path for path, data in read.items() if data.startswith(LFS_POINTER)]:
            raise UsageError(
                f"{prefix + pointers[0]!r} is a pointer of Git LFS in the commit to compare with, not the file itself",
                "remove certificates and generated files from Git LFS (.gitattributes)",
            )
        return found | read

    def _blobs(self, wanted: Mapping[str, bytes]) -> dict[str, bytes]:
        names = b"".join(name + b"\n" for name in wanted.values())
        said = self._run("cat-file", "--batch", stdin=names) if wanted else b""
        found, position = {}, 0
        for path in wanted:
            end = said.index(b"\n", position)
            size = said[position:end].rsplit(b" ", 1)[1]
            if size == b"missing":
                raise ToolError(
                    f"this clone doesn't have the content of {path!r}",
                    "this is a partial clone: fetch the whole repository",
                )
            found[path] = said[end + 1 : end + 1 + int(size)]
            position = end + int(size) + 2
        return found

    def _prefix(self) -> str:
        return self._run("rev-parse", "--show-prefix").decode().rstrip("\n")

    def _asked(self, *words: str) -> str:
        """The output of git; "" if it fails."""
        try:
            return ask_git(self.base, *words).decode().strip()
        except CommandError:
            return ""

    def _run(self, *words: str, stdin: bytes = b"") -> bytes:
        try:
            return ask_git(self.base, *words, stdin=stdin)
        except CommandError as error:
            if "not a git repository" in error.said:
                raise UsageError("this isn't a Git repository, so there is nothing to compare with") from None
            raise


@dataclass
class Committed:
    """The files of one commit, in the form that `mesh.including` needs for parts. All files of a pattern are read
    together, because starting Git is slow."""

    commits: Commits
    commit: str
    _read: dict[str, bytes] = field(default_factory=dict)

    @property
    def from_top(self) -> str:
        """The path of mesh.yaml's folder from the top of the repository."""
        return self.commits.place_in_repository().rstrip("/") or "."

    def match_files(self, pattern: str) -> list[str]:
        """The files that match a pattern, sorted, without links. Raises OutsideError."""
        found = self.commits.matching(self.commit, pattern)
        self._read |= found
        return sorted(found)

    def read_file(self, relative: str) -> bytes:
        """A file that matched a pattern. Raises FileNotFoundError for any other."""
        if relative not in self._read:
            raise FileNotFoundError(relative)
        return self._read[relative]


def _name_of(data: bytes) -> bytes:
    """The Git hash of these bytes in a SHA-1 repository."""
    return sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest().encode()
