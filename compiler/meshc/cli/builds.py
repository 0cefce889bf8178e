"""The commands that compile: init, compile, check, diff, report, verify, publish."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from meshc.cli.ca import FailOn
from meshc.cli.diff_options import DiffFailOn, DiffFormat
from meshc.cli.options import Clusters, File, Form, Jobs, Labels, branches, choice_of, commits
from meshc.cli.report import Format, reporting
from meshc.commands.find_mesh import MESH
from meshc.commands.first_mesh import FIRST_NAME, Generation, Topology
from meshc.output.link import Link

app = typer.Typer()

Linked = Annotated[
    Link, typer.Option("--link", help="auto: run kustomize only for overlays with files of yours; kustomize: for all.")
]
Cached = Annotated[bool, typer.Option("--cache/--no-cache", help="Reuse results of earlier runs, and store new ones.")]


_Base = Annotated[
    str | None,
    typer.Option(
        "--base",
        help="Also check that clusters with the roots of this commit can switch to the current roots.",
        autocompletion=commits,
    ),
]
_Against = Annotated[
    str | None,
    typer.Option(
        "--against", help="A folder or a commit with the output to compare, instead of output/.", autocompletion=commits
    ),
]
_Explain = Annotated[bool, typer.Option("--explain", help="Build every overlay that differs, to find manual edits.")]
_Repo = Annotated[str | None, typer.Option("--repo", help="A deploy repository: the top of a work tree, or a URL.")]
_Branch = Annotated[
    str | None,
    typer.Option(
        "--branch",
        help="The branch; default: the current branch, or the URL's default branch.",
        autocompletion=branches,
    ),
]
_Folder = Annotated[
    str | None,
    typer.Option("--path", help="The folder for overlays/ and output/; default: mesh.yaml's folder, or the top."),
]


@app.command(
    epilog="Examples: meshc init mesh   |   meshc init . --name shop   |   meshc init old --generation classic"
)
def init(
    directory: Annotated[Path, typer.Argument(help="The folder for the new mesh; created if it doesn't exist.")],
    generation: Annotated[
        Generation, typer.Option(help="istiod: Istio 1.24 and later. classic: Istio 1.0.")
    ] = Generation.ISTIOD,
    topology: Annotated[
        Topology,
        typer.Option(
            help="primary-remote: a primary and a remote. multi-primary: two primaries in two networks. "
            "single-cluster: one primary."
        ),
    ] = Topology.PRIMARY_REMOTE,
    name: Annotated[str, typer.Option(metavar="NAME", help="The name of the mesh.")] = FIRST_NAME,
) -> None:
    """Start a new mesh: write a mesh.yaml with comments, ready to compile, and the Git settings for it."""
    with reporting(Format.TEXT):
        from meshc.cli.init import init_command

        init_command(directory, generation, topology, name)


@app.command(
    "compile",
    epilog="Examples: meshc compile   |   meshc compile -c 'edge-*'   |   meshc compile -l env=prod",
)
def compile_(
    file: File = MESH,
    cluster: Clusters = None,
    selector: Labels = None,
    jobs: Jobs = None,
    link: Linked = Link.AUTO,
    cached: Cached = True,
    form: Form = Format.TEXT,
) -> None:
    """Write overlays/ and output/ for every cluster: all files, or none."""
    with reporting(form, file, "compile"):
        from meshc.cli.compile import compile_command

        compile_command(file, choice_of(cluster, selector), jobs, link, form, cached=cached)


@app.command(epilog="Examples: meshc check   |   meshc check --format github   (exit 1 where something is stale)")
def check(
    file: File = MESH,
    cluster: Clusters = None,
    selector: Labels = None,
    jobs: Jobs = None,
    form: Form = Format.TEXT,
    base: _Base = None,
    against: _Against = None,
    difference: Annotated[bool, typer.Option("--diff", help="Also show the objects that differ.")] = False,
    explain: _Explain = False,
    link: Linked = Link.AUTO,
    cached: Cached = True,
    fail_on: Annotated[
        FailOn | None, typer.Option("--fail-on", help="Exit 1 if a CA, a root or a token expires soon.")
    ] = None,
) -> None:
    """Check that overlays/ and output/ are what compile would write. Writes nothing."""
    with reporting(form, file, "check"):
        from meshc.cli.up_to_date import show_record
        from meshc.commands.last_run import known_in_step

        asked_more = base is not None or against is not None or difference or bool(cluster or selector)
        if not asked_more and (known := known_in_step(file, link, cached=cached)):
            show_record(known, file, form)
            return
        from meshc.cli.check import check_command
        from meshc.commands.check import Wanted

        wanted = Wanted(jobs, link, base, against, explain, choice_of(cluster, selector))
        fail = fail_on is not None
        check_command(file, wanted, form, difference=difference, fail_on_expiring=fail, cached=cached)


@app.command(
    epilog="Examples: meshc diff   |   meshc diff --base main   |   meshc diff --format markdown > comment.md   |   "
    "meshc diff --fail-on danger"
)
def diff(
    file: File = MESH,
    cluster: Clusters = None,
    selector: Labels = None,
    base: Annotated[
        str | None,
        typer.Option(
            "--base",
            help="A commit; default: the published output, else where this branch left the default branch.",
            autocompletion=commits,
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option("--against", help="A folder or a commit with the output to compare with.", autocompletion=commits),
    ] = None,
    form: Annotated[DiffFormat, typer.Option("--format", help="How the difference is written.")] = DiffFormat.TEXT,
    summary: Annotated[
        bool, typer.Option("--summary", help="Also append the Markdown to the file in GITHUB_STEP_SUMMARY.")
    ] = False,
    fail_on: Annotated[DiffFailOn | None, typer.Option("--fail-on", help="Exit 1 only if there is a danger.")] = None,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit 0 even if something differs.")] = False,
    jobs: Jobs = None,
    cached: Cached = True,
) -> None:
    """Show which objects change in which clusters, and the dangers of the change. Writes nothing."""
    with reporting(Format.TEXT if form is DiffFormat.MARKDOWN else Format(form), file, "diff"):
        from meshc.cli.diff import diff_command

        choice = choice_of(cluster, selector)
        diff_command(file, base, against, choice, form, summary, fail_on, exit_zero, jobs, cached=cached)


@app.command(epilog="Examples: meshc report -o mesh.html   |   meshc report -o mesh.html --base main")
def report(
    to: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FILE", allow_dash=True, help="The file for the page; - is standard output."
        ),
    ] = Path("report.html"),
    file: File = MESH,
    base: Annotated[str | None, typer.Option("--base", help="Also show the changes since this commit.")] = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against", help="Also show the changes from the output in this folder or commit.", metavar="DIR|REF"
        ),
    ] = None,
    jobs: Jobs = None,
    cached: Cached = True,
) -> None:
    """Write one HTML page: clusters, next steps, trust, services, calls, sealed files, problems, and what changes."""
    with reporting(Format.TEXT, file):
        from meshc.cli.page_command import page_command

        page_command(file, to, base, against, jobs, cached=cached)


@app.command(epilog="Examples: meshc verify   |   meshc verify --sample 10   (exit 1 where a byte differs)")
def verify(
    file: File = MESH,
    cluster: Clusters = None,
    selector: Labels = None,
    sample: Annotated[
        int | None, typer.Option("--sample", min=1, help="Compare only this many clusters, spread over the mesh.")
    ] = None,
    jobs: Jobs = None,
    form: Form = Format.TEXT,
) -> None:
    """Compare the files that meshc renders without kustomize with kustomize's output. Writes nothing."""
    with reporting(form, file, "verify"):
        from meshc.cli.verify import verify_command

        verify_command(file, choice_of(cluster, selector), sample, jobs, form)


