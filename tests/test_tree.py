"""FileTree: write-once, and nothing outside it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshc.tree import FileTree

PARTS = st.text("ab./0-_~", min_size=1, max_size=6).filter(lambda part: "/" not in part and part not in (".", ".."))
PATHS = st.lists(PARTS, min_size=1, max_size=3).map("/".join)


@pytest.mark.parametrize("path", ["", "/a", "a/../b", "./a", "a//b", "a/", "a\\b", "a\nb", ".."])
def test_a_path_outside_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="not a path inside"):
        FileTree({path: b""})


def test_a_path_is_written_once() -> None:
    with pytest.raises(ValueError, match="written twice"):
        FileTree.join({"a": b"1"}, {"a": b"2"})


def test_a_file_is_no_folder() -> None:
    with pytest.raises(ValueError, match="both a file and a folder"):
        FileTree({"a": b"", "a/b": b""})


@given(st.dictionaries(PATHS, st.binary(max_size=3)), PATHS)
def test_under_is_every_file_below_a_folder(files: dict[str, bytes], folder: str) -> None:
    try:
        tree = FileTree(files)
    except ValueError:
        return

    assert dict(tree.under(folder)) == {p[len(folder) + 1 :]: d for p, d in files.items() if p.startswith(folder + "/")}
    assert list(tree) == sorted(files)
    assert tree.at("x").under("x") == tree
