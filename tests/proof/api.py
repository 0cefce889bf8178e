"""A small client of one API server: JSON over mutual TLS."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from proof.running import FailedError

Body = dict[str, Any]
_MERGE = "application/merge-patch+json"


class Api:
    """One cluster's API server, asked with a client certificate."""

    def __init__(self, address: str, authority: Path, certificate: Path, key: Path) -> None:
        self._address = address
        self._context = ssl.create_default_context(cafile=str(authority))
        self._context.load_cert_chain(certificate, key)
        self._here = threading.local()

    def get(self, path: str, **query: str) -> Body | None:
        """An object or a list; None where there is none."""
        return self._call("GET", path, query)

    def items(self, path: str, **query: str) -> list[Body]:
        """The objects of a list."""
        found = self.get(path, **query)
        return list(found["items"]) if found else []

    def create(self, path: str, body: Mapping[str, Any]) -> Body:
        return self._call("POST", path, {}, body) or {}

    def merge(self, path: str, body: Mapping[str, Any]) -> Body | None:
        """A merge patch; None where there is no such object any more."""
        return self._call("PATCH", path, {}, body, _MERGE)

    def delete(self, path: str, *, at_once: bool = False) -> None:
        self._call("DELETE", path, {"gracePeriodSeconds": "0"} if at_once else {})

    def token(self, namespace: str, account: str, audience: str | None, seconds: int = 7200) -> str:
        """A token of a service account, as a kubelet asks for one."""
        spec: Body = {"expirationSeconds": seconds, "audiences": [audience] if audience else []}
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        answer = self.create(path, {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec})
        return str(answer["status"]["token"])

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Mapping[str, Any] | None = None,
        kind: str = "application/json",
    ) -> Body | None:
        target = f"{path}?{urlencode(query)}" if query else path
        status, text = self._send(method, target, json.dumps(body) if body is not None else None, kind)
        if status == http.client.NOT_FOUND:
            return None
        if status >= http.client.BAD_REQUEST:
            raise FailedError(f"{method} {path}: {status} {text[:500]}")
        return dict(json.loads(text))

    def _send(self, method: str, target: str, data: str | None, kind: str) -> tuple[int, str]:
        """One connection a thread, made anew where it broke."""
        for last in (False, True):
            connection = getattr(self._here, "connection", None)
            if connection is None:
                connection = http.client.HTTPSConnection(self._address, 6443, timeout=30, context=self._context)
                self._here.connection = connection
            try:
                connection.request(method, target, data, {"Content-Type": kind, "Accept": "application/json"})
                answer = connection.getresponse()
                return answer.status, answer.read().decode()
            except (OSError, http.client.HTTPException):
                connection.close()
                self._here.connection = None
                if last:
                    raise
        raise AssertionError
