"""Decides whether a patch may apply to an object. The answer is never no where kustomize would apply the patch."""

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
"""A pattern of a target that all libraries read alike. Any other one counts as one that fits."""


def reaching(patch: PatchPlan) -> Callable[[Body], bool]:
    """A patch without a target is for the objects that it names."""
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
