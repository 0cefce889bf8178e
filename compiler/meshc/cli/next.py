"""`meshc next`: shows the next step for each cluster."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from meshc.cli.alike import named
from meshc.cli.progress import TERMINAL
from meshc.cli.report import Format, say, show_result, tell
from meshc.cli.table import Line, show_table
from meshc.cli.trusted import of_all
from meshc.commands.focus import Focus
from meshc.commands.next import next_steps
from meshc.commands.opened import Opened
from meshc.commands.trusted import of_trust
from meshc.plain import plain
from meshc.plan.steps import grouped

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.commands.clusters import Choice


def next_command(file: Path, choice: Choice, against: str | None, jobs: int | None, form: Format) -> None:
    """Prints the steps and exits 0. Raises ProblemsError if mesh.yaml itself is wrong."""
    now = datetime.now(UTC)
    found = next_steps(Opened(file, listener=TERMINAL), against, jobs, now)
    focus = Focus.on(found.work.plan, choice)
    if focus.left:
        say(f"  note: {focus.left}")
    left = [step for step in found.steps if focus.whole or step.cluster in focus.names]
    trust = of_trust(found.work, file.name, now)
    if form.is_document:
        listed = [asdict(step) for step in left]
        mesh = found.work.plan.mesh
        domains = found.domains.as_json(now) if found.domains else None
        told = {"mesh": mesh, "steps": listed, "uncommitted": found.uncommitted, "trustDomain": domains}
        show_result(form, "next", {**told, **trust.as_json()})
        return
    show_table(
        ("CLUSTER", "STEP", "WHY, AND BY WHICH COMMAND"),
        (
            Line((named(group.clusters), group.step, f"{group.what}{f': {group.command}' if group.command else ''}"))
            for group in grouped(left)
        ),
    )
    if found.unknown:
        say(f"  note: {plain(found.unknown)}")
    if found.uncommitted is None:
        say("  note: this is no Git repository, or there is no git: what is committed isn't known")
    elif others := found.uncommitted:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        tell(f"to be committed as well: {plain(', '.join(others[:3]))}{more}")
    if any(step.step == "seal" for step in left):
        tell(_HANDED)
    for line in (*found.roots, *(found.domains.lines(now) if found.domains else ()), *of_all(trust)):
        tell(plain(line))


_HANDED = (
    "seal: meshc capture credentials CLUSTER reads the credentials from the cluster itself; "
    "meshc secrets seal - reads a kubeconfig from standard input"
)
