"""Runs the checks on a cluster's objects as they will be applied. This is the only list of these checks.

An object that no patch matches is checked as it was read, and every other object after its patches. Only problems that
come from the user's files are reported, not those of objects that meshc or a chart makes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from meshc import codes
from meshc.checks.applied.copies import copies
from meshc.checks.applied.failover import failover
from meshc.checks.applied.metadata import heads
from meshc.checks.applied.others import others
from meshc.checks.applied.presence import definitions, namespaces_of
from meshc.checks.applied.relied import changed, relied
from meshc.checks.applied.services import services, slices
from meshc.checks.applied.view import Fault, Single, Touched, View
from meshc.checks.applied.workloads import workloads
from meshc.checks.overlay.namespaces import INJECTION
from meshc.kube import at

if TYPE_CHECKING:
    from meshc.errors import Code, Problem

_Rule = Callable[[View, Touched], Iterator[Fault]]


def _both_labels(one: Single) -> Iterator[Fault]:
    if one.identity[:2] == ("", "Namespace") and set(at(one.body, "metadata", "labels") or {}) >= INJECTION:
        hint = "keep one of them: with both labels, Istio ignores the revision"
        what = "has both istio-injection and istio.io/rev"
        yield Fault(("metadata", "labels"), what, hint, codes.BOTH_INJECTION_LABELS)


_ALONE: tuple[Callable[[Single], Iterator[Fault]], ...] = (
    heads,
    services,
    slices,
    workloads,
    others,
    failover,
    _both_labels,
)
"""Rules for a single object. A problem that the object had before its patches isn't reported."""
_TOGETHER: tuple[_Rule, ...] = (relied, copies, namespaces_of, definitions)
"""Rules that look at the cluster, too. None of them looks at a patched object of meshc whose spec is unchanged."""

AS_APPLIED: frozenset[Code] = frozenset(
    {
        codes.RELIED_ON,
        codes.TAKEN_AWAY,
        codes.COPY_DIFFERS,
        codes.NAMESPACE_MISSING,
        codes.CRD_MISSING,
        codes.NEVER_FAILS_OVER,
        codes.NO_NAMESPACE,
    }
)
"""Codes that can be acknowledged, but are known only after the objects of a cluster with patches are built."""


_ONCE = (codes.NAMESPACE_MISSING, codes.CRD_MISSING)
"""Codes that are reported once: all objects of a namespace or kind have the same problem."""


class AppliedChecks:
    """The checks of one run. An object that several clusters share is checked once, except with the rules that depend
    on its cluster."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], tuple[Touched, tuple[Fault, ...], bool]] = {}

    def check(self, view: View) -> Iterator[Problem]:
        """All problems of the objects that the user's files touch, each once, at the line that causes it."""
        once: set[Fault] = set()
        for one in view.touched:
            for fault in dict.fromkeys(self._faults(view, one)):
                if fault not in once:
                    yield _problem(view, one, fault)
                once |= {fault} if fault.code in _ONCE else set()
        for one in view.gone:
            yield _problem(view, one, _gone(view, one))

    def _faults(self, view: View, one: Touched) -> Sequence[Fault]:
        kubernetes, ours = view.cluster.kubernetes, one.patched and one.identity not in view.theirs
        key = (id(one.after), id(one.before), one.patched, kubernetes, ours)
        if key not in self._known:
            alone = tuple(_alone(one, Single(one.identity, one.after, kubernetes, ours)))
            self._known[key] = one, alone, _has_new_spec(one)  # the objects are kept, so their ids stay their own
        _, alone, has_new_spec = self._known[key]
        return (*alone, *(fault for rule in _TOGETHER for fault in rule(view, one))) if has_new_spec else alone


def _alone(one: Touched, now: Single) -> Iterator[Fault]:
    """The faults that depend only on the object, without those that the object had before its patches."""
    was = replace(now, body=one.before) if one.before else None
    before = {(fault.what, fault.code) for rule in _ALONE for fault in rule(was)} if was else set()
    yield from (fault for rule in _ALONE for fault in rule(now) if (fault.what, fault.code) not in before)
    if one.before is not None and one.patched:
        yield from changed(one.identity, one.before, one.after)


def _has_new_spec(one: Touched) -> bool:
    """True unless meshc or a chart made the object with the same spec. Lists and tuples are the same."""
    if one.before is None or not one.patched:
        return True
    was, now = (json.dumps(body.get("spec"), sort_keys=True, default=str) for body in (one.before, one.after))
    return was != now


def _gone(view: View, one: Touched) -> Fault:
    """The problem of an object that a patch removes or renames."""
    kind = one.identity[:2]
    new = [other.identity for other in view.touched if other.before is None and other.identity[:2] == kind]
    fresh = [identity for identity in new if identity not in view.theirs]
    if fresh:  # a new name or a new namespace
        old = one.identity
        likely = min(fresh, key=lambda other: (old.name not in other.name, other.namespace != old.namespace))
        what = f"is renamed to {likely}, but the mesh needs its original name"
        path = ("metadata", "name" if likely.name != old.name else "namespace")
        return Fault(path, what, "remove the new name from the patch", codes.TAKEN_AWAY)
    hint = "remove the change from the patch; acknowledge it if nothing in the mesh needs the object"
    by = "a patch or a component" if view.cluster.components else "a patch"
    return Fault(("$patch",), f"is removed by {by}", hint, codes.TAKEN_AWAY)


def _problem(view: View, one: Touched, fault: Fault) -> Problem:
    name = view.cluster.name
    as_patched = "as patched, " if one.patched else ""
    first, *rest = one.causes(fault.path)
    told = f"{name}: {as_patched}{one.identity} {fault.what}"
    return fault.code.at(first, told, fault.hint, also=rest, clusters=(name,))
