"""An overlay of which kustomize only saw a part is what a whole build of it is, byte for byte, whatever patches do."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from pathlib import Path

import pytest

from meshc.mesh.chart_files import digest_of
from support.counted_builds import built, compiled
from support.patch_forms import (
    AT_ODDS,
    BY_HAND,
    LISTS,
    RESOURCES,
    SERVICES,
    WHOLE,
    Entry,
    by_chance,
    service,
    steps,
    target,
    write_mesh,
)
from support.paths import TESTS
from support.processes import meshc
from support.their_objects import BY_NAME, UNSURE, theirs_by_chance
from support.tools import find_tool

pytestmark = pytest.mark.thorough


def test_patches_of_every_form(tmp_path: Path) -> None:
    write_mesh(tmp_path, [BY_HAND, BY_HAND[:3], BY_HAND[:3], LISTS], RESOURCES, ("MESH613", "MESH614", "MESH618"))

    assert built(tmp_path) == ["unit"] * 3, "equal parts are built once"


def test_different_parts_are_built_together(tmp_path: Path) -> None:
    by_hand = [[one] for one in BY_HAND if "labelSelector" not in one[1]]
    lists = [[LISTS[0], one] for one in LISTS[1:] if not any("Selector" in key for key in one[1])]
    write_mesh(tmp_path, by_hand + lists, RESOURCES, ("MESH613", "MESH614", "MESH618"))

    started = built(tmp_path)
    assert started.count("batch") == 2, "at most 20 clusters in one run of kustomize"
    assert started.count("unit") == 5, "names of a target with | or [: or a colon aren't marked"


def test_a_part_that_kustomize_refuses_doesnt_stop_the_others(tmp_path: Path) -> None:
    patches = [[BY_HAND[0]], [BY_HAND[1]], [REFUSED], [BY_HAND[3]], UNSURE[1]]
    write_mesh(tmp_path, patches, [*[RESOURCES] * 4, UNSURE[0]])

    result, _ = compiled(tmp_path)
    errors = re.findall("error (MESH[0-9]+: [^:]*): kustomize can't apply this patch", result.stderr)
    assert errors == ["MESH701: edge-2", "MESH701: edge-4"], result.stderr


REFUSED = (steps(("test", "/kind", "Other"), ("add", "/metadata/labels", {"a": "b"})), target(1))


def test_a_patch_that_kustomize_refuses_in_many_clusters_is_one_problem(tmp_path: Path) -> None:
    own: list[Entry] = [(service(3, metadata={"labels": {"n": str(number)}}), {}) for number in range(8)]
    write_mesh(tmp_path, [[one, REFUSED] for one in own], RESOURCES)

    result, started = compiled(tmp_path)
    (what,) = re.findall("error MESH701: (.*): kustomize can't apply this patch", result.stderr)
    assert what == ", ".join(f"edge-{number}" for number in range(8))
    assert started.count("unit") == 8
    overlays = [one for one in started if one not in ("batch", "unit")]
    assert {name: overlays.count(name) for name in overlays} == {"edge-0": 5, **{f"edge-{n}": 1 for n in range(1, 8)}}


def test_each_of_two_refused_patches_is_a_problem(tmp_path: Path) -> None:
    other = (steps(("remove", "/spec/nothing")), target(2))
    write_mesh(tmp_path, [[REFUSED], [REFUSED, other], [other], [BY_HAND[0]]], RESOURCES)

    result, _ = compiled(tmp_path)
    told = re.findall("error MESH701: (.*): kustomize can't apply this patch", result.stderr)
    assert sorted(told) == ["edge-0, edge-1", "edge-1, edge-2"], result.stderr


def test_what_clusters_share_is_built_once(tmp_path: Path) -> None:
    every = (json.dumps({"kind": "Any", "metadata": {"name": "any", "labels": {"team": "mesh"}}}), {"kind": ".*"})
    steps_as_yaml = ("[{op: add, path: /metadata/labels/n, value: x}]", target(3))
    shared = [[every], [every, BY_HAND[9]], [every], [every, steps_as_yaml], [every, BY_HAND[0]]]
    write_mesh(tmp_path, shared, "")

    assert sorted(built(tmp_path)) == ["batch", "batch"]
    parts = {path.parent.name: path.read_text() for path in (tmp_path / "output").glob("*/services.yaml")}
    assert all(text.count("team: mesh") == SERVICES for text in parts.values())


def test_what_depends_on_names_isnt_changed_by_marks(tmp_path: Path) -> None:
    patches = [*[each for _, each in BY_NAME], *[[BY_HAND[number]] for number in (0, 1, 3, 9)]]
    write_mesh(tmp_path, patches, [*[text or RESOURCES for text, _ in BY_NAME], *[RESOURCES] * 4])

    assert "batch" in built(tmp_path)
    assert "\n  z: |+\n    a\n\n" in (tmp_path / "output" / "edge-4" / "resources.yaml").read_text()


def test_what_may_change_other_objects_is_built_whole(tmp_path: Path) -> None:
    write_mesh(tmp_path, [[one] for one in WHOLE], RESOURCES, ("MESH613",))

    names = [f"edge-{number}" for number in range(len(WHOLE))]
    assert sorted(built(tmp_path)) == names
    told = re.findall(r"whole: (.*?): (.*)", meshc("compile", cwd=tmp_path).stdout)
    assert sorted(name for listed, _ in told for name in listed.split(", ")) == names
    assert {why.split(",")[0] for _, why in told} == {
        "a patch changes an object's name",
        "an object or one of your files has an instruction for kustomize (config.kubernetes.io)",
    }


def test_lists_and_marked_resources_are_built_whole(tmp_path: Path) -> None:
    lists = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: c}\n"
    write_mesh(tmp_path, [[], BY_HAND[:1]], lists)

    built(tmp_path)


def test_an_object_of_a_chart_refers_to_a_patched_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway chart's RoleBinding names its ServiceAccount without a namespace, which kustomize adds."""
    monkeypatch.setenv("MESHC_HELM", find_tool("helm"))
    shutil.copytree(TESTS / "cases" / "charts" / "east-west-gateway-by-chart", tmp_path, dirs_exist_ok=True)
    (tmp_path / ".git").mkdir()
    chart = tmp_path / "vendor" / "gateway"
    before = digest_of(_files(chart))
    (chart / "templates" / "account.yaml").write_text(UNSURE[0].replace("default", "elsewhere"))
    lock = tmp_path / "charts.lock.yaml"
    lock.write_text(lock.read_text().replace(before, digest_of(_files(chart))))
    (tmp_path / "patch.yaml").write_text(UNSURE[1][0][0])
    mesh = tmp_path / "mesh.yaml"
    patches = "patches: [{path: patch.yaml, target: {kind: ServiceAccount, namespace: shop}}]"
    mesh.write_text(mesh.read_text().replace("- name: hub", f"- name: hub\n      {patches}"))

    assert built(tmp_path) == ["unit"]
    assert (
        "name: app\n  namespace: shop\n"
        in (tmp_path / "output" / "hub" / "gateway-istio-eastwestgateway.yaml").read_text().partition("subjects:")[2]
    )


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("seed", range(300 if os.environ.get("MESHC_TEST_LONG") == "1" else 1))
def test_patches_by_chance(tmp_path: Path, seed: int) -> None:
    chance = random.Random(f"units {seed}")
    theirs = [theirs_by_chance(chance, odd=number > 2) for number in range(6)]
    patches: list[list[Entry]] = [each + by_chance(chance) for _, each in theirs]
    patches[0] += AT_ODDS
    patches += [by_chance(chance) for _ in range(3)]
    own = [*(f"{RESOURCES}---\n{text}" for text, _ in theirs), *[""] * 3]
    write_mesh(tmp_path, patches, own, ("MESH613", "MESH614"))

    assert {"batch"} <= set(built(tmp_path)) <= {"batch", "unit"}
