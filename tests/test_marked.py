"""The marks of names with which the parts of several clusters fit into one run of kustomize."""

from __future__ import annotations

import re

import pytest
import yaml

from meshc.errors import Place
from meshc.output.marked import unmarked, with_marks
from meshc.output.unit import Unit
from meshc.overlays.layers import Layer
from meshc.plan.files import PatchPlan, UserFile, UserObject

MARK = "m0-"


def unit(text: str = "", *, patch: str = "", target: dict[str, str] | None = None, own: str = "") -> Unit:
    """A unit with one object of meshc's, one resource and one patch, each only if it is given."""
    resources = (UserFile("r.yaml", "r.yaml", text.encode(), ()),) if text else ()
    place = Place("mesh.yaml", 1, 1)
    patches = (PatchPlan(UserFile("p.yaml", "p.yaml", patch.encode(), ()), target or {}, place),) if patch else ()
    return Unit({}, (own.encode(),) if own else (), (Layer(resources, patches),), {}, frozenset())


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("metadata: {name: web}\n", "metadata: {name: m0-web}\n"),
        ('metadata: {name: "web", labels: {web: web}}', 'metadata: {name: "m0-web", labels: {web: web}}'),
        ("metadata:\r\n  # web\r\n  name: web # web\r\n", "metadata:\r\n  # web\r\n  name: m0-web # web\r\n"),
        ("metadata: {name: a-b}\n---\nmetadata: {name: 'c'}\n---\n", None),
        (
            "metadata: {name: a-b}\n---\nmetadata: {name: 'cd'}\n",
            "metadata: {name: m0-a-b}\n---\nmetadata: {name: 'm0-cd'}\n",
        ),
        ("spec: {é: ü}\nmetadata: {é: ü, name: web}\n", "spec: {é: ü}\nmetadata: {é: ü, name: m0-web}\n"),
        ("metadata: {name: &n web}\n", None),
        ("metadata: {labels: {a: &n web}, name: *n}\n", None),
        ("metadata: {name: 'no'}\n", None),
        ("metadata: {name: 1e3}\n", None),
        ("metadata: {name: '0x1'}\n", None),
        ("metadata: {}\n", None),
        ("metadata: &n {name: web}\nspec: {<<: *n}\n", None),
        ("metadata: &n {name: web}\nspec: [*n]\n", None),
        ("metadata: &n {name: web}\n", "metadata: &n {name: m0-web}\n"),
        ("kind: RoleList\nmetadata: {name: web}\nitems: []\n", None),
        ("kind: List\nitems: [{metadata: {name: web}}]\n", None),
        ("metadata: [\n", None),
    ],
)
def test_names_in_files_of_users(text: str, marked: str | None) -> None:
    files = with_marks(unit(text), MARK)

    assert (files["resources/r.yaml"].decode() if files else None) == marked
    patched = with_marks(unit(patch=text), MARK)
    assert (patched["patches/p.yaml"].decode() if patched else None) == marked


def test_names_in_components() -> None:
    patched = unit("metadata: {name: web}\n", patch="[]", target={"name": "web"}).layers[0]
    labels = {"labels": ({"pairs": {"a": "web"}},)}
    layers = (Layer(), Layer(patched.resources, patched.patches, labels))

    files = with_marks(Unit({}, (), layers, {}, frozenset()), MARK)
    assert files is not None
    assert files["components/0/resources/r.yaml"] == b"metadata: {name: m0-web}\n"
    told = yaml.safe_load(files["components/0/kustomization.yaml"])
    assert told["kind"] == "Component"
    assert told["patches"] == [{"path": "patches/p.yaml", "target": {"name": "m0-(?:web)"}}]
    assert told["labels"] == [{"pairs": {"a": "web"}}]
    assert yaml.safe_load(files["kustomization.yaml"])["components"] == ["components/0"]


def test_the_name_of_an_object_of_meshc() -> None:
    own = "apiVersion: v1\nkind: A\nmetadata:\n  annotations:\n    name: web\n  name: web\nspec:\n  name: web\n"

    files = with_marks(unit(own=own), MARK)
    assert files is not None
    assert files["objects.yaml"].decode().endswith(own.replace("\n  name: web\nspec", "\n  name: m0-web\nspec"))
    assert with_marks(unit(own=own.replace("\n  name: web\nspec", "\nspec")), MARK) is None
    assert with_marks(unit(own=own.replace("web", "'1'")), MARK) is None


@pytest.mark.parametrize(
    ("pattern", "marked"),
    [("web", "m0-(?:web)"), ("", '""'), ("we[b-d].*", "m0-(?:we[b-d].*)"), ("a|b", None), ("[[:alpha:]]", None)],
)
def test_the_name_of_a_target(pattern: str, marked: str | None) -> None:
    files = with_marks(unit(patch="metadata: {name: '1'}", target={"name": pattern}), MARK)

    found = re.findall("name: (.*)", files["kustomization.yaml"].decode()) if files else [None]
    assert found == [marked]


def test_a_target_without_a_name_stays() -> None:
    files = with_marks(unit(patch="[]", target={"kind": "Service"}), MARK)

    assert files is not None
    assert MARK not in "".join(data.decode() for data in files.values())


def test_a_file_with_and_without_a_target() -> None:
    one = unit(patch="metadata: {name: web}")
    both = (*one.patches, *unit(patch="metadata: {name: web}", target={"kind": "A"}).patches)

    assert with_marks(Unit({}, (), (Layer((), both),), {}, frozenset()), MARK) is None


@pytest.mark.parametrize(("path", "is_marked"), [("/metadata/name", False), ("/metadata", False), ("/kind", True)])
def test_a_patch_that_tests_the_name(path: str, is_marked: bool) -> None:
    place = Place("p.yaml", 1, 1)
    steps = UserFile("p.yaml", "p.yaml", b"[]", (UserObject(({"op": "test", "path": path, "value": "a"},), place),))
    layer = Layer((), (PatchPlan(steps, {"kind": "A"}, place),))
    tested = Unit({}, (), (layer,), {}, frozenset())

    assert (with_marks(tested, MARK) is not None) == is_marked


def test_taking_an_output_apart() -> None:
    first, second = (
        "apiVersion: v1\nkind: A\nmetadata:\n  name: {}a\n",
        "apiVersion: v1\nkind: A\nmetadata:\n  name: {}b\n",
    )
    second += "spec: |+\n  empty lines are a part of this text\n\n\n"
    stream = f"{first.format('m0-')}---\n{first.format('m1-')}---\n{second.format('m0-')}"

    assert unmarked(stream.encode(), ["m0-", "m1-", "m2-"]) == {
        "m0-": f"{first.format('')}---\n{second.format('')}".encode(),
        "m1-": first.format("").encode(),
        "m2-": b"",
    }
    assert unmarked(stream.encode(), ["m0-"]) is None, "an object of no unit"
    assert unmarked(stream.encode() + b"spec: m0-\n", ["m0-", "m1-"]) is None, "a mark that kustomize copied"
    assert unmarked(b"", ["m0-"]) == {"m0-": b""}
