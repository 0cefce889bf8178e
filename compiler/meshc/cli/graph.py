"""`meshc graph`: draws the mesh as a picture that Git hosts render."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.cli.progress import TERMINAL
from meshc.cli.report import tell
from meshc.commands.compiling import compiled_unrendered
from meshc.commands.focus import Focus
from meshc.commands.opened import Opened
from meshc.plan.picture.mermaid import mermaid
from meshc.plan.picture.views import view_of

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.commands.clusters import Choice
    from meshc.plan.picture.views import View


def graph_command(file: Path, choice: Choice, view: View, markdown: bool) -> None:
    """Prints the flowchart; with `markdown`, as a code block."""
    plan = compiled_unrendered(Opened(file, listener=TERMINAL)).plan
    focus = Focus.on(plan, choice)
    if focus.left:
        TERMINAL.note(f"  note: {focus.left}, but for those that the others deal with")
    picture = view_of(plan, view)
    text = mermaid(picture if focus.whole else picture.around(focus.names), plan.networks).rstrip("\n")
    tell(f"```mermaid\n{text}\n```" if markdown else text)
