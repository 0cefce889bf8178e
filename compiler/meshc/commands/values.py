"""Computes the Helm values of a cluster, for users who install its charts with other tools."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshc.commands.clusters import named
from meshc.errors import UsageError
from meshc.pipeline import plan_for_values
from meshc.plan.sail import others_in, resources_of
from meshc.plan.values import charts_in, values_of
from meshc.yamltext.write import write

if TYPE_CHECKING:
    from meshc.commands.opened import Opened


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one chart, as YAML."""

    chart: str
    release: str
    namespace: str
    text: str


def values(opened: Opened, name: str, chart: str | None) -> list[Values]:
    """The values of each chart in a cluster, or of one chart. Needs neither charts nor helm. Raises UsageError."""
    plan = plan_for_values(opened.source)
    cluster = named(plan, name)
    there = list(charts_in(plan, cluster))
    found = [one for one in there if chart in (None, one[0], one[1])]
    if not found:
        known = ", ".join(one[0] for one in there)
        raise UsageError(f'{name} isn\'t installed with a chart "{chart}"', f"charts there: {known}")
    return [
        Values(one, release, namespace, write(values_of(plan, cluster, one, release, own)))
        for one, release, namespace, own in found
    ]


@dataclass(frozen=True, slots=True)
class SailForm:
    """A cluster for the Sail operator: resources as YAML, each with the values that the resource can't express.

    `others` are the charts, with their releases, that the operator doesn't install.
    """

    resources: tuple[tuple[str, tuple[str, ...]], ...]
    others: tuple[tuple[str, str], ...]


def sail_form(opened: Opened, name: str) -> SailForm:
    """The resources of the Sail operator for a cluster. Raises UsageError for classic Istio or an unknown cluster."""
    plan = plan_for_values(opened.source)
    cluster = named(plan, name)
    if plan.generation == "classic":
        raise UsageError("the Sail operator installs no classic Istio", "run meshc values without --as")
    resources = tuple((write(one.body), one.left_out) for one in resources_of(plan, cluster))
    return SailForm(resources, tuple(others_in(plan, cluster)))
