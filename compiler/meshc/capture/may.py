"""Asks an API server whether a token has the rights that istiod needs, before istiod is refused.

Uses Kubernetes' self-review APIs, which change nothing. Asks about rights that the list of rules doesn't show one by
one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from meshc.capture.resource import Resource
from meshc.capture.trouble import AskError, Trouble
from meshc.components.classic import READS
from meshc.components.rights import CONFIG_CLUSTER, READER, granted
from meshc.kube import as_list, at
from meshc.plan.remote_credentials import secrets_are_read

if TYPE_CHECKING:
    from meshc.capture.ask import Api
    from meshc.plan.ir import ClusterPlan, Plan

_GROUP = "authorization.k8s.io"
_ENOUGH = 6
"""After this many refused rights the whole role is missing, and no further right is checked."""
_READY = ("services", "pods", "nodes", "namespaces", "endpoints", "endpointslices", "tokenreviews")
"""Rights without which istiod doesn't become ready, or refuses every sidecar of the cluster."""


class Right(NamedTuple):
    """One verb on one kind of object, in all namespaces."""

    verb: str
    group: str
    resource: str

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}{f'.{self.group}' if self.group else ''}"

    @property
    def needed(self) -> bool:
        """True if the control plane doesn't become ready, or serves nobody there, without this right."""
        return self.resource in _READY and self.verb in ("list", "watch", "create")


def of_istiod(plan: Plan, remote: ClusterPlan) -> list[Right]:
    """The rights that a control plane needs in a remote, from Istio's own roles."""
    if plan.generation == "classic":
        rules = [READS]
    elif remote.config_cluster == remote.name:
        rules = granted(CONFIG_CLUSTER, remote.istio)
    else:
        rules = granted(READER, remote.istio, without="" if secrets_are_read(plan, remote) else "secrets")
    return list(dict.fromkeys(_rights(rules)))


def source_of_rights(cluster: ClusterPlan) -> str:
    """What gives a cluster's account its rights: a step for a person."""
    if cluster.attachment is None and not any(one.chart == "istiod" for one in cluster.charts):
        values = f"meshc values {cluster.name} --chart istiod"
        return f"install chart istiod in {cluster.name}, which has the account's role and binding: {values}"
    return f"sync output/{cluster.name}, which has the account's role and binding"


def _rights(rules: Iterable[Any]) -> Iterator[Right]:
    for rule in rules:
        for group in as_list(at(rule, "apiGroups")):
            for resource in as_list(at(rule, "resources")):
                yield from (Right(verb, group, resource) for verb in as_list(at(rule, "verbs")))


def lacking(api: Api, namespace: str, rights: Sequence[Right]) -> list[Right]:
    """The rights that the token doesn't have. Raises AskError if the server doesn't support the question."""
    asked = {"apiVersion": f"{_GROUP}/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace}}
    said = api.create(Resource("selfsubjectrulesreviews", group=_GROUP), asked)
    rules = [one for one in as_list(at(said, "status", "resourceRules")) if not at(one, "resourceNames")]
    untold = [one for one in rights if not any(_covers(rule, one) for rule in rules)]
    untold.sort(key=lambda one: not one.needed)
    return list(islice((one for one in untold if not _allowed(api, one)), _ENOUGH))


def _covers(rule: Any, right: Right) -> bool:
    pairs = ((right.verb, "verbs"), (right.group, "apiGroups"), (right.resource, "resources"))
    return all({word, "*"} & {*as_list(at(rule, key))} for word, key in pairs)


def may(api: Api, verb: str, resource: Resource) -> bool:
    """True if the user may do something with the objects of a kind, in a namespace or cluster-wide.

    Raises AskError.
    """
    return _allowed(api, Right(verb, resource.group, resource.plural), resource.namespace)


def _allowed(api: Api, right: Right, namespace: str = "") -> bool:
    resource, _, sub = right.resource.partition("/")
    attributes = {"verb": right.verb, "group": right.group, "resource": resource}
    attributes |= {"namespace": namespace} if namespace else {}
    asked = {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {**attributes, **({"subresource": sub} if sub else {})}},
    }
    return at(api.create(Resource("selfsubjectaccessreviews", group=_GROUP), asked), "status", "allowed") is True


def refused(api: Api, namespace: str, rights: Sequence[Right]) -> list[Right]:
    """As `lacking`, but if a server doesn't answer such questions, tries each read and returns those that are refused.
    Raises AskError."""
    try:
        return lacking(api, namespace, rights)
    except AskError as error:
        if error.trouble not in (Trouble.FORBIDDEN, Trouble.MISSING):
            raise
    tried = [Right("list", "", plural) for plural in ("services", "pods", "nodes")]
    return [one for one in tried if not _listed(api, one)]


def _listed(api: Api, right: Right) -> bool:
    try:
        api.may_list(Resource(right.resource))
    except AskError as error:
        if error.trouble is Trouble.FORBIDDEN:
            return False
        raise
    return True


def told(rights: Sequence[Right]) -> str:
    """A few of the rights, for a message."""
    return ", ".join(map(str, rights[:3])) + (" and more" if len(rights) > 3 else "")
