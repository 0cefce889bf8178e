"""The commands that use more than the repository: live clusters, chart registries, istioctl."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from meshc.cli.options import (
    Clusters,
    Contexts,
    File,
    Form,
    Kubeconfig,
    Labels,
    NewFile,
    Timeout,
    choice_of,
    cluster_names,
    context_names,
)
from meshc.cli.report import Format, reporting
from meshc.commands.find_mesh import MESH
from meshc.errors import UsageError

app = typer.Typer()


@app.command(
    epilog="Examples: meshc doctor   |   meshc doctor edge-1 --context edge-1=gke_shop_edge   |   "
    "meshc doctor --deep   |   meshc doctor --metrics   |   meshc doctor --local"
)
def doctor(
    cluster: Annotated[
        list[str] | None, typer.Argument(metavar="[CLUSTER]...", help="Default: all.", autocompletion=cluster_names)
    ] = None,
    only: Clusters = None,
    selector: Labels = None,
    local: Annotated[bool, typer.Option("--local", help="Check only this machine: which tools are installed.")] = False,
    print_rbac: Annotated[
        bool, typer.Option("--print-rbac", help="Print the rights that doctor needs, as manifests to apply.")
    ] = False,
    deep: Annotated[
        bool,
        typer.Option(
            "--deep", help="Also compare every object of output/, and read from istiod which remotes it watches."
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="As --deep, but with a server-side dry run, which needs the right to patch the objects.",
        ),
    ] = False,
    metrics: Annotated[
        bool, typer.Option("--metrics", help="Print Prometheus' text format, and always exit 0. For a CronJob.")
    ] = False,
    context: Contexts = None,
    kubeconfig: Kubeconfig = None,
    timeout: Timeout = 30,
    file: File = MESH,
    form: Form = Format.TEXT,
) -> None:
    """Check whether live clusters match the repository: reachability, addresses, credentials, CAs.

    Changes nothing. Exit 1 if something differs, 4 if a cluster doesn't answer.
    """
    with reporting(form, file, "doctor"):
        if local:
            from meshc.cli.doctor import doctor_command

            doctor_command(file, form)
            return
        from meshc.commands.doctor import Depth

        depth = Depth.DRY_RUN if dry_run else Depth.DEEP if deep else Depth.PLAIN
        if print_rbac:
            from meshc.capture.rbac import Asker
            from meshc.cli.rbac import rbac_command

            rbac_command(Asker.DOCTOR, file, choice_of([*(cluster or ()), *(only or ())], selector), depth)
            return
        from meshc.cli.doctor_live import Wanted, live_command
        from meshc.commands.live_clusters import Reach

        live_command(
            file,
            choice_of([*(cluster or ()), *(only or ())], selector),
            Reach(context or [], kubeconfig, timeout),
            form,
            Wanted(depth, metrics),
        )


@app.command(
    epilog="Examples: meshc adopt --print-dump-command > dump.sh; sh dump.sh hub edge-1   |   "
    "meshc adopt --from dumps   |   meshc adopt --from dumps --diff   |   "
    "meshc adopt --context hub=gke_shop_hub --context edge-1"
)
def adopt(
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="DIR", help="A folder for each cluster, with dumps or a GitOps tree."),
    ] = None,
    context: Annotated[
        list[str] | None,
        typer.Option(
            "--context",
            metavar="CLUSTER[=CONTEXT]",
            help="Read live clusters instead of a folder.",
            autocompletion=context_names,
        ),
    ] = None,
    difference: Annotated[
        bool, typer.Option("--diff", help="Compare live objects with those that meshc would apply. Writes nothing.")
    ] = False,
    parts: Annotated[
        bool,
        typer.Option("--parts", help="Write a file for each cluster and each namespace, which mesh.yaml includes."),
    ] = False,
    script: Annotated[
        bool, typer.Option("--print-dump-command", help="Print a shell script that makes the dumps for --from.")
    ] = False,
    print_rbac: Annotated[
        bool, typer.Option("--print-rbac", help="Print the rights that --context needs, as manifests to apply.")
    ] = False,
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="With --context, --print-dump-command or --print-rbac: Istio's.")
    ] = "istio-system",
    kubeconfig: Kubeconfig = None,
    timeout: Timeout = 60,
    file: NewFile = MESH,
) -> None:
    """Write a first mesh.yaml from the objects of clusters that already run a mesh.

    Exit 3 if mesh.yaml has values that you must still fill in.
    """
    with reporting(Format.TEXT, file):
        from meshc.cli.adopt import adopt_command, rights_command, script_command
        from meshc.commands.live_clusters import Reach

        if print_rbac:
            rights_command(namespace)
            return
        if script:
            script_command(namespace)
            return
        if parts and difference:
            raise UsageError("--diff writes nothing, so there is nothing for --parts", "name one of them")
        adopt_command(file, source, Reach(context or [], kubeconfig, timeout), namespace, difference, parts)


@app.command(epilog="Examples: meshc vendor && git add charts charts.lock.yaml")
def vendor(file: File = MESH) -> None:
    """Download Istio's charts into the repository and pin them in charts.lock.yaml. No other command fetches charts."""
    with reporting(Format.TEXT, file):
        from meshc.cli.vendor import vendor_command

        vendor_command(file)


@app.command(
    epilog="Examples: meshc inject app.yaml --cluster branch | kubectl apply -f -   |   ... | meshc inject - -c branch"
)
def inject(
    manifest: Annotated[
        Path, typer.Argument(metavar="FILE", help="Manifests of workloads; - is standard input.", allow_dash=True)
    ],
    cluster: Annotated[
        str, typer.Option("--cluster", "-c", help="The cluster of the workloads.", autocompletion=cluster_names)
    ],
    namespace: Annotated[
        str | None,
        typer.Option("--namespace", "-n", help="The namespace of workloads without one; default: default."),
    ] = None,
    file: File = MESH,
) -> None:
    """Add sidecars to manifests, for clusters with manual injection. Runs istioctl kube-inject, without a cluster.

    A workload gets the sidecar of the control plane that its namespace uses in mesh.yaml, by revision or tag.
    """
    with reporting(Format.TEXT, file):
        from meshc.cli.inject import inject_command

        inject_command(manifest, cluster, namespace, file)
