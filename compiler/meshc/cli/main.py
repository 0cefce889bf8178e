"""The commands by name. Each imports what it uses when it runs, so that `meshc --help` costs little more than Typer."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from meshc.cli import ca, capture, secrets
from meshc.cli.diff_options import DiffFailOn, DiffFormat
from meshc.cli.first_mesh import Generation, Topology
from meshc.cli.live_options import Contexts, Kubeconfig, Timeout
from meshc.cli.report import Format, ReaderGoneError, bug, reporting
from meshc.errors import Exit
from meshc.output.link import Link

app = typer.Typer(
    name="meshc",
    help="Compiles one mesh.yaml into per-cluster kustomize overlays for a multi-cluster Istio mesh.",
    epilog="Start with: meshc init mesh && cd mesh && meshc compile",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

File = Annotated[Path, typer.Option("--file", "-f", help="The mesh to compile.", show_default=True)]
Form = Annotated[Format, typer.Option("--format", help="How problems and results are written.")]
Jobs = Annotated[
    int | None, typer.Option("--jobs", "-j", min=1, help="How many kustomize run at once; default: one a processor.")
]
Linked = Annotated[
    Link, typer.Option("--link", help="kustomize: for everything; auto: only where files of yours take part.")
]
_MESH = Path("mesh.yaml")


def _clusters(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    from meshc.cli.complete import clusters

    return [pair for pair in clusters(context.params.get("file") or _MESH) if pair[0].startswith(incomplete)]


def _version(wanted: bool) -> None:
    if wanted:
        from meshc import __version__

        typer.echo(f"meshc {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Compiles one mesh.yaml into per-cluster kustomize overlays for a multi-cluster Istio mesh."""
    del version


@app.command(
    "compile",
    epilog="Examples: meshc compile   |   meshc compile --cluster 'edge-*'   |   meshc compile -f prod/mesh.yaml",
)
def compile_(
    file: File = _MESH,
    cluster: Annotated[
        list[str] | None,
        typer.Option(
            "--cluster",
            "-c",
            help="Only these clusters, by name or glob; may be given often.",
            autocompletion=_clusters,
        ),
    ] = None,
    jobs: Jobs = None,
    link: Linked = Link.AUTO,
    form: Form = Format.TEXT,
) -> None:
    """Write overlays/ and output/ for every cluster, whole or not at all."""
    with reporting(form, file):
        from meshc.cli.compile import compile_command

        compile_command(file, cluster or [], jobs, link, form)


@app.command(epilog="Examples: meshc check   |   meshc check --format github   (exit 1 where something is stale)")
def check(
    file: File = _MESH,
    jobs: Jobs = None,
    form: Form = Format.TEXT,
    base: Annotated[
        str | None, typer.Option("--base", help="A commit: root-cert.pem must be one that its clusters can go on to.")
    ] = None,
    against: Annotated[
        str | None, typer.Option("--against", help="A folder, or a commit, where the output lies instead.")
    ] = None,
    difference: Annotated[bool, typer.Option("--diff", help="Also show in which objects the output differs.")] = False,
    link: Linked = Link.AUTO,
    fail_on: Annotated[
        ca.FailOn | None, typer.Option("--fail-on", help="Exit 1 where a CA ends within 30 days.")
    ] = None,
) -> None:
    """Compare what lies in overlays/ and output/ with what would be compiled. Writes nothing."""
    with reporting(form, file):
        from meshc.cli.check import check_command

        check_command(file, jobs, form, base, against, difference, link, fail_on is not None)


@app.command(
    epilog="Examples: meshc diff   |   meshc diff --base main   |   meshc diff --format markdown > comment.md   |   "
    "meshc diff --fail-on danger"
)
def diff(
    file: File = _MESH,
    base: Annotated[
        str | None, typer.Option("--base", help="A commit; default: where this branch left the default branch.")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option("--against", help="A folder, or a commit, that holds the output to compare with."),
    ] = None,
    form: Annotated[DiffFormat, typer.Option("--format", help="How the difference is written.")] = DiffFormat.TEXT,
    summary: Annotated[
        bool, typer.Option("--summary", help="Also append the markdown to the file GITHUB_STEP_SUMMARY names.")
    ] = False,
    fail_on: Annotated[
        DiffFailOn | None, typer.Option("--fail-on", help="Exit 1 only where something is at risk.")
    ] = None,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit 0 where there are differences.")] = False,
    jobs: Jobs = None,
) -> None:
    """Show what a change of mesh.yaml does to which clusters, and what it puts at risk. Writes nothing."""
    with reporting(Format.JSON if form is DiffFormat.JSON else Format.TEXT, file):
        from meshc.cli.diff import diff_command

        diff_command(file, base, against, form, summary, fail_on, exit_zero, jobs)


