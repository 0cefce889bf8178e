"""Reports traffic that works in one direction only, from the remote secrets that are sealed and those that aren't."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc import codes
from meshc.plan.needs import waiting_for

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from meshc.errors import Problem
    from meshc.plan.ir import Plan
    from meshc.plan.needs import SecretNeed


def one_way(plan: Plan, needs: Sequence[SecretNeed], pending: Collection[str]) -> Iterator[Problem]:
    """Credentials that one primary has and another one doesn't. If no primary has them yet, they are only `pending`."""
    clusters, missing = {cluster.name: cluster for cluster in plan.clusters}, frozenset(pending)
    remote = list(dict.fromkeys((need.cluster, name) for need in needs for name in need.of))
    there = {(primary, name) for primary, name in remote if waiting_for(name, primary) not in missing}
    holders = {name: primary for primary, name in sorted(there, reverse=True)}
    for primary, name in remote:
        if (primary, name) in there:
            continue
        if clusters[name].role == "primary":
            if (name, primary) not in there:
                continue
            what = f"{primary} has no credentials of {name}, but {name} has credentials of {primary}: "
            what += f"calls work from {name} to {primary}, but not from {primary} to {name}"
        else:
            if name not in holders:
                continue
            what = f"{primary} has no credentials of {name}, which {holders[name]} has: "
            what += f"sidecars of {primary} don't know the pods of {name}"
        hint = f"meshc secrets seal - --remote {name} --cluster {primary}"
        yield codes.ONE_WAY.at(clusters[primary].place, what, hint, clusters=(primary, name))
