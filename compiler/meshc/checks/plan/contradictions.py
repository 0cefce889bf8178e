"""Reports Helm values that contradict mesh.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from meshc import codes
from meshc.mesh.charts import release_of, wanted
from meshc.mesh.revisions import AT as FURTHER
from meshc.plain import plain
from meshc.plan.charts import merged
from meshc.plan.decided import RULES
from meshc.plan.deciding_keys import FREE, KEYS, WHOLE
from meshc.plan.values import CONTROL_PLANE, charts_in, computed, installed, values_of

if TYPE_CHECKING:
    from meshc.errors import Path as Steps
    from meshc.errors import Problem
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.source import Source
    from meshc.plan.ir import ClusterPlan, Plan

Path = tuple[str, ...]
Layers = list[tuple["Steps", Mapping[str, Any]]]

_MISSING = object()
_INTERNAL = ("_internal_defaults_do_not_set", "defaults", "_original")
"""Keys in which the charts keep their own defaults. Values under these keys bypass the values that meshc computes."""
_FLATTENED = {"istiod": "pilot", "cni": "cni"}
"""Charts that copy the values below this key over the values at the top (templates/zzy_descope_legacy.yaml)."""
_ADD = "list"
"""In place of a key: the value is a list that lacks items of the computed list, to which users may add."""
_SHOWN = 60
"""The most characters of a value that a message shows."""


@dataclass(frozen=True, slots=True)
class _Fault:
    """A Helm value that contradicts mesh.yaml: where it is set, what is wrong, and the key to use instead."""

    at: Steps
    path: Path
    value: str
    why: str
    key: str


class _Chart(NamedTuple):
    """A chart of a cluster: its release, its own values, and all layers of values, the strongest first."""

    name: str
    release: str
    own: Mapping[str, Any]
    layers: Layers


def contradictions(plan: Plan, fleet: Fleet, source: Source) -> Iterator[Problem]:
    """One problem for each Helm value, with the clusters in which it contradicts mesh.yaml."""
    told: dict[tuple[Steps, Path, str], tuple[_Fault, list[str]]] = {}
    for cluster in plan.clusters:
        for fault in _in_cluster(plan, cluster, fleet):
            _, names = told.setdefault((fault.at, fault.path, fault.key), (fault, []))
            names += [cluster.name] if cluster.name not in names else []
    for fault, names in told.values():
        shown = f"{', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}"
        what = f"{shown}: Helm value {'.'.join(fault.path)} is {fault.value}; {fault.why}"
        hint = "remove it" if fault.key == "nothing" else f"remove it; in mesh.yaml, use {fault.key}"
        hint = (
            "remove it, run `meshc values` to see the computed list, and add its items to yours"
            if fault.key == _ADD
            else hint
        )
        yield source.problem(codes.VALUE_CONTRADICTS, fault.at, what, hint, key=True, clusters=tuple(names))


def _in_cluster(plan: Plan, cluster: ClusterPlan, fleet: Fleet) -> Iterator[_Fault]:
    member = fleet.by_name[cluster.name]
    own_places = [one.at for one in wanted(fleet, member)]
    further: dict[str, tuple[Steps, Mapping[str, Any]]] = {
        release_of("istiod", one.revision): ((*FURTHER, number, "values"), one.values)
        for number, one in enumerate(fleet.mesh.spec.istio.control_planes)
        if one.revision != cluster.revision
    }
    of_cluster = (member.path("istio", "values"), member.cluster.istio.values)
    of_mesh: tuple[Steps, Mapping[str, Any]] = (("spec", "istio", "values"), fleet.mesh.spec.istio.values)
    for number, (chart, release, _, own) in enumerate(charts_in(plan, cluster)):
        layers: Layers = [((*own_places[number], "values"), own)] if own else []
        layers += [further[release]] if chart == "istiod" and release in further else []
        layers += [of_cluster, of_mesh] if chart in CONTROL_PLANE else []
        if any(values for _, values in layers):
            yield from _in_chart(plan, installed(cluster, chart, release), _Chart(chart, release, own, layers))


def _in_chart(plan: Plan, cluster: ClusterPlan, chart: _Chart) -> Iterator[_Fault]:
    right = _flat(chart.name, computed(plan, cluster, chart.name, chart.release, chart.own))
    final = _flat(chart.name, values_of(plan, cluster, chart.name, chart.release, chart.own))
    for key in _INTERNAL:
        if key in final:
            yield _fault(chart, (key,), final[key], "this key is for the chart's own defaults", "nothing")
    leaves = dict(_leaves(right))
    for path, value in leaves.items():
        given = _at(final, path)
        more = path in WHOLE and isinstance(given, list | tuple) and len(given) > len(value)
        if path not in FREE.get(chart.name, ()) and (more or not _equal(given, value)):
            why = f"mesh.yaml sets it to {_shown(value)} in {cluster.name}"
            both = path not in WHOLE and isinstance(given, list | tuple) and isinstance(value, list | tuple)
            yield _fault(chart, path, given, why, _ADD if both else _key(path))
    for rule in RULES:
        given = _at(final, rule.path)
        is_set = chart.name in rule.charts and rule.path not in leaves and given is not _MISSING and given is not None
        matters = not (rule.in_istiod and cluster.attachment)
        if is_set and matters and not rule.allowed(plan, cluster, given):
            yield _fault(chart, rule.path, given, rule.why, rule.key)


def _fault(chart: _Chart, path: Path, value: Any, why: str, key: str) -> _Fault:
    """Points to the strongest layer that sets the value, or sets something else in place of a mapping around it."""
    for place, values in chart.layers:
        for prefix in ((_FLATTENED[chart.name],), ()) if chart.name in _FLATTENED else ((),):
            said: Any = values
            for depth, step in enumerate((*prefix, *path), 1):
                if not isinstance(said, Mapping) or step not in said:
                    break
                said = said[step]
                if depth == len(prefix) + len(path) or not isinstance(said, Mapping):
                    return _Fault((*place, *prefix, *path)[: len(place) + depth], path, _shown(value), why, key)
    return _Fault(chart.layers[0][0], path, _shown(value), why, key)


def _key(path: Path) -> str:
    return next((KEYS[step] for step in reversed(path) if step in KEYS), "nothing")


def _flat(chart: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    below = values.get(_FLATTENED.get(chart, ""))
    return merged(values, below) if isinstance(below, Mapping) else values


def _leaves(values: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _at(values: Any, path: Path) -> Any:
    for step in path:
        if not isinstance(values, Mapping) or step not in values:
            return _MISSING
        values = values[step]
    return values


def _equal(given: Any, right: Any) -> bool:
    """True if a template prints both values alike. A given list may have more items than the right one."""
    if isinstance(right, list | tuple):
        return isinstance(given, list | tuple) and all(any(_equal(one, each) for one in given) for each in right)
    if isinstance(right, Mapping):
        return isinstance(given, Mapping) and all(_equal(given.get(key), value) for key, value in right.items())
    if isinstance(right, bool) or isinstance(given, bool):
        return str(given).lower() == str(right).lower()
    return str(given) == str(right)


def _shown(value: Any) -> str:
    if value is _MISSING:
        return "missing"
    if value is None:
        return "null"
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        value = f"[{', '.join(value)}]"
        return plain(value if len(value) <= _SHOWN else f"{value[:_SHOWN]}...")
    if isinstance(value, list | tuple | Mapping):
        return f"another {'mapping' if isinstance(value, Mapping) else 'list'}"
    text = str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else str(value)
    return plain(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
