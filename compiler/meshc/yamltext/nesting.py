"""Finds the bracket that opens one flow collection too many, in text that libyaml refused.

libyaml reads up to 1,024 characters of a line ahead of the events that it gives out, because a collection may turn out
to be a key. Since 0.2.6 it also refuses more than 1,000 open brackets. So it can stop before the events show that
meshc's own limit was passed, and its words would then depend on its version.
"""

from __future__ import annotations

from yaml import YAMLError
from yaml.reader import Reader
from yaml.scanner import Scanner

_AHEAD = 2048
"""The number of characters to examine: more than libyaml reads ahead."""


def one_too_many(text: str, room: int, *, in_flow: bool) -> int | None:
    """The index of the bracket that opens flow collection number `room + 1`; None if the text has no such bracket.

    The text begins where a token ends, inside a flow collection or not. Brackets in quotes, comments and plain text
    don't count. Never raises.
    """
    around = "[" if in_flow else ""
    try:
        tokens = _Tokens(around + text[:_AHEAD], room + len(around))
        while tokens.check_token():
            tokens.get_token()  # type: ignore[no-untyped-call]
    except _FoundError as found:
        return found.index - len(around)
    except YAMLError:
        pass
    return None


class _FoundError(Exception):
    def __init__(self, index: int) -> None:
        self.index = index


class _Tokens(Reader, Scanner):
    """PyYAML's own scanner, which has no limit, plus a limit."""

    def __init__(self, text: str, limit: int) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        self._limit = limit

    def fetch_flow_collection_start(self, TokenClass: type) -> None:  # noqa: N803
        if self.flow_level >= self._limit:
            raise _FoundError(self.index)
        super().fetch_flow_collection_start(TokenClass)
