"""`meshc next`: whoever does what it says, step by step, comes from an empty repository to a mesh to be synced."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.credentials import CONFIG
from support.places import Place
from support.tools import find_tool

pytestmark = pytest.mark.thorough


@pytest.fixture
def place(tmp_path: Path) -> Place:
    find_tool("kubectl")
    return Place(tmp_path)


def steps(place: Place) -> dict[str, str]:
    """What is next, by cluster."""
    said = json.loads(place.meshc("next", "--format", "json"))
    return {row["cluster"]: row["step"] for row in said["steps"]}


def do(place: Place, command: str) -> None:
    """A command as it is told, with the key where this test keeps it."""
    words = shlex.split(command.replace("~/", f"{place.keys}/"))
    if words[0] == "git":
        place.commit()
    else:
        place.meshc(*words[1:], stdin=yaml.safe_dump(CONFIG))


def test_doing_what_it_says_leads_to_a_synced_mesh(place: Place) -> None:
    seen = []
    while todo := [row for row in json.loads(place.meshc("next", "--format", "json"))["steps"] if row["command"]]:
        seen.append([row["step"] for row in todo])
        assert len(seen) < 12, seen
        do(place, todo[0]["command"])

    assert seen == [
        ["issue", "compile"],
        ["issue", "compile"],
        ["compile", "compile"],
        ["commit", "commit"],
        ["seal"],
        ["compile"],
        ["commit"],
    ]
    assert set(steps(place).values()) == {"sync"}
    assert "up to date" in place.meshc("check")


def test_its_table(place: Place) -> None:
    place.write("{}")
    (place.base / "mesh.yaml").write_text((place.base / "mesh.yaml").read_text().replace("plugged-in", "self-signed"))
    before = place.meshc("next")
    place.meshc("compile")
    compiled = place.meshc("next")
    place.commit()

    assert before == (
        "CLUSTER  STEP     WHY, AND BY WHICH COMMAND\n"
        "hub      compile  its files are not up to date with mesh.yaml: meshc compile\n"
        "edge-1   compile  its files are not up to date with mesh.yaml: meshc compile\n"
        "to be committed as well: mesh.yaml\n"
    )
    assert compiled == (
        "CLUSTER  STEP    WHY, AND BY WHICH COMMAND\n"
        "hub      commit  its files are compiled, and not committed: git commit\n"
        "edge-1   commit  its files are compiled, and not committed: git commit\n"
        "to be committed as well: mesh.yaml\n"
    )
    assert place.meshc("next") == (
        "CLUSTER  STEP  WHY, AND BY WHICH COMMAND\n"
        "hub      sync  nothing is left to do here: output/hub is what Argo CD or Flux syncs\n"
        "edge-1   seal  sync edge-1, then hand over its credentials for hub: meshc secrets seal - --remote edge-1\n"
        "seal: meshc capture credentials CLUSTER reads the credentials from the cluster itself; "
        "meshc secrets seal - reads a kubeconfig from standard input\n"
    )


def test_a_cluster_that_is_taken_out_and_one_in_a_folder_below(place: Place) -> None:
    place.write("{}")
    text = (place.base / "mesh.yaml").read_text().replace("plugged-in", "self-signed")
    below = place.base / "prod"
    below.mkdir()
    (place.base / "mesh.yaml").rename(below / "mesh.yaml")
    (below / "mesh.yaml").write_text(text)
    place.meshc("compile", "-f", "prod/mesh.yaml")
    place.commit()
    (below / "mesh.yaml").write_text("".join(line for line in text.splitlines(True) if "edge-1" not in line))

    gone = place.meshc("next", "-f", "prod/mesh.yaml")
    place.meshc("compile", "-f", "prod/mesh.yaml")
    pruned = place.meshc("next", "-f", "prod/mesh.yaml")

    assert "edge-1   compile  isn't in mesh.yaml any more, so its compiled files must be removed" in gone
    assert "edge-1   commit  isn't in mesh.yaml any more: commit the removal of its files" in pruned
    assert "to be committed as well: mesh.yaml\n" in pruned


def test_without_git_it_tells_what_it_can(place: Place) -> None:
    (place.base / "mesh.yaml").write_text((place.base / "mesh.yaml").read_text().replace("plugged-in", "self-signed"))
    place.meshc("compile")
    (place.base / ".git").rename(place.keys / "git")
    said = place.meshc("next")

    assert "hub      sync" in said
    assert "what is committed isn't known" in said


def domains(place: Place, settings: str, hours_ago: float) -> Any:
    """What is told of the trust domain, after a commit of these settings."""
    mesh = place.base / "mesh.yaml"
    text = re.sub(r"istio: \{version: 1.29.6.*\}", f"istio: {{version: 1.29.6{settings}}}", mesh.read_text())
    mesh.write_text(text.replace("type: plugged-in", "type: external"))
    place.commit(hours_ago)
    return json.loads(place.meshc("next", "--format", "json"))["trustDomain"]


def test_a_trust_domain_is_replaced_in_three_commits(place: Place) -> None:
    assert domains(place, "", 200) is None
    first = domains(place, ", trustDomainAliases: [new.example]", 100)
    assert (first["now"], first["aliases"], first["left"]) == ("cluster.local", ["new.example"], "")
    assert "trustDomain: new.example, trustDomainAliases: [cluster.local]" in place.meshc("next")

    second = domains(place, ", trustDomain: new.example, trustDomainAliases: [cluster.local]", 20)
    assert (second["now"], second["left"], second["allowed"]) == ("new.example", "cluster.local", False)
    other = domains(place, ", trustDomain: new.example, trustDomainAliases: [cluster.local], meshID: x", 1)
    assert other["since"] == second["since"]
    assert "the alias may go from" in place.meshc("next")

    assert domains(place, ", trustDomain: new.example", 0) is None


def test_an_alias_may_go_when_no_certificate_is_left(place: Place) -> None:
    domains(place, ", trustDomainAliases: [new.example]", 100)
    old = domains(place, ", trustDomain: new.example, trustDomainAliases: [cluster.local]", 25)

    assert (old["left"], old["allowed"]) == ("cluster.local", True)
    assert "the alias may go now" in place.meshc("next")


def test_an_alias_that_was_always_there_is_nothing_to_do(place: Place) -> None:
    found = domains(place, ", trustDomainAliases: [other.example]", 100)

    assert (found["aliases"], found["left"]) == (["other.example"], "")
    assert "alias" not in place.meshc("next")
