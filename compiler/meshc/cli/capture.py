"""`meshc capture`: the options of its commands, which copy facts of live clusters into the repository. The work is done
in `capture/`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from meshc.cli.options import (
    Accept,
    Clusters,
    Contexts,
    File,
    Form,
    Kubeconfig,
    Labels,
    Opening,
    Timeout,
    Yes,
    choice_of,
    cluster_names,
    primary_names,
    remote_names,
)
from meshc.cli.report import Format, reporting
from meshc.commands.find_mesh import MESH
from meshc.errors import UsageError

app = typer.Typer(
    name="capture",
    help="Read live clusters: credentials, addresses, facts, Services. Writes files for you to review.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def rbac(
    context: typer.Context,
    print_rbac: Annotated[
        bool, typer.Option("--print-rbac", help="Print the rights that these commands need, as manifests to apply.")
    ] = False,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="The mesh, with --print-rbac.")] = None,
) -> None:
    """Read live clusters: credentials, addresses, facts, Services. Writes files for you to review."""
    with reporting(Format.TEXT, file):
        if context.invoked_subcommand:
            if print_rbac or file:
                raise UsageError("this option stands without a command, or behind it", "meshc capture --print-rbac")
            return
        from meshc.capture.rbac import Asker
        from meshc.cli.rbac import rbac_command
        from meshc.commands.clusters import Choice

        rbac_command(Asker.CAPTURE, file or MESH, Choice())


Write = Annotated[bool, typer.Option("--write", help="Write the change into mesh.yaml; default: only show it.")]


@app.command(
    epilog="Examples: meshc capture credentials edge-1 --yes   |   meshc capture credentials edge-1 edge-2 "
    "--context edge-1=gke_shop_edge   |   meshc capture credentials edge-1 --rotate --replace"
)
def credentials(
    clusters: Annotated[
        list[str] | None, typer.Argument(metavar="[CLUSTER]...", help="The remotes.", autocompletion=remote_names)
    ] = None,
    only: Clusters = None,
    selector: Labels = None,
    every: Annotated[bool, typer.Option("--all", help="Every remote whose credentials a primary needs.")] = False,
    context: Contexts = None,
    kubeconfig: Kubeconfig = None,
    primary: Annotated[
        str | None,
        typer.Option(
            "--primary",
            help="Only for this primary; default: all that need the credentials.",
            autocompletion=primary_names,
        ),
    ] = None,
    duration: Annotated[
        str | None,
        typer.Option(
            "--duration", help="Request a token with this lifetime, such as 8760h, instead of a Secret's token."
        ),
    ] = None,
    rotate: Annotated[bool, typer.Option("--rotate", help="Create a new token, and keep the old one valid.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a file that is sealed already.")] = False,
    prune: Annotated[
        bool, typer.Option("--prune-tokens", help="Only delete tokens that meshc made and no primary uses any more.")
    ] = False,
    to_command: Annotated[
        str | None,
        typer.Option(
            "--to-command",
            metavar="COMMAND",
            help="external-secrets: the program that stores its standard input, the kubeconfig, at {key}, {property}.",
        ),
    ] = None,
    identity: Opening = None,
    accept_recipients: Accept = False,
    yes: Yes = False,
    timeout: Timeout = 30,
    file: File = MESH,
) -> None:
    """Read a remote's token and CA, and seal them for its primaries straight from memory.

    If you name clusters, either all of them are sealed, or none. With --all, -l or a pattern, each is handled
    separately: sealed files stay, a failure doesn't stop the others, and a table shows each result. The exit code is
    that of the first failure.
    """
    with reporting(Format.TEXT, file):
        from meshc.cli.capture_credentials import credentials_command
        from meshc.cli.consent import consent
        from meshc.commands.capture_credentials import Wanted
        from meshc.commands.live_clusters import Reach
        from meshc.commands.user_inputs import identities_of

        reach = Reach(context or [], kubeconfig, timeout, consent(yes))
        choice = choice_of([*(clusters or ()), *(only or ())], selector)
        if bool(choice) == every:
            raise UsageError("whose credentials?" if not every else "--all takes no others", "name remotes, or --all")
        if prune:
            from meshc.cli.capture_prune import prune_command

            if primary or duration or rotate or replace or to_command:
                raise UsageError("--prune-tokens reads no token", "it goes with --context, --timeout and --yes")
            prune_command(file, choice, reach)
            return
        identities = identities_of(identity)
        wanted = Wanted(primary, duration, rotate, replace or rotate, accept_recipients, to_command, identities)
        credentials_command(file, choice, reach, wanted)


@app.command(
    epilog="Examples: meshc capture addresses hub   |   meshc capture addresses hub --write   |   "
    "meshc capture addresses hub --context gke_shop_hub"
)
def addresses(
    cluster: Annotated[str, typer.Argument(metavar="PRIMARY", help="The primary.", autocompletion=primary_names)],
    context: Contexts = None,
    kubeconfig: Kubeconfig = None,
    write: Write = False,
    timeout: Timeout = 30,
    file: File = MESH,
) -> None:
    """Read the addresses of a control plane (of pods, load balancers or a gateway), and write them into mesh.yaml."""
    with reporting(Format.TEXT, file):
        from meshc.cli.capture_addresses import addresses_command
        from meshc.commands.live_clusters import Reach

        addresses_command(file, cluster, Reach(context or [], kubeconfig, timeout), write)


@app.command(
    epilog="Examples: meshc capture facts   |   meshc capture facts edge-1 --write   (exit 1 where mesh.yaml differs)"
)
def facts(
    clusters: Annotated[
        list[str] | None, typer.Argument(metavar="[CLUSTER]...", help="Default: all.", autocompletion=cluster_names)
    ] = None,
    only: Clusters = None,
    selector: Labels = None,
    context: Contexts = None,
    kubeconfig: Kubeconfig = None,
    write: Write = False,
    timeout: Timeout = 30,
    file: File = MESH,
    form: Form = Format.TEXT,
) -> None:
    """Compare facts of live clusters with mesh.yaml: Kubernetes and Istio versions, address ranges, networks."""
    with reporting(form, file, "capture facts"):
        from meshc.cli.capture_facts import facts_command
        from meshc.commands.live_clusters import Reach

        facts_command(
            file,
            choice_of([*(clusters or ()), *(only or ())], selector),
            Reach(context or [], kubeconfig, timeout),
            write,
            form,
        )


_ArgoCd = Annotated[
    str | None,
    typer.Option(
        "--namespace",
        "-n",
        help="argocd-secrets: Argo CD's namespace; default: delivery.namespace of mesh.yaml, else argocd.",
    ),
]


@app.command(
    epilog="Examples: meshc capture inventory --context management --write   |   "
    "meshc capture inventory inventory/clusters.yaml --format list --context hub --context edge-1=gke_edge"
)
def inventory(
    target: Annotated[
        str | None,
        typer.Argument(metavar="[FILE]", help="The inventory; default: the only one in spec.clustersFrom."),
    ] = None,
    inventory_format: Annotated[
        str | None,
        typer.Option("--format", metavar="FORMAT", help="The format of a file that mesh.yaml doesn't name yet."),
    ] = None,
    namespace: _ArgoCd = None,
    context: Contexts = None,
    kubeconfig: Kubeconfig = None,
    write: Annotated[bool, typer.Option("--write", help="Write the file; default: only show the change.")] = False,
    print_rbac: Annotated[
        bool, typer.Option("--print-rbac", help="Print the rights that --format needs, as manifests to apply.")
    ] = False,
    timeout: Timeout = 30,
    file: File = MESH,
) -> None:
    """Write an inventory of clusters, without any credential. Exit 1 if the file differs and isn't written.

    argocd-secrets, clusterprofiles and cluster-api are read in one cluster (--context). kubeconfig takes the servers of
    contexts, and list asks each context's cluster for its version, ranges and ID.
    """
    with reporting(Format.TEXT, file):
        from meshc.cli.capture_inventory import inventory_command, rights_command
        from meshc.commands.capture_inventory import Wanted
        from meshc.commands.live_clusters import Reach

        wanted = Wanted(target, inventory_format, namespace)
        if print_rbac:
            rights_command(wanted)
            return
        inventory_command(file, wanted, Reach(context or [], kubeconfig, timeout), write)


@app.command(
    epilog="Examples: meshc capture services hub -n bookinfo   |   "
    "meshc capture services hub -n shop cart catalog   |   meshc capture services hub -n shop --entry store --replace"
)
def services(
    cluster: Annotated[str, typer.Argument(help="The cluster where the Services run.", autocompletion=cluster_names)],
    names: Annotated[list[str] | None, typer.Argument(metavar="[SERVICE]...", help="Default: all.")] = None,
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="The namespace of the Services.")] = "default",
    entry: Annotated[
        str | None, typer.Option("--entry", help="The entry of spec.services; default: the name of the namespace.")
    ] = None,
    context: Contexts = None,
    kubeconfig: Kubeconfig = None,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite a file that differs.")] = False,
    timeout: Timeout = 30,
    file: File = MESH,
) -> None:
    """Copy Service objects to the folder that mesh.yaml names, without the fields that the cluster added."""
    with reporting(Format.TEXT, file):
        from meshc.cli.capture_services import services_command
        from meshc.commands.capture_services import Wanted
        from meshc.commands.live_clusters import Reach

        wanted = Wanted(namespace, names or [], entry, replace)
        services_command(file, cluster, wanted, Reach(context or [], kubeconfig, timeout))
