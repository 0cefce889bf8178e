"""The mesh's repository: mesh.yaml and what meshc makes of it, in Git, with keys that live as long as the run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyrage
import yaml

from proof import programs
from proof.cluster import Cluster
from proof.running import FailedError, run

CHARTS = {"base": "base", "istiod": "istio-control/istio-discovery", "gateway": "gateway"}
PLAIN_ENVOY = {"PILOT_ENABLE_METADATA_EXCHANGE": "false", "PILOT_ENABLE_ALPN_FILTER": "false"}
"""What istiod must not ask of an Envoy that isn't Istio's own build."""

VALUES: Mapping[str, Any] = {
    "global": {"nativeNftables": True},
    "pilot": {"env": PLAIN_ENVOY},
    "telemetry": {"enabled": False},  # the filter istio.stats is of Istio's own build
    "meshConfig": {"defaultConfig": {"binaryPath": "/opt/envoy/envoy"}},
}


class Mesh:
    """A Git repository with one mesh, at its top."""

    def __init__(self, folder: Path, keys: Path) -> None:
        self.folder, self.keys = folder, keys
        identity = pyrage.x25519.Identity.generate()
        self.recipient = str(identity.to_public())
        self.identity = keys / "age.key"
        self.identity.write_text(f"{identity}\n")
        self.root_key = keys / "root.key"
        self.kubeconfig = keys / "kubeconfig"
        run("git", "init", "--quiet", "--initial-branch=main", folder)

    def git(self, *arguments: str) -> str:
        who = ("-c", "user.name=proof", "-c", "user.email=proof@example.com")
        return run("git", "-C", self.folder, *who, *arguments).strip()

    def commit(self, message: str) -> str:
        """Everything that lies there, as one commit; its name."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def meshc(self, *arguments: str | Path, expect: Sequence[int] = (0,), stdin: str | None = None) -> str:
        """What meshc prints, its notes too. Fails where it ends with another code."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        secret = {"SOPS_AGE_KEY_FILE": str(self.identity), "KUBECONFIG": str(self.kubeconfig)}
        done = subprocess.run(
            [sys.executable, "-m", "meshc", *map(str, arguments)],
            cwd=self.folder,
            env={**os.environ, **secret, "PATH": path, "NO_COLOR": "1"},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        text = done.stdout + done.stderr
        if done.returncode not in expect:
            raise FailedError(
                f"meshc {' '.join(map(str, arguments))} ended with {done.returncode}: {text.strip()[-1500:]}"
            )
        return text

    def plan(self) -> dict[str, Any]:
        return dict(json.loads(self.meshc("plan", "--format", "json")))

    def write(self, spec: Mapping[str, Any]) -> None:
        """mesh.yaml, and the charts that it names."""
        document = {"apiVersion": "meshc/v1alpha1", "kind": "Mesh", "metadata": {"name": "proof"}, "spec": spec}
        (self.folder / "mesh.yaml").write_text(yaml.safe_dump(document, sort_keys=False))

    def read(self) -> dict[str, Any]:
        return dict(yaml.safe_load((self.folder / "mesh.yaml").read_text())["spec"])

    def vendor(self) -> None:
        """Istio's charts, from the source that istiod was built from."""
        charts = programs.source(programs.ISTIO) / "manifests/charts"
        for name, path in CHARTS.items():
            shutil.copytree(charts / path, self.folder / "vendor" / name, copy_function=shutil.copyfile)
        for each in (self.folder / "vendor").rglob("*"):
            each.chmod(0o755 if each.is_dir() else 0o644)
        self.meshc("vendor")

    def contexts(self, clusters: Sequence[Cluster]) -> None:
        """A kubeconfig with a context for each cluster, as a person has."""
        documents = [json.loads(cluster.kubeconfig.read_text()) for cluster in clusters]
        joined = {**documents[0], **{key: [d[key][0] for d in documents] for key in ("clusters", "users", "contexts")}}
        self.kubeconfig.write_text(json.dumps(joined))
        self.kubeconfig.chmod(0o600)
