"""Checks certificates with Go's crypto/x509, by the program in tests/verifier."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from support.paths import TESTS
from support.tools import find_tool


@dataclass(frozen=True)
class Verdict:
    """Why a certificate (CA, chain, roots) can't be parsed, and why the CA or a leaf can't be verified. Empty texts
    mean no fault."""

    read: tuple[str, ...]
    verified: tuple[str, ...]

    @property
    def fault(self) -> str:
        return next((text for text in (*self.read, *self.verified) if text), "")


def judge(chains: Iterable[tuple[bytes, Sequence[bytes], Sequence[bytes], Sequence[bytes]]]) -> list[Verdict]:
    """Go's verdict on each chain: CA, chain, roots, and the leaves that the CA signed, all in DER."""
    lines = (
        {"CA": _text(ca), "Chain": _texts(chain), "Roots": _texts(roots), "Leaves": _texts(leaves)}
        for ca, chain, roots, leaves in chains
    )
    process = subprocess.run(
        [find_tool("go"), "run", str(TESTS / "verifier/main.go")],
        input="\n".join(map(json.dumps, lines)),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GOCACHE": f"{sys.prefix}/share/go", "GOPATH": f"{sys.prefix}/share/go"},
    )

    assert process.returncode == 0, process.stderr

    found = map(json.loads, process.stdout.splitlines())
    return [Verdict(tuple(one["Read"] or ()), tuple(one["Verified"] or ())) for one in found]


def _texts(ders: Sequence[bytes]) -> list[str]:
    return list(map(_text, ders))


def _text(der: bytes) -> str:
    return base64.b64encode(der).decode()
