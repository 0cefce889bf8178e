"""The options of commands that ask living clusters, apart from what uses them, which takes long to import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Contexts = Annotated[
    list[str] | None,
    typer.Option(
        "--context",
        metavar="[CLUSTER=]CONTEXT",
        help="The kubeconfig's context of a cluster, or in-cluster; may be given often. Default: .meshc/contexts.yaml, "
        "else the one with the cluster's name, else the one for its apiServer.",
    ),
]
Kubeconfig = Annotated[
    Path | None, typer.Option("--kubeconfig", help="Default: $KUBECONFIG, else ~/.kube/config.", show_default=False)
]
Timeout = Annotated[float, typer.Option("--timeout", min=1, help="Seconds for each cluster, all in all.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Make what is announced without asking.")]
