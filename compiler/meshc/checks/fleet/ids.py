"""What Istio knows clusters and networks by: one ID, one cluster, and no ID that an API server refuses in a path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from meshc import codes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshc.errors import Path, Problem
    from meshc.mesh.fleet import Fleet, Member
    from meshc.mesh.source import Source

CLASSIC_ID = "Kubernetes"
"""By which classic Istio's pilot knows the cluster that it runs in."""


def clusters(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """One ID, one cluster: istiod takes one set of credentials for an ID, and its own cluster needs none."""
    first: dict[str, Member] = {}
    for member in fleet:
        if member in fleet.external:  # istiod there has the ID of another cluster
            continue
        pilot = fleet.classic and member.cluster.role == "primary"
        if pilot and member.cluster.cluster_id not in (None, CLASSIC_ID):
            what = f"{member.name}: classic Istio's pilot always knows its own cluster as {CLASSIC_ID}"
            path, hint = member.path("clusterID"), "take clusterID out"
            yield source.problem(codes.WRONG_GENERATION, path, what, hint, key=True, clusters=(member.name,))
        known = CLASSIC_ID if pilot else member.id
        other = first.setdefault(known, member)
        if other.name != member.name and not (
            pilot and other.cluster.role == "primary"
        ):  # which is an error of its own
            path, there = _said(member), source.document.place(_said(other))
            what = f'{other.name} and {member.name} have one ID in Istio, "{known}"'
            about = (other.name, member.name)
            hint = "give one of the two a clusterID of its own"
            yield source.problem(codes.ID_TWICE, path, what, hint, also=(there,), clusters=about)


def _said(member: Member) -> Path:
    return member.path("clusterID" if member.cluster.cluster_id else "name")


def networks(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """One label, one network: under one label istiod takes pods for neighbours."""
    first: dict[str, tuple[str, Path]] = {}
    for number, network in enumerate(fleet.mesh.spec.networks):
        path: Path = ("spec", "networks", number, "label" if network.label else "name")
        label = network.label or network.name
        other, also = first.setdefault(label, (network.name, path))
        if other != network.name:
            what = f'networks {other} and {network.name} have one label, "{label}"'
            place = (source.document.place(also),)
            yield source.problem(codes.ID_TWICE, path, what, "give each network a label of its own", also=place)


def paths(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """A webhook that calls a Service tells istiod the ID in its path, each step of which Kubernetes takes for a name.

    A URL may have any path (Kubernetes, ValidateWebhookService and ValidateWebhookURL).
    """
    for member in fleet.remotes:
        primary = fleet.primary_of(member)
        by_url = primary and primary.cluster.control_plane and primary.cluster.control_plane.injection_url
        if primary is None or by_url or member.cluster.sidecar_injection == "manual":
            continue
        label = fleet.label_of(member) or ""
        for path, kind, text in ((member.path("clusterID"), "ID", member.id), (_label(fleet, label), "network", label)):
            if text and not all(map(_STEP.fullmatch, text.split("."))):
                what = f'{member.name}: the API server refuses {kind} "{text}" in the path of its injection webhook'
                hint = f"add controlPlane: {{injectionURL: https://HOST:15017}} to {primary.name}: a URL may hold it"
                yield source.problem(codes.PATH_REFUSED, path, what, hint, clusters=(member.name,))


_STEP = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
"""Kubernetes bounds the whole name (IsDNS1123Subdomain), and no part of it."""


def _label(fleet: Fleet, label: str) -> Path:
    numbers = [number for number, one in enumerate(fleet.mesh.spec.networks) if one.label == label]
    return ("spec", "networks", *numbers[:1], "label")
