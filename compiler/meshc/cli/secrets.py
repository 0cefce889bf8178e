"""`meshc secrets`: the options of its commands. The work is done in `issuing/`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from meshc.cli.options import Accept, Clusters, File, Form, Labels, Opening, choice_of, cluster_names, remote_names
from meshc.cli.report import Format, reporting
from meshc.commands.find_mesh import MESH

app = typer.Typer(
    name="secrets",
    help="Seal credentials, show and change who can decrypt them, search for secrets in plain text.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command(
    epilog="Examples: istioctl create-remote-secret --name edge-1 | meshc secrets seal -   |   "
    "meshc secrets seal kubeconfig --remote edge-1"
)
def seal(
    source: Annotated[
        Path, typer.Argument(metavar="FILE", help="A kubeconfig or a Secret; - is standard input.", allow_dash=True)
    ],
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            "-c",
            help="The cluster that gets the Secret; default: all that need it.",
            autocompletion=cluster_names,
        ),
    ] = None,
    remote: Annotated[
        str | None,
        typer.Option(
            "--remote",
            metavar="CLUSTER",
            help="The cluster that the credentials give access to.",
            autocompletion=remote_names,
        ),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a file that is sealed already.")] = False,
    identity: Opening = None,
    accept_recipients: Accept = False,
    file: File = MESH,
) -> None:
    """Encrypt a remote's credentials, or a cacerts, into the file that compile reads. Plain text is only in memory."""
    with reporting(Format.TEXT, file):
        from meshc.cli.secrets_commands import seal_command
        from meshc.commands.seal import Wanted
        from meshc.commands.user_inputs import identities_of

        seal_command(file, source, Wanted(cluster, remote, replace, accept_recipients, identities_of(identity)))


@app.command(epilog="Examples: meshc secrets status   |   meshc secrets status --format json")
def status(cluster: Clusters = None, selector: Labels = None, form: Form = Format.TEXT, file: File = MESH) -> None:
    """Show every Secret that clusters need: whether it is sealed, for whom, and whether it is stale. Needs no key."""
    with reporting(form, file, "secrets status"):
        from meshc.cli.secrets_commands import status_command

        status_command(file, choice_of(cluster, selector), form)


@app.command(
    epilog="Examples: meshc secrets rewrap --identity ~/key.txt   |   meshc secrets rewrap edge-1 -i ~/key.txt"
)
def rewrap(
    clusters: Annotated[
        list[str] | None, typer.Argument(metavar="[CLUSTER]...", help="Default: all.", autocompletion=cluster_names)
    ] = None,
    identity: Annotated[
        Path | None,
        typer.Option("--identity", "-i", envvar="SOPS_AGE_KEY_FILE", help="age identities that decrypt the files."),
    ] = None,
    accept_recipients: Accept = False,
    file: File = MESH,
) -> None:
    """Change the recipients of sops files to those in mesh.yaml. The ciphertext stays as it is."""
    with reporting(Format.TEXT, file):
        from meshc.cli.secrets_commands import rewrap_command

        rewrap_command(file, clusters or [], identity, accept_recipients)


@app.command(
    epilog="Examples: kubeseal --re-encrypt -o yaml < sealed/hub/cacerts.yaml | "
    "meshc secrets accept sealed/hub/cacerts.yaml --from -   |   meshc secrets accept sealed/hub/cacerts.yaml"
)
def accept(
    sealed: Annotated[Path, typer.Argument(metavar="FILE", help="The sealed file.")],
    source: Annotated[
        Path | None,
        typer.Option(
            "--from", help="The output of kubeseal; - is standard input. Default: FILE itself, compared with HEAD."
        ),
    ] = None,
    file: File = MESH,
) -> None:
    """Accept the new ciphertext that `kubeseal --re-encrypt` made for a SealedSecret. Needs no key.

    The ciphertext must be of the same Secret: name, namespace, scope, type and keys. Labels, annotations and plain
    values stay.
    """
    with reporting(Format.TEXT, file):
        from meshc.cli.secrets_commands import accept_command

        accept_command(file, sealed, source)


@app.command(
    epilog="Examples: meshc secrets scan   |   meshc secrets scan overlays output   |   "
    "meshc secrets scan --staged   (exit 5 where it finds one)"
)
def scan(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATH]...", help="Files and folders; default: this folder.")
    ] = None,
    staged: Annotated[
        bool, typer.Option("--staged", help="Search the files staged for the next commit instead of the folder.")
    ] = False,
    form: Form = Format.TEXT,
) -> None:
    """Search files for private keys and tokens in plain text, in base64 as well: for a pre-commit hook and CI.

    In a Git repository, files that Git ignores are skipped; a file that you name is always searched.
    """
    with reporting(form, command="secrets scan"):
        from meshc.cli.scan import scan_command

        scan_command(paths or [Path()], staged, form)
