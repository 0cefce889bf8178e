"""What `meshc capture credentials --prune-tokens` does: deletes the tokens that rotations left behind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from meshc.capture.credentials import account_of, look
from meshc.capture.leftover import in_use, leftover
from meshc.capture.resource import core
from meshc.cli.ca_commands import opened_work
from meshc.cli.live import chosen, contexts_of, opened_api, stop_unless_allowed
from meshc.cli.report import say, tell
from meshc.errors import UsageError
from meshc.pipeline import needs_of
from meshc.plain import plain
from meshc.seal.given import needs_for
from meshc.seal.rewrapping import sealed_body

if TYPE_CHECKING:
    from collections.abc import Sequence


def prune_command(
    file: Path, names: Sequence[str], words: Sequence[str], kubeconfig: Path | None, timeout: float, yes: bool
) -> None:
    """Nothing goes unless every primary of the remote holds another token, which the remote takes."""
    work = opened_work(file, writes=False)
    if work.plan.generation == "classic":
        raise UsageError(
            "pilot reads a changed secret only when it starts, so it may still use the old token",
            "restart it in every primary; then: kubectl delete secret",
        )
    remotes = chosen(work.plan, names)
    every = {name: needs_for(needs_of(work.plan), name, None) for name in remotes}
    asked = [*remotes, *(need.cluster for needs in every.values() for need in needs)]
    contexts = contexts_of(file.parent, work.plan, chosen(work.plan, asked), words, kubeconfig)
    namespace = work.plan.istio_namespace
    for name, needs in every.items():
        api = opened_api(name, contexts, kubeconfig, timeout)
        account = look(api, namespace, account_of(work.plan.generation, work.plan.cluster(name)))
        used = []
        for need in needs:
            primary = opened_api(need.cluster, contexts, kubeconfig, timeout)
            sealed = sealed_body(work.read(work.sealed(need.file)))
            used.append(in_use(primary, need, sealed, account))
            api.as_bearer(used[-1]).version()
        ours, others = leftover(account, used)
        for token in others:
            say(f"  {name}: no primary uses Secret {namespace}/{plain(token.source)}, which isn't meshc's: it stays")
        for token in ours:
            secret = f"Secret {namespace}/{plain(token.source)}"
            stop_unless_allowed(f"{name}: {secret}, whose token no primary uses, is deleted", yes)
            api.delete(core("secrets", namespace, token.source), token.uid)
            tell(f"{name}: deleted {secret}")
        if not ours:
            tell(f"{name}: no token of meshc's is left over")