@app.command(
    epilog="Examples: meshc publish   |   meshc publish --branch deploy --push   |   "
    "meshc publish --repo git@git.example.com:mesh/deploy.git --path prod"
)
def publish(
    file: File = _MESH,
    repo: Annotated[
        str | None, typer.Option("--repo", help="A deploy repository: the top of a work tree, or a URL.")
    ] = None,
    branch: Annotated[
        str | None, typer.Option("--branch", help="The branch; default: the one checked out, or a URL's own.")
    ] = None,
    path: Annotated[
        str | None,
        typer.Option("--path", help="The folder for overlays/ and output/; default: that of mesh.yaml, or the top."),
    ] = None,
    push: Annotated[
        bool, typer.Option("--push/--no-push", help="Push the branch as well. To a URL it always is.")
    ] = False,
    remote: Annotated[str, typer.Option("--remote", help="Where --push goes: a remote's name, or a URL.")] = "origin",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be committed, and commit nothing.")
    ] = False,
    allow_dirty: Annotated[
        bool, typer.Option("--allow-dirty", help="Publish inputs that aren't committed; the message tells.")
    ] = False,
    allow_older: Annotated[
        bool, typer.Option("--allow-older", help="Replace what was compiled from a later commit.")
    ] = False,
    jobs: Jobs = None,
    form: Form = Format.TEXT,
) -> None:
    """Commit overlays/ and output/ as they would be compiled: here, to another branch, or to a deploy repository."""
    with reporting(form, file):
        from meshc.cli.publish import publish_command
        from meshc.publish.job import Wanted

        wanted = Wanted(repo, branch, path, push, remote)
        publish_command(file, wanted, jobs, form, dry=dry_run, dirty=allow_dirty, older=allow_older)


@app.command(epilog="Examples: meshc verify   |   meshc verify --sample 10   (exit 1 where a byte differs)")
def verify(
    file: File = _MESH,
    sample: Annotated[
        int | None, typer.Option("--sample", min=1, help="Only so many clusters, spread over the mesh.")
    ] = None,
    jobs: Jobs = None,
    form: Form = Format.TEXT,
) -> None:
    """Compare what meshc puts together by itself with what kustomize builds. Writes nothing."""
    with reporting(form, file):
        from meshc.cli.verify import verify_command

        verify_command(file, sample, jobs, form)


@app.command(epilog="Examples: meshc validate   |   meshc validate --format json")
def validate(file: File = _MESH, form: Form = Format.TEXT) -> None:
    """Check mesh.yaml and the files it names, without rendering."""
    with reporting(form, file):
        from meshc.cli.validate import validate_command

        validate_command(file, form)


@app.command(epilog="Examples: meshc plan   |   meshc plan --format json | jq '.clusters[].name'")
def plan(file: File = _MESH, form: Form = Format.TEXT) -> None:
    """Show what mesh.yaml means, with every default settled."""
    with reporting(form, file):
        from meshc.cli.plan import plan_command

        plan_command(file, form)


@app.command("next", epilog="Examples: meshc next   |   meshc next --format json | jq '.steps[].step'")
def next_(file: File = _MESH, jobs: Jobs = None, form: Form = Format.TEXT) -> None:
    """Tell the one remaining step of each cluster: issue, compile, commit, seal or sync."""
    with reporting(form, file):
        from meshc.cli.next import next_command

        next_command(file, jobs, form)


@app.command(epilog="Examples: meshc graph   |   meshc graph --markdown >> README.md")
def graph(
    file: File = _MESH,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="In a fence, to stand in a README or a comment.")
    ] = False,
) -> None:
    """Draw the mesh as Mermaid text: clusters, networks, control planes, who exports what to whom."""
    with reporting(Format.TEXT, file):
        from meshc.cli.graph import graph_command

        graph_command(file, markdown)


def _codes(incomplete: str) -> list[tuple[str, str]]:
    from meshc.codes import every_code

    return [(code.id, code.title) for code in every_code().values() if code.id.startswith(incomplete.upper())]


@app.command(epilog="Examples: meshc explain MESH215   |   meshc explain 215 216   |   meshc explain   (lists them)")
def explain(
    codes: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CODE]...", help="The codes of problems.", autocompletion=_codes),
    ] = None,
) -> None:
    """Tell what a problem means, which failure it prevents, and how to mend it."""
    with reporting(Format.TEXT):
        from meshc.cli.explain import explain_command

        explain_command(codes or [])


@app.command(
    epilog="Examples: meshc inject app.yaml --cluster branch | kubectl apply -f -   |   ... | meshc inject - -c branch"
)
def inject(
    manifest: Annotated[
        Path, typer.Argument(metavar="FILE", help="Manifests of workloads; - is standard input.", allow_dash=True)
    ],
    cluster: Annotated[str, typer.Option("--cluster", "-c", help="The cluster they go to.", autocompletion=_clusters)],
    file: File = _MESH,
) -> None:
    """Add sidecars to manifests, for classic clusters with manual injection. Runs istioctl kube-inject of Istio 1.0."""
    with reporting(Format.TEXT, file):
        from meshc.cli.inject import inject_command

        inject_command(manifest, cluster, file)


