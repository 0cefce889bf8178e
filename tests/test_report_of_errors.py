"""The page of `meshc report` for a mesh that doesn't compile: its problems, and what is known of it all the same."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import pytest
from typer.testing import CliRunner

from meshc import codes
from meshc.cli.main import app
from meshc.cli.page.render import broken_page_of
from meshc.commands.report import Broken
from meshc.errors import Place
from support.reports import AS_SHOWN, HOSTILE
from support.tools import find_tool


@pytest.fixture
def mesh(tmp_path: Path) -> Path:
    find_tool("kubectl")
    CliRunner().invoke(app, ["init", str(tmp_path)])
    return tmp_path


def page_for(mesh: Path, old: str, new: str) -> tuple[str, str]:
    """The page of the mesh after a mistake, and what is said on the terminal."""
    file = mesh / "mesh.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    done = CliRunner().invoke(app, ["report", "-f", str(file), "-o", str(mesh / "page.html")])
    assert done.exit_code == 3, done.output
    return (mesh / "page.html").read_text(), done.output


def sections(page: str) -> list[str]:
    return re.findall(r"<h2 id=[^>]*>([^<]*)</h2>", page)


def test_a_mesh_with_a_plan_shows_its_clusters_too(mesh: Path) -> None:
    page, told = page_for(mesh, "podCIDRs: [10.11.0.0/16]", "podCIDRs: [10.10.0.0/16]")

    assert "error MESH215" in told
    assert "1 problem, " in told
    assert sections(page) == ["Problems", "Clusters by network", "Trust", "Who can open which sealed file"]
    assert 'id="MESH215"' in page
    assert "What it prevents" in page  # its explanation
    assert '<th scope="row">edge-1</th>' in page
    assert "<script" not in page
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(re.findall(r' id="([^"]+)"', page))


def test_a_text_that_is_no_mesh_shows_its_problems(mesh: Path) -> None:
    for old, new, code in (("kind: Mesh", "kind: Mash", "MESH104"), ("spec:", "spec: [", "MESH001")):
        page, told = page_for(mesh, old, new)

        assert f"error {code}" in told
        assert sections(page) == ["Problems"]
        assert "nothing else of the mesh is known" in page
        assert f'id="{code}"' in page


def test_no_name_is_more_than_text() -> None:
    problem = codes.POD_OVERLAP.at(Place(HOSTILE, 1, 1), HOSTILE, HOSTILE, clusters=[HOSTILE])

    page = broken_page_of(Broken(datetime(2026, 12, 1, tzinfo=UTC), (problem,)), HOSTILE)

    assert unescape(page).count(AS_SHOWN) >= 4
    assert not re.search(r"<(script|img)", page)
    assert "\u202e" not in page
