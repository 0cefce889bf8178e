"""`meshc version`: prints the versions of meshc and Python, and the name of the system."""

from __future__ import annotations

import platform

from meshc.cli.report import Format, show_result, tell
from meshc.version import __version__


def version_command(form: Format) -> None:
    """Prints the versions. Reads no mesh."""
    told = {"meshc": __version__, "python": platform.python_version(), "system": platform.system()}
    if form.is_document:
        show_result(form, "version", told)
        return
    for name, version in told.items():
        tell(f"{name:<8} {version}")
