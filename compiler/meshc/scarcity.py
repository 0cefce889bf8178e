"""Recognizes a failure that the machine caused, not the input: too few file descriptors, too little memory or disk."""

from __future__ import annotations

import errno
import resource
from collections.abc import Iterator

from meshc.errors import ToolError

MIB = 1 << 20
FEWEST_FILES = 24
"""The least number of file descriptors. With fewer, some failures would look like missing files."""
LITTLE_MEMORY = 512 * MIB
"""With less memory than this, libraries fail with errors that don't show the cause."""


class ScarceError(ToolError):
    """The machine has too little of a resource. The message names the resource and the setting to change."""


def scarce(error: BaseException) -> ScarceError | None:
    """The resource that caused this error; None if the error has another cause."""
    for each in _chain(error):
        if found := _of(each):
            return found
    return None


def suspected() -> ScarceError | None:
    """A limit of this process that is so low that it can explain almost any failure; None if there is no such limit."""
    memory = _least_memory()
    return _too_little_memory() if memory is not None and memory < LITTLE_MEMORY else None


def make_room_for_files() -> None:
    """Raises the soft limit of open files to 1,024, as far as the hard limit allows.

    Raises ScarceError if that is too little to work with.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 1024 if hard == resource.RLIM_INFINITY else min(1024, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    most = _limit(resource.RLIMIT_NOFILE)
    if most is not None and most < FEWEST_FILES:
        raise _too_few_files()


def ran_out_of_memory(said: bytes) -> bool:
    """True if the end of a program's standard error says that it got no more memory or threads."""
    lowered = said[: 64 << 10].lower()
    return any(words in lowered for words in _LAST_WORDS)


_LAST_WORDS = (
    b"out of memory",
    b"cannot allocate memory",
    b"failed to create new os thread",
    b"failed to reserve page summary memory",
    b"memory allocation of",
    b"malloc failed",
    b"mmap failed",
)


def memory_is_limited() -> bool:
    """True if this process has a memory limit, which all programs that it starts inherit."""
    return _least_memory() is not None


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or each.__context__


def _of(error: BaseException) -> ScarceError | None:
    if isinstance(error, MemoryError):
        return _too_little_memory()
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return _too_few_processes()
    if isinstance(error, ImportError):
        text = str(error).lower()
        if "too many open files" in text:
            return _too_few_files()
        if "failed to map segment" in text or "cannot allocate memory" in text:
            return _too_little_memory()
    if isinstance(error, OSError):
        return _of_system(error)
    return None


def _of_system(error: OSError) -> ScarceError | None:
    match error.errno:
        case errno.EMFILE | errno.ENFILE:
            return _too_few_files()
        case errno.ENOMEM:
            return _too_little_memory()
        case errno.EAGAIN:
            return _too_few_processes()
        case errno.ENOSPC | errno.EDQUOT:
            about = f' for "{error.filename}"' if error.filename else ""
            return ScarceError(
                f"there is no space left on the disk{about}", "free some, or set TMPDIR to a folder with space"
            )
        case errno.EFBIG:
            return ScarceError(
                "a file would be larger than the limit of this process allows", "raise the limit: ulimit -f"
            )
    return None


def _too_few_files() -> ScarceError:
    files = _limit(resource.RLIMIT_NOFILE)
    told = (
        f"this process may open only {files} files at once" if files is not None else "the system opens no more files"
    )
    return ScarceError(f"too many open files: {told}, which is too few", "raise the limit: ulimit -n 1024")


def _too_little_memory() -> ScarceError:
    memory = _least_memory()
    told = f": this process may use only {memory // MIB} MiB" if memory is not None else ""
    return ScarceError(f"there is not enough memory{told}", more_memory())


def more_memory() -> str:
    """The hint after memory ran out: raise the limit of this process, if it has one."""
    if _limit(resource.RLIMIT_AS) is not None:
        return "raise the limit: ulimit -v unlimited"
    if _limit(resource.RLIMIT_DATA) is not None:
        return "raise the limit: ulimit -d unlimited"
    return "give the machine or the container more memory"


def _too_few_processes() -> ScarceError:
    return ScarceError(
        "the system starts no more processes or threads for this user",
        "raise the limit: ulimit -u; in a container, the limit of processes (pids)",
    )


def _least_memory() -> int | None:
    known = [_limit(kind) for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
    return min((each for each in known if each is not None), default=None)


def _limit(kind: int) -> int | None:
    soft, _ = resource.getrlimit(kind)
    return None if soft == resource.RLIM_INFINITY else soft
