"""Reports settings that belong to the other generation: classic Istio 1.0, or istiod."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from meshc import codes
from meshc.mesh.revisions import AT, TAGS

if TYPE_CHECKING:
    from meshc.errors import Path, Problem
    from meshc.mesh.fleet import Fleet, Member
    from meshc.mesh.model.whole import Spec
    from meshc.mesh.source import Source


class _Found(NamedTuple):
    """A setting that the mesh can't have. Without a hint, the message says to remove it and points to its key."""

    path: Path
    what: str
    clusters: tuple[str, ...] = ()
    hint: str = ""


def of_istiod(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Reports settings of a classic mesh that only istiod has."""
    for found in (*_of_mesh(fleet), *_of_namespaces(fleet), *(one for member in fleet for one in _of_cluster(member))):
        yield _problem(source, found)
    if fleet.several_networks:
        what = "there are several networks, but classic Istio needs pods that reach one another directly"
        hint = (
            "put all clusters into one network if their pods reach one another directly; several networks need istiod"
        )
        yield source.problem(codes.WRONG_GENERATION, ("spec", "networks"), what, hint, key=True)
    for member in fleet.primaries[1:]:
        what = f"{member.name} is a second primary, but a mesh of classic Istio has only one control plane"
        also = (source.document.place(fleet.primaries[0].path("role")),)
        hint = "write role: remote; several primaries need istiod"
        path = member.path("role")
        yield source.problem(codes.WRONG_GENERATION, path, what, hint, also=also, clusters=(member.name,))


def of_classic(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Reports settings of an istiod mesh that only classic Istio has."""
    if fleet.mesh.spec.security.control_plane_tls is False:
        path = ("spec", "security", "controlPlaneTLS")
        yield _problem(source, _Found(path, "istiod always speaks TLS with its sidecars"))
    for member in fleet.primaries:
        if member.cluster.control_plane and member.cluster.control_plane.pilot_service is not None:
            what = f"{member.name}: istiod has no pilotService"
            yield _problem(source, _Found(member.path("controlPlane", "pilotService"), what, (member.name,)))


def _problem(source: Source, found: _Found) -> Problem:
    hint = found.hint or f"remove {found.path[-1]}"
    code = codes.WRONG_GENERATION
    return source.problem(code, found.path, found.what, hint, key=not found.hint, clusters=found.clusters)


def _of_mesh(fleet: Fleet) -> Iterator[_Found]:
    for path, value, default, what in _OF_ISTIOD:
        if value(fleet.mesh.spec) != default:
            yield _Found(("spec", *path), what)


_OF_ISTIOD: tuple[tuple[Path, Callable[[Spec], Any], Any, str], ...] = (
    (("istio", "revision"), lambda spec: spec.istio.revision, "default", "classic Istio has no revisions"),
    (
        TAGS[1:],
        lambda spec: bool(spec.istio.revision_tags),
        False,
        "classic Istio has no revisions and no revision tags",
    ),
    (
        AT[1:],
        lambda spec: bool(spec.istio.control_planes),
        False,
        "classic Istio has no revisions: a cluster runs one control plane",
    ),
    (
        ("istio", "trustDomain"),
        lambda spec: spec.istio.trust_domain,
        "cluster.local",
        "classic Istio's charts only support trust domain cluster.local",
    ),
    (
        ("istio", "clusterDomain"),
        lambda spec: spec.istio.cluster_domain,
        "cluster.local",
        "classic Istio's charts only support the cluster domain cluster.local",
    ),
    (
        ("istio", "trustDomainAliases"),
        lambda spec: spec.istio.trust_domain_aliases,
        (),
        "classic Istio doesn't support trust domain aliases",
    ),
    (
        ("istio", "remoteSecrets"),
        lambda spec: spec.istio.remote_secrets,
        "separate",
        "classic Istio's Pilot only reads remote secrets",
    ),
    (
        ("security", "ca", "fastRootRotation"),
        lambda spec: bool(spec.security.ca.fast_root_rotation),
        False,
        "classic Istio's Citadel doesn't send roots: it writes them into Secrets",
    ),
)
"""Settings that only istiod has: the path, a function that reads the value, the default, and the message."""


def _of_namespaces(fleet: Fleet) -> Iterator[_Found]:
    for number, namespace in enumerate(fleet.mesh.spec.namespaces):
        at: Path = ("spec", "namespaces", number)
        if namespace.revision is not None:
            yield _Found((*at, "revision"), "classic Istio has no revisions")
        if namespace.dataplane == "ambient":
            what = f"namespace {namespace.name}: classic Istio has no ambient"
            yield _Found((*at, "dataplane"), what, hint="write sidecar or none")


def _of_cluster(member: Member) -> Iterator[_Found]:
    about, plane = (member.name,), member.cluster.control_plane
    if member.cluster.istio.revision not in (None, "default"):
        yield _Found(member.path("istio", "revision"), f"{member.name}: classic Istio has no revisions", about)
    if member.cluster.istio.remote_secrets not in (None, "separate"):
        what = f"{member.name}: classic Istio's Pilot only reads remote secrets"
        yield _Found(member.path("istio", "remoteSecrets"), what, about)
    if member.cluster.role == "external-control-plane":
        what = f"{member.name}: classic Istio must run in the cluster whose configuration it reads"
        yield _Found(member.path("role"), what, about, "write role: primary")
    if plane and plane.injection_url is not None and member.cluster.role == "primary":
        what = f"{member.name}: classic Istio has no injection URL"
        yield _Found(member.path("controlPlane", "injectionURL"), what, about)
