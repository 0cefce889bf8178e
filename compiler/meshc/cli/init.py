"""`meshc init`: a mesh that compiles as it stands, to be edited into one's own."""

from __future__ import annotations

from pathlib import Path

from meshc.cli.report import tell
from meshc.cli.schema import schema_text
from meshc.disk.repository import Repository
from meshc.errors import MeshcError
from meshc.tree import FileTree

_MESH = """\
# yaml-language-server: $schema=mesh.schema.json
#
# The clusters of one Istio mesh. Edit, then: meshc compile
# Every key: docs/mesh-yaml.md of meshc, or completion in an editor with the line above.
apiVersion: meshc/v1alpha1
kind: Mesh
metadata:
  name: my-mesh
spec:
  istio:
    version: 1.30.3            # 1.24 to 1.30 (istiod), or 1.0.x (classic)
  security:
    mutualTLS: strict
    ca:
      # istiod's own root is enough for one primary. With plugged-in, put the public certificates into
      # certificates/ and the sealed Secret into sealed/hub/cacerts.yaml.
      type: self-signed
  networks:
    - name: corp               # one flat network: pods of all clusters reach one another
  clusters:
    - name: hub
      role: primary            # runs istiod
      kubernetesVersion: "1.34"
      apiServer: https://10.0.0.10:6443
      podCIDRs: [10.10.0.0/16]
      serviceCIDRs: [10.110.0.0/16]
      controlPlane:
        exposure: load-balancer
        addresses:
          istiod: 10.0.5.20    # where the other clusters reach istiod
    - name: edge-1
      role: remote             # is controlled by the primary
      kubernetesVersion: "1.34"
      apiServer: https://10.1.0.10:6443
      podCIDRs: [10.11.0.0/16]
      serviceCIDRs: [10.111.0.0/16]
  namespaces:
    - name: shop               # in every cluster, labelled for sidecars
  services:
    # Runs in hub; every other cluster gets a copy, so that its name resolves there.
    - name: catalog
      namespace: shop
      clusters: [hub]
      ports:
        - {name: http, port: 8080}
    # From manifests instead: every Service in a file, a folder, or what a kustomization.yaml builds.
    # - name: shop
    #   manifests: apps/shop
    #   clusters: [hub]
"""

_ATTRIBUTES = """\
overlays/** text eol=lf linguist-generated
output/** text eol=lf linguist-generated
mesh.schema.json text eol=lf linguist-generated
"""

_IGNORED = ".meshc/\n"


def init_command(directory: Path) -> None:
    """Writes the files, none of which may exist yet. Raises RefusedError naming those that do."""
    if directory.exists() and not directory.is_dir():
        raise MeshcError(f'"{directory}" is a file, not a folder')
    files = {
        "mesh.yaml": _MESH,
        "mesh.schema.json": schema_text(),
        ".gitattributes": _ATTRIBUTES,
        ".gitignore": _IGNORED,
    }
    Repository.around(directory).create(FileTree({path: text.encode() for path, text in files.items()}))
    for path in files:
        tell(f"wrote {(directory / path).as_posix()}")
    where = "" if directory == Path() else f"cd {directory.as_posix()} && "
    tell(f"next: {where}meshc compile")
