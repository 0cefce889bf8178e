"""The page of `meshc report` as a person sees it, in a real Chromium: read, searched, filtered, driven by keys."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from meshc.cli.page.render import page_of
from support.browser import Browser, browsing
from support.reports import AS_SHOWN, HOSTILE, hostile, sample
from support.tools import find_tool

pytestmark = pytest.mark.thorough

CLUSTERS = "#fleet tbody th"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as found:
        yield found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample mesh after a change, and the same with hostile names."""
    find_tool("kubectl")
    folder = tmp_path_factory.mktemp("pages")
    found = sample(tmp_path_factory.mktemp("report"), ("istiod: 10.0.5.20", "istiod: 10.0.5.21"))
    (folder / "calm.html").write_text(page_of(found, "mesh.yaml"))
    (folder / "hostile.html").write_text(page_of(hostile(found), HOSTILE))
    return folder


@pytest.fixture(autouse=True)
def nothing_goes_wrong(browser: Browser) -> Iterator[None]:
    yield
    assert browser.faults == []
    assert [url for url in browser.requests if not url.startswith("file:")] == []


@pytest.mark.parametrize("width", [375, 800, 1600])
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_any_width_in_light_and_dark(browser: Browser, pages: Path, width: int, dark: bool) -> None:
    browser.open(pages / "calm.html", width, dark=dark)
    if folder := os.environ.get("MESHC_TEST_PICTURES"):
        browser.picture(Path(folder) / f"report-{width}-{'dark' if dark else 'light'}.png")

    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.shown("h2") == [
        "Clusters by network",
        "Change against HEAD",
        "Trust",
        "Services",
        "Where a call goes",
        "Who can open which sealed file",
        "Problems",
    ]
    assert browser.shown(CLUSTERS) == ["hub", "edge-1", "edge-2", "edge-3"]
    assert browser.shown("#theme") == ["Light" if dark else "Dark"]
    back, text = browser.run("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]")
    assert (brightness(back) < brightness(text)) == dark


def brightness(colour: str) -> int:
    """Of `rgb(1, 2, 3)`."""
    return sum(int(part) for part in colour.strip("rgb()").split(","))


def test_search_and_filters_leave_what_fits(browser: Browser, pages: Path) -> None:
    browser.open(pages / "calm.html")
    browser.choose("#label", "env=staging")

    assert browser.shown(CLUSTERS) == ["edge-3"]
    assert browser.shown("#sealed tbody th") == ["sealed/edge-3/cacerts.yaml"]

    browser.choose("#label", "")
    browser.choose("#role", "primary")
    assert browser.shown(CLUSTERS) == ["hub"]
    browser.choose("#role", "")
    browser.choose("#search", "TransAtlantic")
    assert browser.shown(CLUSTERS) == []
    browser.choose("#search", "us-east remote")
    assert browser.shown(CLUSTERS) == ["edge-2"]
    browser.press("Escape")
    assert browser.shown(CLUSTERS) == ["hub", "edge-1", "edge-2", "edge-3"]


def test_it_is_driven_by_keys(browser: Browser, pages: Path) -> None:
    browser.open(pages / "calm.html")
    browser.press("/")

    assert browser.run("document.activeElement.id") == "search"

    browser.run("document.getElementById('matrix').focus()")
    for key in ("ArrowRight", "Enter"):
        browser.press(key)
    (told,) = browser.shown("#matrix-told")
    assert told.startswith("edge-1 calls 13 of hub: bookstore/accounts, ")
    assert "Heat map: 3 exporting clusters by 4" in browser.run("document.getElementById('matrix').ariaLabel")


