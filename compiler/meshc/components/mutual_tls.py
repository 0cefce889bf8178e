"""The mesh's mutual TLS policy, in the clusters where a control plane reads configuration: primaries and config
clusters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from meshc.components.contract import ISTIO, thing
from meshc.generation import Generation

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan

_MODES = {"strict": "STRICT", "permissive": "PERMISSIVE", "disabled": "DISABLE"}


def lower(plan: Plan, cluster: ClusterPlan) -> Iterable[Body]:
    """The policy for servers, and with classic Istio the rules for clients; nothing in any other cluster."""
    return _LOWER[plan.generation](plan) if cluster.holds_config else ()


def _istiod(plan: Plan) -> Iterable[Body]:
    # The root namespace is istiod's own. In another namespace, the same object isn't a mesh-wide policy.
    spec = {"mtls": {"mode": _MODES[plan.mutual_tls]}}
    yield thing("security.istio.io/v1", "PeerAuthentication", "default", plan.istio_namespace, labels=ISTIO, spec=spec)


def _classic(plan: Plan) -> Iterable[Body]:
    """The cluster-scoped MeshPolicy. Clients use TLS only with strict; permissive is the default of the 1.0 chart."""
    if plan.mutual_tls == "disabled":
        return
    peer = {"mtls": {}} if plan.mutual_tls == "strict" else {"mtls": {"mode": "PERMISSIVE"}}
    yield thing("authentication.istio.io/v1alpha1", "MeshPolicy", "default", labels=ISTIO, spec={"peers": [peer]})
    if plan.mutual_tls == "strict":
        yield _rule(plan, "default", "*.local", "ISTIO_MUTUAL")
        yield _rule(plan, "api-server", "kubernetes.default.svc.cluster.local", "DISABLE")  # no sidecar there


def _rule(plan: Plan, name: str, host: str, mode: str) -> Body:
    spec = {"host": host, "trafficPolicy": {"tls": {"mode": mode}}}
    return thing("networking.istio.io/v1alpha3", "DestinationRule", name, plan.istio_namespace, labels=ISTIO, spec=spec)


_LOWER = {Generation.CLASSIC: _classic, Generation.ISTIOD: _istiod}
