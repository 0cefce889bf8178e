"""Finds the dangers that two plans show: clusters, identities, addresses and delivery that change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from meshc import codes
from meshc.errors import Place, Problem
from meshc.review.change import SPEC, Change, at_cluster, at_clusters, leaving, listed, on_both_sides
from meshc.review.risks_of_delivery import another_way, project_changes, root_changes
from meshc.review.risks_of_domains import trust_domains
from meshc.review.risks_of_objects import Risk

if TYPE_CHECKING:
    from meshc.plan.ways import Attachment


def network_changes(change: Change) -> Iterator[Problem]:
    """Changed addresses of east-west gateways. Objects of remotes don't contain these addresses."""
    if change.before is None:
        return
    now = {key: network for network in change.after.networks for key in (network.name, network.label)}
    for was in change.before.networks:
        new = now.get(was.label) or now.get(was.name)
        old, address = (", ".join(one.hosts) if one else "" for one in (was, new))
        if old and old != address:
            way = f"at {address} instead of {old}" if address else f"no longer at {old}"
            code = codes.TRAFFIC_MOVED
            name, default = (new or was).name, change.source.document.place((*SPEC, "networks"))
            place = change.origins.of(default, (), None, "networks", ("networks", name))
            what = f'pods in network "{was.name}" are reached {way}'
            yield code.at(place, what, code.advice, clusters=change.difference.after)


def cluster_changes(change: Change) -> Iterator[Problem]:
    renamed = change.difference.renamed
    place = change.origins.of(change.source.document.place((*SPEC, "clusters")), (), None, "clusters")
    if gone := leaving(change.difference):
        names = listed(tuple(f'"{name}"' for name in gone))
        what = f"{names} {'leaves' if len(gone) == 1 else 'leave'} the mesh: unprotected objects there are pruned"
        yield codes.CLUSTER_LEAVES.at(place, what, codes.CLUSTER_LEAVES.advice, clusters=gone)
    ids = {name: (was.id, now.id) for name, was, now in on_both_sides(change)}
    for old, new in renamed.items():
        was, now = ids.get(new, (old, new))
        what = f'"{old}" is renamed to "{new}": Istio treats it as another cluster, with new endpoints and certificates'
        if was == now:
            what = f'"{old}" is renamed to "{new}" and keeps its ID in Istio: its folder and its remote secrets change'
        yield at_cluster(change, codes.CLUSTER_RENAMED, new, what)
    for name, (was, now) in ids.items():
        if was != now and name not in renamed.values():
            what = f'"{name}" has the ID "{now}" in Istio instead of "{was}": Istio treats it as another cluster'
            yield at_cluster(change, codes.CLUSTER_RENAMED, name, what)


def identity_changes(change: Change) -> Iterator[Problem]:
    if change.before is None:
        return
    old, new = change.before, change.after
    if old.require_binding and not new.require_binding:
        place = change.origins.of(change.source.document.place((*SPEC, "security")), (), None, "security")
        what = "requireBinding is off: a cacerts no longer needs a proof that it belongs to its certificate"
        yield codes.GUARD_LOWERED.at(place, what, codes.GUARD_LOWERED.advice, clusters=change.difference.after)
    yield from trust_domains(change.before, change.after, lambda key: _in_istio(change, key))
    for key, was, now in (
        ("clusterDomain", old.cluster_domain, new.cluster_domain),
        ("meshID", old.mesh_id, new.mesh_id),
    ):
        if was != now:
            code = codes.MESH_IDENTITY
            what = f'{key} is "{now}" instead of "{was}"'
            yield code.at(_in_istio(change, key), what, code.advice, clusters=change.difference.after)
    moves: dict[tuple[str | None, str | None, str | None], list[str]] = {}
    for name, cluster_was, cluster_is in on_both_sides(change):
        labels = (cluster_was.network_label, cluster_is.network_label)
        if labels[0] != labels[1]:
            stays = cluster_is.network if cluster_was.network == cluster_is.network else None
            moves.setdefault((*labels, stays), []).append(name)
    for (network_was, network_is, stays), names in moves.items():
        what = f'the network is "{network_is or ""}" instead of "{network_was or ""}"'
        entry = ("networks", stays) if stays else None
        yield from at_clusters(change, [Risk(codes.MESH_IDENTITY, what, tuple(names), entry=entry)])


def _in_istio(change: Change, key: str) -> Place:
    return change.origins.of(change.source.document.place((*SPEC, "istio", key)), (), None, "istio")


def control_plane_changes(change: Change) -> Iterator[Problem]:
    moves: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for name, was, now in on_both_sides(change):
        old, new = _reached(was.attachment), _reached(now.attachment)
        if old and new and old != new:
            moves.setdefault((old, new), []).append((name, now.attachment.primary if now.attachment else name))
        way = was.exposure.kind if was.exposure else None
        if was.remotes and now.remotes and way not in (None, "pod-ip", now.exposure.kind if now.exposure else None):
            what = f'"{name}" no longer has the objects that meshc made for exposure: {way}'
            yield at_cluster(change, codes.CONTROL_PLANE_MOVED, name, what)
    for (old, new), both in moves.items():
        what = f"the control plane is reached at {new} instead of {old}"
        clusters, primaries = (tuple(dict.fromkeys(names)) for names in zip(*both, strict=True))
        risk = Risk(codes.CONTROL_PLANE_MOVED, what, clusters, by=(*primaries, *clusters))
        yield from at_clusters(change, [risk])
    for name, was, now in on_both_sides(change):
        if was.api_server and now.api_server and was.api_server != now.api_server:
            what = f'the API server of "{name}" is {now.api_server} instead of {was.api_server}'
            yield at_cluster(change, codes.CONTROL_PLANE_MOVED, name, what)


def delivery_changes(change: Change) -> Iterator[Problem]:
    """Changes of the engine's root, and of the names by which it reaches clusters."""
    if change.before is None:
        return
    for name, old, new in on_both_sides(change):
        if reached := another_way(change.before, change.after, old, new):
            yield at_cluster(change, codes.DELIVERY_CHANGED, name, reached)
    code, now = codes.DELIVERY_CHANGED, change.after.delivery
    root = ((what, code.advice) for what in root_changes(change.before, change.after))
    for what, hint in (*root, *project_changes(change.before, change.after)):
        place = now.place if now else change.source.document.place(SPEC)
        place = change.origins.of(place, (), None, "delivery")
        yield code.at(place, what, hint, clusters=change.difference.after)


def _reached(attachment: Attachment | None) -> str:
    if attachment is None:
        return ""
    addresses = [f"{part} {address}" for part, address in sorted(attachment.addresses.items())]
    return ", ".join([*addresses, *([attachment.injection_url] if attachment.injection_url else [])])
