"""Checks the IDs of clusters and the labels of networks: unique, and valid in the path of a webhook."""

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
"""The ID that classic Istio's Pilot gives to its own cluster."""


def clusters(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Cluster IDs are unique: istiod reads one set of credentials for each ID, and none for its own cluster."""
    first: dict[str, Member] = {}
    for member in fleet:
        if member in fleet.external:  # its istiod has the ID of its config cluster
            continue
        pilot = fleet.generation.has_fixed_id and member.cluster.role == "primary"
        if pilot and member.cluster.cluster_id not in (None, CLASSIC_ID):
            what = f"{member.name}: classic Istio's Pilot always uses the ID {CLASSIC_ID} for its own cluster"
            path, hint = member.path("clusterID"), "remove clusterID"
            yield source.problem(codes.WRONG_GENERATION, path, what, hint, key=True, clusters=(member.name,))
        known = CLASSIC_ID if pilot else member.id
        other = first.setdefault(known, member)
        if other.name != member.name and not (
            pilot and other.cluster.role == "primary"
        ):  # another check reports a second classic primary
            path, there = _said(member), source.document.place(_said(other))
            what = f'{other.name} and {member.name} have the same ID in Istio, "{known}"'
            about = (other.name, member.name)
            hint = "give one of the two its own clusterID"
            yield source.problem(codes.ID_TWICE, path, what, hint, also=(there,), clusters=about)


def _said(member: Member) -> Path:
    return member.path("clusterID" if member.cluster.cluster_id else "name")


def networks(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Network labels are unique: istiod treats pods with one label as pods of one network."""
    first: dict[str, tuple[str, Path]] = {}
    for number, network in enumerate(fleet.mesh.spec.networks):
        path: Path = ("spec", "networks", number, "label" if network.label else "name")
        label = network.label or network.name
        other, also = first.setdefault(label, (network.name, path))
        if other != network.name:
            what = f'networks {other} and {network.name} have the same label, "{label}"'
            place = (source.document.place(also),)
            yield source.problem(codes.ID_TWICE, path, what, "give each network its own label", also=place)


def paths(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """IDs and labels are valid in the path of an injection webhook.

    If the webhook calls a Service, Kubernetes validates each segment of the path as a name. A URL may have any path
    (Kubernetes, ValidateWebhookService and ValidateWebhookURL).
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
                hint = f"add controlPlane: {{injectionURL: https://HOST:15017}} to {primary.name}: a URL can contain it"
                yield source.problem(codes.PATH_REFUSED, path, what, hint, clusters=(member.name,))


_STEP = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
"""Kubernetes limits the length of the whole name (IsDNS1123Subdomain), but not of its parts."""


def _label(fleet: Fleet, label: str) -> Path:
    numbers = [number for number, one in enumerate(fleet.mesh.spec.networks) if one.label == label]
    return ("spec", "networks", *numbers[:1], "label")
