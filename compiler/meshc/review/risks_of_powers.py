"""Finds the objects of a difference that give somebody a power that they didn't have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from meshc import codes
from meshc.errors import Code
from meshc.kube import Body, Identity, at
from meshc.review import openings, powers
from meshc.review.diff import Action, Difference, Entry
from meshc.review.modes import mode_of
from meshc.review.objects import Objects
from meshc.review.risks_of_objects import Risk, bodies, remote_of
from meshc.review.walk import Facts

_SHOWN = 3
_ENGINES = "_delivery"
"""The folder of output/ with the objects for Argo CD or Flux."""


def new_powers(difference: Difference, expected: frozenset[str], delivered: Objects, namespace: str) -> Iterator[Risk]:
    """The powers that a change adds, kind by kind, in clusters that existed before.

    `expected` are the addresses in mesh.yaml. `delivered` are the earlier objects for engines: a further object with
    the same source isn't reported. `namespace` is Istio's.
    """
    known = {fact for body in delivered.values() for fact in powers.syncs(body)}
    rules: Mapping[Code, Callable[[Body], Facts]] = {
        codes.TRUST_GRANTED: powers.trusted,
        codes.CODE_RUNS: powers.runs,
        codes.SECRETS_READ: powers.reads_secrets,
        codes.TRAFFIC_MOVED: partial(powers.routes, expected=expected),
        codes.SYNC_SOURCE: powers.syncs,
        codes.GUARD_LOWERED: openings.opens,
    }
    groups: dict[tuple[Code, tuple[str, ...], tuple[str, ...]], list[Identity]] = {}
    for entry, old, new in bodies(difference, Action.ADD, Action.CHANGE, Action.MOVE):
        clusters = _standing(difference, entry)
        if not clusters or _is_sealed_for_istiod(entry, new, namespace):
            continue
        for code, rule in rules.items():
            before = rule(old) if entry.action is Action.CHANGE else {}
            found = [fact for fact, value in rule(new).items() if before.get(fact) != value]
            if clusters == (_ENGINES,):
                found = [fact for fact in found if fact not in known]
            if entry.action is Action.ADD:
                found = [fact for fact in found if fact != powers.SELECTS]
            if found:
                groups.setdefault((code, tuple(found), clusters), []).append(entry.identity)
    for (code, facts, clusters), identities in groups.items():
        others = f" (and {len(identities) - 1} more)" if len(identities) > 1 else ""
        more = f" and {len(facts) - _SHOWN} more" if len(facts) > _SHOWN else ""
        what = f"{identities[0]}{others} {', '.join(facts[:_SHOWN])}{more}"
        yield Risk(code, what, clusters, identities[0])


def guards_that_change(difference: Difference) -> Iterator[Risk]:
    """Policies of any kind that are removed or changed, except those that MESH805 and MESH818 report."""
    for entry, old, new in bodies(difference, Action.CHANGE, Action.DELETE):
        clusters = _standing(difference, entry)
        if not clusters:
            continue
        told = entry.identity.kind in _TOLD or mode_of(old) is not None
        routine = entry.identity.kind == "MutatingWebhookConfiguration" and entry.action is Action.CHANGE
        if openings.guards(old) and not (told or routine) and _content(old) != _content(new):
            done = "is removed" if entry.action is Action.DELETE else "changes"
            yield Risk(codes.GUARD_LOWERED, f"{entry.identity} {done}", clusters, entry.identity)
        level = at(old, "metadata", "labels", openings.LEVEL)
        if entry.identity.kind == "Namespace" and level and new and not at(new, "metadata", "labels", openings.LEVEL):
            what = f"{entry.identity} no longer enforces pod security level {level}"
            yield Risk(codes.GUARD_LOWERED, what, clusters, entry.identity)
        if mode_of(old) is not None and new and at(old, "spec", "selector") != at(new, "spec", "selector"):
            what = f"{entry.identity} applies to other workloads than before"
            yield Risk(codes.GUARD_LOWERED, what, clusters, entry.identity)
        if entry.action is Action.DELETE and (facts := powers.routes(old, frozenset())) and not mode_of(old):
            gone = [fact for fact in facts if fact.startswith(powers.ROUTES)]
            if gone:
                yield Risk(
                    codes.TRAFFIC_MOVED, f"{entry.identity}, which {gone[0]}, is removed", clusters, entry.identity
                )


def _content(body: Body) -> Mapping[str, object]:
    return {key: value for key, value in body.items() if key != "metadata"}


_TOLD = ("AuthorizationPolicy", "RequestAuthentication", "NetworkPolicy")


def _standing(difference: Difference, entry: Entry) -> tuple[str, ...]:
    """The folders that existed before. In a new cluster, everything is new."""
    return tuple(
        name
        for name in entry.clusters
        if name.startswith("_") or (name in difference.before and name in difference.after)
    )


def _is_sealed_for_istiod(entry: Entry, body: Body, namespace: str) -> bool:
    """True for cacerts and remote secrets, which come from checked files and are covered by other dangers."""
    if entry.identity.namespace != namespace:
        return False
    return entry.identity.kind == "Secret" and (entry.identity.name == "cacerts" or remote_of(body) is not None)
