"""`meshc ca`: the options of its commands. The work is done in `issuing/`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meshc.cli.options import Accept, File, Form, Labels, choice_of, cluster_names
from meshc.cli.options import Clusters as Only
from meshc.cli.report import Format, reporting
from meshc.commands.find_mesh import MESH

if TYPE_CHECKING:
    from meshc.commands.user_inputs import KeyFile

app = typer.Typer(
    name="ca",
    help="Make, renew, import and replace the CAs of the mesh. Never writes a plain key into the repository.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Key(StrEnum):
    """The kinds of keys."""

    ECDSA_P256 = "ecdsa-p256"
    ECDSA_P384 = "ecdsa-p384"
    RSA_2048 = "rsa-2048"
    RSA_4096 = "rsa-4096"


class FailOn(StrEnum):
    """The reasons for which `ca status` fails."""

    EXPIRING = "expiring"


KeyType = Annotated[Key | None, typer.Option("--key-type", help="Default: ecdsa-p256; rsa-2048 with classic Istio.")]
RootKey = Annotated[
    Path | None, typer.Option("--root-key", help="The root's private key, plain or sealed by age; - is standard input.")
]
Identity = Annotated[
    Path | None, typer.Option("--identity", "-i", help="The age identity that decrypts a sealed root key.")
]
KeysTo = Annotated[
    Path | None,
    typer.Option(
        "--keys-to", help="external-secrets: the folder for the keys, from which you put them into the store."
    ),
]
Password = Annotated[
    Path | None, typer.Option("--password-file", help="The password of an encrypted PEM key, as the only line.")
]
Restarted = Annotated[
    bool,
    typer.Option("--workloads-restarted", help="Don't wait: all workloads were restarted since the last step."),
]
Clusters = Annotated[
    list[str] | None,
    typer.Argument(metavar="[CLUSTER]...", help="Default: all that need a CA.", autocompletion=cluster_names),
]


@app.command(
    epilog="Examples: meshc ca init --key-out ~/root.key   |   meshc ca init --key-out root.age --seal-to age1..."
)
def init(
    key_out: Annotated[Path, typer.Option("--key-out", help="The new file for the root's key, mode 0600.")],
    key_type: Annotated[Key, typer.Option("--key-type", help="The kind of key.")] = Key.ECDSA_P256,
    days: Annotated[int, typer.Option(min=1, max=36500, help="How long the root is valid.")] = 3650,
    seal_to: Annotated[
        list[str] | None, typer.Option("--seal-to", help="Encrypt the key for these age recipients.")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="The file for the certificate; default: root-cert.pem of the mesh.")
    ] = None,
    file: File = MESH,
) -> None:
    """Make a root CA: write its certificate and its key. A plain key is never written into a repository."""
    with reporting(Format.TEXT, file):
        from meshc.cli.ca_commands import init_command
        from meshc.commands.ca_root import NewRoot

        init_command(file, NewRoot(key_out, key_type.value, days, seal_to or [], certificate))


@app.command(
    epilog="Examples: meshc ca issue --root-key ~/root.key   |   meshc ca issue edge-1 --root-key - < root.key"
)
def issue(
    clusters: Clusters = None,
    root_key: RootKey = None,
    identity: Identity = None,
    password: Password = None,
    key_type: KeyType = None,
    days: Annotated[int, typer.Option(min=1, max=36500, help="How long a CA is valid.")] = 730,
    renew_before: Annotated[
        int, typer.Option(min=0, max=36500, help="A CA that expires within this many days is due.")
    ] = 90,
    force: Annotated[bool, typer.Option("--force", help="Also issue CAs that aren't due yet.")] = False,
    keys_to: KeysTo = None,
    accept_recipients: Accept = False,
    workloads_restarted: Restarted = False,
    file: File = MESH,
) -> None:
    """Issue an intermediate CA for each cluster where one is due, and seal its key. Leaves other clusters unchanged."""
    with reporting(Format.TEXT, file):
        from meshc.cli.ca_commands import issue_command
        from meshc.commands.ca_issue import Issuing

        signer = _key(root_key, identity, password)
        how = Issuing(
            signer,
            key_type.value if key_type else None,
            days,
            renew_before,
            force,
            keys_to,
            accept_recipients,
            workloads_restarted,
        )
        issue_command(file, clusters or [], how)


@app.command(
    "import",
    epilog="Examples: meshc ca import edge-1 --from certs/edge-1   |   ... --certificate ca.pem --key - < key.pem",
)
def import_(
    cluster: Annotated[str, typer.Argument(help="The cluster that the CA is for.", autocompletion=cluster_names)],
    folder: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="DIR", help="A folder with ca-cert.pem, ca-key.pem, cert-chain.pem, root-cert.pem."
        ),
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="The cluster's CA certificate.")] = None,
    chain: Annotated[Path | None, typer.Option(help="The CA's chain; default: the CA and the root.")] = None,
    key: Annotated[Path | None, typer.Option(help="The CA's private key; - is standard input.")] = None,
    root: Annotated[Path | None, typer.Option(help="The root certificate; default: that of the mesh.")] = None,
    password: Password = None,
    accept_recipients: Accept = False,
    workloads_restarted: Restarted = False,
    file: File = MESH,
) -> None:
    """Import a CA made elsewhere (Istio's Makefile, Vault, a corporate CA): verify it, then write and seal it."""
    with reporting(Format.TEXT, file):
        from meshc.cli.ca_commands import import_command
        from meshc.commands.ca_issue import MadeElsewhere

        given = (folder, certificate, chain, key, root, password)
        import_command(file, cluster, MadeElsewhere(*given, accept_recipients, workloads_restarted))


@app.command(
    epilog="Examples: meshc ca status   |   meshc ca status --format json   |   meshc ca status --fail-on expiring"
)
def status(
    cluster: Only = None,
    selector: Labels = None,
    within: Annotated[
        int, typer.Option(min=0, max=36500, help="Report CAs that expire within this many days as expiring.")
    ] = 90,
    fail_on: Annotated[FailOn | None, typer.Option("--fail-on", help="Exit 1 if something expires soon.")] = None,
    form: Form = Format.TEXT,
    file: File = MESH,
) -> None:
    """Show subject, fingerprint, expiry date and root of every CA, and what is due."""
    with reporting(form, file, "ca status"):
        from meshc.cli.ca_commands import status_command

        status_command(file, choice_of(cluster, selector), within, fail_on is not None, form)


@app.command(epilog="Examples: meshc ca tree   |   meshc ca tree --format json")
def tree(form: Form = Format.TEXT, file: File = MESH) -> None:
    """Show the roots and the CAs under each of them, with fingerprints, expiry dates and the clusters that use them."""
    with reporting(form, file, "ca tree"):
        from meshc.cli.tree import ca_tree_command

        ca_tree_command(file, form)


@app.command(
    "rotate-root",
    epilog="Examples: meshc ca rotate-root --new-root new.pem   |   meshc ca rotate-root --root-key ~/new.key",
)
def rotate_root(
    new_root: Annotated[Path | None, typer.Option("--new-root", help="The new root, for the first step.")] = None,
    root_key: RootKey = None,
    identity: Identity = None,
    password: Password = None,
    key_type: KeyType = None,
    days: Annotated[int, typer.Option(min=1, max=36500, help="How long a CA is valid.")] = 730,
    keys_to: KeysTo = None,
    accept_recipients: Accept = False,
    workloads_restarted: Restarted = False,
    file: File = MESH,
) -> None:
    """Replace the root in three steps: trust both roots, issue under the new root, drop the old root.

    Each run takes one step, to be committed and synced. meshc refuses the next step until proxies have had time for it.
    """
    with reporting(Format.TEXT, file):
        from meshc.cli.ca_commands import rotate_command
        from meshc.commands.ca_issue import Issuing

        signer = _key(root_key, identity, password)
        how = Issuing(
            signer,
            key_type.value if key_type else None,
            days,
            keys_to=keys_to,
            accepted=accept_recipients,
            restarted=workloads_restarted,
        )
        rotate_command(file, new_root, how)


def _key(path: Path | None, identity: Path | None, password: Path | None) -> KeyFile | None:
    from meshc.commands.user_inputs import KeyFile

    return KeyFile(path, identity, password) if path else None
