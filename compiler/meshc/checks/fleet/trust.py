"""Checks that the CA of every cluster chains to the common root, from public certificates only."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from meshc import codes
from meshc.mesh.hosts import url_fault
from meshc.mesh.revisions import planes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshc.errors import Problem
    from meshc.mesh.fleet import Fleet, Member
    from meshc.mesh.inputs import Inputs
    from meshc.mesh.source import Source
    from meshc.trust.names import Leaf

_FILES = ("ca-cert.pem", "cert-chain.pem")
_DIRECTORY = ("spec", "security", "ca", "directory")


def chains(fleet: Fleet, source: Source, inputs: Inputs) -> Iterable[Problem]:
    """All clusters have one root, valid chains, and different keys; warns if self-signed CAs break mutual TLS."""
    security = fleet.mesh.spec.security
    if security.ca.type == "self-signed":
        yield from _self_signed(fleet, source)
    if security.ca.type != "plugged-in":
        return
    folder = security.ca.directory
    if folder in inputs.unread:
        return
    needed = _signers(fleet)
    root = inputs.certificates.get("root-cert.pem")
    yield from _without_files(fleet, source, inputs)
    from meshc.trust.certificates import read
    from meshc.trust.verify import ClusterFiles, verify

    held = []
    named = {"root-cert.pem"}
    for member in fleet:
        paths = [f"{member.name}/{name}" for name in _FILES]
        named.update(paths)
        found = [(source.shown(f"{folder}/{path}"), inputs.certificates.get(path)) for path in paths]
        ca, chain = ((name, data) if data is not None else None for name, data in found)
        if ca or chain:
            held.append(ClusterFiles(member.name, ca, chain, _signed_in(fleet, member)))
    for other in sorted(inputs.certificates.keys() - named):  # meshc doesn't use these files, but they are committed
        _, problems = read(source.shown(f"{folder}/{other}"), inputs.certificates[other])
        yield from (problem for problem in problems if problem.code is codes.PRIVATE_KEY_IN_PUBLIC_FILE)
    if root is not None:
        yield from verify((source.shown(f"{folder}/root-cert.pem"), root), held, generation=fleet.generation)
    elif held or needed:
        what = f"the common root {source.shown(f'{folder}/root-cert.pem')} is missing"
        hint = "make a root: meshc ca init; or put the public certificate of an existing root there"
        yield source.problem(codes.CERTIFICATES_MISSING, _DIRECTORY, what, hint)


def _signers(fleet: Fleet) -> list[Member]:
    """The clusters in which a CA runs."""
    return [member for member in fleet if fleet.generation.signs_in_remotes or member.cluster.role != "remote"]


def _without_files(fleet: Fleet, source: Source, inputs: Inputs) -> Iterable[Problem]:
    """Reports clusters that need a CA but have no files of one."""
    ca, root = fleet.mesh.spec.security.ca, inputs.certificates.get("root-cert.pem")
    for member in _signers(fleet):
        missing = [name for name in _FILES if f"{member.name}/{name}" not in inputs.certificates]
        if len(missing) == len(_FILES) or (missing and root is None):  # `verify` reports a single missing file
            verb = "are" if len(missing) > 1 else "is"
            what = f"{' and '.join(missing)} of {member.name} {verb} missing"
            place = f"{source.shown(ca.directory)}/{member.name}/"
            make = f"meshc ca issue {member.name}" if root else "meshc ca init, then meshc ca issue"
            hint = f"make the CA: {make}; or put the public certificates of an existing CA into {place}"
            path = _DIRECTORY if "directory" in ca.model_fields_set else member.path("name")
            yield source.problem(codes.CERTIFICATES_MISSING, path, what, hint, clusters=(member.name,))


def _signed_in(fleet: Fleet, member: Member) -> tuple[Leaf, ...]:
    """The certificates that a cluster's CA must be able to sign."""
    from meshc.trust.names import Signer, leaves_of

    spec, plane = fleet.mesh.spec, member.cluster.control_plane
    url = plane.injection_url if plane and plane.injection_url and not url_fault(plane.injection_url) else None
    return leaves_of(
        Signer(
            fleet.generation,
            spec.istio.namespace,
            spec.istio.trust_domain,
            [fleet.revision_of(plane) for plane in planes(fleet, member)],
            urlsplit(url).hostname if url else None,
            ambient=bool(fleet.ambient_namespaces),
        )
    )


def _self_signed(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Self-signed CAs break TLS between clusters: each Citadel (classic) or istiod (of a primary) makes its own root.

    Permissive classic meshes work: clients send plain text unless a user's DestinationRule says otherwise.
    """
    security = fleet.mesh.spec.security
    if not fleet.classic:
        yield from _self_signed_primaries(fleet, source)
        return
    if not fleet.remotes:
        return
    needs = ["mutual TLS"] if security.mutual_tls == "strict" else []
    needs += ["control-plane TLS"] if security.control_plane_tls is not False else []
    if needs:
        broken = " and ".join(needs)
        what = f"self-signed CAs break {broken}: every cluster's Citadel makes a root that the others don't know"
        hint = "write type: plugged-in, with an intermediate for each cluster under one root"
        yield source.problem(codes.SELF_SIGNED_SPLIT, ("spec", "security", "ca", "type"), what, hint)


def _self_signed_primaries(fleet: Fleet, source: Source) -> Iterable[Problem]:
    if len(fleet.primaries) > 1 and fleet.mesh.spec.security.mutual_tls != "disabled":
        names = [member.name for member in fleet.primaries]
        listed = f"{', '.join(names[:3])} and {len(names) - 3} more" if len(names) > 4 else ", ".join(names)
        what = (
            f"self-signed CAs break mutual TLS: the istiod of each of {listed} makes a root that the others don't know"
        )
        hint = "write type: plugged-in, with an intermediate for each primary under one root"
        yield source.problem(codes.SELF_SIGNED_SPLIT, ("spec", "security", "ca", "type"), what, hint)
