"""The objects of one cluster that a file of the user touched, before the patches and as they will be applied."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from meshc import codes
from meshc.errors import Code
from meshc.kube import at, identity_of

if TYPE_CHECKING:
    from meshc.errors import Path, Place
    from meshc.kube import Body, Identity
    from meshc.plan.ir import ClusterPlan, Plan
    from meshc.plan.offers import ServiceCopy

Causes = Callable[["Path"], Sequence["Place"]]
"""From a path in an object to the user's lines that most likely put there what there is, the likeliest first."""


class Fault(NamedTuple):
    """What is wrong with an object at a path of it. `what` is said after the object's kind and name."""

    path: Path
    what: str
    hint: str
    code: Code = codes.PATCHED_WRONG


@dataclass(frozen=True, slots=True)
class Touched:
    """One object. `before` is as meshc or a chart made it, None for one of the user's own."""

    after: Body
    before: Body | None
    causes: Causes
    patched: bool = False

    @property
    def identity(self) -> Identity:
        return identity_of(self.after)


@dataclass(frozen=True)
class View:
    """A cluster. `there` gives the objects that stand in it besides; `gone` are those that patches took away.

    `offered` is what copies say of a Service, by its namespace and name.
    """

    plan: Plan
    cluster: ClusterPlan
    touched: Sequence[Touched]
    there: Callable[[], Iterable[Body]]
    offered: Mapping[tuple[str, str], ServiceCopy]
    gone: Sequence[Touched] = ()
    theirs: frozenset[Identity] = field(default_factory=frozenset)
    """The user's objects as they were read."""

    @cached_property
    def namespaces(self) -> frozenset[str]:
        """The Namespaces that are made here."""
        return frozenset(identity_of(body).name for body in self._every("Namespace"))

    @cached_property
    def definitions(self) -> Mapping[tuple[str, str], Body]:
        """The CRDs that are brought here, by group and kind."""
        crds = self._every("CustomResourceDefinition")
        return {(str(at(b, "spec", "group")), str(at(b, "spec", "names", "kind"))): b for b in crds}

    def labels_of_pods(self, namespace: str) -> list[Mapping[str, object]]:
        """The labels of the pods that workloads of a namespace make here."""
        kinds = ("Deployment", "DaemonSet", "StatefulSet")
        here = [body for body in self._every(*kinds) if identity_of(body).namespace == namespace]
        return [at(body, "spec", "template", "metadata", "labels") or {} for body in here]

    def _every(self, *kinds: str) -> Iterable[Body]:
        yield from (one.after for one in self.touched if one.after.get("kind") in kinds)
        yield from (body for body in self.there() if body.get("kind") in kinds)


def offered_by(plan: Plan) -> Mapping[tuple[str, str], ServiceCopy]:
    """A copy of each Service that has some."""
    bases = (copy for base in plan.bases for copy in base.copies)
    own = (copy for cluster in plan.clusters for copy in cluster.copies)
    return {(copy.namespace, copy.name): copy for copy in (*own, *bases)}