@app.command(epilog="Examples: meshc vendor && git add charts charts.lock.yaml")
def vendor(file: File = _MESH) -> None:
    """Pull Istio's charts into the repository and pin them in charts.lock.yaml: the only command that fetches any."""
    with reporting(Format.TEXT, file):
        from meshc.cli.vendor import vendor_command

        vendor_command(file)


@app.command(epilog="Examples: meshc values hub   |   meshc values edge-1 --chart istiod > values.yaml")
def values(
    cluster: Annotated[str, typer.Argument(metavar="CLUSTER", help="The cluster.", autocompletion=_clusters)],
    chart: Annotated[str | None, typer.Option("--chart", help="Only this chart, by its name or release.")] = None,
    file: File = _MESH,
) -> None:
    """Print the Helm values of a cluster, for installing its charts by other means."""
    with reporting(Format.TEXT, file):
        from meshc.cli.values import values_command

        values_command(cluster, chart, file)


@app.command(epilog="Examples: meshc schema > mesh.schema.json   |   meshc schema --markdown")
def schema(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="As a reference to read, in place of JSON Schema.")
    ] = False,
) -> None:
    """Print the JSON Schema of mesh.yaml, for editors."""
    from meshc.cli.schema import schema_command

    schema_command(markdown)


app.add_typer(ca.app)
app.add_typer(secrets.app)
app.add_typer(capture.app)


@app.command(
    epilog="Examples: meshc doctor   |   meshc doctor edge-1 --context edge-1=gke_shop_edge   |   meshc doctor --local"
)
def doctor(
    cluster: Annotated[
        list[str] | None, typer.Argument(metavar="[CLUSTER]...", help="Default: all.", autocompletion=_clusters)
    ] = None,
    local: Annotated[bool, typer.Option("--local", help="Look at this machine only: which tools are there.")] = False,
    context: Contexts = None,
    kubeconfig: Kubeconfig = None,
    timeout: Timeout = 30,
    file: File = _MESH,
    form: Form = Format.TEXT,
) -> None:
    """Ask living clusters whether they still are as the repository says: reached, addresses, credentials, CAs.

    Changes nothing. Exit 1 where something differs, 4 where a cluster can't be asked.
    """
    with reporting(form, file):
        if local:
            from meshc.cli.doctor import doctor_command

            doctor_command(file, form)
            return
        from meshc.cli.doctor_live import live_command

        live_command(file, cluster or [], context or [], kubeconfig, timeout, form)


@app.command(
    epilog="Examples: meshc adopt --from dumps   (dumps/<cluster>/*.yaml)   |   meshc adopt --from dumps --diff   |   "
    "meshc adopt --context hub=gke_shop_hub --context edge-1"
)
def adopt(
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="DIR", help="A folder for each cluster, with dumps or a GitOps tree."),
    ] = None,
    context: Annotated[
        list[str] | None,
        typer.Option("--context", metavar="CLUSTER[=CONTEXT]", help="Living clusters in place of a folder."),
    ] = None,
    difference: Annotated[
        bool, typer.Option("--diff", help="Compare what runs with what meshc would apply. Writes nothing.")
    ] = False,
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="With --context: Istio's.")] = "istio-system",
    kubeconfig: Kubeconfig = None,
    timeout: Timeout = 60,
    file: File = _MESH,
) -> None:
    """Write a first mesh.yaml from the objects of clusters that run already.

    Dumps: kubectl get ns,svc,deploy,cm,secret,endpointslices,nodes -A -o yaml > dumps/CLUSTER/all.yaml
    """
    with reporting(Format.TEXT, file):
        from meshc.cli.adopt import adopt_command

        adopt_command(file, source, context or [], kubeconfig, timeout, namespace, difference)


@app.command(epilog="Examples: meshc init mesh   |   meshc init .   |   meshc init old --generation classic")
def init(
    directory: Annotated[Path, typer.Argument(help="Where to put the new mesh; made if it isn't there.")],
    generation: Annotated[
        Generation, typer.Option(help="istiod: Istio 1.24 and later. classic: Istio 1.0.")
    ] = Generation.ISTIOD,
    topology: Annotated[
        Topology, typer.Option(help="primary-remote: a primary and a remote. single-cluster: a primary, to grow from.")
    ] = Topology.PRIMARY_REMOTE,
) -> None:
    """Start a new mesh: a mesh.yaml that compiles, with comments, and the Git settings that go with it."""
    with reporting(Format.TEXT):
        from meshc.cli.init import init_command

        init_command(directory, generation, topology)


def run() -> None:
    """The entry point: everything that isn't the user's fault ends in a report of a bug, exit 70."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by whoever started us: what is said goes nowhere
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except (ReaderGoneError, BrokenPipeError):
        sys.stderr.close()
        os._exit(_PIPE_CLOSED)
    except OSError as error:
        sys.stderr.write(f"error: cannot write the result: {error.strerror}\n")
        os._exit(Exit.TOOL)
    except Exception as error:
        sys.exit(bug(error))


_PIPE_CLOSED = 128 + 13  # as a shell tells SIGPIPE: the reader went away