def test_the_heat_map_is_painted_and_follows_the_filter(browser: Browser, pages: Path) -> None:
    browser.open(pages / "calm.html")
    colours = (
        "(() => { const c = document.getElementById('matrix'); const d = c.getContext('2d')"
        ".getImageData(0, 0, c.width, c.height).data; const s = new Set();"
        "for (let i = 0; i < d.length; i += 4) if (d[i + 3]) s.add(d.slice(i, i + 3).join()); return s.size; })()"
    )
    assert browser.run(colours) > 3
    browser.choose("#matrix-rows", "services")
    assert "Heat map: 16 services by 4" in browser.run("document.getElementById('matrix').ariaLabel")
    browser.choose("#label", "site=warehouse")
    assert "Heat map: 16 services by 1" in browser.run("document.getElementById('matrix').ariaLabel")


def test_a_call_is_followed_and_loses_a_cluster(browser: Browser, pages: Path) -> None:
    browser.open(pages / "calm.html")
    browser.choose("#path-from", "edge-2")
    browser.choose("#path-to", "bookstore/catalog")

    (told,) = browser.shown("#path-told")
    assert "catalog.bookstore.svc.cluster.local" in told
    assert "its pods directly, mutual TLS, by the CA of hub" in told

    browser.choose("#path-without", "0")
    (told,) = browser.shown("#path-told")
    assert "doesn't answer: the cluster is lost" in told
    assert "the control plane in hub is lost" in told
    browser.choose("#path-from", "nobody")
    assert browser.shown("#path-told") == ["Choose a cluster that calls."]


def test_a_code_leads_to_its_page(browser: Browser, pages: Path) -> None:
    browser.open(pages / "calm.html")

    assert browser.shown(".page p") == []
    browser.run("document.querySelector('#change a.code').click()")
    browser.run("new Promise((done) => setTimeout(done, 100))")
    assert browser.run("document.querySelector('.page[open]').id") == "MESH808"
    assert browser.shown(".page[open] p")


def test_the_theme_is_changed_by_a_button(browser: Browser, pages: Path) -> None:
    browser.open(pages / "calm.html")
    before = browser.run("getComputedStyle(document.body).backgroundColor")
    browser.run("document.getElementById('theme').click()")

    assert brightness(browser.run("getComputedStyle(document.body).backgroundColor")) < brightness(before)
    assert browser.shown("#theme") == ["Light"]


def test_every_control_has_a_name(browser: Browser, pages: Path) -> None:
    browser.open(pages / "calm.html")
    browser.tell("Accessibility.enable")
    nodes = browser.tell("Accessibility.getFullAXTree")["nodes"]
    wanted = {"button", "combobox", "searchbox", "textbox", "link", "img", "image", "navigation", "region"}
    found = [
        (one["role"]["value"], one["name"]["value"]) for one in nodes if one.get("role", {}).get("value") in wanted
    ]

    assert {role for role, _ in found} >= {"button", "combobox", "searchbox", "link", "navigation", "region"}
    assert [role for role, name in found if not name] == []


@pytest.mark.parametrize("width", [375, 1600])
def test_hostile_names_are_shown_as_they_are_written(browser: Browser, pages: Path, width: int) -> None:
    browser.open(pages / "hostile.html", width)

    assert browser.run("typeof hacked") == "undefined"
    assert browser.run("document.images.length") == 0
    assert browser.run("document.scripts.length") == 2
    assert browser.shown("h1") == [f"mesh {AS_SHOWN}"]
    assert browser.shown(CLUSTERS) == [f"{AS_SHOWN}{number} ID {AS_SHOWN}" for number in range(4)]
    assert browser.run("document.documentElement.scrollWidth") <= width
    browser.choose("#path-from", f"{AS_SHOWN}1")
    browser.choose("#path-to", f"{AS_SHOWN}/{AS_SHOWN}0")
    (told,) = browser.shown("#path-told")
    assert told.startswith(f"host\n{AS_SHOWN}0.{AS_SHOWN}.svc.cluster.local")
    browser.run("document.getElementById('matrix').focus()")
    browser.press("Enter")
    assert AS_SHOWN in browser.shown("#matrix-told")[0]
    assert browser.run("typeof hacked") == "undefined"
