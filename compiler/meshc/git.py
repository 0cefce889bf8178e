"""Runs Git commands that only read a repository. No setting of the repository can run a program, and nothing is
fetched.

`process.py` hides the settings of the user and of the machine from Git. One of them is read if Git needs it: the
folders of other users that the user trusts (`safe.directory`).
"""

from __future__ import annotations

import shutil
from pathlib import Path

from meshc.errors import ToolError
from meshc.process import Command, CommandError, run

_GUARDS = (
    *("-c", "core.fsmonitor=false", "-c", "protocol.allow=never"),
    *("--no-replace-objects", "--no-optional-locks", "--literal-pathspecs"),
)
_MOST = 512 << 20
"""Bytes that Git may print: the whole of output/, in case everything in it changed."""


class NoGitError(ToolError):
    """Git isn't on PATH."""


class ForeignRepositoryError(ToolError):
    """The repository belongs to another user, and Git has no setting that allows to read it."""

    def __init__(self, folder: Path, said: str) -> None:
        first = next((line for line in said.splitlines() if "dubious ownership" in line), said).removeprefix("fatal: ")
        super().__init__(
            f"Git refuses to read this repository, which belongs to another user: {first}",
            f'git config --global --add safe.directory "{_top(folder)}"',
        )


def ask_git(folder: Path, *words: str, stdin: bytes = b"") -> bytes:
    """The output of a Git command that runs in `folder`.

    Raises CommandError if Git fails, ForeignRepositoryError and NoGitError.
    """
    if shutil.which("git") is None:
        raise NoGitError("git isn't on PATH", "install Git")
    try:
        return _run(folder, (), words, stdin)
    except CommandError as error:
        if not is_foreign(error.said):
            raise
        said = error.said
    try:
        return _run(folder, _trusted(), words, stdin)
    except CommandError as error:
        if is_foreign(error.said):
            raise ForeignRepositoryError(folder, said) from None
        raise


def is_foreign(said: str) -> bool:
    """True if Git's error says that the repository belongs to another user."""
    return "dubious ownership" in said


def _run(folder: Path, settings: tuple[str, ...], words: tuple[str, ...], stdin: bytes) -> bytes:
    return run(Command(("git", *settings, *_GUARDS, *words), cwd=folder.resolve(), stdin=stdin, output=_MOST))


def _trusted() -> tuple[str, ...]:
    """The folders of other users that the user trusts, as arguments for Git. For example, actions/checkout writes this
    setting.

    Git runs in the root folder and reads only the user's own file, so a repository can't add a folder.
    """
    asked = Command(("git", "config", "--global", "--get-all", "-z", "safe.directory"), cwd=Path("/"), as_person=True)
    try:
        folders = run(asked).decode(errors="surrogateescape").split("\0")
    except CommandError:
        return ()
    return tuple(word for folder in folders if folder for word in ("-c", f"safe.directory={folder}"))


def _top(folder: Path) -> Path:
    """The folder that contains .git, because that is the folder that Git has to trust."""
    real = folder.resolve()
    return next((each for each in (real, *real.parents) if (each / ".git").exists()), real)
