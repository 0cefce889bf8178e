"""Runs the checks on a cluster's objects as they will be applied. This is the only list of these checks.

An object that no patch matches is checked as it was read, and every other object after its patches. Only problems that
come from the user's files are reported, not those of objects that meshc or a chart makes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from meshc import codes
from meshc.checks.applied.copies import copies
from meshc.checks.applied.failover import failover
from meshc.checks.applied.metadata import heads
from meshc.checks.applied.others import others
from meshc.checks.applied.presence import definitions, namespaces_of
from meshc.checks.applied.relied import relied
from meshc.checks.applied.services import services, slices
from meshc.checks.applied.view import Fault, Touched, View
from meshc.checks.applied.workloads import workloads
from meshc.checks.overlay.namespaces import INJECTION
from meshc.kube import at

if TYPE_CHECKING:
    from meshc.errors import Code, Problem
    from meshc.kube import Body

_Rule = Callable[[View, Touched], Iterator[Fault]]


def _both_labels(view: View, one: Touched) -> Iterator[Fault]:
    del view
    if one.identity[:2] == ("", "Namespace") and set(at(one.after, "metadata", "labels") or {}) >= INJECTION:
        hint = "keep one of them: with both labels, Istio ignores the revision"
        what = "has both istio-injection and istio.io/rev"
        yield Fault(("metadata", "labels"), what, hint, codes.BOTH_INJECTION_LABELS)


_ALONE: tuple[_Rule, ...] = (heads, services, slices, workloads, others, failover, _both_labels)
"""Rules for a single object. A problem that the object had before its patches isn't reported."""
_TOGETHER: tuple[_Rule, ...] = (relied, copies, namespaces_of, definitions)

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


def check_applied(view: View) -> Iterator[Problem]:
    """All problems of the objects that the user's files touch, each once, at the line that causes it."""
    once: set[Fault] = set()
    for one in view.touched:
        before = {(fault.what, fault.code) for fault in _alone(view, one, one.before)} if one.before else set()
        faults = [fault for fault in _alone(view, one, one.after) if (fault.what, fault.code) not in before]
        faults += [fault for rule in _TOGETHER for fault in rule(view, one)]
        for fault in dict.fromkeys(faults):
            if fault not in once:
                yield _problem(view, one, fault)
            once |= {fault} if fault.code in _ONCE else set()
    for one in view.gone:
        yield _problem(view, one, _gone(view, one))


def _alone(view: View, one: Touched, body: Body) -> Iterator[Fault]:
    this = Touched(body, one.before, one.causes, one.patched)
    for rule in _ALONE:
        yield from rule(view, this)


def _gone(view: View, one: Touched) -> Fault:
    """The problem of an object that a patch removes or renames."""
    kind = one.identity[:2]
    new = [other.identity for other in view.touched if other.before is None and other.identity[:2] == kind]
    fresh = [identity for identity in new if identity not in view.theirs]
    if fresh:  # a new name or a new namespace
        what = f"is renamed to {fresh[0]}, but the mesh needs its original name"
        path = ("metadata", "name" if fresh[0].name != one.identity.name else "namespace")
        return Fault(path, what, "remove the new name from the patch", codes.TAKEN_AWAY)
    hint = "remove the change from the patch; acknowledge it if nothing in the mesh needs the object"
    return Fault(("$patch",), "is removed by a patch", hint, codes.TAKEN_AWAY)


def _problem(view: View, one: Touched, fault: Fault) -> Problem:
    name = view.cluster.name
    as_patched = "as patched, " if one.patched else ""
    first, *rest = one.causes(fault.path)
    told = f"{name}: {as_patched}{one.identity} {fault.what}"
    return fault.code.at(first, told, fault.hint, also=rest, clusters=(name,))
