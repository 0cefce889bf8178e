"""A text that held no secret isn't searched again, and nothing but the text decides that."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

from meshc import codes
from meshc.disk.repository import Repository
from meshc.scanning.guard import plaintext_in
from meshc.scanning.searched import Searched

CLEAN = b"kind: Service\n"
KEY = b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEI\n"


def searched(folder: Path, *texts: bytes, cached: bool = True) -> tuple[list[int], int]:
    """How many secrets each text holds, and how many texts were searched for that."""
    (folder / ".git").mkdir(exist_ok=True)
    search = Searched(Repository.around(folder, cached=cached))
    with patch("meshc.scanning.searched.plaintext_in", wraps=plaintext_in) as asked:
        found = [len(tuple(search(text, "file", codes.PLAINTEXT_SECRET))) for text in texts]
    search.keep()
    return found, asked.call_count


def test_what_is_clean_is_searched_once(tmp_path: Path) -> None:
    assert searched(tmp_path, CLEAN, CLEAN) == ([0, 0], 1)
    assert searched(tmp_path, CLEAN) == ([0], 0)
    assert searched(tmp_path, CLEAN + b"#") == ([0], 1)


def test_a_secret_is_told_each_time(tmp_path: Path) -> None:
    for _ in range(2):
        assert searched(tmp_path, KEY, CLEAN + KEY)[0] == [1, 1]


def test_what_a_run_did_not_ask_for_is_forgotten(tmp_path: Path) -> None:
    searched(tmp_path, CLEAN)
    searched(tmp_path, CLEAN + b"#")

    assert searched(tmp_path, CLEAN) == ([0], 1)


def test_without_a_cache_nothing_is_remembered(tmp_path: Path) -> None:
    for _ in range(2):
        assert searched(tmp_path, CLEAN, cached=False) == ([0], 1)


def test_another_meshc_searches_again(tmp_path: Path) -> None:
    searched(tmp_path, CLEAN)

    with patch("meshc.scanning.searched.code_digest", return_value="another"):
        assert searched(tmp_path, CLEAN) == ([0], 1)
