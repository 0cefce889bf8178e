"""`meshc report`: writes an HTML page about the mesh."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from meshc.cli.page.render import MARK, broken_page_of, page_of
from meshc.cli.progress import TERMINAL
from meshc.cli.report import Format, show_problems, tell, tell_bytes
from meshc.commands.opened import Opened
from meshc.commands.report import broken, report
from meshc.disk.page import write_page
from meshc.disk.repository import Repository
from meshc.errors import ProblemsError, UsageError
from meshc.output.trees import OUTPUT, OVERLAYS
from meshc.plain import count


def page_command(
    file: Path, to: Path, base: str | None, against: str | None, jobs: int | None, *, cached: bool
) -> None:
    """Writes the page, or prints it if `to` is -. Raises UsageError if both bases are named, and ProblemsError if the
    mesh doesn't compile: the page then shows the problems."""
    if base is not None and against is not None:
        raise UsageError(
            "--base is a commit of this repository, --against the folder or commit of its output: name one of them"
        )
    _stop_in_generated(to, file)
    now, opened = datetime.now(UTC), None
    try:
        opened = Opened(file, Repository.around(file.parent, cached=cached), listener=TERMINAL)
        found = report(opened, base, against, jobs, now)
    except ProblemsError as error:
        page = broken_page_of(broken(opened, error.problems, now), opened.source.name if opened else file.name)
        _write(to, page, count(len(error.problems), "problem"))
        raise
    show_problems(found.compiled.problems, Format.TEXT, file)
    _write(to, page_of(found, opened.source.name), count(len(found.compiled.plan.clusters), "cluster"))


def _write(to: Path, page: str, holds: str) -> None:
    data = page.encode()
    if to == Path("-"):
        tell_bytes(data)
        return
    write_page(to, data, MARK.encode())
    tell(f"{to}: {holds}, {len(data) / 1000:,.0f} kB")


def _stop_in_generated(to: Path, file: Path) -> None:
    """Raises UsageError for a page in a folder that meshc generates: the next compile would refuse the folder."""
    folder = to.parent.resolve()
    for tree in (OVERLAYS, OUTPUT):
        if to != Path("-") and folder.is_relative_to(file.parent.resolve() / tree):
            raise UsageError(
                f'"{to}" is in {tree}/, where only meshc\'s own files may be', "name a file elsewhere with -o"
            )
