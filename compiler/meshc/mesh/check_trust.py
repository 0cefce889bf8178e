"""Trust: the CA of every cluster chains to the common root, as far as public certificates tell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from meshc import codes

if TYPE_CHECKING:
    from meshc.errors import Problem
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.inputs import Inputs
    from meshc.mesh.source import Source

_FILES = ("ca-cert.pem", "cert-chain.pem")


def chains(fleet: Fleet, source: Source, inputs: Inputs) -> Iterable[Problem]:
    """One root everywhere, chains that hold, keys of their own; or a reason why nothing can be trusted."""
    security = fleet.mesh.spec.security
    if security.ca.type == "self-signed":
        yield from _self_signed(fleet, source)
    if security.ca.type != "plugged-in":
        return
    at = ("spec", "security", "ca", "directory")
    folder = security.ca.directory
    needed = [m for m in fleet if fleet.classic or m.cluster.role == "primary"]
    for member in needed:
        if missing := [name for name in _FILES if f"{member.name}/{name}" not in inputs.certificates]:
            what = f"{' and '.join(missing)} of {member.name} missing in {source.shown(folder)}/{member.name}/"
            hint = "put the intermediate CA's public certificate and its chain there, or choose another ca.type"
            path = at if "directory" in security.ca.model_fields_set else member.path("name")
            yield source.problem(codes.CERTIFICATES_MISSING, path, what, hint, clusters=(member.name,))
    root = inputs.certificates.get("root-cert.pem")
    if root is None:
        if any(name.endswith("/ca-cert.pem") for name in inputs.certificates) or needed:
            what = f"the common root {source.shown(folder)}/root-cert.pem is missing"
            yield source.problem(codes.CERTIFICATES_MISSING, at, what, "put the root CA's public certificate there")
        return
    from meshc.trust.verify import ClusterFiles, verify

    held = []
    for member in fleet:
        files = [inputs.certificates.get(f"{member.name}/{name}") for name in _FILES]
        if any(data is not None for data in files):
            shown = [f"{source.shown(folder)}/{member.name}/{name}" for name in _FILES]
            ca, chain = ((name, data) if data is not None else None for name, data in zip(shown, files, strict=True))
            held.append(ClusterFiles(member.name, ca, chain))
    yield from verify((f"{source.shown(folder)}/root-cert.pem", root), held, generation="classic" if fleet.classic else "istiod")


def _self_signed(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Classic runs a Citadel in each cluster, so each would sign with a root of its own; of istiod there is one."""
    security = fleet.mesh.spec.security
    if not fleet.classic or not fleet.remotes:
        return
    needs = ["mutual TLS"] if security.mutual_tls != "disabled" else []
    needs += ["control-plane TLS"] if security.control_plane_tls is not False else []
    if needs:
        what = f"self-signed CAs break {' and '.join(needs)}: every cluster's Citadel makes a root that the others don't know"
        hint = "write type: plugged-in, with an intermediate a cluster under one root"
        yield source.problem(codes.SELF_SIGNED_SPLIT, ("spec", "security", "ca", "type"), what, hint)
