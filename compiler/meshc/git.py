"""Asks Git about a repository. No setting of the repository runs a program, and nothing is fetched.

`process.py` keeps the settings of the person and of the machine out. One of them is looked up where Git asks for it:
which folders of other users the person trusts.
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
"""Bytes that Git may answer with: the whole of output/, where all of it changed."""


class NoGitError(ToolError):
    """There is no Git on PATH."""


class ForeignRepositoryError(ToolError):
    """The repository belongs to another user, and nobody told Git that it may be read."""

    def __init__(self, folder: Path, said: str) -> None:
        first = next((line for line in said.splitlines() if "dubious ownership" in line), said).removeprefix("fatal: ")
        super().__init__(
            f"Git refuses to read this repository, which belongs to another user: {first}",
            f'git config --global --add safe.directory "{_top(folder)}"',
        )


def ask_git(folder: Path, *words: str, stdin: bytes = b"") -> bytes:
    """What Git prints, started in `folder`.

    Raises CommandError where Git says no, ForeignRepositoryError and NoGitError.
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
    """Whether Git's error says that the repository belongs to another user."""
    return "dubious ownership" in said


def _run(folder: Path, settings: tuple[str, ...], words: tuple[str, ...], stdin: bytes) -> bytes:
    return run(Command(("git", *settings, *_GUARDS, *words), cwd=folder.resolve(), stdin=stdin, output=_MOST))


def _trusted() -> tuple[str, ...]:
    """The folders of other users that the person trusts, as arguments: actions/checkout writes such a setting.

    Git reads the person's own file alone, from the root folder, so no repository takes part.
    """
    asked = Command(("git", "config", "--global", "--get-all", "-z", "safe.directory"), cwd=Path("/"), as_person=True)
    try:
        folders = run(asked).decode(errors="surrogateescape").split("\0")
    except CommandError:
        return ()
    return tuple(word for folder in folders if folder for word in ("-c", f"safe.directory={folder}"))


def _top(folder: Path) -> Path:
    """The folder that holds .git, which is the one to trust."""
    real = folder.resolve()
    return next((each for each in (real, *real.parents) if (each / ".git").exists()), real)
