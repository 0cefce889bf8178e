"""Makes a repository of a compiled mesh, with branches to merge."""

from __future__ import annotations

import subprocess
from pathlib import Path

from meshc.commands.first_mesh import git_attributes
from support.processes import said

MESH = """\
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {name: shop}
spec:
  istio: {version: 1.29.6}
  security: {ca: {type: self-signed}}
  overrides:
    - {clusters: all, set: {kubernetesVersion: "1.34"}}
  clusters:
    - name: hub
      role: primary
      podCIDRs: [10.10.0.0/16]
      controlPlane: {addresses: {istiod: 10.0.5.20}}
    # the first edge
    - {name: edge-1, role: remote, podCIDRs: [10.11.0.0/16]}
    # the second edge
    - {name: edge-2, role: remote, podCIDRs: [10.12.0.0/16]}
    # no more
  namespaces:
    - {name: shop}
    # no more
  services:
    - {name: catalog, namespace: shop, clusters: [hub], ports: [{name: http, port: 80}]}
"""


NAMED = ("-c", "user.name=a", "-c", "user.email=a@example.com")


class Clone:
    """A repository of a compiled mesh with branches, in which Git and meshc run."""

    def __init__(self, base: Path, *, driver: bool) -> None:
        self.base = base
        self.git("init", "-q", "-b", "main", ".")
        if driver:
            self.git("config", "merge.meshc.driver", "true")
        (base / ".gitattributes").write_text(git_attributes())
        (base / "mesh.yaml").write_text(MESH)
        self.commit("main")

    def git(self, *words: str, code: int = 0) -> str:
        done = subprocess.run(["git", *NAMED, *words], cwd=self.base, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def meshc(self, *words: str, code: int = 0) -> str:
        return said(*words, cwd=self.base, code=code)

    def commit(self, message: str) -> None:
        self.meshc("compile")
        self.git("add", "-A")
        self.git("commit", "-qm", message)

    def branch(self, name: str, old: str, new: str) -> None:
        """Makes a branch from main in which mesh.yaml is edited and compiled."""
        self.git("switch", "-qc", name, "main")
        file = self.base / "mesh.yaml"
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))
        self.commit(name)

    def conflicts(self) -> list[str]:
        return self.git("diff", "--name-only", "--diff-filter=U").splitlines()
