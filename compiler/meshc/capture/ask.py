"""Connects to the API server of a kubeconfig context, and returns its answers as JSON: the only importer of the
Kubernetes client.

The client reads kubeconfigs, logs in (exec, OIDC, in-cluster) and supports proxies. Its models aren't used, because
they refuse answers of newer or older servers. This module limits the time and the size of each answer.
"""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from meshc.capture.contexts import FILE
from meshc.capture.trouble import AskError, Trouble, refusal
from meshc.disk.repository import LARGEST_INPUT
from meshc.errors import UsageError
from meshc.kube import Body
from meshc.mesh.hosts import same_server
from meshc.plain import short

if TYPE_CHECKING:
    from meshc.capture.resource import Resource
    from meshc.hidden import Hidden
    from meshc.issuing.kubeconfig import Credentials

IN_CLUSTER = "in-cluster"
"""Instead of a context: the service account of the pod in which meshc runs."""
_PAGE = 500
_PAGES = 400
_LARGEST = 64 * 1024 * 1024
_CONNECT = 5.0
_JSON, _APPLY = "application/json", "application/apply-patch+yaml"


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
        return self._ask("GET", resource.path, resource, "get")

    def find(self, resource: Resource) -> Body | None:
        """One object, None where there is none. Raises AskError."""
        try:
            return self.get(resource)
        except AskError as error:
            if error.trouble is Trouble.MISSING:
                return None
            raise

    def listed(self, resource: Resource, **query: str) -> list[Body]:
        """All objects of a kind, page by page. If a list expires meanwhile, it is read once more from the start. Raises
        AskError."""
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
            said = self._ask("GET", f"/{'apis' if '/' in version else 'api'}/{version}", None, "get")
        except AskError as error:
            if error.trouble is Trouble.MISSING:
                return {}
            raise
        found = [one for one in said.get("resources") or () if isinstance(one, dict)]
        return {
            str(one.get("kind")): (str(one.get("name")), one.get("namespaced") is True)
            for one in found
            if "/" not in str(one.get("name"))
        }

    def text(self, resource: Resource) -> str:
        """The answer for a path, as text. Raises AskError."""
        status, data = self._exchange("GET", resource.path, None)
        if status != 200:
            raise refusal(self.name, status, resource.path, resource, "get")
        return data.decode(errors="replace")

    def may_list(self, resource: Resource) -> None:
        """Requests one object of a kind and ignores the answer. Raises AskError."""
        self._ask("GET", f"{resource.path}?limit=1", resource, "list")

    def create(self, resource: Resource, body: Body) -> Body:
        """Creates an object, and returns the server's version of it. Raises AskError."""
        return self._ask("POST", resource.path, resource, "create", json.dumps(body).encode())

    def applied_dry(self, resource: Resource, body: Body, manager: str) -> Body:
        """What a server-side apply would make of an object, which changes nothing. Raises AskError."""
        query = urlencode({"dryRun": "All", "fieldManager": manager, "force": "true"})
        return self._ask("PATCH", f"{resource.path}?{query}", resource, "patch", json.dumps(body).encode(), _APPLY)

    def delete(self, resource: Resource, uid: str) -> None:
        """Deletes an object if it is still the one that was read. Raises AskError."""
        told = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}}
        self._ask("DELETE", resource.path, resource, "delete", json.dumps(told).encode())

    def version(self) -> str:
        """Kubernetes' version, such as v1.34.1. Servers show it to anyone, but refuse invalid credentials."""
        said = self._ask("GET", "/version", None, "get").get("gitVersion")
        if not isinstance(said, str):
            raise AskError(Trouble.BROKEN, f"{self.name}: the server doesn't report its version")
        return said

    def as_bearer(self, token: Hidden) -> Api:
        """The same server with only this token, and no other credentials of the kubeconfig's user."""
        mine, theirs = self._client.configuration, self._bearing(token)
        theirs.host, theirs.ssl_ca_cert, theirs.tls_server_name = mine.host, mine.ssl_ca_cert, mine.tls_server_name
        return Api(self.name, self._made(theirs), self._seconds)

    def as_held(self, held: Credentials, seconds: float) -> Api:
        """The server of some credentials, with their address, CA and token."""
        theirs = self._bearing(held.token)
        theirs.host, theirs.tls_server_name = held.server.rstrip("/"), held.tls_server_name or None
        made = self._made(theirs)
        made.rest_client.pool_manager.connection_pool_kw["ca_cert_data"] = held.ca.decode()
        made.rest_client.pool_manager.connection_pool_kw["ca_certs"] = None  # else the machine's CAs are trusted too
        return Api(self.name, made, min(seconds, self._seconds))

    def _bearing(self, token: Hidden) -> Any:
        """The client's settings for a token, and for this machine's proxy."""
        from kubernetes import client

        mine, theirs = self._client.configuration, client.Configuration()
        theirs.verify_ssl, theirs.proxy, theirs.no_proxy = True, mine.proxy, mine.no_proxy
        theirs.api_key = {"authorization": f"Bearer {token.reveal().decode()}"}
        return theirs

    def _made(self, configuration: Any) -> Any:
        from kubernetes import client

        return client.ApiClient(configuration)

    def _pages(self, resource: Resource, query: dict[str, str]) -> Iterator[Body]:
        more = ""
        for _ in range(_PAGES):
            asked = {**query, "limit": str(_PAGE), **({"continue": more} if more else {})}
            page = self._ask("GET", f"{resource.path}?{urlencode(asked)}", resource, "list")
            items, metadata = page.get("items"), page.get("metadata") or {}
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                break
            yield from items
            more = str(metadata.get("continue") or "") if isinstance(metadata, dict) else ""
            if not more:
                return
        raise AskError(Trouble.BROKEN, f"{self.name}: the list of {resource.plural} isn't one, or never ends")

    def _ask(
        self, method: str, path: str, resource: Resource | None, verb: str, body: bytes | None = None, form: str = _JSON
    ) -> Body:
        status, data = self._exchange(method, path, body, form)
        if status not in (200, 201, 202):
            raise refusal(self.name, status, path.partition("?")[0], resource, verb)
        try:
            answer = json.loads(data)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise AskError(Trouble.BROKEN, f"{self.name}: the answer isn't JSON, or is cut off")
        return answer

    def _exchange(self, method: str, path: str, body: bytes | None, form: str = _JSON) -> tuple[int, bytes]:
        from urllib3 import Timeout
        from urllib3 import exceptions as failed

        left = self._left()
        headers = {"Accept": _JSON, "User-Agent": "meshc"}
        headers |= {"Content-Type": form} if body is not None else {}
        headers |= {one["key"]: str(one["value"]) for one in self._client.configuration.auth_settings().values()}
        try:
            response = self._client.rest_client.pool_manager.request(
                method,
                self.server + path,
                headers=headers,
                body=body,
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
            raise AskError(Trouble.BROKEN, f"{self.name}: the answer broke off") from None
        except (failed.HTTPError, OSError):
            what = f"{self.name}: {short(same_server(self.server), 80)} can't be reached"
            raise AskError(Trouble.UNREACHABLE, what, "is the VPN up, and the context the right one?") from None

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
        return AskError(Trouble.SLOW, f"{self.name}: no whole answer within {self._seconds:g} s", "--timeout SECONDS")

    def _untrusted(self, error: Exception) -> AskError:
        inner = error.args[0] if error.args else None
        why = inner.verify_message if isinstance(inner, ssl.SSLCertVerificationError) else "TLS fails"
        what = f"{self.name}: the server's certificate isn't trusted: {short(why, 80)}"
        return AskError(
            Trouble.CERTIFICATE, what, "is certificate-authority-data in the kubeconfig that of the cluster?"
        )


def servers(kubeconfig: Path | None) -> dict[str, str]:
    """The server of each context of the kubeconfig; empty if no kubeconfig can be read."""
    merger = _client().config.kube_config.KubeConfigMerger
    try:
        said = merger(_files(kubeconfig)).config.value
        clusters = {one["name"]: str(one["cluster"]["server"]) for one in said["clusters"]}
        return {one["name"]: clusters.get(one["context"]["cluster"], "") for one in said["contexts"]}
    except Exception:  # as in connect, which reports what is wrong with it
        return {}


def connect(name: str, context: str, kubeconfig: Path | None, seconds: float) -> Api:
    """The API server of a context. Raises AskError where there is no such context, or no login.

    Raises UsageError where the client isn't installed.
    """
    client = _client()
    try:
        if context == IN_CLUSTER:
            made = client.client.Configuration()
            client.config.load_incluster_config(client_configuration=made)
            api = client.client.ApiClient(made)
        else:
            api = client.config.new_client_from_config(_files(kubeconfig), context, persist_config=False)
    except Exception as error:  # a library parses the user's file, and may raise anything
        why = (
            short(str(error), 120)
            if isinstance(error, client.config.ConfigException | UsageError)
            else type(error).__name__
        )
        hint = f"--context {name}=CONTEXT, or a line in {FILE}; kubectl config get-contexts lists them"
        raise AskError(Trouble.CONTEXT, f'{name}: context "{short(context, 80)}" can\'t be used: {why}', hint) from None
    if not str(api.configuration.host).startswith("https://") or not api.configuration.verify_ssl:
        what = f'{name}: context "{short(context, 80)}" doesn\'t verify its server'
        raise AskError(Trouble.CONTEXT, what, "https, with certificate-authority-data and no insecure-skip-tls-verify")
    return Api(name, api, seconds)


def _files(kubeconfig: Path | None) -> str:
    """The files of KUBECONFIG. Raises UsageError for a file at which the library would wait, or read without an end."""
    named = str(kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config")
    for one in map(Path, filter(None, named.split(os.pathsep))):
        path = one.expanduser()
        if path.exists() and not (path.is_file() and path.stat().st_size <= LARGEST_INPUT):
            raise UsageError(f'"{one}" is no plain file of at most {LARGEST_INPUT >> 20} MiB')
    return named


def _client() -> Any:
    try:
        import kubernetes
        import kubernetes.config
    except ImportError:
        raise UsageError(
            "living clusters are asked through the Kubernetes client, which is missing",
            'pip install "meshc[live]"',
        ) from None
    return kubernetes
