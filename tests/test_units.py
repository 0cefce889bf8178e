"""An overlay of which kustomize only saw a part is what a whole build of it is, byte for byte, whatever patches do."""

from __future__ import annotations

import os
import random
import re
from pathlib import Path

import pytest

from support.patch_forms import AT_ODDS, BY_HAND, LISTS, RESOURCES, WHOLE, Entry, by_chance, steps, target, write_mesh
from support.processes import meshc
from support.tools import find_tool

pytestmark = pytest.mark.thorough

KUBECTL = os.environ.get("MESHC_TEST_KUBECTL", "")
"""Another kubectl to try, of the versions in `supported.KUSTOMIZE`."""


def built(folder: Path) -> list[str]:
    """Compiles and verifies a mesh; the folders that kustomize was started for in the compile."""
    log, program = folder / "log", folder / "kustomize"
    program.write_text(f'#!/bin/sh\necho "$*" >>{log}\nexec {KUBECTL or find_tool("kubectl")} "$@"\n')
    program.chmod(0o755)
    compiled = meshc("compile", cwd=folder, MESHC_KUSTOMIZE=str(program))
    assert compiled.returncode == 0, compiled.stdout + compiled.stderr
    started = [line.removeprefix("kustomize ") for line in log.read_text().splitlines() if "version" not in line]
    verified = meshc("verify", cwd=folder, MESHC_KUSTOMIZE=str(program))
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "equal to kustomize" in verified.stdout
    return started


def test_patches_of_every_form(tmp_path: Path) -> None:
    write_mesh(tmp_path, [BY_HAND, BY_HAND[:3], BY_HAND[:3], LISTS], RESOURCES, ("MESH613", "MESH614", "MESH618"))

    assert built(tmp_path) == ["unit"] * 3, "equal parts are built once"


def test_different_parts_are_built_together(tmp_path: Path) -> None:
    by_hand = [[one] for one in BY_HAND if "labelSelector" not in one[1]]
    lists = [[LISTS[0], one] for one in LISTS[1:] if not any("Selector" in key for key in one[1])]
    write_mesh(tmp_path, by_hand + lists, RESOURCES, ("MESH613", "MESH614", "MESH618"))

    started = built(tmp_path)
    assert started.count("batch") == 2, "at most 20 clusters in one run of kustomize"
    assert started.count("unit") == 3, "names of a target with | or [: or a colon aren't marked"


def test_a_part_that_kustomize_refuses_doesnt_stop_the_others(tmp_path: Path) -> None:
    refused = (steps(("test", "/kind", "Other"), ("add", "/metadata/labels", {"a": "b"})), target(1))
    write_mesh(tmp_path, [[BY_HAND[0]], [BY_HAND[1]], [refused], [BY_HAND[3]]], RESOURCES)

    compiled = meshc("compile", cwd=tmp_path)
    errors = re.findall("error (MESH[0-9]+: [^:]*): kustomize can't apply this patch", compiled.stderr)
    assert errors == ["MESH701: edge-2"], compiled.stderr


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


@pytest.mark.parametrize("seed", range(300 if os.environ.get("MESHC_TEST_LONG") == "1" else 1))
def test_patches_by_chance(tmp_path: Path, seed: int) -> None:
    chance = random.Random(f"units {seed}")
    patches: list[list[Entry]] = [by_chance(chance) for _ in range(6)]
    patches[0] += AT_ODDS
    write_mesh(tmp_path, patches, RESOURCES, ("MESH613", "MESH614"))

    assert {"batch"} <= set(built(tmp_path)) <= {"batch", "unit"}
