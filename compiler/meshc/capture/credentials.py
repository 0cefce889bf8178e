"""Reads the token of a service account in a live cluster, and builds the contents of a kubeconfig from it.

Only `make` and `request` change the cluster. meshc asks the user before it calls them.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from meshc.capture.may import refused, source_of_rights, told
from meshc.capture.resource import core
from meshc.capture.trouble import AskError, Trouble
from meshc.errors import MeshcError, ToolError
from meshc.hidden import Hidden
from meshc.issuing.ending import end_of
from meshc.issuing.kubeconfig import Credentials
from meshc.kube import at
from meshc.mesh.hosts import url_fault
from meshc.trust.certificates import only_certificates

if TYPE_CHECKING:
    from meshc.capture.ask import Api
    from meshc.capture.may import Right
    from meshc.generation import Generation
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan

_OF_ACCOUNT = "kubernetes.io/service-account.name"
_OF_UID = "kubernetes.io/service-account.uid"
_TYPE = "kubernetes.io/service-account-token"
_OURS = {"app.kubernetes.io/managed-by": "meshc"}
_COMPILED = "-istio-remote-secret-token"
"""The end of the name of the token Secret in output/. If it is deleted, the next sync creates it again, with a new
token."""
_SHORT = 0.9
"""If a token lasts for less than this part of the requested time, the server has shortened it."""
_EVERY, _TRIES = 0.5, 20
"""The token controller fills a Secret within a second or so; istioctl waits five."""


class CaptureError(ToolError):
    """The credentials are missing, or can't be used. The message never contains a secret."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a service account. `source` is its Secret, empty for a token from the TokenRequest API.

    `ours` is true if meshc made the Secret, here or through its output.
    """

    value: Hidden
    ca: bytes
    source: str
    expires: datetime | None
    uid: str = ""
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """A service account and its token Secrets, the newest first; those without a token yet are `empty`."""

    namespace: str
    name: str
    tokens: tuple[Token, ...] = field(repr=False)
    empty: tuple[str, ...]


def account_of(generation: Generation, cluster: ClusterPlan) -> str:
    """The service account with which a primary reads a remote, or with which an external control plane reads and writes
    its config cluster."""
    if generation == "classic":
        return "istio-multi"
    if cluster.config_cluster == cluster.name:
        return "istiod" if cluster.revision == "default" else f"istiod-{cluster.revision}"
    return "istio-reader-service-account"


def look(api: Api, namespace: str, name: str) -> Account:
    """The account and its token Secrets. Raises CaptureError if there is no such account, and AskError."""
    found = api.find(core("serviceaccounts", namespace, name))
    if found is None:
        raise CaptureError(
            f"{api.name}: there is no service account {namespace}/{name}",
            f"output/{api.name} has it: sync that first",
        )
    uid = at(found, "metadata", "uid")
    secrets = api.listed(core("secrets", namespace), fieldSelector=f"type={_TYPE}")
    mine = [one for one in secrets if _belongs(one, name, uid)]
    mine.sort(key=lambda one: (str(at(one, "metadata", "creationTimestamp")), _name(one)), reverse=True)
    read = [(one, _token_in(one)) for one in mine]
    return Account(
        namespace,
        name,
        tuple(token for _, token in read if token is not None),
        tuple(_name(one) for one, token in read if token is None),
    )


def make(api: Api, account: Account) -> Token:
    """Creates a token Secret and waits until it has a token. Older ones stay. Raises CaptureError, AskError."""
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "generateName": f"{account.name}-token-",
            "namespace": account.namespace,
            "labels": _OURS,
            "annotations": {_OF_ACCOUNT: account.name},
        },
        "type": _TYPE,
    }
    made = api.create(core("secrets", account.namespace), body)
    try:
        return await_token(api, account, _name(made))
    except BaseException:  # also on Ctrl-C: otherwise a token would appear later that nobody knows about
        forget(api.anew(), account, _name(made), str(at(made, "metadata", "uid") or ""))
        raise


def forget(api: Api, account: Account, secret: str, uid: str) -> None:
    """Deletes a Secret that was made for a token. Never raises, because another error is already being reported."""
    with suppress(MeshcError):
        api.delete(core("secrets", account.namespace, secret), uid)


def await_token(api: Api, account: Account, secret: str) -> Token:
    """Waits for the token in a new Secret. Raises CaptureError if there is none within some seconds."""
    for _ in range(_TRIES):
        body = api.find(core("secrets", account.namespace, secret))
        token = _token_in(body) if body else None
        if token is not None:
            return token
        time.sleep(_EVERY)
    raise CaptureError(
        f"{api.name}: Secret {account.namespace}/{secret} didn't get a token",
        "check that the token controller of the cluster runs",
    )


def request(api: Api, account: Account, seconds: int) -> Token:
    """A token that expires, from the TokenRequest API; it has no Secret. Raises CaptureError, AskError."""
    asked = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "metadata": {},
        "spec": {"expirationSeconds": seconds},
    }
    said = api.create(core("serviceaccounts", account.namespace).named(account.name, "token"), asked)
    value = at(said, "status", "token")
    _compare(api, seconds, at(said, "status", "expirationTimestamp"))
    root = api.find(core("configmaps", account.namespace, "kube-root-ca.crt"))
    ca = str(at(root, "data", "ca.crt") or "").encode() or api.ca
    if not isinstance(value, str) or not value:
        raise CaptureError(f"{api.name}: the answer to a TokenRequest has no token")
    return Token(Hidden(value.encode()), ca, "", end_of(Hidden(value.encode())))


def _compare(api: Api, seconds: int, until: Any) -> None:
    """Raises CaptureError for a token that expires much earlier than requested: clouds limit tokens to a day or two."""
    try:
        left = (datetime.fromisoformat(str(until)) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return  # the token contains its own expiry, which is reported
    if left < seconds * _SHORT:
        raise CaptureError(
            f"{api.name}: meshc asked for a token for {_span(seconds)}, but the API server limits it to {_span(left)}, "
            "so meshc seals nothing",
            "omit --duration, as a token of a Secret doesn't expire; or ask for at most that time",
        )


def _span(seconds: float) -> str:
    return f"{seconds / 86400:.0f} days" if seconds >= 2 * 86400 else f"{seconds / 3600:.0f} h"


def server_of(api: Api, cluster: ClusterPlan) -> str:
    """The server for a primary's kubeconfig. Raises CaptureError for a server that the primary can't reach."""
    server = cluster.api_server or api.server
    if fault := url_fault(server):
        raise CaptureError(
            f"{cluster.name}: a primary can't reach its server: {fault}",
            f"write apiServer: https://... under {cluster.name} in mesh.yaml, which its primary can reach",
        )
    return server


def credentials(api: Api, cluster: ClusterPlan, token: Token, namespace: str, rights: Sequence[Right]) -> Credentials:
    """The contents of the primary's kubeconfig, with the server from mesh.yaml, else from the user's kubeconfig.

    Tests the token, and whether it gives a control plane its `rights`. Raises CaptureError, AskError.
    """
    server = server_of(api, cluster)
    if not only_certificates(token.ca):
        raise CaptureError(f"{cluster.name}: the cluster doesn't show the CA of its API server")
    try:
        bearer = api.as_bearer(token.value)
        bearer.version()
        lost = [one for one in refused(bearer, namespace, rights) if one.needed]
    except AskError as error:
        if error.trouble is Trouble.UNAUTHORISED:
            raise CaptureError(
                f"{cluster.name}: the API server refuses the cluster's own token", "--rotate makes a new one"
            ) from None
        raise
    if lost:
        raise CaptureError(
            f"{cluster.name}: the token is valid, but its account lacks rights: {told(lost)}",
            f"first {source_of_rights(cluster)}",
        )
    return Credentials(cluster.name, server, token.ca, token.value)


def _belongs(secret: Body, name: str, uid: Any) -> bool:
    """True if a Secret belongs to this account. Servers refuse the token of a deleted account of the same name."""
    whose, which = (at(secret, "metadata", "annotations", key) for key in (_OF_ACCOUNT, _OF_UID))
    return whose == name and which in (None, uid) and bool(_name(secret))


def _token_in(secret: Body) -> Token | None:
    value, ca = (_decoded(at(secret, "data", key)) for key in ("token", "ca.crt"))
    if not (value and ca):
        return None
    labels = at(secret, "metadata", "labels")
    ours = _name(secret).endswith(_COMPILED) or (isinstance(labels, dict) and labels.items() >= _OURS.items())
    uid = str(at(secret, "metadata", "uid") or "")
    return Token(Hidden(value), ca, _name(secret), end_of(Hidden(value)), uid, ours)


def _decoded(text: Any) -> bytes:
    try:
        return base64.b64decode(str(text or ""), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _name(body: Body) -> str:
    return str(at(body, "metadata", "name") or "")
