"""Computes how long proxies can keep using their present roots and certificates.

A sidecar gets new roots with its next certificate. It requests one after half of the lifetime, and uses none after the
end of its lifetime. istiod sends roots at once only to proxies that ask for them (PROXY_CONFIG_XDS_AGENT), and only if
it accepts new roots at run time (ISTIO_MULTIROOT_MESH). ztunnel never asks for roots: istio/istio#47427.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from meshc.kube import at
from meshc.plan.istiod_values import ISTIOD_SENDS, PROXIES_ASK
from meshc.plan.values import charts_in, values_of

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan, Plan

AT_ONCE = timedelta(minutes=30)
"""The time to sync a commit (Flux polls every 10 minutes), to update a mounted Secret (the kubelet: up to 2 minutes),
and to send its content to every proxy (istiod)."""

_ISTIO = timedelta(hours=24)
"""SECRET_TTL of pilot-agent and of ztunnel, and DEFAULT_WORKLOAD_CERT_TTL of istiod: Istio 1.24 to 1.31."""

_CITADEL = timedelta(days=90)
"""workloadCertTTL of Citadel 1.0; its charts have no value for it."""

_LONGEST = timedelta(days=3650)
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ns|us|ms|s|m|h)", re.ASCII)
_SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Lifetime:
    """The longest lifetime of a workload certificate, and whether istiod sends new roots to all proxies (`sent`).

    With `ambient` there are ztunnels, to which istiod never sends roots.
    """

    longest: timedelta
    sent: bool
    ambient: bool


def lifetime_of(plan: Plan) -> Lifetime:
    """The lifetime that results from the Helm values of all clusters, no matter who renders the charts."""
    if plan.generation.writes_certificate_secrets:
        return Lifetime(_CITADEL, sent=False, ambient=False)
    found = [one for cluster in plan.clusters for one in _values(plan, cluster)]
    ambient = any(chart == "ztunnel" for chart, _, _ in found)
    planes = [values for chart, cluster, values in found if chart == "istiod" and cluster.attachment is None]
    sent = not ambient and all(_sends(values) for values in planes)
    return Lifetime(max((_lasts(chart, values) for chart, _, values in found), default=_ISTIO), sent, ambient)


def duration(text: str) -> timedelta | None:
    """A duration as Go writes it, such as 1h30m; None for other text."""
    parts = _DURATION.findall(text) if len(text) <= 64 else []
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return timedelta(
        seconds=min(sum(float(number) * _SECONDS[unit] for number, unit in parts), _LONGEST.total_seconds())
    )


def _values(plan: Plan, cluster: ClusterPlan) -> Iterator[tuple[str, ClusterPlan, Mapping[str, Any]]]:
    for chart, release, _, own in charts_in(plan, cluster):
        if chart in ("istiod", "ztunnel"):
            yield chart, cluster, values_of(plan, cluster, chart, release, own)


def _lasts(chart: str, values: Mapping[str, Any]) -> timedelta:
    """The lifetime that proxies request. istiod's default, for proxies that request none, counts if it is longer."""
    if chart == "ztunnel":
        return _read(at(values, "env", "SECRET_TTL"), _ISTIO)
    otherwise = _read(at(values, "pilot", "env", "DEFAULT_WORKLOAD_CERT_TTL"), timedelta())
    return max(_read(at(values, "meshConfig", "defaultConfig", "proxyMetadata", "SECRET_TTL"), _ISTIO), otherwise)


def _read(value: object, default: timedelta) -> timedelta:
    """A duration; Istio uses its default if it can't parse the value."""
    return (duration(value) if isinstance(value, str) else None) or default


def _sends(values: Mapping[str, Any]) -> bool:
    """True if an istiod sends roots to proxies, including those of its remotes, as it injects them too."""
    asks = at(values, "meshConfig", "defaultConfig", "proxyMetadata", PROXIES_ASK)
    return _true(asks) and _true(at(values, "pilot", "env", ISTIOD_SENDS))


def _true(value: object) -> bool:
    return str(value).lower() in ("true", "1", "t")
