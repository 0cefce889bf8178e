"""The objects of one cluster that the user's files add or change, before the patches and as they will be applied."""

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
    from meshc.kube import Body, Identity, Version
    from meshc.plan.ir import ClusterPlan, Plan
    from meshc.plan.offers import ServiceCopy

_ALWAYS = ("default", "kube-system", "kube-public", "kube-node-lease")

Causes = Callable[["Path"], Sequence["Place"]]
"""A function that returns the user's lines that most likely set the value at a path, the likeliest first."""


class Fault(NamedTuple):
    """A fault at a path of an object. In the message, `what` follows the object's kind and name."""

    path: Path
    what: str
    hint: str
    code: Code = codes.PATCHED_WRONG


@dataclass(frozen=True)
class Touched:
    """One object. `before` is the object as meshc or a chart made it, or None for the user's own objects."""

    identity: Identity
    after: Body
    before: Body | None
    causes: Causes
    patched: bool = False


@dataclass(frozen=True)
class Single:
    """An object without its cluster, for the rules that need no more.

    `ours` is true if meshc or a chart made the object and a patch changed it.
    """

    identity: Identity
    body: Body
    kubernetes: Version
    ours: bool


@dataclass(frozen=True)
class View:
    """A cluster. `there` returns all its objects; `gone` has the objects that patches removed.

    `offered` has the copies of each Service, by its namespace and name.
    """

    plan: Plan
    cluster: ClusterPlan
    touched: Sequence[Touched]
    there: Callable[[], Iterable[Body]]
    offered: Mapping[tuple[str, str], ServiceCopy]
    gone: Sequence[Touched] = ()
    theirs: frozenset[Identity] = field(default_factory=frozenset)
    """The identities of the user's objects as they were read."""

    @cached_property
    def namespaces(self) -> frozenset[str]:
        """The namespaces that exist: those of Kubernetes, of mesh.yaml, and among the objects of the cluster."""
        planned = {namespace.name for namespace in self.cluster.namespaces} | {*self.cluster.unmanaged}
        made = {identity_of(body).name for body in self._every("Namespace")}
        return frozenset({*_ALWAYS, self.plan.istio_namespace} | planned | made)

    @cached_property
    def definitions(self) -> Mapping[tuple[str, str], Body]:
        """The CRDs among the objects of the cluster, by group and kind."""
        crds = self._every("CustomResourceDefinition")
        return {(str(at(b, "spec", "group")), str(at(b, "spec", "names", "kind"))): b for b in crds}

    def labels_of_pods(self, namespace: str) -> list[Mapping[str, object]]:
        """The labels of the pods of each workload in a namespace."""
        kinds = ("Deployment", "DaemonSet", "StatefulSet")
        here = [body for body in self._every(*kinds) if identity_of(body).namespace == namespace]
        return [at(body, "spec", "template", "metadata", "labels") or {} for body in here]

    def _every(self, *kinds: str) -> Iterable[Body]:
        yield from (one.after for one in self.touched if one.after.get("kind") in kinds)
        yield from (body for body in self.there() if body.get("kind") in kinds)


def offered_by(plan: Plan) -> Mapping[tuple[str, str], ServiceCopy]:
    """One copy of each Service that has copies."""
    bases = (copy for base in plan.bases for copy in base.copies)
    own = (copy for cluster in plan.clusters for copy in cluster.copies)
    return {(copy.namespace, copy.name): copy for copy in (*own, *bases)}
