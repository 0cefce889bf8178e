"""Prints the results of the `meshc ca` commands: what was issued, what is due, what to do next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from meshc.cli.progress import TERMINAL
from meshc.cli.report import Format, say, show_result, tell, warn
from meshc.cli.table import Line, show_table
from meshc.cli.trusted import of_rotation
from meshc.commands.ca_issue import Issued, Issuing, MadeElsewhere, imported, issued
from meshc.commands.ca_root import NewRoot, made_root
from meshc.commands.ca_rotate import rotated
from meshc.commands.focus import Focus
from meshc.commands.trusted import of_trust
from meshc.commands.user_inputs import read_given
from meshc.commands.work import opened_work
from meshc.errors import Exit
from meshc.issuing.authorities import rows
from meshc.issuing.cacerts import KEY
from meshc.plain import count, plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from meshc.commands.clusters import Choice


def init_command(file: Path, wanted: NewRoot) -> None:
    """Makes a root."""
    made = made_root(opened_work(file, TERMINAL, writes=True), wanted)
    tell(f"root {made.root.subject}")
    tell(f"  fingerprint {made.root.fingerprint}")
    tell(f"  valid until {made.root.not_after:%Y-%m-%d}")
    tell(f"  certificate {made.certificate}")
    tell(f"  key         {wanted.key_out}{' (sealed by age)' if wanted.seal_to else ', mode 0600: keep it offline'}")


def issue_command(file: Path, names: Sequence[str], how: Issuing) -> None:
    """Issues the CAs that are due."""
    done = issued(opened_work(file, TERMINAL, writes=True), file.name, names, how)
    _tell(done)
    more = "next: meshc compile" if done.changed else "no CA is due; --force issues new ones all the same"
    tell(f"{count(len(done.changed), 'file')} changed; {more}")


def import_command(file: Path, name: str, files: MadeElsewhere) -> None:
    """Imports a CA that was made elsewhere."""
    done = imported(opened_work(file, TERMINAL, writes=True), file.name, name, files)
    tell(f"imported {plain(done.subject)} for {name}: {count(len(done.changed), 'file')} changed")
    for warning in done.ending:
        warn(warning)
    if done.store:
        tell(f"  put its key into the store at {done.store}, property {KEY}; it isn't in the file")
    tell("next: meshc compile")


def status_command(file: Path, choice: Choice, within: int, fail: bool, form: Format) -> None:
    """Prints the table, then CAs of removed clusters, and the wait before the next step of a root's replacement.

    With `fail_on`, exits 1 if a CA expires soon or can't be used.
    """
    work, now = opened_work(file, TERMINAL, writes=False), datetime.now(UTC)
    focus, trust = Focus.on(work.plan, choice), of_trust(work, file.name, now)
    if focus.left:
        say(f"  note: {focus.left}")
    found = [row for row in rows(work, now, within) if row.name not in focus.others]
    end = Exit.DIFFERS if fail and any(row.expiring or row.broken for row in found) else Exit.DONE
    if form.is_document:
        listed = [row.as_json() for row in found]
        show_result(form, "ca status", {"mesh": work.plan.mesh, "authorities": listed, **trust.as_json()}, end=end)
    else:
        show_table(
            ("NAME", "STATE", "UNTIL", "FINGERPRINT", "SUBJECT"),
            (
                Line((row.name, row.state, row.until, row.fingerprint[:23], row.subject), row.notes)
                for row in (*found, *trust.gone)
            ),
        )
        for line in of_rotation(trust):
            tell(plain(line))
    if end:
        raise typer.Exit(end)


def rotate_command(file: Path, new_root: Path | None, how: Issuing) -> None:
    """Takes one step of a root's replacement."""
    work = opened_work(file, TERMINAL, writes=True)
    done = rotated(work, file.name, read_given(new_root) if new_root else None, how, TERMINAL)
    if done is None:
        tell("one root, and every CA is under it: nothing to do; to replace the root: --new-root FILE")
        return
    tell(f"{done.action.value}: {count(len(done.issued.changed), 'file')} changed")
    for warning in done.ending:
        warn(warning)
    _tell(done.issued)
    for line in done.after:
        tell(line)


def _tell(done: Issued) -> None:
    for outcome in done.outcomes:
        what = f"issued ({outcome.reason})" if outcome.reason else "unchanged"
        tell(f"  {outcome.cluster:<24} {what:<40} until {outcome.not_after:%Y-%m-%d}")
    for path, outcome in done.handed.items():
        tell(f"  put {path} into the store at {outcome.store}, property {KEY}; then delete the file")
    for line in done.left:
        warn(plain(line))
