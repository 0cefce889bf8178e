"""Tests the remote secrets of a live primary and returns rows: whether each remote still accepts the credentials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from meshc.capture.may import refused, told
from meshc.capture.rows import Check, Row, State, of_error
from meshc.capture.trouble import AskError, Trouble
from meshc.errors import MeshcError
from meshc.hidden import Hidden
from meshc.issuing.ending import end_of
from meshc.issuing.given import given
from meshc.kube import at, keys_in
from meshc.mesh.hosts import same_server
from meshc.plain import short
from meshc.trust.proofs import BLOB
from meshc.yamltext.write import write

if TYPE_CHECKING:
    from meshc.capture.ask import Api
    from meshc.capture.examine import Seen
    from meshc.capture.may import Right
    from meshc.issuing.kubeconfig import Credentials
    from meshc.kube import Body
    from meshc.plan.needs import SecretNeed

_SOON = timedelta(days=30)
_WAY = 4.0
"""Seconds for an attempt at the server address that the primary uses, which often can't be reached from here."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The credentials of a remote that a primary needs: `sealed` is the file in the repository, `rights` what the
    primary does in the remote."""

    need: SecretNeed
    remote: str
    api_server: str | None
    sealed: Body | None
    rights: tuple[Right, ...] = ()
    source_of_rights: str = ""
    """The source of the rights of the remote's account."""

    @property
    def again(self) -> str:
        """The command that seals the credentials again."""
        return f"meshc capture credentials {self.remote} --replace"


def compared(pair: Pair, primary: Seen, remote: Seen, now: datetime | None = None) -> Row:
    """One row. Never raises because of a cluster's answer or a Secret's content."""
    where = pair.need.cluster
    if primary.secrets is None:
        return Row(pair.remote, Check.CREDENTIALS, State.UNKNOWN, f"the secrets of {where} can't be read", of=where)
    mine = [secret for secret in primary.secrets if held_by(secret, pair.need, pair.remote)]
    state, says, hint = _said(pair, mine, remote, now or datetime.now(UTC))
    return Row(pair.remote, Check.CREDENTIALS, state, says, hint, of=where, until=_end(pair, mine))


def _end(pair: Pair, mine: Sequence[Body]) -> datetime | None:
    try:
        return end_of(held_in(mine[0], pair.need, pair.remote).token) if len(mine) == 1 else None
    except MeshcError:
        return None


def _said(pair: Pair, mine: Sequence[Body], remote: Seen, now: datetime) -> tuple[State, str, str]:
    if not mine:
        if pair.sealed is None:
            return State.FAILED, "there are none", f"meshc capture credentials {pair.remote}"
        return State.DIFFERS, "sealed, but not in the cluster yet", f"sync output/{pair.need.cluster}"
    if len(mine) > 1:
        names = ", ".join(short(str(at(one, "metadata", "name")), 60) for one in mine)
        return State.DIFFERS, f"in {len(mine)} Secrets: {names}; istiod uses only one of them", "delete the others"
    try:
        held = held_in(mine[0], pair.need, pair.remote)
    except MeshcError as error:
        return State.FAILED, short(error.what.splitlines()[0], 160), pair.again
    if pair.api_server and same_server(held.server) != same_server(pair.api_server):
        return State.DIFFERS, f"for {short(held.server, 80)}, but mesh.yaml says {pair.api_server}", pair.again
    if remote.ca and _bare(remote.ca) != _bare(held.ca):
        return State.DIFFERS, f"trust another CA than that of {pair.remote}", pair.again
    return _tried(pair, mine[0], held, remote.api, now)


