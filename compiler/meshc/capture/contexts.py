"""Finds the kubeconfig context of each cluster: from an option, from a file, by name, or by API server.

Contexts differ from person to person, so the shared mesh.yaml names none, but it names the API server.
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

FILE = "~/.config/meshc/contexts.yaml"
"""The file in the user's configuration folder, as messages show it. It maps clusters to contexts for each mesh."""


def contexts(
    clusters: Iterable[ClusterPlan], told: Mapping[str, str], kept: Mapping[str, str], servers: Mapping[str, str]
) -> dict[str, str]:
    """The context of each cluster. `told` are the user's options and win over `kept`, which comes from the file.
    `servers` are the servers of all contexts.

    A cluster without a context gets its own name, and connecting then reports that there is no such context. Raises
    UsageError if several contexts have the same server, because they belong to several users.
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
        hint = f"--context {cluster.name}=CONTEXT, or a line {cluster.name}: CONTEXT below the mesh's name in {FILE}"
        raise UsageError(f"{len(there)} contexts have the server of {cluster.name}: {shown}", hint)
    return there[0] if there else cluster.name


def kept(data: bytes, mesh: str, known: Sequence[str]) -> dict[str, str]:
    """The contexts that the file gives to the known clusters of a mesh. Raises UsageError for another form of file."""
    documents, problems = read(data, FILE)
    if problems:
        raise UsageError(f"{problems[0].place}: {problems[0].what}")
    said = documents[0].data if documents else {}
    meshes = list(said.values()) if isinstance(said, dict) else [None]
    if not all(isinstance(one, dict) and all(isinstance(context, str) for context in one.values()) for one in meshes):
        raise UsageError(f"{FILE} must have the name of each mesh, and below it lines of CLUSTER: CONTEXT")
    return {name: context for name, context in said.get(mesh, {}).items() if name in known}
