"""What Argo CD and Flux say of a cluster, beside what stands in HEAD, on a real Git repository."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from meshc.capture.ask import Api
from meshc.capture.connect import connect
from meshc.capture.rows import State
from meshc.capture.synced import synced
from meshc.mesh.source import load
from meshc.pipeline import plan_mesh
from meshc.plan.delivered import Delivery
from meshc.review.committed import Commits
from support.fake_api import FakeCluster, kubeconfig, serving
from support.places import MESH, SOPS

NAME = "shop.edge-1"


class Repository:
    """Two commits: the second changes output/edge-1, the third only something else."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.git("init", "-q", ".")
        self.commits = [self.commit("output/edge-1/a.yaml", text) for text in ("one", "two")]
        self.commits.append(self.commit("output/hub/a.yaml", "three"))

    def git(self, *words: str) -> str:
        name = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        return subprocess.run(["git", *name, *words], cwd=self.base, check=True, capture_output=True, text=True).stdout

    def commit(self, path: str, text: str) -> str:
        (self.base / path).parent.mkdir(parents=True, exist_ok=True)
        (self.base / path).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-qm", text)
        return self.git("rev-parse", "HEAD").strip()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FakeCluster, Api, Repository, Delivery]]:
    folder = tmp_path_factory.mktemp("synced")
    text = MESH.format(secrets=SOPS, version="1.29.6", kubernetes="1.34", address="istiod")
    text += "  delivery: {engine: flux, repoURL: 'https://git.example.com/mesh.git'}\n"
    delivery = plan_mesh(load(text.encode(), "mesh.yaml")).delivery
    assert delivery is not None
    cluster = FakeCluster("hub")
    (folder / "repository").mkdir()
    with serving(cluster):
        api = connect("hub", "hub", kubeconfig(folder / "kubeconfig", cluster), 60)
        yield cluster, api, Repository(folder / "repository"), delivery


def argo(commit: str, state: str = "Synced", health: str = "Healthy") -> dict[str, Any]:
    return {"sync": {"status": state, "revision": commit}, "health": {"status": health}}


def flux(commit: str, ready: str = "True", reason: str = "ReconciliationSucceeded") -> dict[str, Any]:
    conditions = [{"type": "Healthy"}, {"type": "Ready", "status": ready, "reason": reason}]
    return {"conditions": conditions, "lastAppliedRevision": f"main@sha1:{commit}" if commit else ""}


ROWS: list[tuple[str, Any, int, State, str]] = [
    ("argo-cd", argo, 2, State.OK, "where output/edge-1 is the same as in HEAD"),
    ("argo-cd", argo, 1, State.OK, "where output/edge-1 is the same as in HEAD"),
    ("argo-cd", argo, 0, State.DIFFERS, "where output/edge-1 differs from HEAD"),
    ("argo-cd", lambda commit: argo(commit, "OutOfSync"), 2, State.DIFFERS, "OutOfSync at "),
    ("argo-cd", lambda commit: argo(commit, health="Degraded"), 2, State.DIFFERS, "Synced, Degraded at "),
    ("argo-cd", lambda commit: argo("f" * 40), 0, State.OK, "can't find in this repository, so it isn't compared"),
    ("argo-cd", lambda commit: None, 0, State.DIFFERS, "no state yet at no commit"),
    ("argo-cd", lambda commit: {"sync": [], "health": 3}, 0, State.DIFFERS, "no state yet at no commit"),
    ("flux", flux, 2, State.OK, "where output/edge-1 is the same as in HEAD"),
    ("flux", flux, 0, State.DIFFERS, "where output/edge-1 differs from HEAD"),
    ("flux", lambda commit: flux(commit, "False", "BuildFailed"), 2, State.DIFFERS, "BuildFailed at main@sha1:"),
    ("flux", lambda commit: {"conditions": 3, "lastAppliedRevision": "\x1b[2J"}, 2, State.DIFFERS, "no state yet at"),
]


@pytest.mark.parametrize(("engine", "status", "number", "state", "says"), ROWS)
def test_what_is_applied_is_compared_with_head(
    world: tuple[FakeCluster, Api, Repository, Delivery], engine: Any, status: Any, number: int, state: State, says: str
) -> None:
    cluster, api, repository, delivery = world
    delivery = replace(delivery, engine=engine)
    plural = "applications" if engine == "argo-cd" else "kustomizations"
    cluster.put(plural, NAME, delivery.namespace, status=status(repository.commits[number]))
    row = synced(api, delivery, NAME, "edge-1", Commits(repository.base))

    assert (row.check, row.state) == ("synced", state)
    assert says in row.says
    assert "\x1b" not in row.says


def test_one_that_is_not_there_or_not_to_be_seen_is_unknown(
    world: tuple[FakeCluster, Api, Repository, Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster, api, repository, delivery = world
    commits = Commits(repository.base)
    assert synced(api, delivery, "shop.nobody", "edge-1", commits).says == "flux has no kustomization shop.nobody"

    cluster.forbidden.add(("get", "kustomizations"))
    row = synced(api, delivery, NAME, "edge-1", commits)
    cluster.forbidden.clear()

    assert row.state is State.UNKNOWN
    assert 'apiGroups: ["kustomize.toolkit.fluxcd.io"]' in row.hint

    monkeypatch.setenv("PATH", "/nonexistent")
    cluster.put("kustomizations", NAME, delivery.namespace, status=flux(repository.commits[2]))
    assert "isn't compared" in synced(api, delivery, NAME, "edge-1", commits).says
