"""Reads inputs that a user names: a file, standard input, a key that a password or another key decrypts."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from meshc.disk.named import read_named
from meshc.disk.repository import LARGEST_INPUT
from meshc.errors import UsageError
from meshc.hidden import Hidden
from meshc.sealing.age import identities_in
from meshc.sealing.age_file import open_sealed
from meshc.trust.keys import plain_key


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


def read_given(path: Path) -> bytes:
    """A file that a person names; - is standard input. Raises UsageError if it can't be read."""
    if path != Path("-"):
        return read_named(path)
    data = sys.stdin.buffer.read(LARGEST_INPUT + 1)
    if len(data) > LARGEST_INPUT:
        raise UsageError(f"standard input holds more than {LARGEST_INPUT >> 20} MiB")
    return data


def password_in(path: Path) -> Hidden:
    """The password in the only line of a file."""
    return Hidden(read_given(path).rstrip(b"\r\n"))
