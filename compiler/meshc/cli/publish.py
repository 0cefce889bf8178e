"""`meshc publish`: commits what would be compiled, and says what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.cli.progress import TERMINAL
from meshc.cli.report import Format, as_json, paint, say, show_json, show_problems, tell
from meshc.commands.begin import begin_reading
from meshc.commands.compiling import compiled_whole, rendered_whole
from meshc.commands.opened import Opened
from meshc.disk.repository import Repository
from meshc.disk.scratch import clear_leftovers
from meshc.output.trees import VERSIONS, expected_tree, versions_file
from meshc.plain import plain
from meshc.publish.deliver import Content, Delivered, deliver
from meshc.publish.inputs import Watched
from meshc.publish.job import Job, Wanted, opened
from meshc.tree import FileTree

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.pipeline import Compiled


def publish_command(
    file: Path, wanted: Wanted, jobs: int | None, form: Format, *, dry: bool, dirty: bool, older: bool
) -> None:
    """Compiles in memory, as `check` does, and commits the result to the branch that is wanted."""
    clear_leftovers()
    watched = Watched.over(Repository.around(file.parent))
    begin_reading(watched)
    with opened(wanted, watched) as job:
        mesh = Opened(file, watched, listener=TERMINAL)
        compiled = compiled_whole(mesh)
        rendered = rendered_whole(mesh, compiled, jobs)
        compiled = compiled.with_problems(rendered.problems)
        tree = expected_tree(compiled.layout, rendered.trees, compiled.delivery)
        kustomize, name = mesh.kustomize.version, compiled.plan.mesh
        tree = FileTree.join(tree, {VERSIONS: versions_file(kustomize, name)})
        content = Content(tree, name, str(kustomize), job.source(dirty=dirty))
        done = deliver(content, job.target, job.path, job.shop, dry=dry, older=older)
        _summary(compiled, content, job, done, form, dry)
    if form is not Format.JSON:
        show_problems(compiled.problems, form, file)


def _summary(compiled: Compiled, content: Content, job: Job, done: Delivered, form: Format, dry: bool) -> None:
    notes = [*job.target.notes, *done.notes]
    if form is Format.JSON:
        show_json(
            {
                "mesh": content.mesh,
                "target": str(job.target),
                "branch": job.target.branch,
                "newBranch": done.new_branch,
                "path": job.path,
                "source": content.source,
                "differs": done.differs,
                "commit": done.commit,
                "message": done.message,
                "dryRun": dry,
                "notes": notes,
                "problems": [as_json(problem) for problem in compiled.problems],
            }
        )
        return
    where = f"{job.target}{f', below {job.path}/' if job.path else ''}"
    if not done.differs:
        tell(f"nothing to commit: {plain(where)} is in step")
    else:
        did = "would commit to" if dry else f"committed {done.commit[:12]} to"
        tell(f"{did} {'the new branch ' if done.new_branch else ''}{plain(where)}")
        for line in done.message.splitlines():
            tell(f"  {plain(line)}".rstrip())
    for note in notes:
        say(f"{paint('notice', 'cyan')}: {plain(note)}")
