"""The commands that only read: plan, next, graph, path, tree, explain, values, version."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from meshc.cli.options import Clusters, File, Form, Jobs, Labels, chart_names, choice_of, cluster_names, commits
from meshc.cli.report import Format, reporting
from meshc.commands.find_mesh import MESH
from meshc.plan.picture.views import View

app = typer.Typer()


@app.command(epilog="Examples: meshc plan   |   meshc plan --format json | jq '.clusters[].name'")
def plan(
    file: File = MESH,
    cluster: Clusters = None,
    selector: Labels = None,
    form: Form = Format.TEXT,
) -> None:
    """Show what mesh.yaml means, with every default filled in. For a list of changes, use meshc diff."""
    with reporting(form, file, "plan"):
        from meshc.cli.plan import plan_command

        plan_command(file, choice_of(cluster, selector), form)


@app.command("next", epilog="Examples: meshc next   |   meshc next --format json | jq '.steps[].step'")
def next_(
    file: File = MESH,
    cluster: Clusters = None,
    selector: Labels = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            help="A folder or a commit with the output to compare, instead of output/.",
            autocompletion=commits,
        ),
    ] = None,
    jobs: Jobs = None,
    form: Form = Format.TEXT,
) -> None:
    """Show the next step for each cluster: issue, compile, commit, publish, seal or sync."""
    with reporting(form, file, "next"):
        from meshc.cli.next import next_command

        next_command(file, choice_of(cluster, selector), against, jobs, form)


@app.command(epilog="Examples: meshc graph --view trust   |   meshc graph --markdown >> README.md")
def graph(
    file: File = MESH,
    view: Annotated[
        View, typer.Option("--view", help="The content of the picture; overview: control planes and services.")
    ] = View.OVERVIEW,
    cluster: Clusters = None,
    selector: Labels = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Write a Markdown code block, for a README or a comment.")
    ] = False,
) -> None:
    """Draw the mesh as Mermaid text: who controls, calls and signs for whom. Similar clusters share a node."""
    with reporting(Format.TEXT, file):
        from meshc.cli.graph import graph_command

        graph_command(file, choice_of(cluster, selector), view, markdown)


@app.command(epilog="Examples: meshc path edge-1 shop/catalog   |   meshc path edge-1 shop/catalog --without hub")
def path(
    cluster: Annotated[
        str, typer.Argument(metavar="CLUSTER", help="The cluster of the caller.", autocompletion=cluster_names)
    ],
    service: Annotated[str, typer.Argument(metavar="NAMESPACE/SERVICE", help="The called Service.")],
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without",
            metavar="CLUSTER",
            help="Assume that this cluster has failed; may be repeated.",
            autocompletion=cluster_names,
        ),
    ] = None,
    file: File = MESH,
    form: Form = Format.TEXT,
) -> None:
    """Show where a call goes: which clusters answer, by which route and under which CA, or why none does."""
    with reporting(form, file, "path"):
        from meshc.cli.path import path_command

        path_command(file, cluster, service, without or [], form)


@app.command(epilog="Examples: meshc tree edge-1   |   meshc tree edge-1 --format json | jq '.components[].name'")
def tree(
    cluster: Annotated[str, typer.Argument(metavar="CLUSTER", help="The cluster.", autocompletion=cluster_names)],
    file: File = MESH,
    form: Form = Format.TEXT,
) -> None:
    """Show the objects of a cluster by component, each with the line, file or chart that it comes from."""
    with reporting(form, file, "tree"):
        from meshc.cli.tree import tree_command

        tree_command(file, cluster, form)


def _codes(incomplete: str) -> list[tuple[str, str]]:
    from meshc.codes import every_code

    return [(code.id, code.title) for code in every_code().values() if code.id.startswith(incomplete.upper())]


@app.command(epilog="Examples: meshc explain MESH215   |   meshc explain 215 216   |   meshc explain remote secret")
def explain(
    codes: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CODE|WORD]...",
            help="The codes of problems, or words to search their pages for. Default: lists all codes.",
            autocompletion=_codes,
        ),
    ] = None,
) -> None:
    """Explain a problem: what it means, which failure it prevents, and how to fix it."""
    with reporting(Format.TEXT):
        from meshc.cli.explain import explain_command

        explain_command(codes or [])


class ValuesForm(StrEnum):
    """The format of a cluster's values."""

    HELM = "helm"
    SAIL = "sail"


@app.command(epilog="Examples: meshc values edge-1 --chart istiod > values.yaml   |   meshc values hub --as sail")
def values(
    cluster: Annotated[str, typer.Argument(metavar="CLUSTER", help="The cluster.", autocompletion=cluster_names)],
    chart: Annotated[
        str | None, typer.Option("--chart", help="Only this chart, by its name or release.", autocompletion=chart_names)
    ] = None,
    form: Annotated[
        ValuesForm, typer.Option("--as", help="Helm's values, or the resources of the Sail operator.")
    ] = ValuesForm.HELM,
    file: File = MESH,
) -> None:
    """Print the Helm values of a cluster, for people who install its charts with other tools."""
    with reporting(Format.TEXT, file):
        from meshc.cli.values import sail_command, values_command

        if form is ValuesForm.SAIL:
            sail_command(cluster, chart, file)
        else:
            values_command(cluster, chart, file)


@app.command(epilog="Examples: meshc version   |   meshc version --format json | jq -r .meshc")
def version(form: Form = Format.TEXT) -> None:
    """Print the versions of meshc and Python, and the operating system."""
    with reporting(form, None, "version"):
        from meshc.cli.version import version_command

        version_command(form)
