"""`meshc compile`: prints what was written, or that there was nothing to do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from meshc.cli.pending import grouped
from meshc.cli.progress import TERMINAL
from meshc.cli.report import Format, paint, show_problems, show_result, tell
from meshc.commands.compile import Done, Order, compile_and_write
from meshc.plain import count, plain

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.commands.clusters import Choice
    from meshc.output.link import Link

_SHOWN = 12


def compile_command(file: Path, choice: Choice, jobs: int | None, link: Link, form: Format, *, cached: bool) -> None:
    """Compiles, and shows what was done. Raises MeshcError as `compile_and_write` does."""
    done = compile_and_write(file, Order(choice, jobs, link, cached), TERMINAL)
    if form.is_document:
        _show_document(form, done)
        return
    _show(done)
    show_problems(done.told.problems, form, file)


def _show_document(form: Format, done: Done) -> None:
    show_result(
        form,
        "compile",
        {
            "mesh": done.told.mesh,
            "written": done.written,
            "unchanged": done.unchanged,
            "removed": done.removed,
            "pending": done.told.pending,
            "delivery": done.delivery or None,
            "byKustomize": done.told.by_kustomize,
            "files": done.told.files,
        },
        done.told.problems,
    )


def _show(done: Done) -> None:
    told = done.told
    clusters = len(done.written) + len(done.unchanged)
    tell(f"compiled {told.mesh}: {count(clusters, 'cluster')}, {count(told.files, 'file')}")
    for name, colour, entries in (
        ("written", "green", done.written),
        ("unchanged", "white", done.unchanged),
        ("removed", "yellow", done.removed),
        ("pending", "cyan", tuple(grouped(told.pending))),
    ):
        if entries:
            joint = "\n             " if name == "pending" else ", "
            capped = len(entries) > _SHOWN and name != "pending"
            shown = [*entries[:_SHOWN], f"and {len(entries) - _SHOWN} more"] if capped else entries
            tell(f"  {paint(f'{name:<10}', colour, sys.stdout)} {joint.join(map(plain, shown))}")
    if told.by_kustomize:
        built = f"{count(len(told.by_kustomize), 'overlay')} built because of your patches, resources or components"
        tell(f"  {paint('kustomize ', 'white', sys.stdout)} {built}")
    reasons = dict.fromkeys(why for _, why in told.whole)
    for why in reasons:
        names = [name for name, reason in told.whole if reason == why]
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        tell(f"             built whole: {', '.join(map(plain, names[:_SHOWN]))}{more}: {why}")
    if done.delivery:
        engine = f"{told.engine}, " if told.engine else ""
        tell(f"  {paint('delivery  ', 'white', sys.stdout)} {engine}{done.delivery}")
