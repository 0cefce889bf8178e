"""Reports ports and hosts that two Gateway objects of a cluster both claim (istio#42050)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from meshc import codes
from meshc.kube import at, identity_of, is_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from meshc.errors import Problem
    from meshc.kube import Body, Identity, KubeObject
    from meshc.plan.ir import ClusterPlan


class _Claim(NamedTuple):
    """A host on a port of the pods that a selector chooses. Only one Gateway may have it."""

    selector: tuple[tuple[str, str], ...]
    port: int
    host: str


def check_gateways(cluster: ClusterPlan, ours: Sequence[KubeObject]) -> Iterable[Problem]:
    """Reports a user's Gateway that claims what another Gateway has already: Envoy rejects the second listener."""
    if not cluster.resources:
        return
    first = {claim: str(one.identity) for one in ours for claim in _claims(one.identity, one.body)}
    for one in (one for file in cluster.resources for one in file.objects if is_object(one.body)):
        identity = identity_of(one.body)
        name = str(identity)
        taken = [claim for claim in _claims(identity, one.body) if first.setdefault(claim, name) != name]
        if taken:
            claim = taken[0]
            what = f'{cluster.name}: {name} and {first[claim]} both have host "{claim.host}" on port {claim.port}'
            hint = "remove your Gateway, or give it another port or selector"
            yield codes.GATEWAY_TWICE.at(one.place, what, hint, clusters=(cluster.name,))


def _claims(identity: Identity, body: Body) -> Iterator[_Claim]:
    if (identity.group, identity.kind) != ("networking.istio.io", "Gateway"):
        return
    selector, servers = at(body, "spec", "selector"), at(body, "spec", "servers")
    chosen = tuple(sorted((str(k), str(v)) for k, v in selector.items())) if isinstance(selector, dict) else ()
    for server in servers if isinstance(servers, list | tuple) else ():
        number, hosts = at(server, "port", "number"), at(server, "hosts")
        for host in hosts if isinstance(hosts, list | tuple) and isinstance(number, int) else ():
            yield _Claim(chosen, number, _without_namespace(host))


def _without_namespace(host: Any) -> str:
    """Removes the namespace: `./name` and `namespace/name` only limit the Services, and the listener is the same."""
    return str(host).rpartition("/")[2]
