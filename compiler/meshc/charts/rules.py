"""Changes a chart's output so that it can be committed. Each rule names its charts and its reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from meshc.charts.chance import changeable
from meshc.charts.mending import (
    closed,
    current,
    flattened,
    housed,
    unbundled,
    unhooked,
    without_policies,
    without_scripts,
)
from meshc.kube import Body, Version
from meshc.mesh.chart_files import digest_of

if TYPE_CHECKING:
    from meshc.plan.needs import ChartNeed

EVERY = ("istio", "istio-remote", "base", "istiod", "cni", "ztunnel", "gateway")
CLASSIC = ("istio", "istio-remote")


_OLDEST, _NEVER = Version(1, 0, 0), Version(2, 0, 0)


@dataclass(frozen=True, slots=True)
class Rule:
    """A change to charts of some names and versions (from `first`, and before `end`), with the reason."""

    name: str
    charts: tuple[str, ...]
    why: str
    first: Version = _OLDEST
    end: Version = _NEVER

    def covers(self, need: ChartNeed) -> bool:
        """True if the rule applies to this chart in this version."""
        return need.chart in self.charts and self.first <= need.version < self.end


SCHEMA = Rule(
    "schema skipped",
    ("gateway",),
    "the chart's schema refuses the chart's own defaults",
    Version(1, 24, 0),
    Version(1, 25, 0),
)
DUPLICATES = Rule(
    "duplicate keys",
    ("istio",),
    "the Deployments of Mixer have the key ports twice, which kustomize refuses; meshc keeps the last, as kubectl does",
    end=Version(1, 1, 0),
)
CRDS = Rule(
    "CRDs kept",
    ("istio",),
    "the CRDs are hooks of the kind crd-install, which helm 3 and 4 ignore",
    end=Version(1, 1, 0),
)
CONDITION = Rule(
    "condition fixed",
    ("istio",),
    "a template has the condition `(one) or (other)`, which helm 3 and 4 refuse; later ones have `or (one) (other)`",
    end=Version(1, 0, 2),
)
"""The rules that apply before a chart is rendered; DUPLICATES applies when the output is parsed."""

_CRD_INSTALL = re.compile(rb"(?m)^[ \t]*[\"']?helm\.sh/hook(-weight)?[\"']?:.*\n")
_ONE_OR_OTHER = re.compile(rb"\{\{- if (\([^()]*\)) or (\([^()]*\)) \}\}")


@dataclass(frozen=True)
class Prepared:
    """A chart's files for helm, and their digest."""

    files: Mapping[str, bytes]
    digest: str

    @cached_property
    def calls(self) -> tuple[str, ...]:
        """The calls of random and clock functions in the templates."""
        return changeable(self.files)


def prepare(files: Mapping[str, bytes], need: ChartNeed) -> Prepared:
    """Applies the rules for files to a chart, before it is rendered."""
    edited = dict(files)
    if SCHEMA.covers(need):
        edited.pop("values.schema.json", None)
    if CRDS.covers(need):
        edited |= {path: _CRD_INSTALL.sub(b"", data) for path, data in files.items() if "/crds" in path}
    if CONDITION.covers(need):
        edited |= {path: _ONE_OR_OTHER.sub(rb"{{- if or \1 \2 }}", data) for path, data in edited.items()}
    return Prepared(edited, need.digest if edited == files else digest_of(edited))


def cleaned(bodies: Iterable[Body], need: ChartNeed) -> list[Body]:
    """The objects of a chart after all rules, CRDs first."""
    found = list(bodies)
    for rule, apply in RULES:
        if rule.covers(need):
            found = [after for before in found for after in apply(before, need)]
    return sorted(found, key=lambda body: body.get("kind") != "CustomResourceDefinition")


RULES: tuple[tuple[Rule, Callable[[Body, ChartNeed], Iterable[Body]]], ...] = (
    (
        Rule(
            "lists flattened", EVERY, "kustomize's files and meshc's checks work with single objects, not with a List"
        ),
        flattened,
    ),
    (
        Rule(
            "hooks dropped",
            EVERY,
            "Flux would run a clean-up Job at once, which deletes every workload certificate; Argo CD doesn't support "
            "post-delete hooks",
        ),
        unhooked,
    ),
    (
        Rule(
            "policies of remotes dropped",
            ("istio-remote",),
            "Pilot reads policies only in its own cluster, and the chart has no CRDs for them",
            end=Version(1, 1, 0),
        ),
        without_policies,
    ),
    (
        Rule(
            "policies made by a Job dropped",
            CLASSIC,
            "a hook applies the content of ConfigMap istio-security-custom-resources; meshc writes MeshPolicy and "
            "DestinationRules itself",
            end=Version(1, 1, 0),
        ),
        without_scripts,
    ),
    (
        Rule(
            "namespaces",
            EVERY,
            "helm installs an object without a namespace into the release's namespace; cluster-scoped objects can't "
            "have one, although charts of 1.0 set it",
        ),
        housed,
    ),
    (
        Rule(
            "API versions",
            CLASSIC,
            "extensions/v1beta1 ends with Kubernetes 1.16 and rbac v1beta1 with 1.22; apps/v1 and rbac v1 exist from "
            "1.9; apps/v1 requires a selector, which older versions took from the pod's labels; autoscalers refer to "
            "the API version too",
            end=Version(1, 1, 0),
        ),
        current,
    ),
    (
        Rule(
            "empty caBundle dropped",
            EVERY,
            "Istio fills it in, and a GitOps engine would remove it again at every sync; Kubernetes before 1.13 "
            "requires the field",
        ),
        unbundled,
    ),
    (
        Rule(
            "failurePolicy of validation",
            ("base", "istiod"),
            "before 1.29.6 the charts ignore `base.validationFailurePolicy`; meshc writes it into the webhooks",
            Version(1, 24, 0),
            Version(1, 30, 0),
        ),
        closed,
    ),
)
"""The rules for objects, applied in this order."""


def every_rule() -> tuple[Rule, ...]:
    """All rules, for the docs."""
    return (SCHEMA, CRDS, CONDITION, DUPLICATES, *(rule for rule, _ in RULES))
