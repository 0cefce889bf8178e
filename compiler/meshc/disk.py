"""The only module that writes files: turns a `FileTree` into folders, whole or not at all. Follows no link.

A generated unit is one folder (`overlays/hub`) or one file (`output/_meshc.yaml`). New units are staged in
`.meshc/transaction/new`, a journal names them, then each old unit is renamed into `.meshc/transaction/old`
and each new one into its place. Where a unit stands tells how far it got, so undoing (after a failure) and
finishing (after a killed run) both look at the disk, never at what a process remembers.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import posixpath
import re
import shutil
import stat
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from os.path import lexists
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, unquote

from meshc.errors import RefusedError, ToolError
from meshc.tree import HEADER, FileTree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

LARGEST_INPUT = 16 * 1024 * 1024
"""What `read_file` reads at most, in bytes."""


class OutsideError(RefusedError):
    """A path that can't be one of the repository's. The message quotes it and says why."""


class IrregularError(RefusedError):
    """What a path leads to isn't a plain file or folder: a symbolic link, a pipe, too large."""


@dataclass(frozen=True, slots=True)
class Written:
    """What `replace` did, by unit. Units it was given and doesn't name were as they should be."""

    created: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def enclosing(base: Path) -> Path:
    """The top of the Git repository around `base`, or `base` if there is none. Runs no git."""
    return next((folder for folder in (base, *base.parents) if (folder / ".git").exists()), base)


def foreign(files: Mapping[str, bytes]) -> tuple[str, ...]:
    """The paths of the files that meshc didn't write."""
    return tuple(path for path, data in files.items() if not data.startswith(HEADER))


