"""Asks an API server, and returns its answers as JSON.

The models of the Kubernetes client aren't used, because they refuse answers of newer or older servers. This module
limits the time and the size of each answer.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from meshc.capture.trouble import AskError, Trouble, refusal
from meshc.kube import Body
from meshc.mesh.hosts import same_server
from meshc.plain import short

if TYPE_CHECKING:
    from meshc.capture.resource import Resource
    from meshc.hidden import Hidden
    from meshc.issuing.kubeconfig import Credentials

_PAGE = 500
_PAGES = 400
_LARGEST = 64 * 1024 * 1024
_CONNECT = 5.0
_JSON, _APPLY = "application/json", "application/apply-patch+yaml"


class _Request(NamedTuple):
    method: str
    path: str
    body: bytes | None = None
    form: str = _JSON
    """The content type of the body."""


class Api:
    """One API server as one user, for a limited time. `name` is the cluster's name in messages."""

    def __init__(self, name: str, client: Any, seconds: float) -> None:
        self.name = name
        self._client = client
        self._seconds = seconds
        self._until = monotonic() + seconds

    def anew(self) -> Api:
        """A copy with a full time limit."""
        return Api(self.name, self._client, self._seconds)

    @property
    def server(self) -> str:
        """The server's URL in the kubeconfig."""
        return str(self._client.configuration.host)

    @property
    def ca(self) -> bytes:
        """The CA in the kubeconfig, PEM; empty if the machine's own CAs are trusted."""
        file = self._client.configuration.ssl_ca_cert
        return Path(file).read_bytes() if file else b""

    def get(self, resource: Resource) -> Body:
        """One object. Raises AskError."""
        return self._ask(_Request("GET", resource.path), resource, "get")

    def find(self, resource: Resource) -> Body | None:
        """One object; None if there is none. Raises AskError."""
        try:
            return self.get(resource)
        except AskError as error:
            if error.trouble is Trouble.MISSING:
                return None
            raise

    def listed(self, resource: Resource, **query: str) -> list[Body]:
        """All objects of a kind, page by page. A list that expires meanwhile is read once more. Raises AskError."""
        try:
            return list(self._pages(resource, query))
        except AskError as error:
            if error.trouble is not Trouble.EXPIRED:
                raise
            return list(self._pages(resource, query))

    def kinds(self, version: str) -> dict[str, tuple[str, bool]]:
        """The kinds of an apiVersion: the name of each in a path, and whether it is namespaced.

        Empty if the server doesn't know the version. Raises AskError.
        """
        try:
            said = self._ask(_Request("GET", f"/{'apis' if '/' in version else 'api'}/{version}"), None, "get")
        except AskError as error:
            if error.trouble is Trouble.MISSING:
                return {}
            raise
        return {
            str(one.get("kind")): (str(one.get("name")), one.get("namespaced") is True)
            for one in said.get("resources") or ()
            if isinstance(one, dict) and "/" not in str(one.get("name"))
        }

    def text(self, resource: Resource) -> str:
        """The answer for a path, as text. Raises AskError."""
        status, data = self._exchange(_Request("GET", resource.path))
        if status != 200:
            raise refusal(self.name, status, resource.path, resource, "get")
        return data.decode(errors="replace")

    def may_list(self, resource: Resource) -> None:
        """Requests one object of a kind and ignores the answer. Raises AskError."""
        self._ask(_Request("GET", f"{resource.path}?limit=1"), resource, "list")

    def create(self, resource: Resource, body: Body) -> Body:
        """Creates an object, and returns the server's version of it. Raises AskError."""
        return self._ask(_Request("POST", resource.path, json.dumps(body).encode()), resource, "create")

    def applied_dry(self, resource: Resource, body: Body, manager: str) -> Body:
        """What a server-side apply would make of an object, which changes nothing. Raises AskError."""
        query = urlencode({"dryRun": "All", "fieldManager": manager, "force": "true"})
        request = _Request("PATCH", f"{resource.path}?{query}", json.dumps(body).encode(), _APPLY)
        return self._ask(request, resource, "patch")

    def delete(self, resource: Resource, uid: str) -> None:
        """Deletes an object if it is still the one that was read. Raises AskError."""
        told = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}}
        self._ask(_Request("DELETE", resource.path, json.dumps(told).encode()), resource, "delete")

    def version(self) -> str:
        """Kubernetes' version, such as v1.34.1. Servers show it to anyone, but refuse invalid credentials."""
        said = self._ask(_Request("GET", "/version"), None, "get").get("gitVersion")
        if not isinstance(said, str):
            raise AskError(Trouble.BROKEN, f"{self.name}: the server doesn't report its version")
        return said

    def as_bearer(self, token: Hidden) -> Api:
        """The same server with only this token, and no other credentials of the kubeconfig's user."""
        mine, theirs = self._client.configuration, self._bearing(token)
        theirs.host, theirs.ssl_ca_cert, theirs.tls_server_name = mine.host, mine.ssl_ca_cert, mine.tls_server_name
        return Api(self.name, type(self._client)(theirs), self._seconds)

    def as_held(self, held: Credentials, seconds: float) -> Api:
        """The server of some credentials, with their address, CA and token."""
        theirs = self._bearing(held.token)
        theirs.host, theirs.tls_server_name = held.server.rstrip("/"), held.tls_server_name or None
        made = type(self._client)(theirs)
        made.rest_client.pool_manager.connection_pool_kw["ca_cert_data"] = held.ca.decode()
        made.rest_client.pool_manager.connection_pool_kw["ca_certs"] = None  # else it trusts the machine's CAs too
        return Api(self.name, made, min(seconds, self._seconds))

    def _bearing(self, token: Hidden) -> Any:
        """The client's settings for a token, and for this machine's proxy."""
        mine = self._client.configuration
        theirs = type(mine)()
        theirs.verify_ssl, theirs.proxy, theirs.no_proxy = True, mine.proxy, mine.no_proxy
        theirs.api_key = {"authorization": f"Bearer {token.reveal().decode()}"}
        return theirs

    def _pages(self, resource: Resource, query: dict[str, str]) -> Iterator[Body]:
        more = ""
        for _ in range(_PAGES):
            asked = {**query, "limit": str(_PAGE), **({"continue": more} if more else {})}
            page = self._ask(_Request("GET", f"{resource.path}?{urlencode(asked)}"), resource, "list")
            items, metadata = page.get("items"), page.get("metadata") or {}
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                break
            yield from items
            more = str(metadata.get("continue") or "") if isinstance(metadata, dict) else ""
            if not more:
                return
        raise AskError(Trouble.BROKEN, f"{self.name}: the list of {resource.plural} is invalid, or never ends")

    def _ask(self, request: _Request, resource: Resource | None, verb: str) -> Body:
        status, data = self._exchange(request)
        if status not in (200, 201, 202):
            raise refusal(self.name, status, request.path.partition("?")[0], resource, verb)
        try:
            answer = json.loads(data)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise AskError(Trouble.BROKEN, f"{self.name}: the answer isn't JSON, or is incomplete")
        return answer

    def _exchange(self, request: _Request) -> tuple[int, bytes]:
        from urllib3 import Timeout
        from urllib3 import exceptions as failed

        left = self._left()
        headers = {"Accept": _JSON, "User-Agent": "meshc"}
        headers |= {"Content-Type": request.form} if request.body is not None else {}
        headers |= {one["key"]: str(one["value"]) for one in self._client.configuration.auth_settings().values()}
        try:
            response = self._client.rest_client.pool_manager.request(
                request.method,
                self.server + request.path,
                headers=headers,
                body=request.body,
                timeout=Timeout(connect=min(_CONNECT, left), read=left),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            try:
                return response.status, self._body(response)
            finally:
                response.close()
        except failed.SSLError as error:
            raise self._untrusted(error) from None
        except failed.ReadTimeoutError:
            raise self._slow() from None
        except (failed.ProtocolError, failed.DecodeError):
            raise AskError(
                Trouble.BROKEN, f"{self.name}: the server closed the connection before the answer was complete"
            ) from None
        except (failed.HTTPError, OSError):
            what = f"{self.name}: {short(same_server(self.server), 80)} can't be reached"
            raise AskError(
                Trouble.UNREACHABLE, what, "check that the VPN is up, and that the context is the right one"
            ) from None

    def _body(self, response: Any) -> bytes:
        """The whole body. Stops a slow answer when the time is over."""
        parts, size = [], 0
        while data := response.read1(1 << 16):
            parts.append(data)
            size += len(data)
            if size > _LARGEST:
                raise AskError(Trouble.BROKEN, f"{self.name}: the answer is larger than {_LARGEST >> 20} MiB")
            self._left()
        return b"".join(parts)

    def _left(self) -> float:
        left = self._until - monotonic()
        if left <= 0:
            raise self._slow()
        return left

    def _slow(self) -> AskError:
        return AskError(
            Trouble.SLOW, f"{self.name}: no complete answer within {self._seconds:g} s", "--timeout SECONDS"
        )

    def _untrusted(self, error: Exception) -> AskError:
        inner = error.args[0] if error.args else None
        why = inner.verify_message if isinstance(inner, ssl.SSLCertVerificationError) else "TLS fails"
        what = f"{self.name}: the server's certificate isn't trusted: {short(why, 80)}"
        return AskError(Trouble.CERTIFICATE, what, "check certificate-authority-data of the cluster in the kubeconfig")
