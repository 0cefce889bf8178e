"""Checks objects of other kinds for values that the API server refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from meshc.checks.applied.view import Fault
from meshc.kube import as_list, at

if TYPE_CHECKING:
    from meshc.checks.applied.view import Single

_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_LARGEST = 1 << 20


def others(one: Single) -> Iterator[Fault]:
    """Checks ConfigMaps, autoscalers, disruption budgets, webhooks, role bindings and CRDs."""
    match one.identity[:2]:
        case ("", "ConfigMap"):
            yield from _config_map(one)
        case ("autoscaling", "HorizontalPodAutoscaler"):
            least, most = at(one.body, "spec", "minReplicas"), at(one.body, "spec", "maxReplicas")
            if isinstance(least, int) and isinstance(most, int) and least > most:
                yield Fault(("spec",), f"has minReplicas {least} above maxReplicas {most}", "change both")
        case ("policy", "PodDisruptionBudget"):
            if {"minAvailable", "maxUnavailable"} <= {key for key, value in _spec(one).items() if value is not None}:
                hint = "write minAvailable: null or maxUnavailable: null in the patch"
                yield Fault(("spec",), "has both minAvailable and maxUnavailable", hint)
        case ("admissionregistration.k8s.io", "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration"):
            yield from _webhooks(one)
        case ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding"):
            if not at(one.body, "roleRef", "name") or not at(one.body, "roleRef", "kind"):
                yield Fault(("roleRef",), "has no roleRef", "add roleRef with apiGroup, kind and name")
        case ("apiextensions.k8s.io", "CustomResourceDefinition"):
            wanted = f"{at(one.body, 'spec', 'names', 'plural')}.{at(one.body, 'spec', 'group')}"
            if one.identity.name != wanted:
                yield Fault(("metadata", "name"), f"must be named {wanted}", "correct the name")


def _config_map(one: Single) -> Iterator[Fault]:
    size = 0
    data = one.body.get("data")
    for key, value in data.items() if isinstance(data, Mapping) else ():
        if not _KEY.fullmatch(key):
            yield Fault(
                ("data", key), f'has the invalid key "{key[:80]}" in its data', "write letters, digits, -, _ and ."
            )
        if value is not None and not isinstance(value, str):
            yield Fault(("data", key), f"has a value in data that isn't text: {key}", "put it in quotes")
        size += len(str(value).encode())
    if size > _LARGEST:
        yield Fault(("data",), "has more than 1 MiB of data", "split it")


def _webhooks(one: Single) -> Iterator[Fault]:
    for hook in as_list(one.body.get("webhooks")):
        config = at(hook, "clientConfig")
        if at(config, "url") and at(config, "service"):
            hint = "write service: null or url: null in the patch"
            yield Fault(("webhooks",), f"has webhook {at(hook, 'name')} with both url and service", hint)
        elif not at(config, "url") and not at(config, "service"):
            what = f"has webhook {at(hook, 'name')} without a url or service"
            hint = "kustomize merges webhooks by name: write the name as it is in overlays/"
            yield Fault(("webhooks",), what, hint)


def _spec(one: Single) -> Mapping[str, object]:
    spec = one.body.get("spec")
    return spec if isinstance(spec, Mapping) else {}
