"""Compares the facts of live clusters with mesh.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshc.capture.facts import Facts, facts, outside
from meshc.capture.rows import Check, Row, State, of_error
from meshc.capture.trouble import AskError
from meshc.commands.clusters import Choice, chosen
from meshc.commands.live_clusters import Reach, live_clusters
from meshc.kube import Version
from meshc.mesh.model.words import is_cluster_id
from meshc.pipeline import mesh_and_plan
from meshc.plain import short
from meshc.plan.istiod_values import id_of_istiod

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from meshc.commands.opened import Opened
    from meshc.errors import Path as Steps
    from meshc.mesh.model import Cluster
    from meshc.mesh.source import Source
    from meshc.plan.ir import ClusterPlan, Plan

Values = dict["Steps", Any]


@dataclass(frozen=True, slots=True)
class CapturedFacts:
    """A row for each fact, and the right values for mesh.yaml, by their paths there."""

    mesh: str
    rows: tuple[Row, ...]
    values: Mapping[Steps, Any]


def captured_facts(opened: Opened, base: Path, choice: Choice, reach: Reach) -> CapturedFacts:
    """Queries the selected clusters, or all. `base` is the folder of mesh.yaml. Writes nothing."""
    mesh, plan = mesh_and_plan(opened.source)
    asked = chosen(plan, choice)
    clusters = live_clusters(base, plan, asked, reach)
    answers = clusters.ask(asked, lambda api: facts(api, plan.istio_namespace, plan.generation), opened.listener)
    entries = {entry[1].name: entry for entry in enumerate(mesh.spec.clusters)}
    rows: list[Row] = []
    values: Values = {}
    for name, told in zip(asked, answers, strict=True):
        if isinstance(told, AskError):
            rows.append(of_error(name, Check.API_SERVER, told))
            continue
        rows += _rows(plan, opened.source, entries[name], told, values)
    return CapturedFacts(plan.mesh, tuple(rows), values)


def _rows(plan: Plan, source: Source, entry: tuple[int, Cluster], told: Facts, values: Values) -> Iterator[Row]:
    """Each fact with its place, for the entry of this number. The right values for mesh.yaml are added to `values`."""
    index, cluster = entry
    name, at = cluster.name, ("spec", "clusters", index)
    mine = plan.cluster(name)

    def row(check: Check, key: str, same: bool, says: str, hint: str = "") -> Row:
        place = None if same else source.document.place((*at, key))
        return Row(name, check, State.OK if same else State.DIFFERS, says, hint, place)

    version = Version.parse(told.kubernetes)
    line = f"{version.major}.{version.minor}" if version else ""
    same = bool(version) and version is not None and version.line == mine.kubernetes.line
    yield row(Check.KUBERNETES, "kubernetesVersion", same, f"{short(told.kubernetes, 40)}{_but(same, mine.kubernetes)}")
    if not same and line:
        values[*at, "kubernetesVersion"] = line
    for check, key, recorded, whole, parts in (
        (Check.PODS, "podCIDRs", cluster.pod_cidrs, told.pods, told.nodes),
        (Check.SERVICES, "serviceCIDRs", cluster.service_cidrs, told.services, (told.address,) if told.address else ()),
    ):
        shown = ", ".join(whole or parts)
        lost = outside(whole or parts, recorded)
        if not whole and not (shown and recorded):
            said = f"the cluster doesn't tell their ranges{f', only {short(shown, 80)} of them' if shown else ''}"
            yield Row(name, check, State.UNKNOWN, said)
            continue
        yield row(check, key, not lost, f"{short(shown, 80)}{_but(not lost, ', '.join(recorded) or 'nothing')}")
        if lost and whole:
            values[*at, key] = list(whole)
    yield from _istio(plan, mine, told, row)
    if _writes_id(plan, mine, told.cluster_id):
        values[*at, "clusterID"] = told.cluster_id
    for error in {(one.what, one.hint): one for one in told.untold}.values():
        yield of_error(name, Check.UNTOLD, error)


def _istio(plan: Plan, mine: ClusterPlan, told: Facts, row: Any) -> Iterator[Row]:
    mine = mine.plane(told.revision) or mine  # the control plane that was found, if there are several
    if told.istio:
        same = told.istio == str(mine.istio)
        yield row(Check.ISTIO, "istio", same, f"{told.istio}{_but(same, mine.istio)}")
    if told.revision:
        same = told.revision == mine.revision
        yield row(Check.REVISION, "istio", same, f"{short(told.revision, 63)}{_but(same, mine.revision)}")
    if told.network:
        same = told.network == mine.network_label
        yield row(
            Check.NETWORK, "network", same, f"{short(told.network, 63)}{_but(same, mine.network_label or 'none')}"
        )
    if told.cluster_id:
        known = id_of_istiod(plan, mine)
        same = told.cluster_id == known
        yield row(Check.CLUSTER_ID, "clusterID", same, f"{short(told.cluster_id, 253)}{_but(same, known)}")


def _writes_id(plan: Plan, mine: ClusterPlan, told: str) -> bool:
    """True if mesh.yaml should get the ID that istiod uses: it is a valid ID, and it differs from the one in
    mesh.yaml."""
    own = not plan.generation.has_fixed_id and not mine.is_external
    return own and told not in ("", mine.id) and is_cluster_id(told)


def _but(same: bool, recorded: object) -> str:
    return "" if same else f", but mesh.yaml has {recorded}"