def _tried(pair: Pair, secret: Body, held: Credentials, api: Api | None, now: datetime) -> tuple[State, str, str]:
    if api is None:
        return State.UNKNOWN, f"meshc can't reach {pair.remote} from this machine, so it can't test the token", ""
    try:
        state, where, lost = _shown_to(api, held, pair)
    except AskError as error:
        if error.trouble is Trouble.CERTIFICATE:
            return State.FAILED, f"{short(held.server, 80)} has a certificate that this CA didn't sign", pair.again
        if error.trouble is Trouble.UNAUTHORISED:
            stale = _older(pair, secret)
            hint = f"sync output/{pair.need.cluster}" if stale else pair.again
            return State.FAILED, f"{pair.remote} refuses this token{', which is an older one' * stale}", hint
        row = of_error(pair.remote, Check.CREDENTIALS, error)
        return row.state, row.says, row.hint
    if lost:
        needed = [one for one in lost if one.needed]
        hint = pair.source_of_rights
        if needed:
            return State.FAILED, f"the token is valid, but lacks rights: {told(needed)}", hint
        return State.DIFFERS, f"valid, but lack rights of Istio's own role: {told(lost)}", hint
    ends = end_of(held.token)
    if ends and ends - now < _SOON:
        return State.DIFFERS, f"expire on {ends:%Y-%m-%d}", pair.again
    if _older(pair, secret):
        return State.DIFFERS, "valid, but different from those in the repository", f"sync output/{pair.need.cluster}"
    return state, f"valid, {f'until {ends:%Y-%m-%d}' if ends else 'without expiry'}{where}", ""


def _shown_to(api: Api, held: Credentials, pair: Pair) -> tuple[State, str, list[Right]]:
    """Tests the token at the server that the primary uses.

    If that isn't reachable from here, tests it at the server as the user's kubeconfig reaches it, because a private
    address may belong to another machine in this network. Returns the result, a text about the second way, and missing
    rights. Raises AskError.
    """
    server = short(held.server, 80)
    try:
        lost = _asked(api.as_held(held, _WAY), pair)
    except AskError as error:
        refused = error.trouble in (Trouble.UNAUTHORISED, Trouble.FORBIDDEN)
        if same_server(held.server) == same_server(api.server) or refused:
            raise
        lost = _asked(api.as_bearer(held.token), pair)
        if error.trouble is Trouble.CERTIFICATE:
            says = f" at the address in your kubeconfig; at {server}, this machine reaches a server with another CA"
            return State.UNKNOWN, says, lost
        return State.OK, f"; tested at the address in your kubeconfig, as {server} doesn't answer here", lost
    return State.OK, "", lost


def _asked(api: Api, pair: Pair) -> list[Right]:
    """The rights that the token lacks. Raises AskError if the server refuses the token."""
    api.version()
    return refused(api, pair.need.namespace, pair.rights)


def held_by(secret: Body, need: SecretNeed, remote: str) -> bool:
    """True if a Secret of a cluster is the needed one: istiod identifies remote secrets only by their key."""
    named = not need.not_labelled or at(secret, "metadata", "name") == need.name
    return named and at(secret, "data", need.of[remote]) is not None


def held_in(secret: Body, need: SecretNeed, remote: str) -> Credentials:
    """The credentials that istiod reads from the Secret. istiod refuses everything except a token, and so does
    meshc."""
    key = need.of[remote]
    only = {"kind": "Secret", "data": {key: secret["data"][key]}}
    found = given(Hidden(write(only).encode())).credentials
    assert found is not None, "a Secret with one key that isn't cacerts"  # noqa: S101
    return found


def _older(pair: Pair, secret: Body) -> bool:
    """True if the cluster still has an earlier sealed secret; meshc's annotation in the Secret shows this."""
    there, here = (at(one, "metadata", "annotations", BLOB) for one in (secret, pair.sealed))
    return bool(there and here and there != here)


def _bare(pem: bytes) -> bytes:
    return b"".join(pem.split())


def pairs(
    needs: Sequence[SecretNeed],
    servers: Mapping[str, str | None],
    sealed: Mapping[str, Body | None],
    rights: Mapping[str, Sequence[Right]],
    sources: Mapping[str, str],
) -> Iterator[Pair]:
    """Every primary with each of its remotes; `sealed` holds the sealed files by the file of their need, `sources`
    what gives each remote's account its rights."""
    for need in needs:
        for name, key in need.of.items():
            body = sealed[need.file]
            there = body is not None and (not need.grows or key in keys_in(body))
            yield Pair(need, name, servers[name], body if there else None, tuple(rights[name]), sources[name])
