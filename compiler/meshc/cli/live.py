"""live turns words of the command line into the contexts of clusters, and into leave to change something in one."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer

from meshc.capture.ask import Api, connect, servers
from meshc.capture.contexts import contexts, kept
from meshc.cli.report import say
from meshc.disk.named import read_named
from meshc.disk.repository import enclosing
from meshc.errors import RefusedError, UsageError
from meshc.plain import plain
from meshc.plan.ir import Plan


def contexts_of(
    base: Path, plan: Plan, names: Sequence[str], words: Sequence[str], kubeconfig: Path | None
) -> dict[str, str]:
    """The context of each cluster. Raises UsageError, and RefusedError for a file of contexts in the repository."""
    told = _told(names, words)
    known = {} if told.keys() >= set(names) else servers(kubeconfig)
    return contexts([plan.cluster(name) for name in names], told, _kept(base, plan), known)


def _kept(base: Path, plan: Plan) -> dict[str, str]:
    file = _configuration() / "meshc" / "contexts.yaml"
    if not file.exists():
        return {}
    if file.resolve().is_relative_to(enclosing(base.resolve())):  # a branch would choose among the user's clusters
        raise RefusedError(
            f'"{plain(str(file))}" lies in the repository, where a branch can write it, so it is not read',
            "set HOME or XDG_CONFIG_HOME to a folder outside of the repository",
        )
    return kept(read_named(file), plan.mesh, [cluster.name for cluster in plan.clusters])


def _configuration() -> Path:
    """The user's configuration folder, as the XDG Base Directory Specification defines it."""
    named = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    return named if named.is_absolute() else Path.home() / ".config"


def _told(names: Sequence[str], words: Sequence[str]) -> dict[str, str]:
    """What the command line says. A word without a cluster is for the only one. Raises UsageError."""
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


def chosen(plan: Plan, names: Sequence[str]) -> list[str]:
    """The clusters by name; all of them where none is named. Raises UsageError."""
    known = [cluster.name for cluster in plan.clusters]
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f'there is no cluster "{plain(unknown[0])}"', f"clusters: {', '.join(known)}")
    return [name for name in known if name in names] or known


def opened_api(name: str, contexts: Mapping[str, str], kubeconfig: Path | None, seconds: float) -> Api:
    """The API server of one cluster. Raises AskError, UsageError."""
    return connect(name, contexts[name], kubeconfig, seconds)


def stop_unless_allowed(what: str, yes: bool) -> None:
    """Announces a change of a living cluster; asks on a terminal, and off one wants --yes. Raises UsageError."""
    say(f"  {what}")
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("this changes something in a living cluster, and nobody is here to be asked", "--yes")
    if not typer.confirm("go on?", err=True):
        raise UsageError("nothing was made")


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds_in(duration: str) -> int:
    """`8760h` in seconds. Raises UsageError."""
    match = re.fullmatch(r"(\d{1,6})([smhd])", duration)
    if match is None or int(match[1]) * _UNITS[match[2]] < 600:
        raise UsageError(f'"{plain(duration)}" is no time such as 8760h or 90d, of ten minutes at least')
    return int(match[1]) * _UNITS[match[2]]