@app.command(
    epilog="Examples: meshc publish   |   meshc publish --branch deploy --push   |   "
    "meshc publish --repo git@git.example.com:mesh/deploy.git --path prod"
)
def publish(
    file: File = MESH,
    repo: _Repo = None,
    branch: _Branch = None,
    path: _Folder = None,
    push: Annotated[
        bool | None, typer.Option("--push/--no-push", help="Also push the branch. With a URL, meshc always pushes.")
    ] = None,
    remote: Annotated[
        str, typer.Option("--remote", metavar="REMOTE|URL", help="Where --push goes: a remote's name, or a URL.")
    ] = "origin",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be committed, and commit nothing.")
    ] = False,
    allow_dirty: Annotated[
        bool,
        typer.Option("--allow-dirty", help="Publish although inputs aren't committed; the commit message says so."),
    ] = False,
    allow_older: Annotated[
        bool, typer.Option("--allow-older", help="Replace output that was compiled from a later commit.")
    ] = False,
    cluster: Clusters = None,
    selector: Labels = None,
    jobs: Jobs = None,
    form: Form = Format.TEXT,
) -> None:
    """Compile in memory and commit overlays/ and output/: here, to another branch, or to a deploy repository.

    Without options, delivery.publish in mesh.yaml gives the repository, the branch and the folder.
    """
    with reporting(form, file, "publish"):
        from meshc.cli.publish import publish_command
        from meshc.commands.publish import Order
        from meshc.publish.job import Wanted

        order = Order(
            Wanted(repo, branch, path, push, remote), dry_run, allow_dirty, allow_older, choice_of(cluster, selector)
        )
        publish_command(file, order, jobs, form)
