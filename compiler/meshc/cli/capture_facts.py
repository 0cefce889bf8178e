"""What `meshc capture facts` does: what clusters tell of themselves, beside what mesh.yaml says, and into it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from meshc.capture.facts import Facts, facts, outside
from meshc.capture.many import at_once
from meshc.capture.rows import Check, Row, State, of_error
from meshc.capture.trouble import AskError
from meshc.cli.doctor_live import show_rows
from meshc.cli.live import chosen, contexts_of, opened_api
from meshc.cli.progress import TERMINAL
from meshc.cli.report import Format
from meshc.cli.written import show_or_write
from meshc.commands.opened import Opened, opened_for_writing
from meshc.errors import Exit
from meshc.kube import Version
from meshc.mesh.parse import parse
from meshc.pipeline import plan_mesh
from meshc.plain import short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshc.errors import Path as Steps
    from meshc.mesh.model import Cluster
    from meshc.mesh.source import Source
    from meshc.plan.ir import ClusterPlan, Plan

Values = dict["Steps", Any]


def facts_command(
    file: Path,
    names: Sequence[str],
    words: Sequence[str],
    kubeconfig: Path | None,
    timeout: float,
    write: bool,
    form: Format,
) -> None:
    """Exits 1 where something differs and isn't written, 4 where a cluster can't be asked."""
    opened = opened_for_writing(file, TERMINAL) if write else Opened(file, listener=TERMINAL)
    plan = plan_mesh(opened.source)
    asked = chosen(plan, names)
    contexts = contexts_of(file.parent, plan, asked, words, kubeconfig)

    def ask(name: str) -> Facts | AskError:
        try:
            return facts(opened_api(name, contexts, kubeconfig, timeout), plan.istio_namespace, plan.generation)
        except AskError as error:
            return error

    def late(name: str) -> Facts | AskError:
        from meshc.capture.trouble import Trouble

        return AskError(Trouble.SLOW, f"{name}: nothing within {timeout:g} s")

    rows: list[Row] = []
    values: Values = {}
    mesh, _ = parse(opened.source.document)
    assert mesh is not None, "there is a plan of it"  # noqa: S101
    for name, told in zip(asked, at_once(asked, ask, late, timeout), strict=True):
        if isinstance(told, AskError):
            rows.append(of_error(name, Check.API_SERVER, told))
            continue
        index, cluster = next((i, one) for i, one in enumerate(mesh.spec.clusters) if one.name == name)
        rows += _rows(plan, opened.source, index, cluster, told, values)
    show_rows(plan.mesh, rows, form)
    unasked = any(row.check is Check.API_SERVER for row in rows)
    if form is Format.TEXT and values:
        show_or_write(opened, values, write)
    if unasked or (any(row.state is State.DIFFERS for row in rows) and not write):
        raise typer.Exit(Exit.TOOL if unasked else Exit.DIFFERS)


def _rows(plan: Plan, source: Source, index: int, cluster: Cluster, told: Facts, values: Values) -> Iterator[Row]:
    """Each fact with its place; what mesh.yaml should say goes into `values`."""
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
    for error in told.untold:
        yield of_error(name, Check.UNTOLD, error)


def _istio(plan: Plan, mine: ClusterPlan, told: Facts, row: Any) -> Iterator[Row]:
    if told.istio:
        same = told.istio == str(mine.istio)
        yield row(Check.ISTIO, "istio", same, f"{told.istio}{_but(same, mine.istio)}")
    if told.revision:
        same = told.revision == mine.revision
        yield row(Check.REVISION, "istio", same, f"{short(told.revision, 63)}{_but(same, mine.revision)}")
    if told.network:
        same = told.network == mine.network
        yield row(Check.NETWORK, "network", same, f"{short(told.network, 63)}{_but(same, mine.network or 'none')}")
    if told.cluster_id:
        same = told.cluster_id == mine.name
        yield row(Check.CLUSTER_ID, "name", same, f"{short(told.cluster_id, 63)}{_but(same, mine.name)}")


def _but(same: bool, recorded: object) -> str:
    return "" if same else f", and mesh.yaml says {recorded}"
