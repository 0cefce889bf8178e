"""Reads a file that mesh.yaml names, or reports a problem at the place in mesh.yaml."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.disk.files import IrregularError, OutsideError
from meshc.errors import Code, Path, Problem, Rewrite
from meshc.nearest import nearest, slip

if TYPE_CHECKING:
    from meshc.disk.repository import Repository
    from meshc.mesh.source import Source

_FILES = ("root-cert.pem", "ca-cert.pem", "cert-chain.pem", "cacerts.yaml")
"""Files with a fixed name, which are reported as missing if a folder has that name."""


class Reader:
    """Reads paths of mesh.yaml, and reports problems at the place in mesh.yaml."""

    def __init__(self, source: Source, repository: Repository) -> None:
        self.source, self.repository = source, repository
        self.problems: list[Problem] = []
        self.unread: set[str] = set()
        self._beside: dict[str, set[str]] = {}

    def folder(self, path: str, at: Path, *suffixes: str) -> Mapping[str, bytes]:
        """The files of a folder that may be missing, by path relative to it."""
        kind = self.kind(path, at)
        if kind == "file":
            self.report(
                codes.FILE_MISSING,
                at,
                f'"{path}" is a file, not a folder',
                "write the folder that contains the files",
            )
        if kind in ("file", "refused"):
            self.unread.add(path)
        if kind != "folder":
            return {}
        found: dict[str, bytes] = {}
        names = self.files_in(path, at)
        for inner in sorted({posixpath.dirname(name) for name in names}):
            if posixpath.basename(inner) in _FILES:
                self.report(
                    codes.FILE_UNREADABLE, at, f'"{inner}" is a folder, not a file', "replace it with a plain file"
                )
        for name in names:
            if (not suffixes or name.endswith(suffixes)) and (data := self.data_of(name, at)) is not None:
                found[posixpath.relpath(name, posixpath.normpath(path))] = data
        return found

    def data_of(self, path: str, at: Path) -> bytes | None:
        """The bytes of a file; None if it can't be read, which is reported."""
        try:
            return self.repository.read_file(path)
        except FileNotFoundError:
            self.missing(path, at)
        except IrregularError as error:
            self.irregular(error, at)
        except OSError as error:
            self.unreadable(path, error, at)
        return None

    def kind(self, path: str, at: Path) -> str | None:
        """file, folder, None for nothing, or refused, which is reported."""
        try:
            return self.repository.kind(path)
        except OutsideError as error:
            hint = error.hint or "write a path relative to the file that contains it, to a file inside the repository"
            self.report(codes.OUTSIDE, at, error.what, hint)
        except IrregularError as error:
            self.irregular(error, at)
        except OSError as error:
            self.unreadable(path, error, at)
        return "refused"

    def files_in(self, path: str, at: Path) -> Iterable[str]:
        """The files of a folder and below, by path; none if it can't be read, which is reported."""
        try:
            return self.repository.list_files(path)
        except IrregularError as error:
            self.irregular(error, at)
        except OSError as error:
            self.unreadable(path, error, at)
        return ()

    def missing(self, path: str, at: Path) -> None:
        """Reports that a path doesn't exist, and which file beside it is meant."""
        name, beside = posixpath.basename(path), self._names_in(posixpath.dirname(path))
        hint = (
            f'did you mean "{close}"?'
            if (close := nearest(name, beside, 0.75))
            else "correct the path, or add the file"
        )
        fix = self._renamed(at, slip(name, beside))
        self.problems.append(self.source.problem(codes.FILE_MISSING, at, f'"{path}" doesn\'t exist', hint, fix=fix))

    def _names_in(self, folder: str) -> set[str]:
        """The names in a folder of the repository; none if the folder can't be read."""
        if folder not in self._beside:
            try:
                below = self.repository.list_files(folder or ".")
            except (IrregularError, OutsideError, OSError):
                below = ()
            start = len(posixpath.normpath(folder)) + 1 if folder not in ("", ".") else 0
            self._beside[folder] = {name[start:].partition("/")[0] for name in below}
        return self._beside[folder]

    def _renamed(self, at: Path, name: Rewrite | None) -> Rewrite | None:
        """The path at a place of the mesh, with another name at its end, in the form of the file that contains it."""
        document, inner = self.source.document.at(at)
        value: Any = document.data
        for step in inner:
            value = value[step]
        if name is None or not isinstance(value, str) or posixpath.basename(value) != name.was:
            return None
        return Rewrite(value, f"{value.removesuffix(name.was)}{name.value}")

    def unreadable(self, path: str, error: OSError, at: Path) -> None:
        """Reports why the system doesn't allow reading a path."""
        what = f'"{path}" can\'t be read: {error.strerror}'
        self.report(codes.FILE_UNREADABLE, at, what, "check its permissions")

    def irregular(self, error: IrregularError, at: Path) -> None:
        """Reports that a path is neither a plain file nor a folder."""
        said = str(error)
        if "symbolic link" in said:
            self.report(codes.SYMLINK, at, said, "replace it with the file or folder itself")
        else:
            hint = "use letters, digits, -, _ and ." if "rename" in said else "replace it with a plain file or folder"
            hint = "split the file" if "larger" in said else hint
            hint = "in CI, check out with lfs: true" if "Git LFS" in said else hint
            self.report(codes.FILE_UNREADABLE, at, said, hint)

    def report(self, code: Code, at: Path, what: str, hint: str = "") -> None:
        """Adds a problem at a path of mesh.yaml."""
        self.problems.append(self.source.problem(code, at, what, hint))
