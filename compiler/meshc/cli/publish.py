"""`meshc publish`: commits the compiled trees, and prints what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.cli.progress import TERMINAL
from meshc.cli.report import Format, paint, say, show_problems, show_result, tell
from meshc.commands.publish import Order, Published, published
from meshc.plain import plain

if TYPE_CHECKING:
    from pathlib import Path


def publish_command(file: Path, order: Order, jobs: int | None, form: Format) -> None:
    """Compiles in memory, as `check` does, and commits the result to the target branch."""
    found = published(file, order, jobs, TERMINAL)
    if form.is_document:
        _show_document(form, found, order)
        return
    where = f"{found.target}{f', below {found.path}/' if found.path else ''}"
    if not found.done.differs:
        tell(f"nothing to commit: {plain(where)} is up to date")
    else:
        did = "would commit to" if order.dry else f"committed {found.done.commit[:12]} to"
        tell(f"{did} {'the new branch ' if found.done.new_branch else ''}{plain(where)}")
        for line in found.done.message.splitlines():
            tell(f"  {plain(line)}".rstrip())
    for note in found.notes:
        say(f"{paint('notice', 'cyan')}: {plain(note)}")
    show_problems(found.problems, form, file)


def _show_document(form: Format, found: Published, order: Order) -> None:
    show_result(
        form,
        "publish",
        {
            "mesh": found.mesh,
            "target": found.target,
            "branch": found.branch,
            "newBranch": found.done.new_branch,
            "path": found.path,
            "source": found.source,
            "differs": found.done.differs,
            "commit": found.done.commit,
            "message": found.done.message,
            "dryRun": order.dry,
            "notes": found.notes,
        },
        found.problems,
    )
