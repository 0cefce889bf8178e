"""`meshc fmt`: the same words in one layout. What a text says and its comments stay; a second run changes nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meshc.yamltext.edit import EditError
from meshc.yamltext.layout import laid_out
from meshc.yamltext.read import read
from support.commands import invoke
from support.paths import ROOT
from support.tools import tries

CASES = ROOT / "tests/cases"
PAIRS = {
    "spaces": ("a :   1   \nb: [1,2 , { c : d,e: 'f' }]\n", "a: 1\nb: [1, 2, {c: d, e: 'f'}]\n"),
    "lists": ("a:\n- b:\n  - c\n-   d: 1\n    e: 2\n", "a:\n  - b:\n      - c\n  - d: 1\n    e: 2\n"),
    "empty lines": ("\n\na: 1\n\n\n\nb: 2\n\n", "a: 1\n\nb: 2\n"),
    "comments": (
        "a:\n   # of b\n   b: 1  # beside\n   # after b\n# of c\nc:\n- d\n# end",
        "a:\n  # of b\n  b: 1  # beside\n  # after b\n# of c\nc:\n  - d\n# end\n",
    ),
    "texts in lines": (
        "a:\n      b: |\n         x  \n           y\n\n      c: >-\n        z\nd: |2\n    e\nf: 'g\n  h'\n",
        "a:\n  b: |\n     x  \n       y\n\n  c: >-\n    z\nd: |2\n    e\nf: 'g\n  h'\n",
    ),
    "what is written over lines": (
        "a:\n    b: [\n       1,\n\n       2,\n    ]\n",
        "a:\n  b: [\n     1,\n\n     2,\n  ]\n",
    ),
    "anchors and tags": ("a:  &x\n    b: !!str  1\nc:   *x\n", "a: &x\n  b: !!str 1\nc: *x\n"),
    "line ends of Windows": ("\ufeffa:\r\n    b: 1\r\n", "a:\n  b: 1\n"),
    "lists in lists": ("- - a\n  -   b\n-\n   - c\n", "- - a\n  - b\n-\n  - c\n"),
    "a text as it shall be": ("# x\na:\n  - b: 1   # y\n\n    c: 2\n", "# x\na:\n  - b: 1   # y\n\n    c: 2\n"),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_text_gets_its_one_layout(name: str) -> None:
    before, after = PAIRS[name]

    assert laid_out(before.encode(), "m").decode() == after


@pytest.mark.parametrize("text", ["? a\n: b\n", "a: [\n", "a: 1\u2028b: 2\n", "%YAML 1.2\n---\na: 1\n"])
def test_a_text_of_another_form_is_left_to_a_person(text: str) -> None:
    with pytest.raises(EditError, match="format it by hand"):
        laid_out(text.encode(), "m")


SAMPLES = (ROOT / "mesh.yaml", ROOT / "examples/classic/mesh.yaml", *sorted(CASES.glob("*/*/mesh.yaml"))[::60])


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.parent.name)
def test_another_layout_of_a_mesh_becomes_the_same(path: Path) -> None:
    data = path.read_bytes()
    try:
        known = laid_out(data, "m")
    except (EditError, UnicodeDecodeError):
        assert read(data, "m", strict=True)[1]
        return
    text = known.decode()
    if not re.search(r"[|>]-?$", text, re.MULTILINE):  # else blanks are part of what is said
        wide = re.sub(
            r"^( *)(- )?", lambda found: found[1] * 2 + ("-   " if found[2] else ""), text, flags=re.MULTILINE
        )
        assert laid_out(wide.replace("\n", "  \n").encode(), "m") == known
        assert laid_out(re.sub(r"(?m)^( *\w+): (?=\w)", r"\1 :   ", text).encode(), "m") == known
    assert laid_out(text.replace("\n\n", "\n\n\n \n").encode(), "m") == known


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=tries(60))
@given(VALUES, st.integers(2, 6), st.sampled_from([False, True, None]), st.sampled_from([None, '"', "'", "|", ">"]))
@example({"a": ["\n  x\n\n", {"b": " y\n"}], "c": "# no comment"}, 4, False, "|")
@example([[{"a": "b: c"}, []], {}], 3, False, None)
def test_what_a_text_says_stays(value: Any, indent: int, flow: bool | None, style: str | None) -> None:
    options: dict[str, Any] = {"indent": indent, "default_flow_style": flow, "default_style": style, "width": 20}
    text = yaml.safe_dump(value, allow_unicode=True, **options).encode()
    try:
        result = laid_out(text, "m")
    except EditError:
        return

    assert yaml.safe_load(result) == yaml.safe_load(text)
    assert laid_out(result, "m") == result


def test_mesh_yaml_and_its_parts_are_shown_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    mesh = "kind:  Mesh\nspec: {include: [{files: parts/*.yaml, may: [clusters]}]}\n"
    Path("mesh.yaml").write_text(mesh)
    Path("parts").mkdir()
    part = "kind: MeshPart\nspec:\n    clusters:\n    - name: hub  # ours\n"
    Path("parts/hub.yaml").write_text(part)

    checked = invoke("fmt", "--check")
    assert (checked.exit_code, Path("parts/hub.yaml").read_text()) == (1, part)
    assert "-    clusters:\n+  clusters:\n     - name: hub  # ours\n" in checked.stdout
    assert checked.stdout.splitlines()[-1] == "2 files to format: meshc fmt"
    assert invoke("fmt").exit_code == 0
    assert Path("mesh.yaml").read_text() == mesh.replace("  Mesh", " Mesh")
    assert Path("parts/hub.yaml").read_text() == "kind: MeshPart\nspec:\n  clusters:\n    - name: hub  # ours\n"
    assert (invoke("fmt", "--check").exit_code, invoke("fmt").stdout) == (0, "nothing to format\n")

    Path("mesh.yaml").write_text(mesh)
    Path("parts/hub.yaml").write_text("a: [")
    assert invoke("fmt").exit_code == 3
    assert Path("mesh.yaml").read_text() == mesh
    Path("parts/hub.yaml").write_text("? a\n: b\n")
    refused = invoke("fmt")
    assert (refused.exit_code, Path("mesh.yaml").read_text()) == (3, mesh)
    assert "parts/hub.yaml can't be formatted without other changes" in refused.stderr
