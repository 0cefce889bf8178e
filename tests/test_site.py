"""The site, without mkdocs: every link and anchor of the pages that it is made of; what `make site` hands to mkdocs."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from make_site import foreign, page, sources
from support.markdown import anchors, links
from support.paths import ROOT

KNOWN = sources()
PAGES = sorted(name for name in KNOWN if name.endswith(".md"))


@pytest.mark.parametrize("name", [name for name in PAGES if not name.startswith("compiler/")])
def test_links_and_anchors_of_a_page_lead_somewhere(name: str) -> None:
    assert broken(name) == []


def test_links_and_anchors_of_the_pages_of_problems_lead_somewhere() -> None:
    assert [fault for name in PAGES if name.startswith("compiler/") for fault in broken(name)] == []


def broken(name: str) -> list[str]:
    """The links of a page in the repository that lead to no file, or to no heading of it."""
    source = ROOT / name
    faults = []
    for link in links(source.read_text()):
        path, _, anchor = link.partition("#")
        if "://" in link or link.startswith("mailto:"):
            continue
        there = (source.parent / path).resolve() if path else source
        if not there.exists() or (anchor and anchor not in anchors(there.read_text())):
            faults.append(f"{name}: {link}")
    return faults


def test_links_of_the_site_lead_to_its_pages() -> None:
    found = set(KNOWN.values())
    for name in PAGES:
        made = page((ROOT / name).read_text(), name, KNOWN)
        for link in links(made):
            path = link.partition("#")[0]
            if path and "://" not in link:
                there = posixpath.normpath(posixpath.join(posixpath.dirname(KNOWN[name]), path))
                assert there in found, f"{name}: {link}"


def test_every_page_is_in_the_navigation_once() -> None:
    listed = re.findall(r"^ +- (?:.*: )?(\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)

    assert sorted(listed) == sorted(at for at in KNOWN.values() if at.endswith(".md") and not at.startswith("codes/"))


def test_links_get_the_addresses_of_the_site() -> None:
    text = "[a](trust.md#start-from-scratch) and [the\nmesh](../mesh.yaml), [b](https://a.example/)\n\n```\n[c](d.md)\n```\n"

    assert page(text, "docs/guide.md", KNOWN) == text.replace("[the\nmesh](../mesh.yaml)", "the\nmesh")
    assert "(https://g.example/x/blob/main/mesh.yaml)" in page(text, "docs/guide.md", KNOWN, "https://g.example/x")
    assert page("[a](../tutorial.md)\n", "docs/zh/tutorial.md", KNOWN) == "[a](../tutorial.md)\n"
    assert page("[a](docs/trust.md)\n", "README.md", KNOWN) == "[a](trust.md)\n"


def test_lists_are_nested_as_mkdocs_reads_them() -> None:
    text = "Steps:\n1. One:\n\n   ```sh\n   run\n   ```\n\n2. Two\n   lines\n\nText\n| a |\n|---|\n"

    assert page(text, "README.md", KNOWN) == (
        "Steps:\n\n1. One:\n\n    ```sh\n    run\n    ```\n\n2. Two\n    lines\n\nText\n\n| a |\n|---|\n"
    )


def test_a_diagram_is_drawn() -> None:
    text = """## Two & more

```mermaid
flowchart LR
  subgraph n0["network corp#40;a#41;"]
    c0[["hub<br/>#60;b#62;"]]:::primary
  end
  c1["edge"]:::remote
  c2["far"]:::primary
  c1 <-.->|"watches"| c0
  c2 ==>|"calls"| c0
  subgraph legend["legend"]
    l0["primary"]:::primary
  end
  classDef primary fill:#dbeafe,stroke:#1d4ed8,color:#111827
```
"""
    shown = page(text, "README.md", KNOWN)
    drawn = ElementTree.fromstring(shown[shown.index("<svg") :])
    words = [one.text for one in drawn.iter("{http://www.w3.org/2000/svg}text")]

    assert drawn.get("aria-label") == "Two & more"
    assert words == ["network corp(a)", "watches", "calls", "hub", "<b>", "edge", "far", "primary"]
    assert shown.count('stroke="currentColor"') == 3
    assert shown.count("marker-start") == 1
    assert "\n\n" not in shown[shown.index("<svg") :]  # Markdown would end the picture there


def test_a_diagram_that_meshc_didnt_draw_is_refused() -> None:
    with pytest.raises(ValueError, match="not a line of meshc graph: click c0"):
        page("```mermaid\nflowchart LR\n  click c0\n```\n", "README.md", KNOWN)


def test_bars_in_code_of_a_table_are_shown_without_their_backslash() -> None:
    assert page("| `a\\|b` | c \\| d |\n", "README.md", KNOWN) == "| `a|b` | c \\| d |\n"


@pytest.mark.parametrize(
    ("html", "hosts"),
    [
        ('<script src="assets/a.js"></script><link rel="canonical" href="https://a.example/">', []),
        ('<a href="https://a.example/">a link</a>', []),
        ('<script src="https://cdn.example/a.js"></script>', ["https://cdn.example/a.js"]),
        ('<link rel="stylesheet" href="//fonts.example/a.css">', ["//fonts.example/a.css"]),
        ("<img src=https://img.example/a.png>", ["https://img.example/a.png"]),
    ],
)
def test_what_a_built_page_loads_from_other_hosts_is_found(html: str, hosts: list[str]) -> None:
    assert foreign(html) == hosts


def test_the_folder_of_the_site_is_ignored() -> None:
    assert ".site/" in Path(ROOT / ".gitignore").read_text().splitlines()
