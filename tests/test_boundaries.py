"""Every check has two sides: a case that raises its code, and one close by that just doesn't.

boundaries.yaml names both. A check that grows too strict fails the second, one that grows too lax the first.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, TypedDict

import pytest
import yaml

from meshc.codes import every_code
from support.cases import ELSEWHERE, find_case
from support.paths import TESTS

if TYPE_CHECKING:
    from pathlib import Path

NEAR = 25
"""Lines in which two neighbours differ at most, taken out and put in counted apart."""
GROUPS = ("MESH03", "MESH04", "MESH2", "MESH3", "MESH4", "MESH5", "MESH6", "MESH75")
MORE = ("MESH106", "MESH107", "MESH901", "MESH902")
OPAQUE = re.compile(rb"-----BEGIN |ENC\[AES256_GCM,|[A-Za-z0-9+/=]{70}")
"""What certificates and ciphertexts hold: they are random, so no two of them share a line."""


class _Optional(TypedDict, total=False):
    why: str


class Boundary(_Optional):
    """A line of boundaries.yaml; `why` stands where nothing could be just valid."""

    raises: str
    just_not: str | None


BOUNDARIES: dict[str, Boundary] = yaml.safe_load((TESTS / "boundaries.yaml").read_text())
PAIRS = [(code, one["raises"], one["just_not"]) for code, one in BOUNDARIES.items() if one["just_not"]]


def test_every_code_has_a_boundary() -> None:
    expected = [code for code in every_code() if (code.startswith(GROUPS) or code in MORE) and code not in ELSEWHERE]

    assert list(BOUNDARIES) == expected


def test_both_sides_are_there_or_a_reason_is() -> None:
    named = {case for one in BOUNDARIES.values() for case in (one["raises"], one["just_not"]) if case}

    assert sorted(case for case in named if not (find_case(case) / "expected").is_dir()) == []
    assert [code for code, one in BOUNDARIES.items() if bool(one["just_not"]) == bool(one.get("why"))] == []


@pytest.mark.parametrize("code", BOUNDARIES)
def test_case_raises_its_code(code: str) -> None:
    assert code in said(find_case(BOUNDARIES[code]["raises"]))


@pytest.mark.parametrize(("code", "raises", "just_not"), PAIRS)
def test_neighbour_just_does_not(code: str, raises: str, just_not: str) -> None:
    changed = differences(inputs(find_case(raises)), inputs(find_case(just_not)))

    assert code not in said(find_case(just_not))
    assert set((find_case(just_not) / "expected/exit").read_text().split()) == {"0"}  # no other fault hides it
    assert 0 < len(changed) <= NEAR, "\n".join(changed)


def said(case: Path) -> str:
    return "".join(path.read_text() for path in sorted(case.glob("expected/*.std*")))


def inputs(case: Path) -> dict[str, bytes]:
    """The files that a case's commands read, by path. Of a link it is where it leads."""
    return {
        str(path.relative_to(case)): str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        for path in sorted(case.rglob("*"))
        if (path.is_symlink() or path.is_file())
        and path.relative_to(case).parts[0] not in ("expected", "commands", ".meshc")
    }


def differences(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    """Every line that is only in one of both, with its file. A certificate or ciphertext counts as one line."""
    changed = []
    for path in sorted(one.keys() | other.keys()):
        before, after = one.get(path, b""), other.get(path, b"")
        if OPAQUE.search(before + after):
            changed += [f"{path}: another"] if before != after else []
        else:
            lines = difflib.unified_diff(before.decode().splitlines(), after.decode().splitlines(), lineterm="", n=0)
            changed += [f"{path}: {line}" for line in lines if not line.startswith(("--- ", "+++ ", "@@"))]
    return changed
