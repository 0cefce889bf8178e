"""Decides whether a patch may apply to an object. The answer may be a false yes, but never a false no."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from meshc.kube import Identity, identity_of
from meshc.overlays.marks import Marks
from meshc.overlays.targets import read_target

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.files import PatchPlan

_SIMPLE = re.compile(r"[A-Za-z0-9._*|()/-]*")
"""Patterns of a target that have the same meaning in all libraries. Any other pattern counts as a match."""


def reaching(patch: PatchPlan) -> Callable[[Body], bool]:
    """A function that says whether a patch may apply. A patch without a target applies to the objects that it names."""
    if not patch.target:
        named = {_named(one.body) for one in patch.file.objects}
        return lambda body: _named(body) in named
    target = read_target(
        {key: text for key, text in patch.target.items() if "elector" in key or _SIMPLE.fullmatch(text)}
    )

    def fits(body: Body) -> bool:
        marks = Marks.of(body)
        return (
            target.names(body)
            and marks.may_have(target.labels, "labels")
            and marks.may_have(target.annotations, "annotations")
        )

    return fits


def _named(body: Any) -> tuple[str, str]:
    found = identity_of(body) if isinstance(body, Mapping) else Identity("", "", "", "")
    return found.kind, found.name
