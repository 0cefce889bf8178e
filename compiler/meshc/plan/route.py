"""Finds the route of a call: which clusters answer, through which gateways, with which identity, or why none does.

It follows istiod's rules, from the plan alone: the name resolves, the caller's control plane knows the endpoints, and
the caller's network reaches their address. The state of live clusters is not considered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from meshc.plan.needs import waiting_for
from meshc.plan.signers import signer_of

if TYPE_CHECKING:
    from meshc.mesh.exports import Export
    from meshc.plan.ir import ClusterPlan, Plan
    from meshc.plan.ways import NetworkPlan


@dataclass(frozen=True, slots=True)
class End:
    """The endpoints of one cluster. `gateways` has the host and port of each gateway to it; empty for direct calls.

    `why` says why calls don't reach the endpoints; empty if they answer.
    """

    cluster: str
    network: str | None
    gateways: tuple[str, ...]
    transport: Literal["mutual TLS", "plain text"]
    signed_by: str
    why: str


@dataclass(frozen=True, slots=True)
class Route:
    """A call from a cluster to a Service: its host, how the name resolves, the endpoints by cluster, and remarks.

    `why` says why no cluster answers; empty if some cluster does.
    """

    caller: str
    host: str
    resolves: str
    control_planes: tuple[str, ...]
    ends: tuple[End, ...]
    why: str
    remarks: tuple[str, ...]


def route_to(
    plan: Plan, caller: ClusterPlan, export: Export, pending: Collection[str] = (), lost: Collection[str] = ()
) -> Route:
    """The route from `caller` to a Service of the mesh, after the loss of the clusters in `lost`.

    `pending` has the missing credentials, in the words of a compile's messages.
    """
    resolves = _resolves(caller, export)
    planes = _control_planes(plan, caller)
    ends = () if caller.is_external else tuple(_ends(plan, caller, export, _State(planes, pending, lost)))
    answering = [end for end in ends if not end.why]
    why = "" if answering and resolves else _why_nothing(caller, export, resolves, ends)
    host = f"{export.name}.{export.namespace}.svc.{plan.cluster_domain}"
    remarks = [_STALE.format(plane.name) for plane in planes if plane.name in lost]
    told = resolves and any(plane.name not in lost for plane in planes)
    kept = [end.cluster for end in ends if told and end.cluster in lost]
    remarks += [_KEPT.format(" and ".join(kept))] if kept else []
    remarks += _remarks(plan, export, answering)
    remarks += [_BY_SIDECAR] if answering and not resolves and plan.generation == "istiod" else []
    return Route(caller.name, host, resolves, tuple(one.name for one in planes), ends, why, tuple(remarks))


def _resolves(caller: ClusterPlan, export: Export) -> str:
    """The Service that the name resolves to in the caller's cluster; empty if it doesn't resolve."""
    if caller.is_external:
        return ""
    if caller.name in export.homes:
        return "its own Service"
    if caller.name in export.occupied:
        return "another Service of that name, which runs there"
    return "a copy of the Service" if caller.name in export.clients else ""


def _control_planes(plan: Plan, caller: ClusterPlan) -> list[ClusterPlan]:
    """The clusters whose istiod, or Pilot, configures the caller's sidecars."""
    primaries = dict.fromkeys(plane.attachment.primary if plane.attachment else caller.name for plane in caller.planes)
    return [plan.cluster(name) for name in primaries]


_STALE = (
    "the control plane in {} is lost: running sidecars keep what they know until their certificates end, and new pods "
    "get no sidecar"
)
_KEPT = (
    "the control plane keeps the endpoints in {}, as nothing tells it that they are gone: calls still go there and "
    "fail until the cluster is taken out of mesh.yaml, unless a DestinationRule has outlierDetection"
)


@dataclass(frozen=True, slots=True)
class _State:
    """The state that hides endpoints from callers: missing credentials of their control planes, and lost clusters."""

    planes: Sequence[ClusterPlan]
    pending: Collection[str]
    lost: Collection[str]

    def hides(self, home: ClusterPlan) -> str:
        """Why the caller doesn't get the cluster's endpoints; empty if it does."""
        if home.name in self.lost:
            return "the cluster is lost"
        for plane in self.planes:
            if home.name != plane.name and waiting_for(home.name, plane.name) in self.pending:
                return f"{plane.name} has no credentials for it yet"
        return ""


