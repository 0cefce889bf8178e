"""The page of `meshc report`, read as HTML: what the commands tell is in it, it asks for nothing, no name is markup."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from functools import cache
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from meshc.cli.main import app
from meshc.cli.page.render import MARK, page_of
from meshc.commands.report import Report
from meshc.plan.route import route_to
from support.reports import AS_SHOWN, HOSTILE, hostile, sample
from support.tools import find_tool

VOID = {"meta", "input", "br", "rect"}


class Page(HTMLParser):
    """A page as a browser takes it apart: elements with their attributes, and text by the element around it."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self, within: str) -> list[str]:
        return [data for tag, data in self.texts if tag == within]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Report:
    find_tool("kubectl")
    return sample(tmp_path_factory.mktemp("report"), ("istiod: 10.0.5.20", "istiod: 10.0.5.21"))


@cache
def parsed(page: str) -> Page:
    return Page(page)


def test_thousands_of_sealed_files_share_rows(found: Report) -> None:
    (one, whose), *_ = [row for row in found.sealed if row[0].of]
    every = [(replace(one, file=f"sealed/hub/{number}.yaml"), whose) for number in range(5_000)]
    page = parsed(page_of(replace(found, sealed=(*every, *found.sealed)), "mesh.yaml"))

    assert "sealed/hub/0.yaml and 5001 more" in page.text("th")
    assert len(page.of("tr")) < 100
    assert "sealed/hub/0.yaml" in " ".join(page.text("p"))
    assert "sealed/hub/6.yaml" not in " ".join(page.text("p"))


def data_in(page: Page) -> Any:
    return json.loads(next(text for text in page.text("script")))


def test_equal_reports_make_equal_pages(found: Report) -> None:
    assert page_of(found, "mesh.yaml") == page_of(found, "mesh.yaml")
    assert page_of(found, "mesh.yaml").startswith(f"<!doctype html>\n{MARK}\n")


def test_the_page_holds_what_the_commands_tell(found: Report) -> None:
    page = parsed(page_of(found, "mesh.yaml"))
    shown = " ".join(text for _, text in page.texts)

    assert found.change
    assert "to be committed as well: mesh.yaml" in shown
    assert [one for one in found.next.steps if one.what not in shown] == []
    assert [one for one, _ in found.sealed if one.file not in shown or one.state not in shown] == []
    assert [one for one in found.change.dangers if one.what not in shown or one.hint not in shown] == []
    assert all(ca.row.fingerprint in shown for root in found.authorities for ca in (root, *root.below))
    assert {one["id"] for one in page.of("details") if "id" in one} == {one.code.id for one in found.change.dangers}
    assert [one["data-clusters"] for one in page.of("tr") if "data-role" in one] == [
        "hub",
        "edge-1",
        "edge-2",
        "edge-3",
    ]


def test_links_lead_to_a_place_in_the_page(found: Report) -> None:
    page = parsed(page_of(found, "mesh.yaml"))
    places = {attributes["id"] for _, attributes in page.elements if "id" in attributes}

    assert len(places) == sum("id" in attributes for _, attributes in page.elements)
    links = [one["href"] for one in page.of("a")]
    assert [link for link in links if not (link.startswith("#") and link[1:] in places)] == []
    named = [
        value
        for _, one in page.elements
        for key in ("aria-labelledby", "aria-describedby", "list")
        if (value := one.get(key))
    ]
    assert [name for value in named for name in value.split() if name not in places] == []


def test_the_page_asks_for_nothing_and_runs_its_own_script_alone(found: Report) -> None:
    text = page_of(found, "mesh.yaml")
    page = parsed(text)
    policy = next(one["content"] for one in page.of("meta") if one.get("http-equiv") == "Content-Security-Policy")
    script, (style,) = page.text("script")[-1], page.text("style")

    assert policy.startswith("default-src 'none'; ")
    for name, body in (("script-src", script), ("style-src", style)):
        digest = base64.b64encode(sha256(body.encode()).digest()).decode()
        assert f"{name} 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert {tag for tag, _ in page.elements} & {"img", "link", "iframe", "object", "embed", "base"} == set()
    assert [key for _, one in page.elements for key in one if key.startswith("on") or key in ("src", "style")] == []
    assert "http" not in re.sub(r"http-equiv|https?://[a-z0-9./:-]*example\.com", "", script + style)


def test_no_name_is_more_than_text(found: Report) -> None:
    calm, page = parsed(page_of(found, "mesh.yaml")), parsed(page_of(hostile(found), HOSTILE))

    assert [tag for tag, _ in page.elements if tag in ("script", "img")] == ["script", "script"]
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in calm.elements} | {"p", "ol"}
    assert AS_SHOWN in page.text("h1")[0]
    assert "\u202e" not in "".join(text for _, text in page.texts)
    assert data_in(page)["clusters"][0] == [f"{AS_SHOWN}0", [f"{AS_SHOWN}={AS_SHOWN}"]]
    assert "7*7" in page.text("h1")[0]


def test_the_routes_are_those_of_meshc_path(found: Report) -> None:
    data, plan = data_in(parsed(page_of(found, "mesh.yaml"))), found.compiled.plan
    for at, export in enumerate(found.compiled.exports):
        row = data["rows"][data["services"][at][4]]
        numbers = [number for number, times in zip(row[::2], row[1::2], strict=True) for _ in range(times)]
        for caller, number in zip(plan.clusters, numbers, strict=True):
            route = replace(route_to(plan, caller, export, found.compiled.pending), caller="", host="")

            assert found.routes.found[number] == route
            for lost in (one.name for one in plan.clusters if one.name != caller.name):
                after = found.routes.losses.get((number, lost), number)
                gone = replace(route_to(plan, caller, export, found.compiled.pending, [lost]), caller="", host="")
                assert found.routes.found[after] == gone


def test_a_page_replaces_a_page_and_nothing_else(tmp_path: Path, sample_mesh: Path) -> None:
    page, other = tmp_path / "page.html", tmp_path / "other.html"
    other.write_text("mine")
    (tmp_path / "link.html").symlink_to(other)
    mesh = str(sample_mesh / "mesh.yaml")

    for _ in range(2):
        done = CliRunner().invoke(app, ["report", "-f", mesh, "-o", str(page)])
        assert done.exit_code == 0, done.output
        assert re.fullmatch(rf"{re.escape(str(page))}: \d+ clusters?, \d+ kB\n", done.stdout)
    for refused, code in ((other, 5), (tmp_path / "link.html", 5), (tmp_path, 2), (tmp_path / "a" / "b.html", 2)):
        assert CliRunner().invoke(app, ["report", "-f", mesh, "-o", str(refused)]).exit_code == code
    for tree in ("output", "overlays"):
        (sample_mesh / tree).mkdir()
        inside = CliRunner().invoke(app, ["report", "-f", mesh, "-o", str(sample_mesh / tree / "page.html")])
        (sample_mesh / tree).rmdir()  # which fails if the page was written
        assert (inside.exit_code, f"is in {tree}/" in inside.output) == (2, True)
    assert other.read_text() == "mine"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link.html", "other.html", "page.html"]
    printed = CliRunner().invoke(app, ["report", "-f", mesh, "-o", "-"]).stdout
    assert printed.startswith("<!doctype html>")
    assert CliRunner().invoke(app, ["report", "-f", mesh, "--base", "a", "--against", "b"]).exit_code == 2
