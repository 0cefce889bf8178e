"""Finds the dangers of a difference: one problem for each danger, with its clusters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from meshc import codes
from meshc.errors import Code, Path, Place, Problem
from meshc.review.diff import Action, Difference
from meshc.review.moves import Runs, gone, moves
from meshc.review.objects import Parser
from meshc.review.origins import Origins, entry_of
from meshc.review.risks_of_control_planes import control_planes_at_risk
from meshc.review.risks_of_delivery import another_way, project_changes, root_changes
from meshc.review.risks_of_domains import trust_domains
from meshc.review.risks_of_grants import wider_grants
from meshc.review.risks_of_objects import OF_ENTRIES, Risk
from meshc.review.risks_of_powers import guards_that_change, new_powers
from meshc.review.risks_of_remote_secrets import changed_form, forms, keys_that_go
from meshc.review.risks_of_revisions import revisions_at_risk
from meshc.review.risks_of_trust import authorities_at_risk

if TYPE_CHECKING:
    from meshc.mesh.source import Source
    from meshc.plan.ir import ClusterPlan, Plan
    from meshc.plan.ways import Attachment
    from meshc.tree import FileTree

_SPEC: Path = ("spec",)
_FEW = 3
"""Clusters: a change in both of two clusters is no change of a fleet at once."""
LEAVING = (
    "Move its traffic away first: without injector and control plane new pods there start without a sidecar.",
    "Its remote secret goes from the primary, which then forgets its endpoints: calls to them go elsewhere, or fail.",
    "Argo CD or Flux prunes its other objects. Namespaces and cacerts are protected and stay: delete them by hand.",
    "Its credentials still open its API server: delete the reader's service account, or its token, in the cluster.",
)
"""The steps when a cluster leaves a mesh, in order."""


@dataclass(frozen=True, slots=True)
class Change:
    """A difference with the plans of both sides. `before` is the plan of the old mesh.yaml, if it can be read."""

    difference: Difference
    trees: tuple[FileTree, FileTree]
    before: Plan | None
    after: Plan
    source: Source
    origins: Origins
    runs: Runs = field(default_factory=dict)
    was: Source | None = None
    """The text that `before` was made from."""


def dangers(change: Change) -> list[Problem]:
    """Every risk of a change, in the order of the codes. All are warnings: a reviewer decides."""
    found = [
        *wider_grants(change.was, change.source),
        *_clusters(change),
        *_identity(change),
        *_control_planes(change),
        *_delivery(change),
        *_networks(change),
        *_at_clusters(change, _risks(change)),
        *_everywhere(change),
    ]
    return sorted(found, key=lambda problem: (problem.code.id, problem.place, problem.what))


def leaving(difference: Difference) -> tuple[str, ...]:
    """The clusters that go."""
    return tuple(name for name in difference.before if name not in difference.after)


def listed(clusters: tuple[str, ...]) -> str:
    """The names of some clusters, and how many there are more."""
    more = len(clusters) - _SHOWN
    shown = [f"output/{name}" if name.startswith("_") else name for name in clusters[:_SHOWN]]
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


_SHOWN = 6


def _risks(change: Change) -> Iterator[Risk]:
    """What happens to objects."""
    both = [(was, now) for _, was, now in _both(change)]
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


def _at_clusters(change: Change, risks: Iterable[Risk]) -> Iterator[Problem]:
    """The problems where the change was made, those of one line once, with the clusters of all."""
    found: dict[tuple[Code, str, Place], tuple[str, ...]] = {}
    for risk in risks:
        key = risk.code, risk.what, _place(change, risk)
        found[key] = tuple(sorted({*found[key], *risk.clusters})) if key in found else risk.clusters
    for (code, what, place), clusters in found.items():
        yield code.at(place, f"{what} in {listed(clusters)}", code.advice, clusters=clusters)


def _place(change: Change, risk: Risk) -> Place:
    """Where the change was made, else the first of its clusters that mesh.yaml still has."""
    known = {cluster.name: cluster.place for cluster in change.after.clusters}
    place = next((known[name] for name in risk.clusters if name in known), change.source.document.place(_SPEC))
    entry = risk.entry or (entry_of(risk.identity) if risk.identity else None)
    return change.origins.of(place, risk.by or risk.clusters, risk.identity, _SECTIONS.get(risk.code, ""), entry)


_SECTIONS = {
    codes.MUTUAL_TLS_WEAKER: "security",
    codes.NAMESPACE_LEAVES: "namespaces",
    codes.INJECTION_CHANGED: "namespaces",
    codes.TAG_MOVED: "istio",
    codes.PLANE_LEAVES: "istio",
    codes.CREDENTIALS_MOVE: "istio",
    codes.COPY_LEAVES: "services",
    codes.SERVICE_MOVES: "services",
    codes.PORT_CHANGED: "services",
    codes.SYNC_SOURCE: "delivery",
}
"""The key of spec that most likely caused a danger of an object that meshc makes."""


def _powers(change: Change) -> Iterator[Risk]:
    """Other dangers report changes of the addresses in mesh.yaml itself."""
    expected = {address for plan in (change.after, change.before) if plan for address in _addresses(plan)}
    delivered = Parser().objects(change.trees[0].under("_delivery"))
    return new_powers(change.difference, frozenset(expected), delivered, change.after.istio_namespace)


def _addresses(plan: Plan) -> Iterator[str]:
    for network in plan.networks:
        yield from (host.rpartition(":")[0] for host in network.hosts)
    for cluster in (plane for one in plan.clusters for plane in one.planes):
        for part in (cluster.attachment, cluster.exposure):
            yield from (address for address in part.addresses.values() if address) if part else ()


def _networks(change: Change) -> Iterator[Problem]:
    """Addresses of east-west gateways: no object of a remote contains them."""
    if change.before is None:
        return
    now = {key: network for network in change.after.networks for key in (network.name, network.label)}
    for was in change.before.networks:
        new = now.get(was.label) or now.get(was.name)
        old, address = (", ".join(one.hosts) if one else "" for one in (was, new))
        if old and old != address:
            way = f"by {address} instead of {old}" if address else f"no longer by {old}"
            code = codes.TRAFFIC_MOVED
            name, default = (new or was).name, change.source.document.place((*_SPEC, "networks"))
            place = change.origins.of(default, (), None, "networks", ("networks", name))
            what = f'pods in network "{was.name}" are reached {way}'
            yield code.at(place, what, code.advice, clusters=change.difference.after)


def _clusters(change: Change) -> Iterator[Problem]:
    renamed = change.difference.renamed
    place = change.origins.of(change.source.document.place((*_SPEC, "clusters")), (), None, "clusters")
    if gone := leaving(change.difference):
        names = listed(tuple(f'"{name}"' for name in gone))
        what = f"{names} {'leaves' if len(gone) == 1 else 'leave'} the mesh: what isn't protected there is pruned"
        yield codes.CLUSTER_LEAVES.at(place, what, codes.CLUSTER_LEAVES.advice, clusters=gone)
    ids = {name: (was.id, now.id) for name, was, now in _both(change)}
    for old, new in renamed.items():
        was, now = ids.get(new, (old, new))
        what = f'"{old}" is "{new}" now: to Istio another cluster, with new endpoints and certificates'
        if was == now:
            what = f'"{old}" is "{new}" now, with the same ID in Istio: its folder and its remote secrets are others'
        yield _named(change, codes.CLUSTER_RENAMED, new, what)
    for name, (was, now) in ids.items():
        if was != now and name not in renamed.values():
            what = f'"{name}" has the ID "{now}" in Istio instead of "{was}": to Istio it is another cluster'
            yield _named(change, codes.CLUSTER_RENAMED, name, what)


def _identity(change: Change) -> Iterator[Problem]:
    if change.before is None:
        return
    old, new = change.before, change.after
    if old.require_binding and not new.require_binding:
        place = change.origins.of(change.source.document.place((*_SPEC, "security")), (), None, "security")
        what = "requireBinding is off: a cacerts needs no proof any more that it belongs to its certificate"
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
    for name, cluster_was, cluster_is in _both(change):
        labels = (cluster_was.network_label, cluster_is.network_label)
        if labels[0] != labels[1]:
            stays = cluster_is.network if cluster_was.network == cluster_is.network else None
            moves.setdefault((*labels, stays), []).append(name)
    for (network_was, network_is, stays), names in moves.items():
        what = f'the network is "{network_is or ""}" instead of "{network_was or ""}"'
        entry = ("networks", stays) if stays else None
        yield from _at_clusters(change, [Risk(codes.MESH_IDENTITY, what, tuple(names), entry=entry)])


def _in_istio(change: Change, key: str) -> Place:
    return change.origins.of(change.source.document.place((*_SPEC, "istio", key)), (), None, "istio")


def _control_planes(change: Change) -> Iterator[Problem]:
    moves: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for name, was, now in _both(change):
        old, new = _reached(was.attachment), _reached(now.attachment)
        if old and new and old != new:
            moves.setdefault((old, new), []).append((name, now.attachment.primary if now.attachment else name))
        way = was.exposure.kind if was.exposure else None
        if was.remotes and now.remotes and way not in (None, "pod-ip", now.exposure.kind if now.exposure else None):
            what = f'"{name}" is no longer exposed by what was compiled for exposure: {way}'
            yield _named(change, codes.CONTROL_PLANE_MOVED, name, what)
    for (old, new), both in moves.items():
        what = f"the control plane is reached by {new} instead of {old}"
        clusters, primaries = (tuple(dict.fromkeys(names)) for names in zip(*both, strict=True))
        risk = Risk(codes.CONTROL_PLANE_MOVED, what, clusters, by=(*primaries, *clusters))
        yield from _at_clusters(change, [risk])
    for name, was, now in _both(change):
        if was.api_server and now.api_server and was.api_server != now.api_server:
            what = f'the API server of "{name}" is {now.api_server} instead of {was.api_server}'
            yield _named(change, codes.CONTROL_PLANE_MOVED, name, what)


def _delivery(change: Change) -> Iterator[Problem]:
    """Changes of the engine's root, and of the names by which it reaches clusters."""
    if change.before is None:
        return
    for name, old, new in _both(change):
        if reached := another_way(change.before, change.after, old, new):
            yield _named(change, codes.DELIVERY_CHANGED, name, reached)
    code, now = codes.DELIVERY_CHANGED, change.after.delivery
    root = ((what, code.advice) for what in root_changes(change.before, change.after))
    for what, hint in (*root, *project_changes(change.before, change.after)):
        place = now.place if now else change.source.document.place(_SPEC)
        place = change.origins.of(place, (), None, "delivery")
        yield code.at(place, what, hint, clusters=change.difference.after)


def _reached(attachment: Attachment | None) -> str:
    if attachment is None:
        return ""
    addresses = [f"{part} {address}" for part, address in sorted(attachment.addresses.items())]
    return ", ".join([*addresses, *([attachment.injection_url] if attachment.injection_url else [])])


def _both(change: Change) -> Iterator[tuple[str, ClusterPlan, ClusterPlan]]:
    """Clusters on both sides, by their new names."""
    if change.before is None:
        return
    old_names = {new: old for old, new in change.difference.renamed.items()}
    old = {cluster.name: cluster for cluster in change.before.clusters}
    for cluster in change.after.clusters:
        was = old.get(old_names.get(cluster.name, cluster.name))
        if was is not None:
            yield cluster.name, was, cluster


def _named(change: Change, code: Code, name: str, what: str) -> Problem:
    place = change.origins.of(change.after.cluster(name).place, (name,))
    return code.at(place, what, code.advice, clusters=[name])


def _everywhere(change: Change) -> Iterator[Problem]:
    """Something changes or is removed in all of the clusters, so that no unchanged cluster is left to compare with."""
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
        place = change.origins.of(change.source.document.place(_SPEC), ())
        yield code.at(place, what, code.advice, clusters=sorted(stays))
