"""A value is written into YAML where it stands, and nothing else of the text changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from meshc.errors import Path as Steps
from meshc.yamltext.edit import EditError, with_values
from meshc.yamltext.read import read

ROOT = Path(__file__).parents[1]
AT: Steps = ("a", 0, "to", "istiod")
CASES: dict[str, tuple[str, str]] = {
    "plain, with a comment": (
        "a:\n  - to:\n      istiod: 10.0.5.20   # ours\n  - b\n",
        "a:\n  - to:\n      istiod: 10.0.5.99   # ours\n  - b\n",
    ),
    "quoted": ("a:\n- to: {istiod: '10.0.5.20'}  # ours\n", "a:\n- to: {istiod: 10.0.5.99}  # ours\n"),
    "no value": ("a:\n  - to:\n      istiod:\n      b: 1\n", ""),
    "missing in a flow mapping": (
        "a: [{to: {pilot: x}, c: 1}] # c\n",
        "a: [{to: {pilot: x, istiod: 10.0.5.99}, c: 1}] # c\n",
    ),
    "missing in an empty one": ("a: [{to: {}}]\n", "a: [{to: {istiod: 10.0.5.99}}]\n"),
    "missing in a block mapping": (
        "a:\n  - to:\n      pilot: x  # last\n    # of b\n    b: 1\n",
        "a:\n  - to:\n      pilot: x  # last\n      istiod: 10.0.5.99\n    # of b\n    b: 1\n",
    ),
    "missing with what is above it": (
        "a:\n  - name: hub\n    l: [1,\n        2]\n\n# end\n",
        "a:\n  - name: hub\n    l: [1,\n        2]\n    to: {istiod: 10.0.5.99}\n\n# end\n",
    ),
    "no line break at the end": ("a:\n- b: 1", "a:\n- b: 1\n  to: {istiod: 10.0.5.99}"),
    "beyond ASCII": ("a: [{ä: 'ö', to: {istiod: x}}] # ü\n", "a: [{ä: 'ö', to: {istiod: 10.0.5.99}}] # ü\n"),
    "the same": ("a: [{to: {istiod: '10.0.5.99'}}]\n", "a: [{to: {istiod: '10.0.5.99'}}]\n"),
    "an anchor that others use": ("a:\n- to: &x {istiod: z}\n- to: *x\n", ""),
    "through an alias": ("b: &x {istiod: z}\na: [{to: *x}]\n", ""),
    "text in lines": ("a:\n- to:\n    b: |\n      text\n\nc: 1\n", ""),
}


@pytest.mark.parametrize("name", CASES)
def test_a_value_is_written_where_it_stands_or_not_at_all(name: str) -> None:
    before, after = CASES[name]
    try:
        found = with_values(before.encode(), "m", {AT: "10.0.5.99"}).decode()
    except EditError:
        found = ""

    assert found == after or (not after and _means(found, before))


def test_what_is_left_to_a_person_is_told() -> None:
    with pytest.raises(EditError, match=r"hint: write a\[0\]\.to\.istiod: 10\.0\.5\.99"):
        with_values(b"a:\n- to: &x {istiod: z}\n- to: *x\n", "m", {AT: "10.0.5.99"})


def _means(found: str, before: str) -> bool:
    """Where no layout is promised: the wanted value, and nothing else, is another one."""
    if not found:
        return True
    data: Any = read(found.encode(), "m")[0][0].data
    was: Any = read(before.encode(), "m")[0][0].data
    return data["a"][0]["to"]["istiod"] == "10.0.5.99" and {**data, "a": 0} == {**was, "a": 0}


@pytest.mark.parametrize("value", ["yes", "1.30", "a: b", "#x", "{cluster}", "x\ty", "", "-", "null", "1e3", "fd00::1"])
def test_whatever_the_text_it_is_read_back(value: str) -> None:
    written = with_values(b"a: {b: 1}\n", "m", {("a", "b"): value, ("a", "c"): [value], ("d",): value})

    assert read(written, "m", strict=True)[0][0].data == {"a": {"b": value, "c": (value,)}, "d": value}


def test_the_sample_mesh_keeps_every_other_line() -> None:
    before = (ROOT / "mesh.yaml").read_bytes()
    path: Steps = ("spec", "clusters", 0, "controlPlane", "addresses", "istiod")
    more: Steps = ("spec", "clusters", 3, "kubernetesVersion")
    after = with_values(before, "mesh.yaml", {path: "10.9.9.9", more: "1.33"})
    old, new = before.decode().splitlines(), after.decode().splitlines()

    assert [line for line in new if line not in old] == [
        "          istiod: 10.9.9.9",
        '      kubernetesVersion: "1.33"',
    ]
    assert [line for line in old if line not in new] == ["          istiod: 10.0.5.20"]
