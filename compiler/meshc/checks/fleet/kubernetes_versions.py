"""Checks that the Istio of each cluster supports its Kubernetes version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc import codes
from meshc.kube import Version
from meshc.mesh.revisions import planes
from meshc.supported import CLASSIC, ISTIO

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshc.errors import Problem
    from meshc.mesh.fleet import Fleet, Member
    from meshc.mesh.source import Source


_CLASSIC_FIRST, _CLASSIC_LAST = (Version(1, minor) for minor in CLASSIC.kubernetes)
_ISTIOD_FIRST = Version(1, 21)  # discovery.k8s.io/v1, which istiod watches


def kubernetes(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Every cluster has a kubernetesVersion, and its Istio runs on that version."""
    for member in fleet:
        text = member.cluster.kubernetes_version
        if text is None:
            what = f"{member.name}: kubernetesVersion is missing; API versions depend on it"
            hint = 'add kubernetesVersion: "1.34", or set it for many clusters under overrides'
            yield source.problem(codes.KUBERNETES_MISSING, member.path("name"), what, hint, clusters=(member.name,))
            continue
        version, istio_version = fleet.kubernetes_of(member), fleet.version_of(member)
        path = member.path("kubernetesVersion")
        lines = {fleet.version_of(plane).line: fleet.version_of(plane) for plane in planes(fleet, member)[1:]}
        for other in lines.values():
            if other.line != istio_version.line:
                yield from _unsupported(source, member, other, version, text)
        if fleet.classic:
            if not _CLASSIC_FIRST <= version < Version(1, _CLASSIC_LAST.minor + 1):
                why = (
                    "Istio 1.0 needs at least 1.9"
                    if version < _CLASSIC_FIRST
                    else ("its injector needs admissionregistration v1beta1, which 1.22 removed")
                )
                what = f"{member.name}: classic Istio doesn't run on Kubernetes {text}: {why}"
                yield source.problem(
                    codes.KUBERNETES_IMPOSSIBLE,
                    path,
                    what,
                    "use 1.9 to 1.21, or istiod",
                    clusters=(member.name,),
                )
        elif version < _ISTIOD_FIRST:
            what = (
                f"{member.name}: istiod {istio_version} doesn't run on Kubernetes {text}: "
                "discovery.k8s.io/v1 came with 1.21"
            )
            yield source.problem(
                codes.KUBERNETES_IMPOSSIBLE, path, what, "upgrade the cluster", clusters=(member.name,)
            )
        else:
            yield from _unsupported(source, member, istio_version, version, text)


def _unsupported(
    source: Source, member: Member, istio_version: Version, version: Version, text: str
) -> Iterable[Problem]:
    if istio_version.line not in ISTIO:
        return
    first, last = ISTIO[istio_version.line].kubernetes
    if not first <= version.minor <= last:
        line = f"{istio_version.major}.{istio_version.minor}"
        what = f"{member.name}: Istio {line} supports Kubernetes 1.{first} to 1.{last}, not {text}"
        hint, path = "change one of the two versions, or acknowledge it", member.path("kubernetesVersion")
        yield source.problem(codes.KUBERNETES_UNSUPPORTED, path, what, hint, clusters=(member.name,))