@contextmanager
def scratch(files: FileTree) -> Iterator[Path]:
    """A private temporary folder that holds `files`, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="meshc-") as name:
        folder = Path(name).resolve()  # kustomize compares real paths, and macOS links /var
        with _telling(f'cannot write to "{folder}"', ""):
            for path, data in files.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(data)
        yield folder


@dataclass(frozen=True, slots=True)
class Repository:
    """The folder of mesh.yaml (`base`) in its repository (`root`), both real paths.

    All paths that go in and out are relative to `base`, with / between their parts.
    """

    base: Path
    root: Path

    @staticmethod
    def around(base: Path) -> Repository:
        """The repository that `base` lies in."""
        return Repository(base.resolve(), enclosing(base.resolve()))

    def locate(self, relative: str) -> str:
        """`relative` without detours. Raises OutsideError unless it stays inside. Touches nothing."""
        shown = _quoted(relative)
        if not relative:
            raise OutsideError("the path is empty")
        if not relative.isprintable():
            raise OutsideError(f"{shown} holds a control character")
        if "\\" in relative:
            raise OutsideError(f"{shown} holds a backslash; folders are separated by /")
        if relative.startswith("/"):
            raise OutsideError(f"{shown} is absolute; write it relative to mesh.yaml")
        whole = posixpath.normpath(posixpath.join(self.base, relative))
        if posixpath.commonpath([whole, self.root]) != str(self.root):
            raise OutsideError(f"{shown} leaves the repository")
        if ".git" in posixpath.relpath(whole, self.root).lower().split("/"):
            raise OutsideError(f"{shown} is Git's own")
        return posixpath.relpath(whole, self.base)

    def read_file(self, relative: str) -> bytes:
        """The bytes of an input file; no link is followed, no pipe waited for.

        Raises OutsideError, IrregularError, FileNotFoundError, and OSError if it can't be read.
        """
        path = self.locate(relative)
        with _opened(self.root, self.base, path) as fd:
            if fd is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
            if _is_folder(fd):
                raise IrregularError(f"{_quoted(path)} is a folder, not a file")
            data = _read(fd, LARGEST_INPUT + 1)
        if len(data) > LARGEST_INPUT:
            raise IrregularError(f"{_quoted(path)} is larger than {LARGEST_INPUT >> 20} MiB")
        return data

    def kind(self, relative: str) -> Literal["file", "folder"] | None:
        """What stands there, None if nothing does. Raises OutsideError, and IrregularError for a link."""
        with _opened(self.root, self.base, self.locate(relative)) as fd:
            return None if fd is None else "folder" if _is_folder(fd) else "file"

    def list_files(self, relative: str) -> tuple[str, ...]:
        """The files below a folder at any depth, sorted; what starts with a dot is passed over.

        Raises OutsideError, IrregularError for a link, FileNotFoundError or NotADirectoryError.
        """
        path = self.locate(relative)
        with _opened(self.root, self.base, path) as fd:
            if fd is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
            if not _is_folder(fd):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
            return tuple(sorted(self.locate(name) for name, _ in _walk(fd, path, hidden=False)))

    def read_generated(self, parents: Iterable[str]) -> FileTree:
        """What stands in the units below `parents`, foreign files among them.

        A unit in which no file is meshc's is somebody's own and left out. Raises IrregularError for any link.
        """
        files: dict[str, bytes] = {}
        for parent in parents:
            with _telling(f"cannot read {_quoted(parent)}", ""):
                found = _files_of(self.base, parent)
            unit_of = {path: path.removeprefix(parent + "/").partition("/")[0] for path in found}
            ours = {unit_of[path] for path in found.keys() - set(foreign(found))}
            files |= {path: data for path, data in found.items() if unit_of[path] in ours}
        return FileTree(files)

    def replace(self, units: Mapping[str, FileTree | bytes | None]) -> Written:
        """Brings every unit to the given content (None removes it): all of them, or none.

        A unit that is as it should be isn't touched, nor, when it is to be removed, one in which nothing is
        meshc's. Raises RefusedError if a file that isn't meshc's is in the way or another meshc is writing,
        and ToolError if the disk fails; everything is then as before. Every new file must start with HEADER.
        """
        _refuse_misuse(units)
        with _writing(self.base):
            with _telling("cannot read what was generated before"):
                current = {unit: _files_of(self.base, unit) for unit in units}
            wanted = {unit: _spread(unit, content) for unit, content in units.items()}
            changes = {
                unit: files
                for unit, files in wanted.items()
                if files != current[unit] and (files or _is_ours(current[unit]))
            }
            _refuse_foreign(current[unit] for unit in changes)
            if changes:
                _apply(self.base, changes, current)
        return Written(
            created=tuple(unit for unit in changes if not current[unit]),
            changed=tuple(unit for unit in changes if changes[unit] and current[unit]),
            removed=tuple(unit for unit in changes if not changes[unit]),
        )

    def recover(self) -> bool:
        """Finishes what a killed run left; True if there was something. To be called at each start.

        Raises RefusedError if another meshc is writing, or if a foreign file has since come in the way.
        """
        if not lexists(self.base / ".meshc" / "transaction"):
            return False
        with _writing(self.base) as recovered:
            return recovered

    def create(self, files: FileTree) -> None:
        """Writes files that mustn't exist yet; on failure, none.

        Raises RefusedError naming all that do exist, ToolError if the disk fails. A killed run leaves some.
        """
        taken = [path for path in files if self.kind(path)]
        if taken:
            raise RefusedError(f"{_listed(taken)} already there; nothing was written")
        made: list[Path] = []
        try:
            for path, data in files.items():
                with _telling(f"cannot write {_quoted(path)}", "; nothing was written"):
                    _make_folders((self.base / path).parent)
                    _write(self.base / path, data)
                    made.append(self.base / path)
        except BaseException:
            for file in made:
                file.unlink()
            for path in files:
                _drop_empty(self.base, (self.base / path).parent)
            raise

    def cache_get(self, key: str) -> bytes | None:
        """What `cache_put` stored under `key`, None if it is gone, damaged or not from here."""
        with suppress(OSError), _opened(self.base, self.base, "/".join(_cache_path(key))) as fd:
            # What Git checks out is always writable by its owner: an entry that a pull request plants, to be
            # taken for rendered output, can't have this mode.
            if fd is not None and stat.S_IMODE(os.fstat(fd).st_mode) == 0o400:
                stored = _read(fd)
                if stored[:32] == _seal(key, stored[32:]):
                    return stored[32:]
        return None

    def cache_put(self, key: str, data: bytes) -> None:
        """Keeps `data` if it can: no cache only costs time. Raises IrregularError if .meshc is a link."""
        _, *folders, name = _cache_path(key)
        with suppress(OSError):
            folder = _own_folder(self.base, *folders)
            fd, temporary = tempfile.mkstemp(dir=folder)
            try:
                with os.fdopen(fd, "wb") as file:
                    file.write(_seal(key, data) + data)
                    os.fchmod(fd, 0o400)
                Path(temporary).replace(folder / name)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise


# Replacing units, whole or not at all.


@dataclass(frozen=True, slots=True)
class _Move:
    """One unit on its way: where it belongs, and where the old one and the new one wait."""

    target: Path
    old: Path
    new: Path
    arrives: bool  # False: the unit is removed

    @staticmethod
    def of(base: Path, unit: str, arrives: bool) -> _Move:
        folder = base / ".meshc" / "transaction"
        name = quote(unit, safe="")  # flat, so that what waits can be put back even if the journal is lost
        return _Move(base / unit, folder / "old" / name, folder / "new" / name, arrives)

    def forward(self) -> None:
        """From wherever it was left to the end. May be killed anywhere and called again."""
        if self.arrives and not lexists(self.new):
            self.put_back()  # nothing to do, unless somebody removed the unit in the meantime
            return
        if lexists(self.target):
            _remove(self.old)
            self.target.rename(self.old)
        if self.arrives:
            _make_folders(self.target.parent)
            self.new.rename(self.target)

    def back(self) -> None:
        """From wherever it was left to the start. Only right once everything is staged."""
        if self.arrives and lexists(self.target) and not lexists(self.new):
            self.target.rename(self.new)
        self.put_back()

    def put_back(self) -> None:
        if lexists(self.old) and not lexists(self.target):
            _make_folders(self.target.parent)
            self.old.rename(self.target)


def _apply(
    base: Path, changes: Mapping[str, Mapping[str, bytes]], current: Mapping[str, Mapping[str, bytes]]
) -> None:
    moves = {unit: _Move.of(base, unit, arrives=bool(files)) for unit, files in changes.items()}
    journal = base / ".meshc" / "transaction" / "journal.json"
    unit = ".meshc/transaction"
    try:
        for name in ("old", "new"):
            _own_folder(base, "transaction", name)
        for unit, move in moves.items():
            for path, data in changes[unit].items():
                same = base / path if current[unit].get(path) == data else None
                _stage(Path(f"{move.new}{path.removeprefix(unit)}"), data, same)
        _write(journal.with_suffix(".tmp"), json.dumps({u: m.arrives for u, m in moves.items()}).encode())
        journal.with_suffix(".tmp").replace(journal)
        _sync(journal.parent)
        for unit in moves:
            moves[unit].forward()
    except BaseException as error:
        try:
            _undo(base, moves.values(), journal)
        except OSError as second:
            raise ToolError(
                f"cannot write {_quoted(unit)}: {_reason(error)}, and the old files could not be put back: "
                f"{_reason(second)}; the next meshc command will finish this"
            ) from error
        if isinstance(error, OSError):
            raise ToolError(f"cannot write {_quoted(unit)}: {_reason(error)}; nothing was changed") from error
        raise
    with suppress(OSError):  # the work is done; what stays behind is for the next start
        _finish(base, moves.values(), journal)


def _stage(path: Path, data: bytes, same: Path | None) -> None:
    _make_folders(path.parent)
    if same is not None:
        with suppress(OSError):  # a filesystem without hard links
            path.hardlink_to(same)
            return
    _write(path, data)


def _undo(base: Path, moves: Iterable[_Move], journal: Path) -> None:
    if lexists(journal):  # else nothing has moved yet
        for move in reversed([*moves]):
            move.back()
        journal.unlink()  # first: what is half deleted must not be finished
    _remove(journal.parent)
    for move in moves:
        _drop_empty(base, move.target.parent)


def _finish(base: Path, moves: Iterable[_Move], journal: Path) -> None:
    for move in moves:
        _drop_empty(base, move.target.parent)
    for name in ("new", "old"):
        _remove(journal.parent / name)
    journal.unlink(missing_ok=True)  # last: while there is one, what lies in `old` is known to be done with
    shutil.rmtree(journal.parent)


def _recover(base: Path) -> bool:
    if not lexists(base / ".meshc" / "transaction"):
        return False
    old, new = (_own_folder(base, "transaction", name) for name in ("old", "new"))
    journal = old.parent / "journal.json"
    moves = _read_journal(base, journal)
    if moves is None or foreign(_files_of(base, new.relative_to(base).as_posix())):
        # Nobody knows what was meant: put back what has no other copy. The next compile does the rest.
        lost = {unquote(kept.name): kept for kept in old.iterdir()}
        moves = {unit: _Move.of(base, unit, arrives=False) for unit in lost if _is_unit(unit)}
        for move in moves.values():
            move.put_back()
        _undo(base, (), journal)
        return True
    standing = {unit: _files_of(base, unit) for unit in moves}  # also refuses links on the way there
    pending = {u: m for u, m in moves.items() if (lexists(m.new) if m.arrives else _is_ours(standing[u]))}
    _refuse_foreign(standing[unit] for unit in pending)
    for unit, move in moves.items():
        if unit in pending or move.arrives:
            move.forward()
    _finish(base, moves.values(), journal)
    return True


def _read_journal(base: Path, journal: Path) -> dict[str, _Move] | None:
    """None if there is none, or none that can be trusted."""
    try:
        with _opened(base, base, journal.relative_to(base).as_posix()) as fd:
            units = json.loads(_read(fd)) if fd is not None else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(units, dict) or not all(_is_unit(unit) for unit in units):
        return None
    return {unit: _Move.of(base, unit, arrives is True) for unit, arrives in units.items()}


def _is_unit(unit: str) -> bool:
    try:
        FileTree({unit: b""})
    except ValueError:
        return False
    return not any(part.startswith(".") for part in unit.split("/"))


def _is_ours(files: Mapping[str, bytes]) -> bool:
    return len(foreign(files)) < len(files)


def _spread(unit: str, content: FileTree | bytes | None) -> dict[str, bytes]:
    """A unit as the files it is made of, so that a folder, a file and nothing compare alike."""
    return {unit: content} if isinstance(content, bytes) else dict((content or FileTree({})).at(unit))


def _refuse_misuse(units: Mapping[str, FileTree | bytes | None]) -> None:
    FileTree(dict.fromkeys(units, b""))  # raises ValueError if one lies in another
    for unit, content in units.items():
        if not _is_unit(unit):
            raise ValueError(f"{unit!r} is not the path of a generated unit")
        for path in foreign(_spread(unit, content)):
            raise ValueError(f"{path!r} doesn't start with the header, so the next compile would refuse it")


def _refuse_foreign(folders: Iterable[Mapping[str, bytes]]) -> None:
    found = sorted(path for files in folders for path in foreign(files))
    if found:
        raise RefusedError(
            f"{_listed(found)} where meshc is to write, but not made by meshc; nothing was changed; "
            "move what is yours out of there, for example into a folder that mesh.yaml names"
        )


# The lock, .meshc, and files read and written one at a time.


@contextmanager
def _writing(base: Path) -> Iterator[bool]:
    """The right to write below `base`, once what a killed run left is settled: True if it left any."""
    with _telling('cannot lock ".meshc/lock"'):
        fd = os.open(_own_folder(base) / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        with _telling('cannot lock ".meshc/lock"'):
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(fd, 20, 0).decode("ascii", "replace")
                raise RefusedError(
                    f"another meshc is writing here (process {holder}); wait until it is done"
                ) from None
            os.ftruncate(fd, 0)
            os.pwrite(fd, str(os.getpid()).encode(), 0)
        with _telling("cannot finish what an interrupted meshc left in .meshc", "; the next one tries again"):
            recovered = _recover(base)
        yield recovered
    finally:
        os.close(fd)  # releases the lock; the file stays, or two runs could hold two of them


def _own_folder(base: Path, *parts: str) -> Path:
    """A folder below .meshc, made if missing. Raises IrregularError if it, or one above it, is a link."""
    folder = base
    for name in (".meshc", *parts):
        folder = folder / name
        with suppress(FileExistsError):
            folder.mkdir()
        if not stat.S_ISDIR(folder.lstat().st_mode):
            shown = _quoted(folder.relative_to(base).as_posix())
            raise IrregularError(
                f"{shown} is a symbolic link or a file where meshc keeps a folder; remove it"
            )
    ignore = base / ".meshc" / ".gitignore"
    if not lexists(ignore):
        ignore.write_bytes(b"*\n")
    return folder


def _cache_path(key: str) -> tuple[str, str, str, str]:
    if not re.fullmatch("[0-9a-f]{8,128}", key):
        raise ValueError(f"{key!r} is not a cache key")
    return ".meshc", "cache", key[:2], key


def _seal(key: str, data: bytes) -> bytes:
    return sha256(key.encode() + b"\n" + data).digest()


@contextmanager
def _opened(top: Path, base: Path, path: str) -> Iterator[int | None]:
    """A descriptor of `base/path`, or None. Opens folder by folder, following no link below `top`."""
    fd: int | None = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    at = top
    try:
        for part in posixpath.relpath(base / path, top).split("/"):
            if fd is not None:
                at = at / part
                inner = _open_in(fd, part, posixpath.relpath(at, base))
                os.close(fd)
                fd = inner
        yield fd
    finally:
        if fd is not None:
            os.close(fd)


def _open_in(folder: int, name: str, shown: str) -> int | None:
    try:
        fd = os.open(
            name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder
        )  # a pipe would wait for a writer
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG):
            return None
        if error.errno in (errno.ELOOP, errno.EMLINK):
            raise IrregularError(f"{_quoted(shown)} is a symbolic link, which meshc never follows") from None
        if error.errno in (errno.ENXIO, errno.EOPNOTSUPP):
            raise IrregularError(f"{_quoted(shown)} is neither a file nor a folder") from None
        raise
    mode = os.fstat(fd).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        os.close(fd)
        raise IrregularError(f"{_quoted(shown)} is neither a file nor a folder")
    return fd


def _walk(fd: int, path: str, *, hidden: bool) -> Iterator[tuple[str, int]]:
    """Every file at or below `fd`, with a descriptor that is open until the next one is asked for."""
    if not _is_folder(fd):
        yield path, fd
        return
    for name in os.listdir(fd):
        inner = posixpath.normpath(f"{path}/{name}")
        if name.startswith(".") and not hidden:
            continue
        if not name.isprintable() or "\\" in name:
            raise IrregularError(f"{_quoted(inner)} has a name that no file here may have; rename it")
        child = _open_in(fd, name, inner)
        if child is not None:
            try:
                yield from _walk(child, inner, hidden=hidden)
            finally:
                os.close(child)


def _files_of(base: Path, path: str) -> dict[str, bytes]:
    """The files at or below `path`, with paths relative to `base`; none if nothing is there."""
    with _opened(base, base, path) as fd:
        return {} if fd is None else {name: _read(file) for name, file in _walk(fd, path, hidden=True)}


def _is_folder(fd: int) -> bool:
    return stat.S_ISDIR(os.fstat(fd).st_mode)


def _read(fd: int, limit: int = -1) -> bytes:
    with os.fdopen(fd, "rb", closefd=False) as file:
        return file.read(limit)


def _write(path: Path, data: bytes) -> None:
    """A new file, safe on the disk; none on failure. Raises FileExistsError rather than replace one."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    try:
        with os.fdopen(fd, "wb") as file:
            os.fchmod(fd, 0o644)  # whatever the umask: Argo CD and Flux read as somebody else
            file.write(data)
            file.flush()
            os.fsync(fd)
    except BaseException:
        path.unlink()
        raise


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _make_folders(folder: Path) -> None:
    if not folder.is_dir():
        _make_folders(folder.parent)
        folder.mkdir()
        folder.chmod(0o755)


def _drop_empty(base: Path, folder: Path) -> None:
    while folder != base:
        try:
            folder.rmdir()
        except FileNotFoundError:
            pass
        except OSError:
            return
        folder = folder.parent


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif lexists(path):
        path.unlink()


@contextmanager
def _telling(what: str, state: str = "; nothing was changed") -> Iterator[None]:
    """Turns an OSError into a ToolError: `cannot write "x": no space left on device; nothing was changed`."""
    try:
        yield
    except OSError as error:
        raise ToolError(f"{what}: {_reason(error)}{state}") from error


def _reason(error: BaseException) -> str:
    text = (
        error.strerror
        if isinstance(error, OSError) and error.strerror
        else str(error) or type(error).__name__
    )
    return text[0].lower() + text[1:]


def _quoted(path: str) -> str:
    return json.dumps(path, ensure_ascii=not path.isprintable())


def _listed(paths: list[str]) -> str:
    more = f" and {len(paths) - 10} more" if len(paths) > 10 else ""
    return ", ".join(map(_quoted, paths[:10])) + more + (" are" if len(paths) > 1 else " is")
