"""Finds the dangers of a difference: one problem for each danger, with its clusters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from meshc import codes
from meshc.errors import Problem
from meshc.review.change import SPEC, Change, at_clusters, on_both_sides
from meshc.review.dangers_of_plans import (
    cluster_changes,
    control_plane_changes,
    delivery_changes,
    identity_changes,
    network_changes,
)
from meshc.review.diff import Action
from meshc.review.moves import gone, moves
from meshc.review.objects import Parser
from meshc.review.risks_of_control_planes import control_planes_at_risk
from meshc.review.risks_of_grants import wider_grants
from meshc.review.risks_of_objects import OF_ENTRIES, Risk
from meshc.review.risks_of_powers import guards_that_change, new_powers
from meshc.review.risks_of_remote_secrets import changed_form, forms, keys_that_go
from meshc.review.risks_of_revisions import revisions_at_risk
from meshc.review.risks_of_trust import authorities_at_risk

if TYPE_CHECKING:
    from meshc.plan.ir import Plan

_FEW = 3
"""A number of clusters. In a smaller mesh, a change of all clusters at once isn't reported."""
LEAVING = (
    "Move its traffic away first: without injector and control plane new pods there start without a sidecar.",
    "Its remote secret is removed from the primary, which drops its endpoints: calls go to other clusters, or fail.",
    "Argo CD or Flux prunes its other objects. Namespaces and cacerts are protected and stay: delete them by hand.",
    "Its credentials still work: delete the reader's service account, or its token, in the cluster.",
)
"""The steps when a cluster leaves a mesh, in order."""


def dangers(change: Change) -> list[Problem]:
    """Every risk of a change, in the order of the codes. All are warnings, because a reviewer decides."""
    found = [
        *wider_grants(change.was, change.source),
        *cluster_changes(change),
        *identity_changes(change),
        *control_plane_changes(change),
        *delivery_changes(change),
        *network_changes(change),
        *at_clusters(change, _risks(change)),
        *_everywhere(change),
    ]
    return sorted(found, key=lambda problem: (problem.code.id, problem.place, problem.what))


def _risks(change: Change) -> Iterator[Risk]:
    """The risks that the changed objects show."""
    both = [(was, now) for _, was, now in on_both_sides(change)]
    another_form = changed_form(both)
    for one in OF_ENTRIES:
        for risk in one(change.difference):
            if risk.code is not codes.CREDENTIALS_LEAVE or not another_form.issuperset(risk.clusters):
                yield risk
    yield from forms(both)
    yield from keys_that_go(change.difference)
    yield from gone(change.difference, change.runs)
    yield from moves(change.difference, change.runs, change.after)
    yield from authorities_at_risk(change.difference, *change.trees)
    yield from revisions_at_risk(both)
    yield from guards_that_change(change.difference)
    yield from _powers(change)
    yield from control_planes_at_risk(change.difference, change.before, change.after)


def _powers(change: Change) -> Iterator[Risk]:
    """Powers that objects gain. Changes of addresses in mesh.yaml itself are reported by other dangers."""
    expected = {address for plan in (change.after, change.before) if plan for address in _addresses(plan)}
    delivered = Parser().objects(change.trees[0].under("_delivery"))
    return new_powers(change.difference, frozenset(expected), delivered, change.after.istio_namespace)


def _addresses(plan: Plan) -> Iterator[str]:
    for network in plan.networks:
        yield from (host.rpartition(":")[0] for host in network.hosts)
    for cluster in (plane for one in plan.clusters for plane in one.planes):
        for part in (cluster.attachment, cluster.exposure):
            yield from (address for address in part.addresses.values() if address) if part else ()


def _everywhere(change: Change) -> Iterator[Problem]:
    """The same change or removal in all clusters at once, so that no unchanged cluster remains for comparison."""
    stays = set(change.difference.before) & set(change.difference.after)
    touched = {
        name
        for entry in change.difference.entries
        if entry.action is not Action.ADD
        for name in entry.clusters
        if name in stays
    }
    if len(stays) >= _FEW and touched == stays:
        code = codes.EVERY_CLUSTER
        what = f"objects change in all {len(stays)} clusters at once"
        place = change.origins.of(change.source.document.place(SPEC), ())
        yield code.at(place, what, code.advice, clusters=sorted(stays))
