"""contexts turns clusters of a mesh into the contexts of a person's kubeconfig: as told, by name, or by their server.

A context is a person's, so mesh.yaml, which is everybody's, names none: what it does name is the API server.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from meshc.errors import UsageError
from meshc.mesh.hosts import same_server
from meshc.plain import short
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan

FILE = ".meshc/contexts.yaml"
"""Beside mesh.yaml, where Git doesn't look: a mapping of clusters to contexts."""


def contexts(
    clusters: Iterable[ClusterPlan], told: Mapping[str, str], kept: Mapping[str, str], servers: Mapping[str, str]
) -> dict[str, str]:
    """The context of each cluster. `told` goes before `kept`; `servers` are those of the contexts there are.

    A cluster that nothing leads to gets its own name, of which asking says that there is none. Raises UsageError where
    several contexts lead to one server: they are several users of it.
    """
    found = {}
    for cluster in clusters:
        name = cluster.name
        found[name] = told.get(name) or kept.get(name) or (name if name in servers else _by_server(cluster, servers))
    return found


def _by_server(cluster: ClusterPlan, servers: Mapping[str, str]) -> str:
    wanted = same_server(cluster.api_server) if cluster.api_server else ""
    there = [context for context, server in servers.items() if wanted and same_server(server) == wanted]
    if len(there) > 1:
        shown = ", ".join(short(one, 60) for one in there[:4])
        hint = f"--context {cluster.name}=CONTEXT, or a line {cluster.name}: CONTEXT in {FILE}"
        raise UsageError(f"{len(there)} contexts lead to {cluster.name}: {shown}\n  hint: {hint}")
    return there[0] if there else cluster.name


def kept(data: bytes, known: Sequence[str]) -> dict[str, str]:
    """What the file says of the clusters that there are; others have left. Raises UsageError for what is no mapping."""
    documents, problems = read(data, FILE)
    if problems:
        raise UsageError(f"{problems[0].place}: {problems[0].what}")
    said = documents[0].data if documents else {}
    if not isinstance(said, dict) or not all(isinstance(one, str) for one in (*said, *said.values())):
        raise UsageError(f"{FILE} isn't lines of CLUSTER: CONTEXT")
    return {name: context for name, context in said.items() if name in known}
