"""first_mesh turns a choice of generation and topology into a mesh.yaml to begin with, commented, that compiles."""

from __future__ import annotations

from enum import StrEnum


class Generation(StrEnum):
    """Which Istio."""

    ISTIOD = "istiod"
    CLASSIC = "classic"


class Topology(StrEnum):
    """Which clusters to begin with."""

    PRIMARY_REMOTE = "primary-remote"
    SINGLE_CLUSTER = "single-cluster"


def first_mesh(generation: Generation, topology: Topology) -> str:
    """The text of a mesh.yaml."""
    alone = topology is Topology.SINGLE_CLUSTER
    kubernetes = "1.34" if generation is Generation.ISTIOD else "1.13"
    clusters = _HUB.format(kubernetes=kubernetes, control_plane=_CONTROL_PLANE[generation])
    remote = _EDGE.format(kubernetes=kubernetes)
    clusters += _commented(remote, "    # A second cluster, controlled by hub:\n") if alone else remote
    return _HEAD + _ISTIO[generation] + clusters + (_SERVICES_ALONE if alone else _SERVICES)


def _commented(text: str, title: str) -> str:
    return title + "".join(f"    # {line[4:]}" for line in text.splitlines(keepends=True))


_HEAD = """\
# yaml-language-server: $schema=mesh.schema.json
#
# The clusters of one Istio mesh. Edit, then: meshc compile
# Every key: meshc schema --markdown, or completion in an editor with the line above.
apiVersion: meshc/v1alpha1
kind: Mesh
metadata:
  name: my-mesh
spec:
"""

_ISTIO = {
    Generation.ISTIOD: """\
  istio:
    version: 1.30.3            # 1.24 to 1.32
  security:
    mutualTLS: strict
    ca:
      # istiod's own root is enough for one primary. With plugged-in, put the public certificates into
      # certificates/ and the sealed Secret into sealed/hub/cacerts.yaml.
      type: self-signed
  networks:
    - name: corp               # one flat network: pods of all clusters reach one another
""",
    Generation.CLASSIC: """\
  istio:
    version: 1.0.6             # 1.0.0 to 1.0.9
  security:
    # Both kinds of TLS want one root: ca.type plugged-in, the public certificates in certificates/, and a sealed
    # Secret for each cluster in sealed/<cluster>/cacerts.yaml. Then: mutualTLS: strict, controlPlaneTLS: true.
    mutualTLS: disabled
    controlPlaneTLS: false
    ca:
      type: self-signed
""",
}

_CONTROL_PLANE = {
    Generation.ISTIOD: "          istiod: 10.0.5.20    # where the other clusters reach istiod\n",
    Generation.CLASSIC: """\
          pilot: 10.0.5.20     # where the other clusters reach the control plane
          policy: 10.0.5.21
          telemetry: 10.0.5.22
""",
}

_HUB = """\
  clusters:
    - name: hub
      role: primary            # runs the control plane
      kubernetesVersion: "{kubernetes}"
      apiServer: https://10.0.0.10:6443
      podCIDRs: [10.10.0.0/16]
      serviceCIDRs: [10.110.0.0/16]
      controlPlane:
        exposure: load-balancer
        addresses:
{control_plane}"""

_EDGE = """\
    - name: edge-1
      role: remote             # is controlled by the primary
      kubernetesVersion: "{kubernetes}"
      apiServer: https://10.1.0.10:6443
      podCIDRs: [10.11.0.0/16]
      serviceCIDRs: [10.111.0.0/16]
"""

_SERVICES = """\
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

_SERVICES_ALONE = """\
  namespaces:
    - name: shop               # in every cluster, labelled for sidecars
  # Once there is a second cluster: what runs in hub, and is copied wherever clients are.
  # services:
  #   - name: catalog
  #     namespace: shop
  #     clusters: [hub]
  #     ports:
  #       - {name: http, port: 8080}
"""
