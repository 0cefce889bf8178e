"""Finds the folder for meshc's own state of one mesh, and reads and writes the journal in it.

The state is the lock, the journal of an interrupted run, and the cache. In a Git repository the state is in Git's own
folder, where no checkout can write: a branch can add any file to the work tree, even ignored ones. Outside of Git it is
in .meshc beside mesh.yaml; there meshc trusts a file only with a mode that neither Git nor an archive of a branch gives
to a file.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from meshc.disk.files import read
from meshc.errors import RefusedError

WORK = ".meshc"
"""The folder beside mesh.yaml for staged files, and for the state if there is no Git repository."""
_NO_JOURNAL = (errno.ENOENT, errno.ELOOP, errno.EMLINK, errno.EACCES, errno.ENXIO, errno.EOPNOTSUPP)
"""Errors that mean that there is no journal: it is missing, a link, another user's file, or a socket."""
_LARGEST_JOURNAL = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class State:
    """The place of the state of one mesh. `shown` is the folder's name in messages."""

    folders: tuple[Path, ...]
    """meshc's own folders, outermost first. The last one contains the state."""
    shown: str
    in_git: bool

    @classmethod
    def of(cls, base: Path, root: Path) -> State:
        """The state of the mesh in `base`, in the repository whose top is `root`. Doesn't access the disk."""
        tops = (folder for folder in (base, *base.parents) if git_folder(folder))
        top = next(tops, None)
        git = git_folder(top) if top else None
        if top is None or git is None:
            return cls((base / WORK,), WORK, in_git=False)
        root = top
        name = sha256(base.relative_to(root).as_posix().encode()).hexdigest()[:16]
        folder = git / "meshc" / name
        shown = folder.relative_to(root) if folder.is_relative_to(root) else folder
        return cls((folder.parent, folder), shown.as_posix(), in_git=True)

    @property
    def folder(self) -> Path:
        """The folder of lock, journal and cache."""
        return self.folders[-1]

    @property
    def journal(self) -> Path:
        """The journal: the file that lists the changes of an interrupted run."""
        return self.folder / "journal.json"

    def is_own(self) -> bool:
        """True if the folders are real folders, not links, and belong to the current user; outside of Git, nobody else
        may have access."""
        return all(self._is_own(folder) for folder in self.folders)

    def make(self) -> None:
        """Creates the folders. Raises RefusedError if a folder belongs to another user, or OSError."""
        for folder in self.folders:
            with suppress(FileExistsError):
                folder.mkdir(0o700)
        if not self.is_own():
            allowed = "isn't a folder of the current user" + ("" if self.in_git else " alone, with mode 0700")
            raise RefusedError(
                f'"{self.shown}" {allowed}, so meshc does not use it; nothing was changed',
                f"look at what it is, then remove it: rm -r {self.shown}",
            )

    def read_journal(self) -> bytes | None:
        """The bytes of the journal; None if there is no journal, or if it can't be trusted. Raises OSError."""
        if not self.is_own():
            return None
        try:
            fd = os.open(self.journal, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in _NO_JOURNAL:
                return None
            raise
        try:
            status = os.fstat(fd)
            sealed = self.in_git or stat.S_IMODE(status.st_mode) == 0o400
            believed = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and sealed
            return read(fd, _LARGEST_JOURNAL) if believed else None
        finally:
            os.close(fd)

    def write_journal(self, data: bytes) -> None:
        """Writes the journal atomically, so that it survives a power failure. Raises OSError."""
        fresh = self.journal.with_suffix(".new")
        if fresh.exists():  # of a run that was killed here
            fresh.unlink()
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o400)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(fd)
            fresh.replace(self.journal)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise

    def _is_own(self, folder: Path) -> bool:
        try:
            status = folder.lstat()
        except OSError:
            return False
        mode = stat.S_IMODE(status.st_mode) & ~stat.S_ISGID  # inherited from the folder above
        return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and (self.in_git or mode == 0o700)


def git_folder(root: Path) -> Path | None:
    """Git's own folder of the work tree whose top is `root`; None if there is no usable one. Runs no git.

    Git never checks out a file or folder with the name .git. In a linked work tree and in a submodule .git is a file
    that names the folder. If this folder is inside the work tree, it isn't used, because a checkout can write there.
    """
    entry = root / ".git"
    try:
        if entry.is_dir():
            return entry.resolve(strict=True) if _is_gits(entry) else None
        first = entry.read_bytes()[:4096].decode().split("\n")[0]
        if not first.startswith("gitdir: "):
            return None
        named = (root / first.removeprefix("gitdir: ")).resolve(strict=True)
    except (OSError, ValueError):
        return None
    return named if _is_gits(named) and not named.is_relative_to(root) else None


def _is_gits(folder: Path) -> bool:
    """True if Git itself accepts the folder; any other .git is ignored, as Git does."""
    whole = (folder / "objects").is_dir() and (folder / "refs").is_dir()
    return (folder / "HEAD").is_file() and (whole or (folder / "commondir").is_file())
