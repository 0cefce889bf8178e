"""Makes a realistic mesh.yaml from two numbers: python bench/fleet.py 1000 100 > mesh.yaml

The mesh has one primary and many remotes in three regions. Settings come from overrides and labels, and some clusters
have their own. Ranges are IPv4 and IPv6. Services run in the primary or at the edge, and are copied to all clusters or
to some.
"""

from __future__ import annotations

import sys

_HEAD = """\
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {name: fleet}
spec:
  istio: {version: 1.30.3}
  security: {ca: {type: self-signed}}
  networks: [{name: corp}]
  overrides:
    - {clusters: all, set: {kubernetesVersion: "1.34"}}
    - {clusters: {matchLabels: {region: apac}}, set: {istio: {version: 1.29.6}}}
    - clusters: {matchExpressions: [{key: tier, operator: In, values: [shop-floor]}]}
      set: {sidecarInjection: manual}
  acknowledge:
    - {code: MESH503, reason: the shop floors inject in their pipelines}
"""
_HUB = """\
  clusters:
    - name: hub
      role: primary
      apiServer: https://hub.example.com:6443
      podCIDRs: [10.0.0.0/22, "fd00:0:0::/64"]
      controlPlane: {addresses: {istiod: 192.0.2.10}}
"""
_NAMESPACES = """\
  namespaces:
    - {name: shop}
    - {name: billing, clusters: {matchLabels: {region: eu}}}
    - {name: batch, dataplane: none}
  services:
"""
_INCLUDE = """\
  include:
    - {files: clusters/*.yaml, may: [clusters]}
    - {files: teams/*.yaml, may: [services]}
  istio:"""
_PART = """\
apiVersion: meshc/v1alpha1
kind: MeshPart
spec:
"""
_REGIONS = ("eu", "us", "apac")


def fleet(clusters: int, services: int) -> str:
    """The text of a mesh with this number of clusters (up to 16,000) and of shared services."""
    remotes = "".join(_remote(number) for number in range(1, clusters))
    return _HEAD + _HUB + remotes + _NAMESPACES + "".join(_service(number, clusters) for number in range(services))


def parted(clusters: int, services: int, files: int) -> dict[str, str]:
    """The same mesh in parts, by path: three of four parts contain clusters, the others services."""
    remotes = [_remote(number) for number in range(1, clusters)]
    shared = [_service(number, clusters) for number in range(services)]
    of_services = files // 4
    parts = {"mesh.yaml": _HEAD.replace("  istio:", _INCLUDE, 1) + _HUB + _NAMESPACES.removesuffix("  services:\n")}
    for folder, key, entries, number in (
        ("clusters", "clusters", remotes, files - of_services),
        ("teams", "services", shared, of_services),
    ):
        for at in range(number):
            some = entries[len(entries) * at // number : len(entries) * (at + 1) // number]
            parts[f"{folder}/{at:03}.yaml"] = f"{_PART}  {key}:\n{''.join(some)}"
    return parts


def _remote(number: int) -> str:
    pods = f"{10 + number // 16384}.{number * 4 // 256 % 256}.{number * 4 % 256}.0/22"
    region, tier = _REGIONS[number % 3], "shop-floor" if number % 9 == 5 else "site"
    own = "\n      controlPlaneAddresses: {istiod: 198.51.100.7}" if number % 20 == 0 else ""
    return (
        f"    - name: {region}-{number}\n      role: remote\n      labels: {{region: {region}, tier: {tier}}}\n"
        f"      apiServer: https://{region}-{number}.example.com:6443\n"
        f'      podCIDRs: [{pods}, "fd00:{number:x}::/64"]{own}\n'
    )


def _service(number: int, clusters: int) -> str:
    edge = number % 10 == 9 and clusters > 10
    site = number % 9 + 1
    home, clients = (f"{_REGIONS[site % 3]}-{site}", "[hub]") if edge else ("hub", "all")
    ports = "[{name: http, port: 8080}, {name: grpc, port: 9090, appProtocol: grpc}]"
    return f"    - {{name: service-{number}, namespace: shop, clusters: [{home}], copyTo: {clients}, ports: {ports}}}\n"


if __name__ == "__main__":
    sys.stdout.write(fleet(int(sys.argv[1]), int(sys.argv[2])))
