"""The options that several commands share, in a separate module so that `--help` imports little."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from meshc.cli.report import Format
from meshc.commands.clusters import Choice
from meshc.commands.find_mesh import MESH, nearest_mesh


def cluster_names(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """For shell completion: the clusters of the mesh whose names start with this text."""
    from meshc.cli.complete import clusters

    return [pair for pair in clusters(_mesh_of(context)) if pair[0].startswith(incomplete)]


def remote_names(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """For shell completion: only the remotes."""
    return [pair for pair in cluster_names(context, incomplete) if pair[1] == "remote"]


def primary_names(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """For shell completion: only the primaries."""
    return [pair for pair in cluster_names(context, incomplete) if pair[1] == "primary"]


def commits(context: typer.Context, incomplete: str) -> list[str]:
    """For shell completion: the branches and tags of the repository around mesh.yaml."""
    from meshc.cli.complete import references

    return [name for name in references(_mesh_of(context).parent) if name.startswith(incomplete)]


def branches(context: typer.Context, incomplete: str) -> list[str]:
    """For shell completion: only the branches."""
    from meshc.cli.complete import references

    return [name for name in references(_mesh_of(context).parent, "refs/heads") if name.startswith(incomplete)]


def context_names(context: typer.Context, incomplete: str) -> list[str]:
    """For shell completion: the contexts of the kubeconfig, after CLUSTER= if the user has typed that."""
    from meshc.cli.complete import contexts

    before = incomplete[: incomplete.index("=") + 1] if "=" in incomplete else ""
    named = context.params.get("kubeconfig")
    return [one for name in contexts(named) if (one := f"{before}{name}").startswith(incomplete)]


def chart_names(context: typer.Context, incomplete: str) -> list[str]:
    """For shell completion: the charts that mesh.yaml renders, by name and by release."""
    from meshc.cli.complete import charts

    return [name for name in charts(_mesh_of(context)) if name.startswith(incomplete)]


def _mesh_of(context: typer.Context) -> Path:
    file: Path = context.params.get("file") or MESH
    return nearest_mesh() if file == MESH else file


def _found(context: typer.Context, file: Path) -> Path:
    """The file of the option, else the nearest mesh.yaml."""
    named = file != MESH or str(context.get_parameter_source("file")) != "ParameterSource.DEFAULT"
    return file if named else nearest_mesh()


def choice_of(names: list[str] | None, labels: list[str] | None) -> Choice:
    """The clusters that both options select together."""
    return Choice(tuple(names or ()), tuple(labels or ()))


File = Annotated[
    Path,
    typer.Option(
        "--file",
        "-f",
        envvar="MESHC_FILE",
        callback=_found,
        allow_dash=True,
        help="The mesh.yaml; default: the one here or in the nearest parent folder. - is standard input.",
        show_default=False,
    ),
]
Clusters = Annotated[
    list[str] | None,
    typer.Option(
        "--cluster",
        "-c",
        metavar="NAME",
        help="Only these clusters, by name or glob; may be repeated.",
        autocompletion=cluster_names,
    ),
]
Labels = Annotated[
    list[str] | None,
    typer.Option(
        "--selector",
        "-l",
        metavar="LABELS",
        help="Only clusters with these labels in mesh.yaml, in kubectl's syntax: env=prod, tier in (a, b).",
    ),
]
NewFile = Annotated[Path, typer.Option("--file", "-f", help="The mesh.", show_default=True)]
Form = Annotated[Format, typer.Option("--format", help="How problems and results are written.")]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", "-j", min=1, help="Number of parallel kustomize runs; default: one per processor."),
]
Opening = Annotated[
    Path | None,
    typer.Option(
        "--identity",
        "-i",
        envvar="SOPS_AGE_KEY_FILE",
        help="remoteSecrets: mounted, sops: age identities that decrypt the file, to keep its other credentials.",
    ),
]
Accept = Annotated[bool, typer.Option("--accept-recipients", help="Seal for recipients that are new to this mesh.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask before a change in a cluster.")]
Contexts = Annotated[
    list[str] | None,
    typer.Option(
        "--context",
        metavar="[CLUSTER=]CONTEXT",
        autocompletion=context_names,
        help="The kubeconfig context of a cluster, or in-cluster; may be repeated. Default: "
        "~/.config/meshc/contexts.yaml, else the one with the cluster's name, else the one for its apiServer.",
    ),
]
Kubeconfig = Annotated[
    Path | None, typer.Option("--kubeconfig", help="Default: $KUBECONFIG, else ~/.kube/config.", show_default=False)
]
Timeout = Annotated[float, typer.Option("--timeout", min=1, help="The maximum time for each cluster, in seconds.")]
