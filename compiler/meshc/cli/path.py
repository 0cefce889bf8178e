"""`meshc path`: shows the route of a call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from meshc.cli.progress import TERMINAL
from meshc.cli.report import show_result, tell
from meshc.commands.opened import Opened
from meshc.commands.path import path
from meshc.plain import plain

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.cli.report import Format
    from meshc.plan.route import End, Route


def path_command(file: Path, caller: str, service: str, without: Sequence[str], form: Format) -> None:
    """Prints the clusters that answer and the route to each, or why none answers."""
    found = path(Opened(file, listener=TERMINAL), caller, service, without)
    if form.is_document:
        show_result(form, "path", _data(found))
        return
    for line in lines(found):
        tell(plain(line))


def _data(found: Route) -> dict[str, Any]:
    ends = [
        {"signedBy" if key == "signed_by" else key: value for key, value in asdict(end).items()} for end in found.ends
    ]
    told = {"controlPlanes" if key == "control_planes" else key: value for key, value in asdict(found).items()}
    return {**told, "ends": ends}


def lines(route: Route) -> Iterator[str]:
    """The route as text."""
    yield f"{route.host} from {route.caller}"
    yield f"  name       {route.resolves or 'resolves to nothing'}"
    if route.ends:
        yield f"  told by    {', '.join(route.control_planes)}"
    for end in route.ends:
        yield f"  {end.cluster:<10} {_way(end)}"
    if route.why:
        yield f"  no answer  {route.why}"
    for remark in route.remarks:
        yield f"  note       {remark}"


def _way(end: End) -> str:
    if end.why:
        return f"doesn't answer: {end.why}"
    way = f"through {' or '.join(end.gateways)}" if end.gateways else "its pods directly"
    return f"{way}, {end.transport}" + (f", by {end.signed_by}" if end.transport == "mutual TLS" else "")
