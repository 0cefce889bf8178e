"""Reads the metrics of a live istiod and returns rows: whether it really reads each remote.

Even with a correct remote secret, istiod may not reach the remote from its own network. Since Istio 1.29, istiod
reports this for each remote; before, it reports only the number of remotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from meshc.capture.addresses import is_ready
from meshc.capture.resource import core
from meshc.capture.rows import Check, Row, State
from meshc.components.injection import service_name
from meshc.kube import at
from meshc.plain import short

if TYPE_CHECKING:
    from meshc.capture.ask import Api
    from meshc.plan.ir import ClusterPlan, Plan

_PORT = 15014
_METRIC = re.compile(r"(?m)^(istiod_remote_cluster_sync_status|istiod_managed_clusters)\{([^}\n]{1,2000})\} (\d{1,6})$")
_LABEL = re.compile(r'(\w{1,64})="([^"]{0,253})"')


def watched(api: Api, plan: Plan, cluster: ClusterPlan) -> Iterator[Row]:
    """Rows for each remote that a primary watches, by the first istiod that is ready. Raises AskError."""
    remotes = [plan.cluster(name) for name in cluster.watched]
    if not plan.generation.reports_clusters or not remotes or cluster.attachment is not None:
        return
    wanted = {"app": "istiod", "istio.io/rev": cluster.revision}
    pods = api.listed(core("pods", plan.istio_namespace), labelSelector=",".join(f"{k}={v}" for k, v in wanted.items()))
    ready = next((one for one in pods if is_ready(one)), None)
    if ready is None:
        says = f"no pod of {service_name(cluster.revision)} is ready"
        yield Row(cluster.name, Check.ISTIOD, State.FAILED, says)
        return
    pod = core("pods", plan.istio_namespace).named(f"{at(ready, 'metadata', 'name')}:{_PORT}", "proxy/metrics")
    yield from _rows(cluster, remotes, api.text(pod))


def _rows(cluster: ClusterPlan, remotes: Sequence[ClusterPlan], text: str) -> Iterator[Row]:
    said: dict[str, str] = {}
    number = None
    for name, labels, value in _METRIC.findall(text):
        found = dict(_LABEL.findall(labels))
        if name == "istiod_managed_clusters" and found.get("cluster_type") == "remote":
            number = int(value)
        elif name != "istiod_managed_clusters" and value == "1":
            said[found.get("cluster", "")] = found.get("status") or found.get("state") or ""
    if not said and number is not None:
        state = State.OK if number == len(remotes) else State.DIFFERS
        yield Row(cluster.name, Check.ISTIOD, state, f"reads {number} of {len(remotes)} remotes")
        return
    for remote in remotes:
        status = said.get(remote.id, "")
        state = State.OK if status == "synced" else State.FAILED
        hint = (
            ""
            if status == "synced"
            else f"read istiod's log for the reason: istiod connects to {remote.name} from its own pod"
        )
        says = "istiod reads it" if status == "synced" else f"istiod says: {short(status or 'nothing about it', 40)}"
        yield Row(remote.name, Check.ISTIOD, state, says, hint, of=cluster.name)
