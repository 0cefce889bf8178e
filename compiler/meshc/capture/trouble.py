"""Errors for requests that an API server refuses or doesn't answer; each names what is missing."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from meshc.errors import ToolError

if TYPE_CHECKING:
    from meshc.capture.resource import Resource


class Trouble(StrEnum):
    """The reasons why a request to an API server fails."""

    CONTEXT = "no context"
    UNREACHABLE = "unreachable"
    CERTIFICATE = "certificate not trusted"
    SLOW = "too slow"
    UNAUTHORISED = "credentials refused"
    FORBIDDEN = "not allowed"
    MISSING = "not found"
    EXPIRED = "list expired"
    INVALID = "not valid"
    STATUS = "answers with an error"
    BROKEN = "invalid answer"


class AskError(ToolError):
    """A failed request to an API server. Never quotes the server's answer, because it may repeat a secret from the
    request."""

    def __init__(self, trouble: Trouble, what: str, hint: str = "") -> None:
        super().__init__(what, hint)
        self.trouble = trouble


def refusal(name: str, status: int, path: str, resource: Resource | None, verb: str) -> AskError:
    """The error for an HTTP status; `name` is the cluster's name."""
    if status == 401:
        return AskError(Trouble.UNAUTHORISED, f"{name}: the credentials are invalid or have expired")
    if status == 403:
        rule = resource.rule(verb) if resource else f"{{nonResourceURLs: [{path}], verbs: [{verb}]}} in a ClusterRole"
        return AskError(Trouble.FORBIDDEN, f"{name}: not allowed to {verb} {path}", f"add the rule {rule}")
    if status == 404:
        return AskError(Trouble.MISSING, f"{name}: the server has no {path}")
    if status == 410:
        return AskError(Trouble.EXPIRED, f"{name}: {path} changes faster than meshc can read it")
    if status == 422:
        return AskError(Trouble.INVALID, f"{name}: the server refuses the object for {path} as invalid")
    return AskError(Trouble.STATUS, f"{name}: the server answers {status} to {verb} {path}")
