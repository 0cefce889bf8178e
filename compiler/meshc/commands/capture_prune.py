"""Deletes old tokens in remotes after a rotation, when no primary uses them any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshc.capture.credentials import account_of, look
from meshc.capture.resource import core
from meshc.capture.unused_tokens import in_use, leftover
from meshc.commands.clusters import Choice, chosen
from meshc.commands.live_clusters import LiveClusters, Reach, live_clusters
from meshc.commands.work import opened_work
from meshc.errors import UsageError
from meshc.issuing.given import needs_for
from meshc.issuing.rewrapping import sealed_body
from meshc.lowering import needs_of
from meshc.plain import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from meshc.commands.listener import Listener
    from meshc.issuing.work import Work
    from meshc.plan.needs import SecretNeed


@dataclass(frozen=True, slots=True)
class Pruned:
    """The Secrets of a remote that were deleted."""

    remote: str
    deleted: tuple[str, ...]


def pruned(file: Path, choice: Choice, reach: Reach, listener: Listener) -> Iterator[Pruned]:
    """Deletes old tokens, remote by remote, only if every primary of the remote has another token that the remote
    accepts.

    Raises UsageError without a permission, or if the token of classic Istio isn't known; AskError, RefusedError.
    """
    work = opened_work(file, listener, writes=False)
    if not work.plan.generation.reads_changed_secrets:
        raise UsageError(
            "pilot reads a changed secret only when it starts, so it may still use the old token",
            "restart it in every primary; then: kubectl delete secret",
        )
    remotes = chosen(work.plan, choice)
    every = {name: needs_for(needs_of(work.plan), name, None) for name in remotes}
    asked = [*remotes, *(need.cluster for needs in every.values() for need in needs)]
    clusters = live_clusters(file.parent, work.plan, chosen(work.plan, asked), reach)
    for name, needs in every.items():
        yield Pruned(name, tuple(_deleted(work, name, needs, clusters, listener)))


def _deleted(
    work: Work, name: str, needs: Sequence[SecretNeed], clusters: LiveClusters, listener: Listener
) -> Iterator[str]:
    namespace, api = work.plan.istio_namespace, clusters.api(name)
    account = look(api, namespace, account_of(work.plan.generation, work.plan.cluster(name)))
    used = []
    for need in needs:
        sealed = sealed_body(work.read(work.sealed(need.file)))
        used.append(in_use(clusters.api(need.cluster), need, name, sealed, account))
        api.as_bearer(used[-1]).version()
    ours, others = leftover(account, used)
    for token in others:
        secret = f"Secret {namespace}/{plain(token.source)}"
        listener.note(f"  {name}: no primary uses {secret}, which isn't meshc's: it stays")
    for token in ours:
        secret = f"Secret {namespace}/{plain(token.source)}"
        clusters.reach.leave(f"{name}: {secret}, whose token no primary uses, is deleted")
        api.delete(core("secrets", namespace, token.source), token.uid)
        yield secret
