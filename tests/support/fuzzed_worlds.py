"""Makes the scratch repositories for fuzzing. Together they have every kind of input that a command reads."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from support import processes
from support.age import make_recipient
from support.archives import chart
from support.cases import find_case
from support.credentials import CANARY, CONFIG
from support.paths import ROOT
from support.places import IDENTITY, MESH, RECIPIENT
from support.throwaway import make_root, pem

ISTIOCTL = (
    f"#!{sys.executable}\nimport sys\nprint('--injectConfigFile --meshConfigFile' if '--help' in sys.argv else '')\n"
)


def make_worlds(top: Path) -> None:
    """Makes all worlds below `top`, and in `top`/kept a copy of each."""
    _home(top / "home")
    for name, source in (("mesh", ROOT), ("classic", ROOT / "examples/classic"), ("sealed", _SEALED)):
        (top / name).mkdir()
        for entry in ("mesh.yaml", "apps", "certificates", "sealed", "patches", "extra", ".sops.yaml"):
            if (source / entry).is_dir():
                shutil.copytree(source / entry, top / name / entry)
            elif (source / entry).exists():
                shutil.copy(source / entry, top / name / entry)
    _charts(top / "charts")
    _parts(top / "parts")
    _dumps(top / "adopt")
    _own(top / "own")
    for world in _IN_GIT:
        _git(top / world, "init", "-q", "-b", "main", ".")
        if world not in ("adopt", "own"):
            processes.said("compile", cwd=top / world)
        _git(top / world, "add", "-A")
        _git(top / world, "commit", "-qm", "one")
    shutil.copytree(top / "classic/output", top / "against/output")
    shutil.copytree(top / "classic", top / "journal")
    state = next((top / "journal/.git/meshc").iterdir())
    (state / "journal.json").write_text(_JOURNAL)
    for world in (*_IN_GIT, "journal", "home", "against"):
        shutil.copytree(top / world, top / "kept" / world)


_IN_GIT = ("mesh", "classic", "sealed", "charts", "parts", "adopt", "own")
_SEALED = find_case("sealed-by-sealed-secrets")
_INVENTORIES = """\
  clustersFrom:
    - {file: inventory/argocd.yaml, format: argocd-secrets, select: {except: [in-cluster]}}
    - {file: inventory/list.yaml, format: list, at: clusters.value, fields: {apiServer: endpoint}}
"""
_LIST = """\
clusters:
  value:
    far-1: {endpoint: "https://10.9.0.10:6443", podCIDRs: [10.99.0.0/16]}
