"""Checks ambient namespaces: what Istio supports between clusters, and what each cluster needs.

Istio's docs ("Install Multicluster" of ambient) support several primaries in several networks only: alpha in 1.27, beta
in 1.29. Istio knows the trust domain of remote gateways since 1.28.1 (istio#58427).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from meshc import codes
from meshc.kube import Version
from meshc.mesh.charts import AT, wanted
from meshc.mesh.east_west import HBONE
from meshc.mesh.exports import GLOBAL
from meshc.mesh.fleet import gateways_of
from meshc.mesh.user_files import objects_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from meshc.errors import Path, Problem
    from meshc.mesh.exports import Export
    from meshc.mesh.fleet import Fleet, Member
    from meshc.mesh.inputs import Inputs
    from meshc.mesh.source import Source

_FIRST, _BETA, _TRUST_DOMAIN = Version(1, 27, 0), Version(1, 29, 0), Version(1, 28, 1)
_CRD = "gateways.gateway.networking.k8s.io"


def topology(fleet: Fleet, source: Source) -> Iterator[Problem]:
    """Ambient between clusters needs primaries only, and one cluster in each network."""
    sizes = Counter(map(fleet.network_of, fleet))
    for number in fleet.ambient_namespaces:
        name, at = fleet.mesh.spec.namespaces[number].name, _at(number)
        here = [member for member in fleet if fleet.is_ambient_in(number, member)]
        remotes = [one for one in (fleet if fleet.several_networks else here) if one.cluster.role == "remote"]
        if remotes:
            who = _listed(remotes)
            what = f"namespace {name}: {who}: ambient works only between primaries, because a remote has no istiod"
            hint = "give these clusters role: primary, or write dataplane: sidecar"
            yield source.problem(codes.AMBIENT_WITH_REMOTES, at, what, hint, clusters=_names(remotes))
        crowded = [member for member in here if sizes[fleet.network_of(member)] > 1]
        if crowded:
            what = (
                f"namespace {name}: {_listed(crowded)}: Istio hasn't tested ambient with several clusters in a network"
            )
            hint = "give each cluster its own network, with a gateway"
            yield source.problem(codes.AMBIENT_IN_ONE_NETWORK, at, what, hint, clusters=_names(crowded))


def versions(fleet: Fleet, source: Source) -> Iterator[Problem]:
    """Ambient between networks needs an Istio version that supports it; a warning if that version has it as alpha."""
    if not (fleet.ambient_namespaces and fleet.several_networks):
        return
    own_domain = fleet.mesh.spec.istio.trust_domain != "cluster.local"
    for member in fleet:
        version, path = fleet.version_of(member), _version_path(member)
        about = (member.name,)
        if version < _FIRST:
            what = f"{member.name}: Istio {version} doesn't support ambient between networks, which came with {_FIRST}"
            yield source.problem(codes.AMBIENT_TOO_EARLY, path, what, f"use {_BETA} or later", clusters=about)
        elif own_domain and version < _TRUST_DOMAIN:
            what = (
                f"{member.name}: ambient of Istio {version} works between networks only with trust domain cluster.local"
            )
            yield source.problem(codes.AMBIENT_TOO_EARLY, path, what, f"use {_BETA} or later", clusters=about)
        elif version < _BETA:
            what = f"{member.name}: ambient between networks is alpha in Istio {version}"
            yield source.problem(codes.AMBIENT_ALPHA, path, what, f"use {_BETA} or later", clusters=about)


def aliases(fleet: Fleet, source: Source) -> Iterator[Problem]:
    """ztunnel accepts only identities of its own trust domain (istio/istio#58511), so aliases don't work."""
    if fleet.mesh.spec.istio.trust_domain_aliases and fleet.ambient_namespaces:
        path = ("spec", "istio", "trustDomainAliases")
        what = "ztunnel doesn't support trust domain aliases, and refuses workloads with a certificate of an alias"
        hint = "keep one trust domain while namespaces are ambient"
        yield source.problem(codes.ALIASES_IN_AMBIENT, path, what, hint, key=True)


def charts(fleet: Fleet, source: Source) -> Iterator[Problem]:
    """If meshc renders istiod for an ambient cluster, it must render cni and ztunnel there too."""
    for member in fleet:
        ambient = [n for n in fleet.ambient_namespaces if fleet.is_ambient_in(n, member)]
        rendered = {one.chart for one in wanted(fleet, member)}
        missing = [name for name in ("cni", "ztunnel") if name not in rendered]
        if ambient and "istiod" in rendered and missing:
            what = f"{member.name}: ambient also needs {' and '.join(missing)}, missing in istio.charts"
            hint = f"add {', '.join(f'{{chart: {name}}}' for name in missing)} under also"
            also = (source.document.place(_at(ambient[0])),)
            yield source.problem(codes.AMBIENT_CHARTS, AT, what, hint, key=True, also=also, clusters=(member.name,))


def beside_sidecars(fleet: Fleet, source: Source) -> Iterator[Problem]:
    """Warns of ambient and sidecars in one mesh with several networks: each network then needs two gateways."""
    if not fleet.several_networks or fleet.only_ambient:
        return
    for number in fleet.ambient_namespaces:
        name = fleet.mesh.spec.namespaces[number].name
        sidecars = [n for n, one in enumerate(fleet.mesh.spec.namespaces) if one.dataplane == "sidecar"]
        also = (source.document.place(("spec", "namespaces", sidecars[0], "name")),)
        what = f"namespace {name} is ambient, but others have sidecars: each network needs two gateways"
        hint = "move the other namespaces to ambient too, and acknowledge it until then"
        yield source.problem(codes.AMBIENT_BESIDE_SIDECARS, _at(number), what, hint, also=also)
        return


def ports(fleet: Fleet, source: Source) -> Iterator[Problem]:
    """If all namespaces are ambient, networks can't set a gateway's port, as `port` is the port for sidecars."""
    for number, network in enumerate(fleet.mesh.spec.networks if fleet.only_ambient else ()):
        for gateway, path in gateways_of(network, number):
            if "port" in gateway.model_fields_set and gateway.port != HBONE:
                what = f"network {network.name}: all namespaces are ambient, and ambient gateways have port {HBONE}"
                yield source.problem(codes.BAD_VALUE, (*path[:-1], "port"), what, "remove port")


def services(fleet: Fleet, exports: Sequence[Export]) -> Iterator[Problem]:
    """A Service of an ambient namespace needs a label of its own before other clusters can call it."""
    if not fleet.several_networks:
        return
    names = {fleet.mesh.spec.namespaces[number].name for number in fleet.ambient_namespaces}
    for export in exports:
        inline = fleet.mesh.spec.services[export.entry].manifests is None
        if export.namespace in names and export.clients and not inline and export.labels.get(GLOBAL) != "true":
            what = (
                f'other clusters can\'t call Service "{export.namespace}/{export.name}" without label {GLOBAL}: "true"'
            )
            hint = "add the label to the manifest; meshc adds it to the copies"
            yield codes.SERVICE_NOT_GLOBAL.at(export.place, what, hint, clusters=export.homes)


def gateway_api(fleet: Fleet, source: Source, inputs: Inputs) -> Iterator[Problem]:
    """Ambient's gateway needs the CRDs of the Gateway API, which Istio doesn't install."""
    if not fleet.several_networks:
        return
    without = [member for member in fleet if not _brings_crds(member, inputs)]
    for number in fleet.ambient_namespaces[:1] if without else ():
        what = (
            f"the ambient gateway needs the CRDs of the Gateway API, and Istio doesn't install them: {_listed(without)}"
        )
        hint = "install them in these clusters, then acknowledge it; or add them to resources"
        yield source.problem(codes.GATEWAY_API_NEEDED, _at(number), what, hint, clusters=_names(without))


def _brings_crds(member: Member, inputs: Inputs) -> bool:
    files = (file for path in member.cluster.resources for file in inputs.resources.get(path, ()))
    objects = (body for file in files for _, _, body in objects_in(file.manifests) if isinstance(body, dict))
    return any(
        body.get("kind") == "CustomResourceDefinition" and (body.get("metadata") or {}).get("name") == _CRD
        for body in objects
    )


def _at(number: int) -> Path:
    return ("spec", "namespaces", number, "dataplane")


def _version_path(member: Member) -> Path:
    return member.path("istio", "version") if member.cluster.istio.version else ("spec", "istio", "version")


def _names(members: Iterable[Member]) -> tuple[str, ...]:
    return tuple(member.name for member in members)


def _listed(members: Sequence[Member]) -> str:
    names = _names(members)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
