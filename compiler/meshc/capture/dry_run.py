"""Applies an object of output/ as a server-side dry run, which changes nothing, and returns the server's result.

The result includes the server's defaults, admission and immutable fields. A dry run needs the right to change the
object.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from meshc.capture.managers import OURS
from meshc.capture.may import may
from meshc.capture.trouble import AskError, Trouble
from meshc.capture.valued import mapping
from meshc.kube import as_list, at

if TYPE_CHECKING:
    from meshc.capture.ask import Api
    from meshc.capture.resource import Resource
    from meshc.kube import Body

RBAC = "rbac.authorization.k8s.io"
"""Kubernetes lets a user grant only rights that the user has. So a dry run of a role would depend on the user of
meshc."""
_OF_SERVERS = ("managedFields", "resourceVersion", "generation")
_DEEPEST = 40


class Tried(NamedTuple):
    """The result of a dry run: the fields that an apply would change, the lists that would have more items than in
    output/, and the reason for a refusal."""

    changed: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    refused: str = ""


@dataclass(slots=True)
class Trial:
    """Dry runs in one cluster. `untried` are kinds that can't be tried there, each with its reason and a hint."""

    api: Api
    untried: dict[str, tuple[str, str]] = field(default_factory=dict)
    _may: dict[tuple[str, str, str], bool] = field(default_factory=dict)

    def of(self, resource: Resource, ours: Body, theirs: Body) -> Tried | None:
        """The result for one object; None if it can't be tried. `ours` is the object in output/. Raises AskError."""
        kind = str(ours.get("kind"))
        if resource.group == RBAC or kind in self.untried:
            return None
        key = (resource.group, resource.plural, resource.namespace)
        if key not in self._may:
            self._may[key] = self._asked(resource)
        if not self._may[key]:
            hint = f"run meshc doctor {self.api.name} --dry-run --print-rbac to see the required permissions"
            self.untried[kind] = ("not allowed to patch them", hint)
            return None
        try:
            after = self.api.applied_dry(resource, ours, OURS)
        except AskError as error:
            return self._refused(kind, resource, error)
        return Tried(tuple(_changed(_bare(theirs), _bare(after))), tuple(_more(ours, after)))

    def _asked(self, resource: Resource) -> bool:
        try:
            return may(self.api, "patch", resource)
        except AskError as error:
            if error.trouble not in (Trouble.FORBIDDEN, Trouble.MISSING):
                raise
            return False

    def _refused(self, kind: str, resource: Resource, error: AskError) -> Tried | None:
        if error.trouble is Trouble.INVALID:
            return Tried(refused="is invalid there, changes an immutable field, or violates a policy")
        if error.trouble is Trouble.FORBIDDEN:  # the user has the right, so an admission policy refused it
            return Tried(refused="is refused by an admission policy or a quota")
        if error.trouble is not Trouble.STATUS:
            raise error
        why = error.what.removeprefix(f"{self.api.name}: ")
        self.untried[kind] = (why, "a webhook is down or doesn't support dry runs, or the server is older than 1.16")
        return None


def _bare(body: Body) -> dict[str, Any]:
    metadata = {key: one for key, one in mapping(at(body, "metadata")).items() if key not in _OF_SERVERS}
    return {"metadata": metadata, **{key: one for key, one in body.items() if key not in ("metadata", "status")}}


def _changed(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """The paths at which two values differ."""
    if isinstance(before, Mapping) and isinstance(after, Mapping) and path.count(".") < _DEEPEST:
        for key in dict.fromkeys((*before, *after)):
            if key not in before or key not in after:
                yield f"{path}.{key}".lstrip(".")
            else:
                yield from _changed(before[key], after[key], f"{path}.{key}".lstrip("."))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, pair in enumerate(zip(before, after, strict=True)):
            yield from _changed(*pair, f"{path}[{index}]")
    elif before != after:
        yield path


def _more(ours: Any, after: Any, path: str = "") -> Iterator[str]:
    """The paths of lists that would have more items than ours after an apply, because an apply keeps items that others
    added."""
    if isinstance(ours, Mapping) and isinstance(after, Mapping):
        for key in ours:
            yield from _more(ours[key], after.get(key), f"{path}.{key}".lstrip("."))
    elif as_list(ours) and len(as_list(after)) > len(as_list(ours)):
        yield path
    elif as_list(ours) and len(as_list(after)) == len(as_list(ours)):
        for index, pair in enumerate(zip(as_list(ours), as_list(after), strict=True)):
            yield from _more(*pair, f"{path}[{index}]")
