"""Connects to live clusters with the user's contexts, and queries them in parallel."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from meshc.capture.ask import Api
from meshc.capture.connect import connect, servers
from meshc.capture.contexts import contexts, kept
from meshc.capture.in_parallel import at_once
from meshc.capture.trouble import AskError, Trouble
from meshc.commands.listener import Listener
from meshc.disk.named import read_named
from meshc.disk.repository import enclosing
from meshc.errors import RefusedError, UsageError
from meshc.plain import plain
from meshc.plan.ir import Plan

Answer = TypeVar("Answer")
Leave = Callable[[str], None]
"""Asks a person for permission to change something in a live cluster. Raises UsageError without a permission."""


def refuse(what: str) -> None:
    """Permits no change: for commands that only read. Raises UsageError."""
    raise UsageError(f"nobody permitted this: {what}")


@dataclass(frozen=True, slots=True)
class Reach:
    """How to reach live clusters: the contexts that the user named, and the timeout for each cluster.

    `leave` asks a person before something in a cluster is changed.
    """

    contexts: Sequence[str]
    kubeconfig: Path | None
    seconds: float
    leave: Leave = refuse


@dataclass(frozen=True, slots=True)
class LiveClusters:
    """Live clusters, each with its context."""

    contexts: Mapping[str, str]
    reach: Reach

    def api(self, name: str) -> Api:
        """The API server of one cluster. Raises AskError, UsageError."""
        return connect(name, self.contexts[name], self.reach.kubeconfig, self.reach.seconds)

    def ask(
        self, names: Sequence[str], question: Callable[[Api], Answer], listener: Listener
    ) -> list[Answer | AskError]:
        """The answer of each cluster, or the error. Queries all clusters in parallel, and each answer is a step."""

        def one(name: str) -> Answer | AskError:
            try:
                return question(self.api(name))
            except AskError as error:
                return error

        def late(name: str) -> Answer | AskError:
            return AskError(
                Trouble.SLOW, f"{name}: nothing within {self.reach.seconds:g} s; maybe its login waits for input"
            )

        with listener.steps("asking", len(names)) as step:
            return at_once(names, one, late, self.reach.seconds, step)


def live_clusters(base: Path, plan: Plan, names: Sequence[str], reach: Reach) -> LiveClusters:
    """The clusters of a mesh by their contexts. `base` is the folder of mesh.yaml.

    Raises UsageError, and RefusedError for a file of contexts in the repository.
    """
    told = _told(names, reach.contexts)
    known = {} if told.keys() >= set(names) else servers(reach.kubeconfig)
    found = contexts([plan.cluster(name) for name in names], told, _kept(base, plan), known)
    return LiveClusters(found, reach)


def _kept(base: Path, plan: Plan) -> dict[str, str]:
    file = _configuration() / "meshc" / "contexts.yaml"
    if not file.exists():
        return {}
    if file.resolve().is_relative_to(enclosing(base.resolve())):  # a branch could then choose the user's clusters
        raise RefusedError(
            f'"{plain(str(file))}" is in the repository, where a branch can write it, so it is not read',
            "set HOME or XDG_CONFIG_HOME to a folder outside of the repository",
        )
    return kept(read_named(file), plan.mesh, [cluster.name for cluster in plan.clusters])


def _configuration() -> Path:
    """The user's configuration folder, as the XDG Base Directory Specification defines it."""
    named = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    return named if named.is_absolute() else Path.home() / ".config"


def _told(names: Sequence[str], words: Sequence[str]) -> dict[str, str]:
    """The contexts on the command line. A context without a cluster is for the only cluster. Raises UsageError."""
    found: dict[str, str] = {}
    for word in words:
        name, told, context = word.partition("=")
        if told and name in names:
            found[name] = context
        elif len(names) == 1:
            found[names[0]] = word
        else:
            hint = f"--context CLUSTER=CONTEXT, with a cluster out of: {', '.join(names)}"
            raise UsageError(f'it isn\'t told whose context "{plain(word)}" is', hint)
    return found


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds_in(duration: str) -> int:
    """`8760h` in seconds. Raises UsageError."""
    match = re.fullmatch(r"(\d{1,6})([smhd])", duration)
    if match is None or int(match[1]) * _UNITS[match[2]] < 600:
        raise UsageError(f'"{plain(duration)}" is no time such as 8760h or 90d, of ten minutes at least')
    return int(match[1]) * _UNITS[match[2]]
