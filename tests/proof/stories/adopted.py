"""A mesh that runs is adopted from dumps and from its API servers, by accounts of the rights that are printed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from proof.running import FailedError
from proof.world import World

_SECRET = (b"PRIVATE KEY", b"eyJhbGciOi")
"""What a key and what a token of a service account begin with."""


def tell(world: World) -> None:
    folder = world.scratch / "adopted"
    for each in ("dumped", "asked"):
        (folder / each).mkdir(parents=True)
    _dump(world, folder)
    said = world.mesh.meshc("adopt", "--from", folder / "dumps", "-f", folder / "dumped/mesh.yaml", expect=(0, 3))
    both = [word for name in sorted(world.clusters) for word in ("--context", name)]
    world.mesh.meshc("adopt", *both, "-f", folder / "asked/mesh.yaml", expect=(0, 3))
    texts = [(folder / each / "mesh.yaml").read_text() for each in ("dumped", "asked")]
    if texts[0] != texts[1]:
        raise FailedError(f"the dump and the API servers tell of two meshes:\n{texts[0]}\n{texts[1]}")
    if "UNKNOWN" in texts[0]:
        raise FailedError(f"something had to be asked for: {said}")
    world.saw("what the script dumped, without a key or token, makes the same mesh.yaml as the API servers")
    difference = world.mesh.meshc(
        "adopt", "--from", folder / "dumps", "-f", folder / "dumped/mesh.yaml", "--diff", expect=(0, 1)
    )
    first = difference.splitlines()[0]
    if not first.startswith("0 to add, 0 to change, 0 to delete"):
        raise FailedError(f"the first sync would change what runs:\n{difference[:3000]}\n{texts[0]}")
    world.saw(f"its first sync: {first}")
    _rights(world, folder)
    _forgets(world, folder)


def _dump(world: World, folder: Path) -> None:
    (folder / "dump.sh").write_text(world.mesh.meshc("adopt", "--print-dump-command"))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "KUBECONFIG": str(world.mesh.kubeconfig)}
    command = ["sh", "dump.sh", *world.clusters]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    if done.returncode or any(not line.startswith("Warning: ") for line in done.stderr.splitlines()):
        raise FailedError(f"the script ended with {done.returncode}: {done.stderr[-1500:]}")
    for file in (folder / "dumps").rglob("*.yaml"):
        if any(word in file.read_bytes() for word in _SECRET):
            raise FailedError(f"{file} holds a secret")


def _rights(world: World, folder: Path) -> None:
    """Each command runs as the account that it prints, bound to nothing else."""
    for words in (("doctor", "--deep"), ("doctor", "--dry-run"), ("capture", "facts"), ("adopt",)):
        asker = words[0]
        tokens = {}
        for name, cluster in world.clusters.items():
            printed = world.mesh.meshc(*words, name, "--print-rbac") if asker == "doctor" else ""
            printed = printed or world.mesh.meshc(asker, "--print-rbac")
            cluster.kubectl("apply", "--server-side", "-f", "-", stdin=printed)
            tokens[name] = cluster.api.token("istio-system", f"meshc-{asker}", None)
        config = folder / f"{asker}.kubeconfig"
        config.write_text(json.dumps(_as(json.loads(world.mesh.kubeconfig.read_text()), tokens)))
        config.chmod(0o600)
        more: list[str | Path] = []
        if asker == "adopt":
            (folder / "allowed").mkdir()
            more = [word for name in world.clusters for word in ("--context", name)]
            more += ["-f", folder / "allowed/mesh.yaml"]
        told = world.mesh.meshc(*words, *more, "--kubeconfig", config, expect=(0, 1, 3))
        if "not allowed" in told or "Forbidden" in told:
            raise FailedError(f"{asker} lacks a right: {told}")
        if asker == "doctor":
            rows = [line for line in told.splitlines() if "objects" in line or "istiod reads" in line]
            if not rows or any(" ok " not in row for row in rows):
                raise FailedError(f"{' '.join(words)} doesn't find all well: {told}")
            world.saw(f"{' '.join(words)}: {'; '.join(' '.join(row.split()) for row in rows)}")
    world.saw("doctor --deep and --dry-run, capture facts and adopt run by exactly the rights that they print")


def _as(config: Any, tokens: dict[str, str]) -> Any:
    """A kubeconfig whose users are accounts."""
    users = {each["name"]: each["context"]["user"] for each in config["contexts"]}
    named = {users[name]: token for name, token in tokens.items()}
    config["users"] = [{"name": user, "user": {"token": token}} for user, token in named.items()]
    return config


def _forgets(world: World, folder: Path) -> None:
    """As docs/hand-over.md has it: Helm forgets a release whose records are deleted, and what it applied stays."""
    chart = folder / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: probe\nversion: 1.0.0\n")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "probe"}, "data": {"a": "b"}}
    (chart / "templates/probe.yaml").write_text(yaml.safe_dump(body))
    cluster = world.clusters["edge-1"]
    helm = [str(Path(sys.executable).with_name("helm")), "--kubeconfig", str(cluster.kubeconfig), "-n", "istio-system"]
    subprocess.run([*helm, "install", "probe", str(chart)], capture_output=True, timeout=60, check=True)
    cluster.kubectl("-n", "istio-system", "delete", "secret", "--selector", "owner=helm,name=probe")
    gone = subprocess.run([*helm, "uninstall", "probe"], capture_output=True, text=True, timeout=60, check=False)
    kept = cluster.api.get("/api/v1/namespaces/istio-system/configmaps/probe")
    if "not found" not in gone.stderr or kept is None:
        raise FailedError(f"Helm still knows the release, or took its objects along: {gone.stderr}")
    cluster.api.delete("/api/v1/namespaces/istio-system/configmaps/probe")
    world.saw("helm forgets a release whose records are deleted, and its objects stay")