"""
_DIGEST = "0" * 64
_JOURNAL = json.dumps({"generated": True, "units": {"output/main": {"before": _DIGEST, "after": None}}})


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *words], cwd=folder, check=True)


def _parts(parts: Path) -> None:
    shutil.copytree(find_case("mesh-in-parts"), parts, ignore=shutil.ignore_patterns("expected", "commands"))
    mesh = (parts / "mesh.yaml").read_text()
    every = '  overrides: [{clusters: all, set: {kubernetesVersion: "1.34"}}]\n'
    (parts / "mesh.yaml").write_text(mesh.replace("  istio:", f"{_INVENTORIES}{every}  istio:", 1))
    (parts / "inventory").mkdir()
    shutil.copy(find_case("clusters-from-argo-cd") / "inventory/argocd.yaml", parts / "inventory/argocd.yaml")
    (parts / "inventory/list.yaml").write_text(_LIST)


def _home(home: Path) -> None:
    (home / "ca").mkdir(parents=True)
    (home / "meshc").mkdir()
    config: dict[str, Any] = json.loads(json.dumps(CONFIG))
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    for context in ("main", "branch"):
        config["contexts"].append({**config["contexts"][0], "name": context})
    (home / "config").write_text(yaml.safe_dump(config))
    config["clusters"][0]["cluster"]["server"] = "https://10.21.0.10:6443"
    (home / "given.yaml").write_text(yaml.safe_dump(config))
    (home / "meshc/contexts.yaml").write_text("classic:\n  main: main\n  branch: branch\n")
    (home / "identity").write_text(f"# created: 2026-01-01T00:00:00Z\n{IDENTITY}\n")
    (home / "password").write_text("hunter22\n")
    (home / "app.yaml").write_text("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ratings}\n")
    (home / "istioctl").write_text(ISTIOCTL)
    (home / "istioctl").chmod(0o755)
    root = make_root()
    made = root.issue("hub")
    (home / "root.key").write_bytes(root.key_pem)
    files = {"ca-cert.pem": made.cert_pem, "ca-key.pem": made.key_pem, "root-cert.pem": root.cert_pem}
    files["cert-chain.pem"] = pem(made, root)
    for name, data in files.items():
        (home / "ca" / name).write_bytes(data)
    encoded = {name: base64.b64encode(value).decode() for name, value in files.items()}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cacerts", "namespace": "istio-system"}}
    (home / "cacerts.yaml").write_text(yaml.safe_dump({**secret, "data": encoded}))


def _own(world: Path) -> None:
    """A mesh whose sealed files can be decrypted with the identity in home."""
    world.mkdir()
    secrets = f"{{recipients: [{RECIPIENT}, {make_recipient()}]}}"
    mesh = MESH.format(secrets=secrets, version="1.29.6", kubernetes="1.34", address="istiod")
    (world / "mesh.yaml").write_text(mesh)
    (world / ".git").mkdir()
    for cluster in ("hub", "edge-1"):
        processes.said("ca", "import", cluster, "--from", str(world.parent / "home/ca"), cwd=world)
    processes.said("secrets", "seal", str(world.parent / "home/given.yaml"), "--remote", "edge-1", cwd=world)
    (world / "mesh.yaml").write_text(mesh.replace(secrets, f"{{recipients: [{RECIPIENT}]}}"))


def _charts(world: Path) -> None:
    """The charts of a case, packed."""
    case = find_case("charts-of-istiod")
    (world / "vendor").mkdir(parents=True)
    shutil.copy(case / "mesh.yaml", world)
    for name in ("base", "istiod"):
        folder = case / "vendor" / name
        files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        (world / f"vendor/{name}-1.30.3.tgz").write_bytes(chart(files, name))
    (world / ".git").mkdir()
    processes.said("vendor", cwd=world)


def _dumps(world: Path) -> None:
    root = make_root()
    hub = root.issue("hub")
    parts = {"ca-cert.pem": hub.cert_pem, "cert-chain.pem": pem(hub, root), "root-cert.pem": root.cert_pem}
    cacerts = {key: base64.b64encode(value).decode() for key, value in parts.items()}
    remote = {"edge-1": base64.b64encode(json.dumps(CONFIG).encode()).decode()}
    pod = {"containers": [{"image": "docker.io/istio/pilot:1.29.6", "env": [{"name": "CLUSTER_ID", "value": "hub"}]}]}
    ports = {"clusterIP": "10.96.3.3", "ports": [{"name": "http", "port": 80}], "selector": {"app": "cart"}}
    _dump(
        world / "dumps/hub",
        _thing("Node", "n", spec={"podCIDRs": ["10.10.0.0/17"]}, status={"nodeInfo": {"kubeletVersion": "v1.34.1"}}),
        _thing("Namespace", "shop", labels={"istio-injection": "enabled"}),
        _thing("ConfigMap", "istio", "istio-system", data={"mesh": "trustDomain: shop.local\nrootNamespace: a\n"}),
        _thing("Deployment", "istiod", "istio-system", {"app": "istiod"}, spec={"template": {"spec": pod}}),
        _thing("Secret", "cacerts", "istio-system", data=cacerts),
        _thing("Secret", "istio-remote-secret-edge-1", "istio-system", {"istio/multiCluster": "true"}, data=remote),
        _thing("Service", "cart", "shop", {"app": "cart"}, spec=ports),
    )
    _dump(
        world / "dumps/edge-1",
        _thing("Node", "n", spec={"podCIDRs": ["10.11.0.0/17"]}, status={"nodeInfo": {"kubeletVersion": "v1.34.1"}}),
        _thing("Service", "cart", "shop", {"app": "cart"}, spec=ports),
        _thing("Secret", "reader", "istio-system", data={"token": base64.b64encode(CANARY.encode()).decode()}),
    )


def _dump(folder: Path, *bodies: Any) -> None:
    folder.mkdir(parents=True)
    (folder / "all.yaml").write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": list(bodies)}))


def _thing(kind: str, name: str, namespace: str = "", labels: dict[str, str] | None = None, **fields: Any) -> Any:
    metadata = {"name": name, "labels": labels or {}} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": "apps/v1" if kind == "Deployment" else "v1", "kind": kind, "metadata": metadata, **fields}
