"""The stories by name. The only list of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from proof.programs import OLDEST, SEALED, Module
from proof.stories import (
    adopted,
    analyzed,
    applied_again,
    base_by_hand,
    capped,
    credentials,
    evicted,
    external,
    from_nothing,
    interrupted,
    lost,
    membership,
    moves,
    partition,
    paths,
    primaries,
    root_replaced,
    sealed,
    services_moved,
    two_networks,
    upgraded,
)
from proof.world import World


@dataclass(frozen=True)
class Story:
    """A story, and what it shows. One that is known to fail says by which fault, and is red when it passes.

    `after` names the story whose world it goes on with, `needs` the programs that only some stories run.
    """

    name: str
    shows: str
    tell: Callable[[World], None]
    after: str = ""
    known: str = ""
    needs: tuple[Module, ...] = ()


_BASE = "from-nothing"
STORIES = (
    Story(_BASE, "init, CA, seal, commit, Flux applies, requests with mutual TLS", from_nothing.tell),
    Story("applied-again", "a second apply changes no resourceVersion", applied_again.tell, _BASE),
    Story("analyzed", "istioctl analyze and validate over output/", analyzed.tell, _BASE),
    Story("adopted", "a mesh that runs is adopted as it is, by accounts of least rights", adopted.tell, _BASE),
    Story("joins", "a cluster joins, requests to the others never fail", membership.join, _BASE),
    Story("leaves", "a cluster leaves, what should is pruned and nothing else", membership.leave, "joins"),
    Story("token-rotated", "a remote's token is replaced, requests don't fail", credentials.rotate, _BASE),
    Story("token-capped", "an API server caps tokens, nothing that ends early is sealed unseen", capped.tell, _BASE),
    Story("rights-taken", "the reader's rights are taken away, doctor says it", credentials.take_rights, _BASE),
    Story("partition", "a cluster can't be reached for a while, then heals", partition.tell, _BASE),
    Story("api-frozen", "an API server takes calls and says nothing, then heals", interrupted.freeze, _BASE),
    Story("flux-killed", "Flux is killed half way through applying and pruning", interrupted.stop_flux, _BASE),
    Story("publish-killed", "meshc publish is killed at any time", interrupted.kill_publish, _BASE),
    Story("service-moved", "a service moves in steps, its name resolves as diff said", services_moved.move, _BASE),
    Story("moved-at-once", "moved in one step, what diff warned of happens", services_moved.at_once, _BASE),
    Story("port-renamed", "a port's name changes in one cluster, as diff warned", services_moved.rename, _BASE),
    Story("moves", "the control plane moves, doctor finds it, capture mends it", moves.tell, _BASE),
    Story("root-replaced", "the root is replaced in three steps, no request fails", root_replaced.tell, _BASE),
    Story("two-networks", "pods of two networks reach each other by their gateways", two_networks.tell),
    Story("primaries", "two primaries with a remote each, in three networks, traffic each way", primaries.tell),
    Story("external", "istiod runs apart from the clusters that it serves", external.tell),
    Story("oldest", "the same on the oldest Kubernetes that this Istio supports", from_nothing.oldest, needs=(OLDEST,)),
    Story("sealed-secrets", "the sealed-secrets controllers open what meshc places", sealed.tell, needs=(SEALED,)),
    Story("lost", "a gateway, then a cluster is lost: calls fail over as meshc path says", lost.tell),
    Story("paths", "meshc path says of each call what istiod tells the caller's sidecar", paths.tell),
    Story("upgraded", "a canary beside the old istiod, the tag moves, the old one goes", upgraded.tell),
    Story("base-by-hand", "chart base comes after the first sync: cacerts doesn't wait, tokens do", base_by_hand.tell),
    Story("evicted", "a compromised remote gets no certificate any more", evicted.tell, "joins"),
)
