"""What a terminal of 80 columns shows: tables fold at spaces, and a caret stays below its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshc.cli import table
from meshc.cli.excerpt import Excerpts
from meshc.cli.table import Line, show_table
from meshc.errors import Place

HEADERS = ("CLUSTER", "STEP", "WHY")
CLUSTERS = "ap-store-1, ap-store-2, ap-store-3 and 117 more"
WHY = "nothing here tells what is published in git@git.example.com:deploy.git: meshc publish"


def shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int | None, *row: str) -> str:
    monkeypatch.setattr(table, "columns_of", lambda _stream: columns)
    show_table(HEADERS, [Line(row)])
    return capsys.readouterr().out


def test_a_table_folds_where_a_terminal_is_narrow(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shown(monkeypatch, capsys, 80, CLUSTERS, "publish", WHY) == (
        "CLUSTER                   STEP     WHY\n"
        "ap-store-1, ap-store-2,   publish  nothing here tells what is published in\n"
        "ap-store-3 and 117 more            git@git.example.com:deploy.git: meshc publish\n"
    )


@pytest.mark.parametrize("columns", [None, 300])
def test_a_table_with_room_has_a_line_for_each_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int | None
) -> None:
    assert shown(monkeypatch, capsys, columns, CLUSTERS, "publish", WHY).splitlines()[1] == (
        f"{CLUSTERS}  publish  {WHY}"
    )


def test_a_word_that_is_too_long_stays_in_one_piece(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = f"sealed/{'x' * 90}.yaml"

    assert shown(monkeypatch, capsys, 80, path, "pending", "the mesh").splitlines()[1] == f"{path}  pending  the mesh"


@pytest.mark.parametrize("columns", [50, 80, 120, None])
def test_a_line_of_a_file_has_room_in_a_terminal(tmp_path: Path, columns: int | None) -> None:
    line = "    - {name: edge-1, " + "role: remote, " * 20 + "podCIDRs: [10.11.0.0/16], " + "role: remote, " * 5 + "}"
    (tmp_path / "mesh.yaml").write_text(line)
    column = line.index("podCIDRs") + 1
    said, caret = Excerpts(tmp_path / "mesh.yaml", columns).at(Place(str(tmp_path / "mesh.yaml"), 1, column))

    assert said[caret.index("^") :].startswith("podCIDRs")
    assert len(said) <= (columns or 114)
