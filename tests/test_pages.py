"""The pages of the codes: one each, in one form, with YAML that is YAML and mesh.yaml that fits."""

from __future__ import annotations

import re
import textwrap
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from make_docs import marks
from meshc.cli.main import app
from meshc.codes import every_code
from meshc.mesh.model import Mesh, Spec
from support.paths import ROOT, TESTS

PAGES = ROOT / "compiler/meshc/pages"
SECTIONS = ["What it prevents", "How to fix it", "When to acknowledge it"]


def test_every_code_has_a_page() -> None:
    assert sorted(path.stem for path in PAGES.iterdir()) == list(every_code())


@pytest.mark.parametrize("name", every_code())
def test_a_page_has_its_form(name: str) -> None:
    code, text = every_code()[name], (PAGES / f"{name}.md").read_text()
    lines = text.splitlines()
    wanted = SECTIONS if code.acknowledgeable else SECTIONS[:2]

    assert lines[0] == f"# {name}: {code.title}"
    assert lines[2] == f"*{marks(code)}*: {code.advice}"
    assert code.advice
    assert re.findall(r"(?m)^## (.*)$", text) == wanted
    assert len(lines) <= 60
    if code.acknowledgeable:
        assert f"code: {name}" in text.rpartition("## ")[2]


@pytest.mark.parametrize("name", every_code())
def test_the_yaml_of_a_page_is_yaml_and_fits(name: str) -> None:
    for block in re.findall(r"(?ms)^```yaml\n(.*?)^```", (PAGES / f"{name}.md").read_text()):
        for document in yaml.safe_load_all(textwrap.dedent(block)):
            if isinstance(document, dict) and "# before" not in block:
                assert unknown_keys(document) == [], block


def unknown_keys(document: dict[str, Any]) -> list[str]:
    """Keys of mesh.yaml that aren't: of the document itself, or of a fragment that begins below spec."""
    if document.get("kind") == "Mesh":
        return sorted(document.keys() - {field.alias for field in Mesh.model_fields.values()})
    spec = document["spec"] if set(document) == {"spec"} else document
    known = {field.alias for field in Spec.model_fields.values()}
    fragment = document.get("apiVersion") or not set(document) & known
    return [] if fragment else sorted(spec.keys() - known - {"apiVersion", "kind", "metadata"})


def test_pages_cite_issues_that_were_looked_up() -> None:
    """No other ones, and the list of those that were looked up names none that no page cites."""
    cited = {issue for page in PAGES.iterdir() for issue in re.findall(r"[\w./-]*#\d{4,}", page.read_text())}

    assert sorted(cited) == sorted(yaml.safe_load((TESTS / "cited_issues.yaml").read_text()))


def test_explain_prints_pages_and_lists_codes() -> None:
    one = CliRunner().invoke(app, ["explain", "mesh215", "101"])
    every = CliRunner().invoke(app, ["explain"])
    none = CliRunner().invoke(app, ["explain", "MESH999", "x"])

    assert one.stdout == "\n".join((PAGES / f"MESH{n}.md").read_text() for n in (215, 101))
    assert every.stdout.splitlines() == [f"{code.id}  {code.title}" for code in every_code().values()]
    assert (none.exit_code, none.stdout) == (2, "")
    assert none.stderr.startswith('error: there is no code "MESH999", "x"')
