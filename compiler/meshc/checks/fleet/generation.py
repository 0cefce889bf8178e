"""Settings that belong to the other generation: classic Istio 1.0, or istiod."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from meshc import codes

if TYPE_CHECKING:
    from meshc.errors import Path, Problem
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.source import Source


def generation(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Settings belong to the generation of the mesh."""
    for path, what, clusters in _of_istiod(fleet) if fleet.classic else _of_classic(fleet):
        hint = f"take {path[-1]} out"
        yield source.problem(codes.WRONG_GENERATION, path, what, hint, key=True, clusters=clusters)


_Found = tuple["Path", str, tuple[str, ...]]


def _of_istiod(fleet: Fleet) -> Iterator[_Found]:
    """What a classic mesh sets, and only istiod has."""
    spec = fleet.mesh.spec
    istio, ca = spec.istio, spec.security.ca
    settings: tuple[tuple[Path, Any, Any, str], ...] = (
        (("istio", "revision"), istio.revision, "default", "classic Istio has no revisions"),
        (
            ("istio", "trustDomain"),
            istio.trust_domain,
            "cluster.local",
            "classic Istio's charts have no trust domain but cluster.local",
        ),
        (
            ("istio", "clusterDomain"),
            istio.cluster_domain,
            "cluster.local",
            "classic Istio's charts have no domain of Services but cluster.local",
        ),
        (
            ("istio", "trustDomainAliases"),
            istio.trust_domain_aliases,
            (),
            "classic Istio has no aliases of its trust domain",
        ),
        (
            ("istio", "remoteSecrets"),
            istio.remote_secrets,
            "separate",
            "classic Istio's pilot reads remote secrets alone",
        ),
        (
            ("security", "ca", "fastRootRotation"),
            bool(ca.fast_root_rotation),
            False,
            "classic Istio's Citadel sends no roots: it writes them into Secrets",
        ),
    )
    for path, value, default, what in settings:
        if value != default:
            yield ("spec", *path), what, ()
    for member in fleet:
        if member.cluster.istio.revision not in (None, "default"):
            yield member.path("istio", "revision"), f"{member.name}: classic Istio has no revisions", (member.name,)
        if member.cluster.istio.remote_secrets not in (None, "separate"):
            what = f"{member.name}: classic Istio's pilot reads remote secrets alone"
            yield member.path("istio", "remoteSecrets"), what, (member.name,)


def _of_classic(fleet: Fleet) -> Iterator[_Found]:
    """What a mesh of istiods sets, and only classic Istio has."""
    if fleet.mesh.spec.security.control_plane_tls is False:
        yield ("spec", "security", "controlPlaneTLS"), "istiod always speaks TLS with its sidecars", ()
    for member in fleet.primaries:
        if member.cluster.control_plane and member.cluster.control_plane.pilot_service is not None:
            what = f"{member.name}: istiod has no pilotService"
            yield member.path("controlPlane", "pilotService"), what, (member.name,)
