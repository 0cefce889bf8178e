"""Compares Istio's version, images and Helm values of two plans, cluster by cluster.

If another tool installs istiod, these changes may not appear in any object of output/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshc.plain import plain, short
from meshc.review.shown import HIDDEN

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan, Plan

_WIDTH = 80
_SECRET = re.compile("token|password|secret|key|credential", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Setting:
    """One change, with its clusters. `before` and `after` are empty if there is no value."""

    what: str
    before: str
    after: str
    clusters: tuple[str, ...]

    def __str__(self) -> str:
        where = ", ".join(self.clusters[:3]) + (f" and {len(self.clusters) - 3} more" if self.clusters[3:] else "")
        return f"{self.what}: {self.before or 'nothing'} -> {self.after or 'nothing'}  [{where}]"


def settings_changed(before: Plan | None, after: Plan) -> tuple[Setting, ...]:
    """The changes of clusters that are in both plans, each once."""
    old = {cluster.name: cluster for cluster in before.clusters} if before else {}
    found: dict[tuple[str, str, str], list[str]] = {}
    for cluster in after.clusters:
        if cluster.name not in old:
            continue
        several = bool(old[cluster.name].control_planes or cluster.control_planes)
        was, now = (dict(_settings(one, several)) for one in (old[cluster.name], cluster))
        for what in [*now, *(key for key in was if key not in now)]:
            if was.get(what) != now.get(what):
                found.setdefault((what, was.get(what, ""), now.get(what, "")), []).append(cluster.name)
    return tuple(
        Setting(plain(what), _shown(what, old_text), _shown(what, new_text), tuple(names))
        for (what, old_text, new_text), names in found.items()
    )


def _shown(what: str, text: str) -> str:
    """The text, shortened; hidden if the name of the value looks like the name of a secret."""
    return HIDDEN if text and _SECRET.search(what) else short(text, _WIDTH)


def _settings(cluster: ClusterPlan, several: bool) -> Iterator[tuple[str, str]]:
    """The settings of each control plane, with its revision if there are several. So a control plane keeps its settings
    when it becomes the only one."""
    for plane in cluster.planes:
        whose = f" of control plane {plane.revision}" if several else ""
        yield f"Istio version{whose}", str(plane.istio)
        yield f"image hub{whose}", plane.images.hub
        yield f"image tag{whose}", plane.images.full_tag
        yield from ((f"Helm value {path}{whose}", text) for path, text in _leaves(plane.values))
    for chart in cluster.charts:
        yield from ((f"Helm value {path} of {chart.release}", text) for path, text in _leaves(chart.values))


def _leaves(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        below = f"{path}.{key}" if path else str(key)
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, below)
        else:
            text = str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)
            yield below, text
