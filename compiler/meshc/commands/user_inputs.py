"""Reads inputs that a user names: a file, standard input, a key that a password or another key decrypts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from meshc.commands.listener import Listener, Silent
from meshc.commands.standard_input import read_standard_input
from meshc.disk.named import read_named
from meshc.hidden import Hidden
from meshc.sealing.age import identities_in
from meshc.sealing.age_file import open_sealed
from meshc.trust.keys import plain_key

_SILENT = Silent()


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A private key that a user names, with the age identity or the password that decrypts it."""

    path: Path
    identity: Path | None = None
    password: Path | None = None

    def read(self) -> Hidden:
        """The key. Raises UsageError if a file can't be read, SealError and IssueError if the key can't be
        decrypted."""
        key = open_sealed(Hidden(read_given(self.path)), identities_of(self.identity))
        return plain_key(key, password_in(self.password)) if self.password else key


def identities_of(file: Path | None) -> tuple[Hidden, ...]:
    """The age identities in a file that a person names, if any. Raises UsageError, SealError."""
    return identities_in(Hidden(read_given(file))) if file else ()


def read_given(path: Path, listener: Listener = _SILENT) -> bytes:
    """A file that a person names; - is standard input. Raises UsageError if it can't be read."""
    return read_named(path) if path != Path("-") else read_standard_input(listener)


def password_in(path: Path) -> Hidden:
    """The password in the only line of a file."""
    return Hidden(read_given(path).rstrip(b"\r\n"))
