"""The project's texts keep the rules of plain English that a program can check. `prose.yaml` lists the rules."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
import yaml

from support.paths import ROOT, TESTS

RULES = yaml.safe_load((TESTS / "prose.yaml").read_text())
NOT_YET = set(RULES["not_yet"])
GENERATED = {"docs/cli.md", "docs/mesh-yaml.md", "docs/problems.md", "docs/support.md"}
"""Pages that are made from texts in the code."""

PAGES = [ROOT / name for name in ("README.md", "SECURITY.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")]
PAGES += [*(ROOT / "docs").glob("*.md"), *(ROOT / "compiler/meshc/pages").glob("*.md")]
CODE = [*(ROOT / "compiler/meshc").rglob("*.py")]
FILES = sorted(str(path.relative_to(ROOT)) for path in [*PAGES, *CODE])


def sentences(markdown: str) -> Iterator[str]:
    """Each sentence of a text, with `X` for inline code. Skips code blocks; each cell of a table is a sentence."""
    text = re.sub(r"(?ms)^ *```.*?^ *```", "\n\n", markdown)
    text = re.sub(r"\]\([^)]*\)", "]", re.sub(r"`[^`]*`", "X", text))
    for block in re.split(r"\n\s*\n|\n\s*(?:[*-]|\d+\.) |\||^#+ ", text, flags=re.MULTILINE):
        for sentence in re.split(r"(?<=[.!?:;])\s+", " ".join(block.split())):
            yield sentence.strip("* ")


def texts(file: str) -> Iterator[str]:
    """A page, or the docstrings of a module."""
    content = (ROOT / file).read_text()
    if file.endswith(".md"):
        yield content.partition("| before | after |")[0]  # in CONTRIBUTING.md: sentences as they should not be
        return
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


def faults_of(file: str) -> list[str]:
    longest = RULES["longest"] if file.endswith(".md") else None
    return [f"{file}: {fault}" for text in texts(file) for fault in faults(text, longest)]


def faults(text: str, longest: int | None = None) -> list[str]:
    """Each sentence that breaks a rule, with what to write instead."""
    found = []
    for sentence in sentences(text):
        if longest is not None and len(sentence.split()) > longest:
            found.append(f"{sentence}\n  -> more than {longest} words: write two sentences, or a list")
        found += [
            f'{sentence}\n  -> instead of "{hit[0]}" write {rule["instead"]}'
            for rule in RULES["rules"]
            if (hit := re.search(rule["pattern"], sentence))
        ]
    return found


def test_every_sentence_keeps_the_rules() -> None:
    found = [fault for file in FILES if file not in GENERATED | NOT_YET for fault in faults_of(file)]

    assert not found, "\n".join(found)


def test_exceptions_are_files() -> None:
    assert sorted(NOT_YET - set(FILES)) == []


@pytest.mark.parametrize(
    "sentence",
    [
        "Of a folder only Services are read.",
        "It reads living clusters.",
        "`--link kustomize` does without.",
        "Whoever reads it may have it.",
        " ".join(["word"] * 41),
    ],
)
def test_a_sentence_that_breaks_a_rule_is_found(sentence: str) -> None:
    assert len(faults(f"# A title\n\nThis sentence is right. {sentence}\n", 40)) == 1


def test_code_is_no_prose() -> None:
    assert faults("A sentence.\n\n```sh\n# anew\n```\n\nIt has `whoever` in it.\n", 40) == []
