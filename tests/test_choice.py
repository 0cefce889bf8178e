"""Clusters by name, pattern and label: one set of options for every command, and what is left out is said."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from meshc.cli.pending import grouped as grouped_pending
from meshc.commands.capture_credentials import remotes
from meshc.commands.clusters import Choice
from meshc.commands.listener import Silent
from meshc.commands.secrets_status import owners
from meshc.commands.work import opened_work
from meshc.errors import UsageError
from meshc.mesh.source import load
from meshc.pipeline import plan_mesh
from meshc.plan.steps import Step, grouped
from support.commands import invoke

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.plan.ir import Plan

MESH = """\
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {name: fleet}
spec:
  istio: {version: 1.29.6}
  security:
    ca: {type: external}
    secrets: {recipients: [age1j5jr40pyzmgq7lmh6a2c25akvcngzn4lphf6jde75jdaumrdla9qafq06f]}
  clusters:
    - {name: hub, role: primary, labels: {env: prod}, controlPlane: {addresses: {istiod: 10.0.5.20}}}
    - {name: eu-1, role: remote, labels: {env: prod, region: eu, tier: a}}
    - {name: eu-2, role: remote, labels: {env: test, region: eu}}
    - name: us-1
      role: remote
      labels: {env: prod, region: us, team.example/owner: shop}
      secrets: {recipients: [age1r8y98s946n5ng3v8zs5l4q9wn2uutkf4tuf328jv8jpx6a0d6flq0xzynz]}
    - {name: us-2, role: remote}
  overrides:
    - {clusters: all, set: {kubernetesVersion: "1.34"}}
  namespaces:
    - {name: shop, dataplane: none}
  services:
    - {name: till, namespace: shop, clusters: [eu-1], copyTo: [us-1], ports: [{port: 80}]}
  acknowledge:
    - {code: MESH218, reason: they are not planned yet}
