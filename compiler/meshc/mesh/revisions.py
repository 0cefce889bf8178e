"""Finds the control planes of each cluster, one for each revision, and the tags that point to them.

A control plane is a member with its own `istio`: version, revision, images and values. Code that reads these from a
member therefore also works for a further control plane.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from meshc.kube import Version
from meshc.mesh.east_west import exposure_kind
from meshc.mesh.hosts import url_fault
from meshc.mesh.model import Cluster
from meshc.mesh.overriding import merge
from meshc.mesh.selecting import selects

if TYPE_CHECKING:
    from typing import Any

    from meshc.errors import Path
    from meshc.mesh.fleet import Fleet, Member

AT: Path = ("spec", "istio", "controlPlanes")
TAGS: Path = ("spec", "istio", "revisionTags")
DEFAULT = "default"
"""The revision, or the tag, of namespaces with the label istio-injection."""
FIRST_READING_FILES = (1, 30)
"""The first minor release of Istio whose istiod reads kubeconfigs from a folder
(PILOT_MULTICLUSTER_KUBECONFIG_PATH)."""
FIRST_WITH_SERVICES_OF_TAGS = Version(1, 28)
"""Since this version, a tag has a Service in the cluster of its istiod."""


def planes(fleet: Fleet, member: Member) -> tuple[Member, ...]:
    """The control planes of a cluster, its own first: those that a primary runs, or that a remote uses."""
    return fleet.once(_planes).get(member.name, (member,))


def _planes(fleet: Fleet) -> dict[str, tuple[Member, ...]]:
    return {member.name: (member, *_further(fleet, member)) for member in fleet}


def _further(fleet: Fleet, member: Member) -> tuple[Member, ...]:
    """The control planes besides its own. A remote has only those of its primary, and an external control plane has no
    others."""
    if not fleet.generation.has_revisions or member in fleet.external:
        return ()
    primary = fleet.primary_of(member) if member.cluster.role == "remote" else None
    found: dict[str, Member] = {}
    for number, one in enumerate(fleet.mesh.spec.istio.control_planes):
        of_primary = primary is None or one.revision == fleet.revision_of(primary)
        there = selects(one.clusters, member.cluster) and (
            of_primary or (primary is not None and selects(one.clusters, primary.cluster))
        )
        if there and one.revision != fleet.revision_of(member):
            found.setdefault(one.revision, _as_plane(fleet, member, number))
    return tuple(found.values())


def _as_plane(fleet: Fleet, member: Member, number: int) -> Member:
    plane = fleet.mesh.spec.istio.control_planes[number]
    data: dict[str, Any] = member.cluster.model_dump(by_alias=True, exclude_unset=True)
    origins = dict(member.origins)
    own = plane.model_dump(by_alias=True, exclude_unset=True, exclude={"clusters"})
    merge(data, {"istio": own}, AT, (), origins)
    for steps in [steps for steps in origins if steps[0] == "istio" and origins[steps][: len(AT)] == AT]:
        origins[steps] = (*AT, number, *steps[1:])
    return replace(member, cluster=Cluster.model_validate(data), origins=origins)


def plane_of(fleet: Fleet, member: Member, revision: str) -> Member | None:
    """The control plane of a revision in a cluster; None if there is none."""
    return next((one for one in planes(fleet, member) if fleet.revision_of(one) == revision), None)


def tags_of(fleet: Fleet, member: Member) -> dict[str, tuple[str, Path]]:
    """The revision of each tag in a cluster, with its path in mesh.yaml. An external control plane injects nothing."""
    if not fleet.generation.has_revisions or member in fleet.external:
        return {}
    found: dict[str, tuple[str, Path]] = {
        tag: (revision, (*TAGS, tag)) for tag, revision in fleet.mesh.spec.istio.revision_tags.items()
    }
    own = member.cluster.istio.revision_tags
    return found | {tag: (revision, member.path("istio", "revisionTags", tag)) for tag, revision in own.items()}


def asked_without_a_word(fleet: Fleet, member: Member) -> str:
    """The revision or tag for namespaces that name none."""
    return DEFAULT if DEFAULT in tags_of(fleet, member) else fleet.revision_of(member)


def way_to_istiod(fleet: Fleet, plane: Member) -> tuple[str, Path] | None:
    """How a remote reaches the istiod of a revision, with the path in mesh.yaml.

    A further control plane of its primary has its own address, except behind a gateway, which distinguishes istiods by
    host name. API servers call the host of a URL, so with `injectionURL` each control plane needs its own host.
    """
    known, primary = fleet.addresses_of(plane), fleet.primary_of(plane)
    revision = fleet.revision_of(plane)
    if primary is None or not _is_further(fleet, primary, revision):
        return known.get("istiod")
    if found := known.get(f"istiod-{revision}"):
        return found
    control_plane = primary.cluster.control_plane
    by_gateway = fleet.once(_by_gateway)
    shares = primary.name in by_gateway and not (control_plane and control_plane.injection_url)
    return known.get("istiod") if shares else None


def _is_further(fleet: Fleet, primary: Member, revision: str) -> bool:
    return revision != fleet.revision_of(primary) and plane_of(fleet, primary, revision) is not None


def _by_gateway(fleet: Fleet) -> frozenset[str]:
    """The primaries whose istiod is behind a gateway in this cluster."""
    return frozenset(one.name for one in fleet.primaries if exposure_kind(fleet, one) == "gateway")


def injection_url(fleet: Fleet, plane: Member) -> str | None:
    """The URL of a revision's injector, if API servers don't call a Service of their own cluster."""
    primary = fleet.primary_of(plane) if plane.cluster.role == "remote" else fleet.by_name[plane.name]
    url = primary.cluster.control_plane.injection_url if primary and primary.cluster.control_plane else None
    if url is None or primary is None or url_fault(url) or not _is_further(fleet, primary, fleet.revision_of(plane)):
        return url
    way = way_to_istiod(fleet, plane)
    if way is None:
        return None
    host = f"[{way[0]}]" if ":" in way[0] else way[0]
    return f"https://{host}:{urlsplit(url).port or 443}"
