"""Finds DestinationRules whose failover between localities istiod ignores.

Without outlierDetection Envoy never treats an endpoint as failed, so istiod doesn't set priorities of localities (1.24
to 1.31, ApplyLocalityLoadBalancer). A Service's trafficDistribution and weights (distribute) need no outlierDetection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.checks.applied.view import Fault
from meshc.kube import as_list, at

if TYPE_CHECKING:
    from meshc.checks.applied.view import Single
    from meshc.errors import Path


def failover(one: Single) -> Iterator[Fault]:
    """Checks the traffic policies of a DestinationRule: for the whole host, for each subset, and for each port."""
    if one.identity[:2] != ("networking.istio.io", "DestinationRule"):
        return
    top = at(one.body, "spec", "trafficPolicy")
    policies: list[tuple[Path, Any, Any]] = [(("spec", "trafficPolicy"), top, top)]
    for number, subset in enumerate(as_list(at(one.body, "spec", "subsets"))):
        policies.append((("spec", "subsets", number, "trafficPolicy"), at(subset, "trafficPolicy"), top))
    for path, policy, _ in tuple(policies):
        ports = enumerate(as_list(at(policy, "portLevelSettings")))
        policies += [((*path, "portLevelSettings", number), port, port) for number, port in ports]
    for path, policy, around in policies:
        watches = any(isinstance(at(each, "outlierDetection"), Mapping) for each in (policy, around))
        if _fails_over(at(policy, "loadBalancer", "localityLbSetting")) and not watches:
            what = "asks for other localities when endpoints fail, but has no outlierDetection to detect the failure"
            hint = "add outlierDetection beside loadBalancer, such as {consecutive5xxErrors: 5, interval: 10s}"
            yield Fault((*path, "loadBalancer", "localityLbSetting"), what, hint, codes.NEVER_FAILS_OVER)


def _fails_over(setting: Any) -> bool:
    """True if a locality setting asks for failover from the preferred localities to others."""
    if not isinstance(setting, Mapping) or at(setting, "enabled") is False or at(setting, "distribute"):
        return False
    return bool(at(setting, "failover") or at(setting, "failoverPriority") or at(setting, "enabled") is True)
