"""Runs the user's program that puts a value into a secret store. The program gets the value on standard input."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from meshc.errors import ToolError, UsageError
from meshc.process import Command, CommandError, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshc.issuing.remote import Owed

EXAMPLE = "--to-command 'vault kv put secret/{key} {property}=-'"


def words_of(command: str) -> tuple[str, ...]:
    """The words of a command, as a shell splits them; no shell runs it. Raises UsageError."""
    try:
        words = tuple(shlex.split(command))
    except ValueError:
        words = ()
    if not words or not any("{key}" in word for word in words):
        raise UsageError("the command has to say where {key} goes", EXAMPLE)
    return words


def hand_over(owed: Sequence[Owed], command: tuple[str, ...]) -> None:
    """Runs the program for each value. Raises ToolError if it fails, without its output, which may contain the
    secret."""
    for each in owed:
        argv = tuple(word.replace("{key}", each.key).replace("{property}", each.field) for word in command)
        try:
            run(Command(argv, stdin=each.value.reveal(), timeout=60, as_person=True))
        except CommandError as error:
            why = str(error).partition("\n")[0]
            raise ToolError(
                f"{each.key} isn't in the store: {why}; nothing was written",
                "what it said isn't shown, as it was given a secret: try it with something that is none",
            ) from None