def _ends(plan: Plan, caller: ClusterPlan, export: Export, state: _State) -> Iterator[End]:
    if caller.name in export.occupied:
        return
    networks = {network.name: network for network in plan.networks}
    # clusters of the caller's own network come first, as they are called without a gateway
    homes = sorted(export.homes, key=lambda name: (name != caller.name, plan.cluster(name).network != caller.network))
    for name in homes:
        home = plan.cluster(name)
        network = networks.get(home.network or "")
        apart = None not in (home.network, caller.network) and home.network != caller.network
        transport = _transport(plan, home, export)
        why = state.hides(home) or (_unreachable(export, network, transport) if apart else "")
        gateways = _gateways(network, home) if apart and network else ()
        yield End(name, home.network, gateways, transport, _signer(plan, home), why)


def _gateways(network: NetworkPlan, home: ClusterPlan) -> tuple[str, ...]:
    """The gateway in the cluster itself, which istiod prefers; otherwise all gateways of the network.

    Source: selectNetworkGateways in pilot/pkg/xds/endpoints/ep_filters.go, Istio 1.31.
    """
    own = f"{home.gateway.host}:{home.gateway.port}" if home.gateway and home.gateway.host else ""
    return (own,) if network.more and own in network.hosts else network.hosts


def _unreachable(export: Export, network: NetworkPlan | None, transport: str) -> str:
    """Why pods of another network don't answer (EndpointsByNetworkFilter in ep_filters.go); empty if they do."""
    if network is None or not network.hosts:
        return "its network has no gateway in mesh.yaml, so callers are given addresses that don't lead there"
    if transport != "mutual TLS":
        return "its pods don't speak mutual TLS, and gateways pass nothing else on"
    if export.traits.headless:
        return "the Service is headless, and pods of another network have no address here (istio#38327)"
    return ""


def _transport(plan: Plan, home: ClusterPlan, export: Export) -> Literal["mutual TLS", "plain text"]:
    """Mutual TLS if the pods of the namespace in that cluster are in the mesh."""
    labels = next((one.labels for one in home.namespaces if one.name == export.namespace), {})
    inside = labels.get("istio-injection") == "enabled" or "istio.io/rev" in labels
    inside = inside or labels.get("istio.io/dataplane-mode") == "ambient" or home.injection == "manual"
    return "mutual TLS" if inside and plan.mutual_tls != "disabled" else "plain text"


def _signer(plan: Plan, home: ClusterPlan) -> str:
    """The CA that signs the certificates of the pods that answer."""
    if plan.ca == "external":
        return "the external CA"
    return f"the CA of {signer_of(plan, home)}" + ("" if plan.ca == "plugged-in" else ", self-signed")


def _why_nothing(caller: ClusterPlan, export: Export, resolves: str, ends: Sequence[End]) -> str:
    if caller.is_external:
        return "no workloads run in an external control plane's cluster"
    if not resolves:
        return "the name doesn't resolve there: neither the Service nor a copy of it is in the cluster"
    if caller.name in export.occupied:
        return "another Service of that name runs there, and answers instead"
    if not ends:
        return "it runs in no cluster"
    return "no cluster that runs it can be reached"


def _remarks(plan: Plan, export: Export, answering: Sequence[End]) -> Iterator[str]:
    if export.traits.external_name:
        yield f"the name is only an alias of {export.traits.external_name}"
    if export.traits.node_local:
        yield "internalTrafficPolicy is Local: only endpoints on the caller's own node answer"
    if len(answering) > 1:
        spread = export.traits.traffic_distribution
        yield f"trafficDistribution {spread}: near endpoints first, others when none is left" if spread else _SPREAD
    if any(end.transport == "plain text" for end in answering) and plan.mutual_tls == "strict":
        yield "pods that aren't in the mesh answer in plain text; a strict policy only applies to sidecars"


_BY_SIDECAR = "a sidecar knows these endpoints all the same; it answers the name itself with ISTIO_META_DNS_CAPTURE"
_SPREAD = (
    "calls are spread over the endpoints of all of them alike; trafficDistribution of the Service prefers near ones, "
    "and so does a DestinationRule with localityLbSetting and outlierDetection"
)
