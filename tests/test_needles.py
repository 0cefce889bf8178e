"""A token that `needles` finds is the one that a plain, slow search finds, glued behind whatever it is."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meshc.scanning.needles import TOKEN, spots
from support.tools import tries

pytestmark = pytest.mark.thorough

WORD = rb"[A-Za-z0-9_-]"
PLAIN = re.compile(rb"eyJ" + WORD + rb"{10,}\.eyJ" + WORD + rb"+\.")
IN_PIECES = re.compile(rb"eyJ" + WORD + rb"{10,}\.eyJ" + WORD + rb"{10,}\." + WORD + rb"{8}")
ESCAPE = re.compile(rb"\\x65")
TOKENS = (
    b"x=1eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.",
    b"TOKENeyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln",
    b"eyJeyJeyJeyJeyJeyJ.eyJa.eyJeyJeyJeyJ.eyJb.",
    b"a\nTOKEN = 'eyJhbGciOi'\n  'JSUzI1NiJ9.eyJzdWIiOiJh' 'IiwiYSI6MX0.c2lnc2ln'",
)


def slow(data: bytes) -> tuple[int, ...]:
    """The line of the first token by the first form that holds one; none where there is none."""
    if found := PLAIN.search(data):
        return (data.count(b"\n", 0, found.start()),)
    origins = [at for at, byte in enumerate(data) if byte not in b" \n"]
    if found := PLAIN.search(bytes(data[at] for at in origins)):
        return (data.count(b"\n", 0, origins[found.start()]),)
    resolved = [(at, byte) for line in re.finditer(rb"\\x65|(?s:.)", data) for at, byte in [read(line)]]
    if rb"\x65" in data and (found := PLAIN.search(bytes(byte for _, byte in resolved))):
        return (data.count(b"\n", 0, resolved[found.start()][0]),)
    squeezed = [(at, byte) for at, byte in resolved if byte not in b" \n'+\\"]
    if b"'" in data and (found := IN_PIECES.search(bytes(byte for _, byte in squeezed))):
        return (data.count(b"\n", 0, squeezed[found.start()][0]),)
    return ()


def read(piece: re.Match[bytes]) -> tuple[int, int]:
    return piece.start(), ord("e") if len(piece[0]) > 1 else piece[0][0]


pieces = st.sampled_from(
    [b"eyJ", b".", b".eyJ", b"aaaaaaaa", b"b", b"1", b"-", b"\n", b" ", b"'", b"+", rb"\x65", b"yJ"]
)


@given(st.lists(pieces, max_size=24).map(b"".join))
@example(TOKENS[0])
@example(TOKENS[1])
@example(TOKENS[2])
@example(TOKENS[3])
@settings(max_examples=tries(1000), deadline=None)
def test_it_finds_what_a_slow_search_finds(data: bytes) -> None:
    spot = spots(data).get(TOKEN)
    assert (() if spot is None else (data.count(b"\n", 0, spot),)) == slow(data)


@pytest.mark.parametrize("token", TOKENS)
def test_a_token_behind_other_letters_is_found(token: bytes) -> None:
    assert TOKEN in spots(token)
