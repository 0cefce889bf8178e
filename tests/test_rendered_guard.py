"""What kustomize built is searched once an object, and meshc's own objects not again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc import codes
from meshc.errors import Problem
from meshc.scanning.guard import RenderedGuard
from meshc.tree import HEADER
from meshc.yamltext.document import Document
from meshc.yamltext.read import read

if TYPE_CHECKING:
    import pytest

OWN = b"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: own\n"
OTHER = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: other\n"
PLAIN = b"apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  password: correct-horse\n"


def test_each_distinct_object_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []

    def counted(data: bytes, shown: str) -> tuple[tuple[Document, ...], tuple[Problem, ...]]:
        seen.append(data)
        return read(data, shown)

    monkeypatch.setattr("meshc.scanning.guard.read", counted)
    found = RenderedGuard([HEADER + OWN])

    assert found.is_clean(b"---\n".join([OWN, OTHER]))
    assert found.is_clean(b"---\n".join([OTHER, OWN]))
    assert seen == [OTHER.rstrip(b"\n")]


def test_a_plain_secret_is_told_wherever_it_stands_again() -> None:
    found = RenderedGuard([HEADER + OWN])
    stream = b"---\n".join([OWN, PLAIN])

    for cluster in ("a", "b"):
        (problem,) = found.check(stream, f"{cluster}.yaml", (cluster,))
        assert (problem.code, problem.place.file, problem.clusters) == (
            codes.PLAINTEXT_SECRET,
            f"{cluster}.yaml",
            (cluster,),
        )
    assert not found.is_clean(stream)


def test_what_a_patch_made_of_an_own_object_is_searched() -> None:
    found = RenderedGuard([HEADER + OWN])

    assert not found.is_clean(OWN + b"  annotations:\n    a: AGE-SECRET-KEY-1" + b"Q" * 58 + b"\n")
