"""Prints the results of the `meshc secrets` commands: sealed files, who can open them, what is stale."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from meshc.cli.alike import alike, files
from meshc.cli.progress import TERMINAL
from meshc.cli.report import Format, say, show_result, tell, warn
from meshc.cli.table import Line, show_table
from meshc.commands.accepting import accept
from meshc.commands.focus import Focus
from meshc.commands.rewrap import rewrapped
from meshc.commands.seal import Wanted, sealed
from meshc.commands.secrets_status import owners, standings
from meshc.commands.user_inputs import read_given
from meshc.commands.work import opened_work
from meshc.hidden import Hidden
from meshc.plain import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshc.commands.clusters import Choice


def seal_command(file: Path, source: Path, wanted: Wanted) -> None:
    """Seals the input for every cluster that needs it."""
    done = sealed(opened_work(file, TERMINAL, writes=True), Hidden(read_given(source, TERMINAL)), wanted)
    for each in done.owed:
        say(f"  {each}")
    for warning in done.warnings:
        warn(warning)
    for path in done.changed:
        tell(f"wrote {path}")
    tell("next: meshc compile")


def accept_command(file: Path, path: Path, source: Path | None) -> None:
    """Writes the output of `kubeseal --re-encrypt` into one sealed file."""
    work = opened_work(file, TERMINAL, writes=True)
    given = read_given(source, TERMINAL) if source else None
    accepted = accept(work, path, given, file.parent, datetime.now(UTC))
    tell(f"wrote {accepted.path}" if accepted.changed else f"{accepted.path} has this ciphertext already")
    tell("meshc can't decrypt it: check in the cluster that the controller can; next: meshc compile")


def status_command(file: Path, choice: Choice, form: Format) -> None:
    """Prints one row for each needed Secret. Decrypts nothing."""
    work = opened_work(file, TERMINAL, writes=False)
    focus = Focus.on(work.plan, choice)
    if focus.left:
        say(f"  note: {focus.left}")
    found = standings(work, datetime.now(UTC))
    rows = [row for row in found if focus.whole or not focus.names.isdisjoint((row.cluster, *row.of))]
    if form.is_document:
        show_result(form, "secrets status", {"mesh": work.plan.mesh, "secrets": [row.as_json() for row in rows]})
        return
    whose = owners(work.plan)
    show_table(
        ("FILE", "FORM", "STATE", "OPENED BY"),
        (
            Line((files(same), same[0].form, same[0].state, whose(same[0].opened_by)), same[0].notes)
            for same in alike(rows, lambda row: row.group)
        ),
    )


def rewrap_command(file: Path, names: Sequence[str], identity: Path | None, accepted: bool) -> None:
    """Changes files to the current recipients, and shows who was added and removed."""
    work = opened_work(file, TERMINAL, writes=True)
    done = rewrapped(work, names, Hidden(read_given(identity)) if identity else None, accepted=accepted)
    for each in done:
        new = ", its ciphertext is new" if each.rotated else ""
        tell(f"rewrapped {each.path}: {len(each.added)} added, {len(each.removed)} removed{new}")
    tell(f"{count(len(done), 'file')} rewrapped" + ("; next: meshc compile" if done else ""))
    if any(each.removed for each in done):
        say("removed recipients can still decrypt what is in Git's history: issue new CAs and make new credentials")
