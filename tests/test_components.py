"""A cluster with components of which kustomize only saw a part is what a whole build of it is, byte for byte."""

from __future__ import annotations

import os
import random
import re
from pathlib import Path

import pytest

from support.component_forms import APART, WHOLE, Form, component_by_chance, write_component
from support.counted_builds import accepted, built, compiled
from support.patch_forms import BY_HAND, RESOURCES, Entry, service, steps, target, write_mesh
from support.processes import meshc

pytestmark = pytest.mark.thorough
_HEAD = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"


def test_components_of_every_form(tmp_path: Path) -> None:
    names = [write_component(tmp_path, f"c{number}", form) for number, form in enumerate(APART)]
    patches = [[], [BY_HAND[1]]] * (len(names) // 2)
    assert accepted(tmp_path, lambda codes: write_mesh(tmp_path, patches, "", codes, [[name] for name in names]))

    assert set(built(tmp_path)) <= {"batch", "unit"}


def test_one_component_for_all_is_built_once(tmp_path: Path) -> None:
    name = write_component(tmp_path, "team", (RESOURCES, BY_HAND[:3], {"labels": [{"pairs": {"team": "mesh"}}]}))
    assert accepted(tmp_path, lambda codes: write_mesh(tmp_path, [[]] * 5, "", codes, [[name]] * 5))

    assert len(built(tmp_path)) < 5
    assert "team: mesh" in (tmp_path / "output/edge-4/services.yaml").read_text()


def test_a_patch_matches_what_an_earlier_component_sets(tmp_path: Path) -> None:
    write_component(tmp_path, "labels", APART[3])
    write_component(tmp_path, "by-tier", APART[4])
    by_tier: Entry = (service(0, metadata={"annotations": {"late": "yes"}}), {"labelSelector": "tier=gold"})
    parts = [["labels", "by-tier"], ["by-tier", "labels"], ["labels"]]
    write_mesh(tmp_path, [[], [], [by_tier]], RESOURCES, (), parts)

    assert set(built(tmp_path)) <= {"batch", "unit"}
    counts = [
        len(re.findall("by: tier|late: .yes", (tmp_path / f"output/edge-{number}/services.yaml").read_text()))
        for number in range(3)
    ]
    assert counts[0] > 0
    assert counts[1] == 0
    assert counts[2] > 0


def test_what_may_change_other_objects_is_built_whole(tmp_path: Path) -> None:
    names = [write_component(tmp_path, f"c{number}", form) for number, form in enumerate(WHOLE)]
    assert accepted(
        tmp_path, lambda codes: write_mesh(tmp_path, [[]] * len(names), "", codes, [[name] for name in names])
    )

    result, started = compiled(tmp_path)
    assert sorted(started) == sorted(f"edge-{number}" for number in range(len(names))), result.stderr


def test_a_resource_of_a_component_that_the_cluster_has_already(tmp_path: Path) -> None:
    copy = "apiVersion: v1\nkind: Service\nmetadata: {name: svc-3, namespace: shop}\nspec: {ports: [{port: 1}]}\n"
    name = write_component(tmp_path, "own", (copy, [], {}))
    write_mesh(tmp_path, [[]], "", (), [[name]])

    result = meshc("compile", cwd=tmp_path)
    assert result.returncode == 3
    assert "error MESH701: edge-0: kustomize can't apply this component" in result.stderr


def test_a_component_that_kustomize_refuses(tmp_path: Path) -> None:
    missing: Form = ("", [(service(99, metadata={"labels": {"a": "b"}}), {})], {})
    names = [write_component(tmp_path, "fine", APART[0]), write_component(tmp_path, "missing", missing)]
    write_mesh(tmp_path, [[], [(service(1), target(1))]], "", (), [[names[0]], names])

    result = meshc("compile", cwd=tmp_path)
    (what,) = re.findall("error MESH701: (.*): kustomize can't apply this component", result.stderr)
    assert what == "edge-1"


@pytest.mark.parametrize("patch", ["[{op: move}]", '{"metadata": {"labels": {"a": "b"}}}'])
def test_a_component_with_a_fault_that_no_object_shows(tmp_path: Path, patch: str) -> None:
    name = write_component(tmp_path, "faulty", ("", [(patch, target(99))], {}))
    write_mesh(tmp_path, [[]], "", (), [[name]])

    result = meshc("compile", cwd=tmp_path)
    assert "error MESH701: edge-0: kustomize can't apply this component" in result.stderr, result


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Component\nlabels: [{pairs: {a: b}}]\n",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nlabels: []\npatches: []\n",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: [{target: {kind: Service}}]\n",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nlabels: [{pairs: {a: [b]}}]\n",
        "kind: Component\nlabels: [{pairs: {a: b}}]\n",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nimages: [{name: a, newTag: 1.10}]\n",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonLabels: {a: 1}\n",
        *(
            f"{_HEAD}patches: [{{patch: '[]', target: {{{target}}}}}]\n"
            for target in ('kind: "("', 'labelSelector: "a in ("', 'kind: "[[["', "annotationSelector: '!!'", "kind: 5")
        ),
        *(
            f"{_HEAD}patches: [{{patch: '{patch}', target: {{kind: Namespace}}}}]\n"
            for patch in (
                "[5]",
                "[[]]",
                "[null]",
                "[{op: 5, path: /a}]",
                "[{op: add, path: 7}]",
                "5",
                "[]",
                "{metadata: 5}",
            )
        ),
    ],
)
def test_what_kustomize_makes_of_an_odd_component_is_what_meshc_makes(tmp_path: Path, text: str) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "kustomization.yaml").write_text(text)
    write_mesh(tmp_path, [[]], "", (), [["odd"]])

    apart = meshc("compile", cwd=tmp_path)
    whole = meshc("compile", "--link", "kustomize", cwd=tmp_path)
    assert apart.returncode == whole.returncode, apart.stdout + whole.stderr
    assert apart.stderr == whole.stderr
    assert "written" not in whole.stdout or apart.returncode


def test_a_component_that_changes_nothing(tmp_path: Path) -> None:
    name = write_component(tmp_path, "idle", ("", [(steps(("add", "/metadata/labels/a", "b")), target(99))], {}))
    write_mesh(tmp_path, [[]] * 3, "", (), [[name]] * 3)

    assert built(tmp_path) == ["unit"]


@pytest.mark.parametrize("seed", range(300 if os.environ.get("MESHC_TEST_LONG") == "1" else 1))
def test_components_by_chance(tmp_path: Path, seed: int) -> None:
    chance = random.Random(f"components {seed}")
    names = [write_component(tmp_path, f"c{number}", component_by_chance(chance, f"c{number}")) for number in range(5)]
    parts = [chance.sample(names, chance.choice((1, 1, 1, 2))) for _ in range(9)]
    patches: list[list[Entry]] = [[BY_HAND[chance.randrange(2)]] if chance.random() < 0.3 else [] for _ in parts]
    own = [RESOURCES if chance.random() < 0.2 else "" for _ in parts]
    if accepted(tmp_path, lambda codes: write_mesh(tmp_path, patches, own, codes, parts)):
        built(tmp_path)
    else:
        refused, whole = (meshc("compile", *words, cwd=tmp_path) for words in ((), ("--link", "kustomize")))
        assert refused.returncode == 3
        assert refused.stderr == whole.stderr
