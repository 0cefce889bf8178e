"""`meshc secrets scan`: searches the files of a repository for secrets in plain text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from meshc.cli.progress import TERMINAL
from meshc.cli.report import Format, show_result, tell
from meshc.commands.scan import scanned
from meshc.plain import count

if TYPE_CHECKING:
    from collections.abc import Sequence


def scan_command(paths: Sequence[Path], only_staged: bool, form: Format) -> None:
    """Raises ProblemsError, exit 5, with every place of a secret in plain text."""
    files = scanned(paths, TERMINAL, only_staged=only_staged)
    if form.is_document:
        show_result(form, "secrets scan", {"files": files})
    else:
        tell(f"no secret in plain text in {count(files, 'staged file' if only_staged else 'file')}")
