"""Checks that istiod can read the form in which a primary gets the credentials of other clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc import codes
from meshc.mesh.revisions import FIRST_READING_FILES, planes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from meshc.errors import Path, Problem
    from meshc.mesh.fleet import Fleet, Member
    from meshc.mesh.source import Source

_LONGEST = 253
"""The most characters that a key of a Secret may have."""


def forms(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Every control plane of a primary can read the form of its remote secrets."""
    for member in fleet.remotes:
        path = member.path("istio", "remoteSecrets")
        if member.cluster.istio.remote_secrets and path[1] == "clusters":
            what = f"{member.name}: only a primary can have remoteSecrets"
            hint = "remove it: a remote has no credentials of other clusters"
            yield source.problem(codes.WRONG_ROLE, path, what, hint, key=True, clusters=(member.name,))
    mounting = [one for one in fleet.primaries if fleet.remote_secrets_of(one) != "separate" and len(fleet.members) > 1]
    for primary in mounting:
        yield from _too_old(fleet, source, primary)
    if mounting:
        yield from _too_long(fleet, source)


def _too_old(fleet: Fleet, source: Source, primary: Member) -> Iterator[Problem]:
    every = planes(fleet, primary)
    old = [one for one in every if fleet.version_of(one).line < FIRST_READING_FILES]
    form = fleet.remote_secrets_of(primary)
    if not old or (form == "both" and len(old) < len(every)):
        return
    said = f"istiod {fleet.version_of(old[0])}"
    said += f" (revision {fleet.revision_of(old[0])})" if len(every) > 1 else ""
    what = f"{primary.name}: {said} can't read mounted kubeconfigs, which Istio supports since 1.30"
    hint = "write remoteSecrets: separate; change it to mounted when no older istiod runs in the cluster"
    if form == "mounted" and len(old) < len(every):
        hint = "write remoteSecrets: both while the older istiod runs in the cluster"
    yield source.problem(codes.NO_MOUNTED, _said(primary), what, hint, clusters=(primary.name,))


def _too_long(fleet: Fleet, source: Source) -> Iterator[Problem]:
    for member in fleet:
        if len(member.id) + len(".yaml") > _LONGEST:
            what = f"{member.name}: its clusterID with .yaml has more than {_LONGEST} characters, the limit of a key"
            hint = "write remoteSecrets: separate"
            yield source.problem(codes.NO_MOUNTED, member.path("clusterID"), what, hint, clusters=(member.name,))


def _said(primary: Member) -> Path:
    if primary.cluster.istio.remote_secrets:
        return primary.path("istio", "remoteSecrets")
    return ("spec", "istio", "remoteSecrets")