"""


def plan(text: str = MESH) -> Plan:
    return plan_mesh(load(text.encode(), "mesh.yaml"))


@pytest.mark.parametrize(
    ("names", "selectors", "chosen"),
    [
        ((), (), "hub eu-1 eu-2 us-1 us-2"),
        (("us-1", "eu-2"), (), "eu-2 us-1"),
        (("eu-*", "us-2"), (), "eu-1 eu-2 us-2"),
        (("*-[12]",), (), "eu-1 eu-2 us-1 us-2"),
        ((), ("env=prod",), "hub eu-1 us-1"),
        ((), ("env==prod,region=eu",), "eu-1"),
        ((), ("env=prod", "region!=eu"), "hub us-1"),
        ((), ("region in (eu, us),env notin (test)",), "eu-1 us-1"),
        ((), ("region notin (eu)",), "hub us-1 us-2"),
        ((), ("tier",), "eu-1"),
        ((), ("!region",), "hub us-2"),
        ((), ("team.example/owner = shop",), "us-1"),
        (("eu-*",), ("env=prod",), "eu-1"),
    ],
)
def test_clusters_are_chosen(names: tuple[str, ...], selectors: tuple[str, ...], chosen: str) -> None:
    assert " ".join(Choice(names, selectors).of(plan())) == chosen


@pytest.mark.parametrize(
    ("names", "selectors", "what"),
    [
        (("eu-1", "asia"), (), 'there is no cluster "asia"'),
        (("asia-*",), (), 'there is no cluster "asia-*"'),
        ((), ("env=none",), 'no cluster matches "env=none"'),
        (("us-*",), ("region=eu",), 'no cluster matches "us-*" and "region=eu"'),
        ((), ("env = ",), 'no cluster matches "env = "'),
        *(
            ((), (text,), "isn't a valid label selector")
            for text in ("", "env prod", "!env=prod", "env in prod", "a=b=c", "env in (a")
        ),
        *(((), (text,), "isn't a valid label selector") for text in ("=a", "a,,b", "a in (b),", "\x1b[2J", "ä=b")),
    ],
)
def test_a_choice_of_nothing_is_told(names: tuple[str, ...], selectors: tuple[str, ...], what: str) -> None:
    with pytest.raises(UsageError) as error:
        Choice(names, selectors).of(plan())
    assert what in error.value.what
    assert "\x1b" not in str(error.value)
    assert error.value.hint


COMMANDS = [
    ("compile",),
    ("check",),
    ("validate",),
    ("plan",),
    ("verify",),
    ("graph",),
    ("next",),
    ("ca", "status"),
    ("secrets", "status"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_takes_the_same_options(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mesh.yaml").write_text(MESH)
    assert invoke("compile").exit_code == 0
    some = invoke(*words, "-c", "eu-*", "-l", "env=prod")
    assert some.exit_code == 0, some.stderr
    assert "4 of 5 clusters left out" in some.stderr
    assert "us-2" not in some.stdout
    wrong = invoke(*words, "-c", "asia")
    assert wrong.exit_code == 2
    assert 'there is no cluster "asia"' in wrong.stderr


def test_a_check_of_some_tells_nothing_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mesh.yaml").write_text(MESH)
    assert invoke("compile").exit_code == 0
    (tmp_path / "output/us-2/namespaces.yaml").unlink()
    (tmp_path / "overlays/_services/till/services.yaml").unlink(missing_ok=True)

    assert invoke("check").exit_code == 1
    assert invoke("check", "-c", "eu-2").exit_code == 0
    assert invoke("check").exit_code == 1, "a check of some isn't remembered as one of all"
    stale = invoke("check", "-c", "us-2")
    assert stale.exit_code == 1
    assert stale.stdout.startswith("missing: output/us-2/namespaces.yaml")


def test_a_plan_of_some_is_that_of_the_whole_but_for_the_others() -> None:
    whole = plan()
    assert [cluster.labels.get("region") for cluster in whole.clusters] == [None, "eu", "eu", "us", None]


def test_what_many_wait_for_is_told_once() -> None:
    lines = [f"e-{number}: waiting for credentials in hub" for number in range(30)]
    assert grouped_pending(lines) == ["e-0, e-1, e-2 and 27 more: waiting for credentials in hub"]
    assert grouped_pending(lines[:3]) == lines[:3]
    assert grouped_pending([f"e-{n}: its own {n}" for n in range(20)])[11:] == [
        "e-11: its own 11",
        "and 8 more lines: --format json",
    ]
    assert grouped_pending(["of no cluster"]) == ["of no cluster"]


def test_steps_of_many_are_told_once_in_their_place() -> None:
    steps = [
        Step("hub", "sync", "output/hub is ready"),
        *(Step(f"e-{n}", "seal", f"sync e-{n}", f"seal e-{n}") for n in range(9)),
    ]
    told = grouped([*steps, Step("z", "compile", "is stale", "meshc compile")])

    assert [(group.clusters[0], len(group.clusters), group.what, group.command) for group in told] == [
        ("hub", 1, "output/hub is ready", ""),
        ("e-0", 9, "sync CLUSTER", "seal CLUSTER"),
        ("z", 1, "is stale", "meshc compile"),
    ]


def test_readers_are_shown_by_whose_they_are() -> None:
    mesh = "age1j5jr40pyzmgq7lmh6a2c25akvcngzn4lphf6jde75jdaumrdla9qafq06f"
    own = "age1r8y98s946n5ng3v8zs5l4q9wn2uutkf4tuf328jv8jpx6a0d6flq0xzynz"
    stranger = "age1xz2mw9wgtnyn2qj8hcj9xg8y0y5h8l4u4zxkr5y7q8dmdpsrdz6sl4c6xe"

    assert owners(plan())([mesh, own, stranger]) == f"the mesh, us-1, {stranger}"
    assert owners(plan())([]) == ""


def test_credentials_are_read_of_those_that_some_primary_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mesh.yaml").write_text(MESH)
    work = opened_work(tmp_path / "mesh.yaml", Silent(), writes=False)

    assert remotes(work, Choice()) == ["eu-1", "eu-2", "us-1", "us-2"]
    assert remotes(work, Choice(selectors=("env=prod",))) == ["eu-1", "us-1"]
    with pytest.raises(UsageError, match="no primary needs"):
        remotes(work, Choice(("hu*",)))
    for words in ((), ("--all", "eu-1")):
        assert invoke("capture", "credentials", *words).exit_code == 2


def test_graph_shows_the_chosen_and_whom_they_deal_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mesh.yaml").write_text(MESH)
    drawn = invoke("graph", "-c", "us-1").stdout

    assert [name for name in ("hub", "eu-1", "eu-2", "us-1", "us-2") if name in drawn] == ["hub", "eu-1", "us-1"]
    assert json.loads(invoke("plan", "-c", "us-1", "--format", "json").stdout)["clusters"][0]["name"] == "us-1"
