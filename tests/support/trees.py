"""Compiles the trees of a mesh, and makes small changes to its mesh.yaml."""

from __future__ import annotations

from pathlib import Path

Tree = dict[str, bytes]


def trees(folder: Path) -> Tree:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for name in ("overlays", "output")
        for path in sorted((folder / name).rglob("*"))
        if path.is_file()
    }


def change(mesh: Path, old: str, new: str) -> None:
    text = (mesh / "mesh.yaml").read_text()
    assert old in text
    (mesh / "mesh.yaml").write_text(text.replace(old, new))


REMOTE = """\
    - name: edge-2
      role: remote
      kubernetesVersion: "1.34"
      podCIDRs: [10.12.0.0/16]
  namespaces:
"""
