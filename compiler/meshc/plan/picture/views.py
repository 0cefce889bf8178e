"""Makes pictures of a plan: control planes, calls between clusters, CAs, and delivery."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from meshc.plan.picture.parts import Link, Picture, Thing
from meshc.plan.signers import signed_by, signer_of

if TYPE_CHECKING:
    from meshc.plan.ir import Plan


class View(StrEnum):
    """The content of a picture. `OVERVIEW` shows control planes and services together."""

    OVERVIEW = "overview"
    CONTROL_PLANE = "control-plane"
    SERVICES = "services"
    TRUST = "trust"
    DELIVERY = "delivery"


def view_of(plan: Plan, view: View, marks: Mapping[str, str] | None = None) -> Picture:
    """The picture. `marks` has, by a cluster's name, how the cluster changes."""
    clusters = tuple(_clusters(plan, marks or {}))
    match view:
        case View.CONTROL_PLANE:
            return Picture(clusters, tuple(_control(plan)))
        case View.SERVICES:
            return Picture(clusters, tuple(_services(plan)))
        case View.TRUST:
            return _trust(plan, clusters)
        case View.DELIVERY:
            return _delivery(plan, clusters)
        case View.OVERVIEW:
            primaries = {one.name for one in plan.clusters if one.role == "primary"}
            control = (link for link in _control(plan) if link.kind != "watches" or link.target in primaries)
            return Picture(clusters, (*control, *_services(plan)))


def _clusters(plan: Plan, marks: Mapping[str, str]) -> Iterator[Thing]:
    for one in plan.clusters:
        yield Thing(one.name, one.role, one.network, f"Istio {one.istio}", marks.get(one.name, ""))


def _control(plan: Plan) -> Iterator[Link]:
    """Proxies call their control plane. A control plane calls the API servers for which it has credentials."""
    for one in plan.clusters:
        for primary in dict.fromkeys(plane.attachment.primary for plane in one.planes if plane.attachment):
            yield Link(one.name, primary, "control plane")
        if one.is_external and one.config_cluster:
            yield Link(one.name, one.config_cluster, "configuration")
        yield from (Link(one.name, name, "watches") for name in one.watched if name != one.name)


def _services(plan: Plan) -> Iterator[Link]:
    """Clients call Services in other clusters: a client has a copy of each Service."""
    networks = {one.name: one.network for one in plan.clusters}
    shared = {base.name: base.copies for base in plan.bases}
    for one in plan.clusters:
        found: dict[str, list[str]] = {}
        for copy in [*(copy for name in one.bases for copy in shared.get(name, ())), *one.copies]:
            for home in copy.homes:
                found.setdefault(home, []).append(copy.name)
        for home, names in found.items():
            apart = None not in (one.network, networks.get(home)) and one.network != networks.get(home)
            yield Link(one.name, home, "calls through a gateway" if apart else "calls", tuple(names))


def _trust(plan: Plan, clusters: tuple[Thing, ...]) -> Picture:
    """The root, the CAs, and the clusters for whose workloads each CA signs certificates."""
    if plan.ca == "external":
        above = Thing("external CA", "root", about=f"trust domain {plan.trust_domain}")
        links = [Link(above.name, one.name, "signs for") for one in plan.clusters if not one.is_external]
        return Picture((above, *clusters), tuple(links))
    signers = list(dict.fromkeys(signer_of(plan, one) for one in plan.clusters if not one.is_external))
    links = [
        Link(signer, name, "signs for") for signer in signers for name in signed_by(plan, signer) if name != signer
    ]
    if plan.ca == "self-signed":
        note = "" if links else "each cluster signs for itself, with a root of its own"
        return Picture(clusters, tuple(links), note)
    root = Thing("root CA", "root", about=f"trust domain {plan.trust_domain}")
    return Picture((root, *clusters), (*(Link(root.name, one, "signs the CA") for one in signers), *links))


_ENGINES = {"argo-cd": "Argo CD", "flux": "Flux"}


def _delivery(plan: Plan, clusters: tuple[Thing, ...]) -> Picture:
    """The repository, the engine that reads it, and the clusters to which the engine applies output/."""
    wanted = plan.delivery
    if wanted is None:
        return Picture(clusters, (), "mesh.yaml has no spec.delivery: people apply output")
    repository = Thing("repository", "repository", about=f"{wanted.repo_url or 'known to Flux'}, {wanted.path}")
    if wanted.flux and wanted.flux.mode == "each":
        links = [Link(one.name, repository.name, "reads") for one in plan.clusters]
        return Picture((repository, *clusters), tuple(links), "Flux runs in each cluster")
    engine = Thing(_ENGINES[wanted.engine], "engine", about=f"runs in {wanted.runs_in}" if wanted.runs_in else "")
    links = [Link(engine.name, one.name, "applies") for one in plan.clusters]
    return Picture((repository, engine, *clusters), (Link(engine.name, repository.name, "reads"), *links))
