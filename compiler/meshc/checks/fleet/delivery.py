"""Checks `delivery`: repository URLs, the cluster that the engine runs in, and the engine's names of clusters."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from meshc import codes
from meshc.checks.fleet.clusters import meant_cluster
from meshc.mesh.model import Flux
from meshc.nearest import slip

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshc.errors import Problem
    from meshc.mesh.fleet import Fleet, Member
    from meshc.mesh.source import Source

_HOST = r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?"
_PATH = r"[A-Za-z0-9_.~][A-Za-z0-9_.~+%-]*(/[A-Za-z0-9_.~][A-Za-z0-9_.~+%-]*)*/?"
_URL = re.compile(rf"(https://|ssh://([A-Za-z0-9_][A-Za-z0-9_.-]*@)?){_HOST}(:[0-9]{{1,5}})?/{_PATH}", re.ASCII)
_SHORT = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9_.-]*@{_HOST}:{_PATH}", re.ASCII)


def delivery(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """The repository URLs are valid, and the engine runs in a cluster of the mesh."""
    wanted = fleet.mesh.spec.delivery
    if wanted is None:
        return
    at = ("spec", "delivery")
    if wanted.repo_url is not None and (fault := repository_fault(wanted.repo_url, short=wanted.engine == "argo-cd")):
        yield source.problem(codes.BAD_REPOSITORY_URL, (*at, "repoURL"), f"repoURL: {fault[0]}", fault[1])
    if wanted.publish and wanted.publish.repo and (fault := repository_fault(wanted.publish.repo, short=True)):
        path = (*at, "publish", "repo")
        yield source.problem(codes.BAD_REPOSITORY_URL, path, f"publish.repo: {fault[0]}", fault[1])
    if wanted.runs_in is not None and wanted.runs_in not in fleet.by_name:
        what = f'there is no cluster "{wanted.runs_in}"'
        hint = meant_cluster(fleet, wanted.runs_in, fleet.by_name)
        fix = slip(wanted.runs_in, fleet.by_name)
        yield source.problem(codes.UNKNOWN_CLUSTER, (*at, "runsIn"), what, hint, fix=fix)


def clusters(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Each cluster has its own name in the engine, and no cluster has a name that the engine doesn't use."""
    wanted = fleet.mesh.spec.delivery
    flux = (wanted.flux or Flux()) if wanted and wanted.engine == "flux" else None
    asked = "" if wanted is None or (flux and flux.mode == "each") else "kubeConfigSecret" if flux else "cluster"
    first: dict[str, Member] = {}
    for member in fleet:
        own = member.cluster.delivery
        said = {"cluster": own.cluster, "kubeConfigSecret": own.kube_config_secret} if own else {}
        used = "" if wanted is None or wanted.runs_in == member.name else asked
        for key in (key for key, value in said.items() if value and key != used):
            what = f"{member.name}: the engine doesn't use delivery.{key}"
            path = member.path("delivery", key)
            yield source.problem(codes.DELIVERY_NAME, path, what, _ASKS[key], key=True, clusters=(member.name,))
        if used:
            default = flux.kube_config_secret.replace("{cluster}", member.name) if flux else member.name
            name = said.get(used) or default
            other = first.setdefault(name, member)
            if other.name != member.name:
                what = f'{other.name} and {member.name} have the same name in the engine, "{name}"'
                hint = "write the name of each cluster in the engine: otherwise one of them gets the output of both"
                path, names = member.path("delivery", used), (other.name, member.name)
                yield source.problem(codes.DELIVERY_NAME, path, what, hint, clusters=names)


_ASKS = {
    "cluster": "remove it; only engine: argo-cd uses it, for clusters other than its own",
    "kubeConfigSecret": "remove it; only Flux with mode: hub uses it, for clusters other than its own",
}


def repository_fault(url: str, *, short: bool) -> tuple[str, str] | None:
    """What is wrong with this repository URL, and what to do; None if it is valid. Shows nothing that may be secret.

    `short` allows `git@host:path`. Only a plain URL is valid: git reads a leading - as an option and runs `ext::` as
    a command, and engines evaluate template text.
    """
    if _URL.fullmatch(url) or (short and _SHORT.fullmatch(url)):
        return None
    scheme, separator, rest = url.partition("://")
    if separator and "@" in rest.partition("/")[0] and (scheme != "ssh" or ":" in rest.partition("@")[0]):
        hint = (
            "remove the credentials, and replace them, as others may have read them; engines read theirs from a Secret"
        )
        return "it contains a user name, password or token", hint
    hint = "write https://host/path or ssh://git@host/path" + (", or git@host:path" if short else "")
    if "@" in url or "?" in url or "#" in url:
        if not short and _SHORT.fullmatch(url):
            user, _, path = url.partition(":")
            return "Flux doesn't accept the short form user@host:path", f"write ssh://{user}/{path}"
        return "it isn't a plain URL of a Git repository", hint
    shown = json.dumps(url[:80], ensure_ascii=False)
    if separator and scheme not in ("https", "ssh"):
        return f"{shown} is neither https:// nor ssh://", hint
    return f"{shown} isn't a plain URL of a Git repository", hint
