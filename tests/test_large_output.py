"""What kustomize prints is looked through to its end, however large it is."""

from __future__ import annotations

import pytest

from meshc import codes
from meshc.scanning.guard import RenderedGuard

_MAP = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{0}}}\ndata: {{text: {1}}}\n"
_SECRET = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: correct-horse}\n"


def _many(number: int, size: int) -> str:
    return "".join(_MAP.format(each, "x" * size) for each in range(number))


@pytest.mark.thorough
def test_a_plain_secret_behind_nine_mebibytes_is_found() -> None:
    large = _many(9 * 16, 1 << 16)
    assert len(large) > 9 << 20

    assert not list(RenderedGuard().check(large.encode(), "all.yaml", ("hub",)))
    for text in (large + _SECRET, _SECRET + large, large + _SECRET + large):
        found = list(RenderedGuard().check(text.encode(), "all.yaml", ("hub",)))
        assert [problem.code for problem in found] == [codes.PLAINTEXT_SECRET]


def test_one_object_that_is_too_large_to_read_is_a_problem() -> None:
    found = list(RenderedGuard().check(_many(1, 9 << 20).encode(), "all.yaml", ("hub",)))

    assert [problem.code for problem in found] == [codes.YAML_SIZE]
