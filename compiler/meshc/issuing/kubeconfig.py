"""Reduces a kubeconfig to a minimal one: a server, its CA and a token, nothing else.

istiod refuses programs and files in a kubeconfig (istio/istio#61773), and a primary must not run a program from a
remote's kubeconfig. The only cluster, context and user have the remote's name, as istioctl create-remote-secret writes
it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meshc.hidden import Hidden
from meshc.kube import SUBDOMAIN
from meshc.mesh.hosts import ip_version, url_fault
from meshc.sealing.contract import SealError
from meshc.trust.certificates import only_certificates, read

if TYPE_CHECKING:
    from meshc.kube import Body

_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_OF_CLUSTER = {"server", "certificate-authority-data", "tls-server-name", "disable-compression"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """The settings of one cluster in a kubeconfig. `ca` is PEM."""

    context: str
    server: str
    ca: bytes
    token: Hidden
    tls_server_name: str = ""

    def kubeconfig(self, remote: str) -> Hidden:
        """The minimal kubeconfig for the cluster with this name or ID."""
        cluster = {
            "certificate-authority-data": base64.b64encode(self.ca).decode(),
            "server": self.server,
            **({"tls-server-name": self.tls_server_name} if self.tls_server_name else {}),
        }
        body = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": remote, "cluster": cluster}],
            "contexts": [{"name": remote, "context": {"cluster": remote, "user": remote}}],
            "current-context": remote,
            "preferences": {},
            "users": [{"name": remote, "user": {"token": self.token.reveal().decode()}}],
        }
        return Hidden(json.dumps(body).encode())  # JSON is valid YAML, and needs no quoting rules


def credentials(config: Body) -> Credentials:
    """The credentials of the current context of a kubeconfig. Raises SealError for fields that don't belong there; the
    message has no value."""
    context = config.get("current-context")
    if not isinstance(context, str) or not context:
        raise SealError("the kubeconfig names no current-context", "kubectl config view --minify --raw")
    chosen = _named(config, "contexts", "context", context)
    cluster = _named(config, "clusters", "cluster", chosen.get("cluster"))
    user = _named(config, "users", "user", chosen.get("user"))
    return Credentials(context, _server(cluster), _ca(cluster), _token(user), _tls_server_name(cluster))


def _named(config: Body, field: str, inner: str, name: Any) -> Mapping[str, Any]:
    entries = config.get(field)
    found = [
        entry.get(inner)
        for entry in (entries if isinstance(entries, list | tuple) else ())
        if isinstance(entry, dict) and entry.get("name") == name
    ]
    if len(found) != 1 or not isinstance(found[0], dict):
        raise SealError(f"the kubeconfig doesn't have exactly one {inner} with the name in its current context")
    return found[0]


def _server(cluster: Mapping[str, Any]) -> str:
    for field, value in cluster.items():
        if field not in _OF_CLUSTER and not _is_off(value):
            raise SealError(f'the kubeconfig\'s cluster has "{field}", which a remote secret must not', _PLAIN)
    server = cluster.get("server")
    if not isinstance(server, str) or url_fault(server):
        raise SealError(
            "the kubeconfig's server isn't https://host:port, or is an address that only its own machine can reach"
        )
    return server


def _is_off(value: Any) -> bool:
    """Values that kubectl treats like a missing field. Compare by identity: 0 equals False, but isn't one of them."""
    return value is None or value is False or value == ""


def _tls_server_name(cluster: Mapping[str, Any]) -> str:
    name = cluster.get("tls-server-name")
    if name is None or name == "":
        return ""
    if not isinstance(name, str) or not (ip_version(name) or (SUBDOMAIN.fullmatch(name) and len(name) <= 253)):
        raise SealError("the kubeconfig's tls-server-name isn't a host name")
    return name


_PLAIN = "a remote secret may contain only server, certificate-authority-data and a token"


def _ca(cluster: Mapping[str, Any]) -> bytes:
    try:
        ca = base64.b64decode(str(cluster.get("certificate-authority-data") or ""), validate=True)
    except (binascii.Error, ValueError):
        ca = b""
    if not only_certificates(ca):
        raise SealError("the kubeconfig's certificate-authority-data isn't a certificate in base64", _PLAIN)
    for problem in read("", ca)[1]:  # istiod verifies the API server with Go
        raise SealError(f"the kubeconfig's certificate-authority-data can't be used: {problem.what}")
    return ca


def _token(user: Mapping[str, Any]) -> Hidden:
    for field, value in user.items():
        if field != "token" and not _is_off(value):
            raise SealError(f'the kubeconfig\'s user has "{field}", but istiod accepts only a token', _PLAIN)
    token = user.get("token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise SealError("the kubeconfig's user has no token", _PLAIN)
    return Hidden(token.encode())
