"""Decides which token of a remote is used: an existing one, or a new one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshc.capture.credentials import await_token, make, request
from meshc.commands.live_clusters import seconds_in
from meshc.plain import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshc.capture.ask import Api
    from meshc.capture.credentials import Account, Token
    from meshc.generation import Generation


@dataclass(frozen=True, slots=True)
class Asked:
    """The user's options: a token that expires after a time such as 90d, or a new token beside the current one."""

    duration: str | None
    rotate: bool

    def change(self, name: str, account: Account) -> str:
        """What must be created in the cluster; empty if a token exists already. Raises UsageError for an invalid
        time."""
        where = f"{name}: service account {account.namespace}/{account.name}"
        if self.duration:
            seconds_in(self.duration)
            return f"{where}: a token for {self.duration} is requested"
        if (account.tokens or account.empty) and not self.rotate:
            return ""
        return f"{where}: a Secret {account.name}-token-... is made for its token"

    def token(self, api: Api, account: Account, made: Callable[[Token], None]) -> Token:
        """The token. `made` is called with a Secret that was created for it. Raises CaptureError, AskError."""
        if self.duration:
            return request(api, account, seconds_in(self.duration))
        if account.tokens and not self.rotate:
            return account.tokens[0]
        if account.empty and not self.rotate:
            return await_token(api, account, account.empty[0])
        token = make(api, account)
        made(token)
        return token


def described(token: Token, account: Account) -> str:
    """The source of a token, and its expiry."""
    origin = f"token of Secret {account.namespace}/{plain(token.source)}" if token.source else "a token made for this"
    return f"{origin}, {f'until {token.expires:%Y-%m-%d %H:%M} UTC' if token.expires else 'which has no end'}"


def afterwards(generation: Generation, name: str, token: Token, account: Account) -> list[str]:
    """The remaining steps of a rotation: the old token may be deleted only when the primaries use the new one."""
    lines = []
    restarts = not generation.reads_changed_secrets
    if restarts:
        lines.append(f"pilot reads a changed secret only when it starts: restart it in the primaries of {name}")
    old = [one.source for one in account.tokens if one.source != token.source and (one.ours or restarts)]
    if old:
        after = "when meshc doctor shows that its primaries have the new token"
        if restarts:
            lines.append(f"{name}: {after}, delete the old:")
            lines += [f"  kubectl -n {account.namespace} delete secret {plain(one)}" for one in old]
        else:
            lines.append(f"{name}: {after}: meshc capture credentials {name} --prune-tokens")
    return lines
