"""Finds objects that permit or restrict access: who may call a workload, and what pods may do to their node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshc.kube import Body, as_list, at, identity_of
from meshc.review.walk import Facts, values_of


def opens(body: Body) -> Facts:
    """The rules of an object that let everyone in."""
    facts: Facts = {}
    kind, spec = identity_of(body).kind, body.get("spec")
    allows = kind == "AuthorizationPolicy" and str(at(spec, "action") or "ALLOW") == "ALLOW"
    for rule in as_list(at(spec, "rules")) if allows else ():
        sources = [source for _, source in values_of(at(rule, "from"), "source")]
        named = any(_is_everyone(source) for source in sources)
        if not at(rule, "when") and (named or not (sources or at(rule, "to"))):
            facts["allows every request"] = ""
    if kind == "NetworkPolicy":
        for way, peers in (("ingress", "from"), ("egress", "to")):
            for rule in as_list(at(spec, way)):
                callers = as_list(at(rule, peers))
                if any(_is_anywhere(one) for one in callers) or not (callers or at(rule, "ports")):
                    facts[f"allows all {way}"] = ""
    annotations = at(body, "metadata", "annotations")
    for key, value in annotations.items() if isinstance(annotations, dict) else ():
        if key in _UNAPPLIED:
            facts[f"changes how an engine applies it with {key}: {value}"] = ""
    level = at(body, "metadata", "labels", LEVEL)
    if kind == "Namespace" and level in ("privileged", "baseline"):
        facts[f"allows pods of pod security level {level}"] = ""
    return facts


LEVEL = "pod-security.kubernetes.io/enforce"

_UNAPPLIED = (
    "kustomize.toolkit.fluxcd.io/reconcile",
    "kustomize.toolkit.fluxcd.io/ssa",
    "argocd.argoproj.io/hook",
    "argocd.argoproj.io/compare-options",
)
"""Annotations with which Flux or Argo CD no longer keep an object equal to Git."""


def _is_anywhere(peer: Any) -> bool:
    """True for a peer of a NetworkPolicy that matches every pod or every address."""
    block = at(peer, "ipBlock", "cidr")
    return block in ("0.0.0.0/0", "::/0") or peer in ({}, {"namespaceSelector": {}})


def _is_everyone(source: Any) -> bool:
    """True for a source of a rule that matches any caller."""
    return not source or (isinstance(source, Mapping) and all(as_list(one) == ("*",) for one in source.values()))


def guards(body: Body) -> bool:
    """True for an object that protects others, so that its change or removal may permit more."""
    kind = identity_of(body).kind
    ends = ("Policy", "WebhookConfiguration", "Quota", "LimitRange", "RequestAuthentication")
    return kind.endswith(ends) or kind.startswith("Validating")
