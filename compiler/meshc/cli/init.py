"""`meshc init`: creates a mesh that compiles, for the user to edit."""

from __future__ import annotations

import shlex
from pathlib import Path

from meshc.cli.report import tell
from meshc.commands.first_mesh import Generation, Topology
from meshc.commands.init import started


def init_command(directory: Path, generation: Generation, topology: Topology, name: str) -> None:
    """Writes the files, and prints their names and the next step."""
    made = started(directory, generation, topology, name)
    for path in made.files:
        tell(f"wrote {(directory / path).as_posix()}")
    if made.attributes:
        tell("there is a .gitattributes; add to it:")
    for line in made.attributes:
        tell(f"  {line}")
    folder = directory.as_posix()
    where = "" if directory == Path() else f"cd {shlex.quote(f'./{folder}' if folder[0] == '-' else folder)} && "
    if topology.needs_ca:
        tell("next:")
        for line in (
            "write the public age key of each cluster's Flux into mesh.yaml, at the cluster's secrets.recipients",
            f"{where}meshc ca init --key-out ~/root.key",
            "meshc ca issue --root-key ~/root.key",
            "meshc compile",
        ):
            tell(f"  {line}")
    else:
        tell(f"next: {where}meshc compile")
