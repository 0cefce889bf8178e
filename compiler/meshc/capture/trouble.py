"""trouble turns the ways in which an API server doesn't answer into errors that name what is missing."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from meshc.errors import ToolError

if TYPE_CHECKING:
    from meshc.capture.resource import Resource


class Trouble(StrEnum):
    """Why an API server doesn't answer as it was asked."""

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
    BROKEN = "no proper answer"


class AskError(ToolError):
    """An API server that can't be asked. Never quotes what the server said: it may echo what it was sent."""

    def __init__(self, trouble: Trouble, what: str, hint: str = "") -> None:
        super().__init__(what, hint)
        self.trouble = trouble


def refusal(name: str, status: int, path: str, resource: Resource | None, verb: str) -> AskError:
    """What an answer other than success tells; `name` is how the cluster is called."""
    if status == 401:
        return AskError(Trouble.UNAUTHORISED, f"{name}: the credentials aren't taken, or have expired")
    if status == 403:
        rule = resource.rule(verb) if resource else f"{{nonResourceURLs: [{path}], verbs: [{verb}]}} in a ClusterRole"
        return AskError(Trouble.FORBIDDEN, f"{name}: not allowed to {verb} {path}", f"add the rule {rule}")
    if status == 404:
        return AskError(Trouble.MISSING, f"{name}: there is no {path}")
    if status == 410:
        return AskError(Trouble.EXPIRED, f"{name}: {path} changes faster than it is read")
    if status == 422:
        return AskError(Trouble.INVALID, f"{name}: what was sent to {path} isn't valid there")
    return AskError(Trouble.STATUS, f"{name}: answers {status} to {verb} {path}")
