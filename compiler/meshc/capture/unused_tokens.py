"""Finds tokens of a remote that no primary uses any more.

A token counts as unused only if every primary answered, and each primary has the credentials that are sealed for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.capture.credentials import CaptureError
from meshc.capture.neighbours import held_by, held_in
from meshc.capture.resource import core
from meshc.kube import at
from meshc.trust.proofs import BLOB, REMOTES, SOURCE, of_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshc.capture.ask import Api
    from meshc.capture.credentials import Account, Token
    from meshc.hidden import Hidden
    from meshc.kube import Body
    from meshc.plan.needs import SecretNeed


def in_use(api: Api, need: SecretNeed, remote: str, sealed: Body | None, account: Account) -> Hidden:
    """The token of a remote that a primary has.

    Raises CaptureError unless it is the sealed one, and AskError. The sealed file names the token's Secret; for a token
    without a Secret, the digests of the ciphertext are compared.
    """
    namespace = need.namespace
    if need.not_labelled:
        found = api.find(core("secrets", namespace, need.name))
        listed = [found] if found else []
    else:
        listed = api.listed(core("secrets", namespace), labelSelector="istio/multiCluster=true")
    mine = [secret for secret in listed if held_by(secret, need, remote)]
    if len(mine) != 1 or sealed is None:
        raise CaptureError(
            f"{api.name} has {len(mine)} Secrets of {remote}, of which {'one' if sealed else 'none'} is sealed",
            f"sync output/{api.name}, then run this again" if sealed else f"meshc capture credentials {remote}",
        )
    token = held_in(mine[0], need, remote).token
    named, (there, here) = _source(need, remote, sealed), (_noted(one, BLOB) for one in (mine[0], sealed))
    same = any(one.source == named and one.value == token for one in account.tokens) if named else there == here != ""
    if not same:
        raise CaptureError(
            f"{api.name} doesn't use the credentials of {remote} that are sealed for it",
            f"sync output/{api.name}, then run this again",
        )
    return token


def leftover(account: Account, used: Sequence[Hidden]) -> tuple[list[Token], list[Token]]:
    """All other tokens: those that meshc made, and those of somebody else."""
    stale = [one for one in account.tokens if not any(one.value == other for other in used)]
    return [one for one in stale if one.ours], [one for one in stale if not one.ours]


def _source(need: SecretNeed, remote: str, sealed: Body) -> str:
    """The Secret in the remote that contains the sealed token."""
    if need.grows:
        return of_each(_noted(sealed, REMOTES)).get(need.of[remote], {}).get(SOURCE, "")
    return _noted(sealed, SOURCE)


def _noted(body: Body, key: str) -> str:
    return str(at(body, "metadata", "annotations", key) or "")
