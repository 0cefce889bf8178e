"""The Chinese pages keep in step with the English ones: the same commands, files and output, the same figures."""

from __future__ import annotations

import re

import pytest

from support.markdown import blocks, links
from support.paths import ROOT

PAIRS = {"docs/zh/tutorial.md": "docs/tutorial.md", "docs/zh/classic.md": "examples/classic/README.md"}


def test_every_chinese_page_has_its_english_page() -> None:
    assert sorted(f"docs/zh/{path.name}" for path in (ROOT / "docs/zh").glob("*.md")) == sorted(PAIRS)


@pytest.mark.parametrize("chinese", PAIRS)
def test_the_blocks_of_code_are_the_same(chinese: str) -> None:
    assert blocks((ROOT / chinese).read_text()) == blocks((ROOT / PAIRS[chinese]).read_text())


@pytest.mark.parametrize("chinese", PAIRS)
def test_the_english_sections_are_all_there(chinese: str) -> None:
    sections = [re.findall("^## ", (ROOT / name).read_text(), re.MULTILINE) for name in (PAIRS[chinese], chinese)]

    assert len(sections[1]) >= len(sections[0])


@pytest.mark.parametrize("chinese", PAIRS)
def test_each_page_links_to_the_other_one(chinese: str) -> None:
    here, there = ROOT / chinese, ROOT / PAIRS[chinese]

    assert there in [(here.parent / link).resolve() for link in links(here.read_text())]
    assert here in [(there.parent / link).resolve() for link in links(there.read_text())]


def test_the_rows_of_the_guide_name_the_same_output() -> None:
    """Each step of the guide with what it became: paths in output/, and codes."""
    named = [
        re.findall(r"`(output/[^`]*)` `([^`]*)`|(MESH\d+)", (ROOT / name).read_text())
        for name in ("docs/zh/classic.md", PAIRS["docs/zh/classic.md"])
    ]

    assert len(named[0]) > 20
    assert named[0] == named[1]
