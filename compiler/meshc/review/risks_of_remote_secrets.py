"""Finds changes of the credentials with which istiods read other clusters, if one Secret has several credentials."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from meshc import codes
from meshc.kube import keys_in
from meshc.plan.istiod_values import MOUNTED
from meshc.review.diff import Action, Difference
from meshc.review.risks_of_objects import Risk, bodies

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan

Pairs = Iterable[tuple["ClusterPlan", "ClusterPlan"]]


def forms(pairs: Pairs) -> Iterator[Risk]:
    """Primaries whose istiod has to read credentials from a new place, while the old place is emptied in the same
    commit."""
    changes: dict[tuple[str, str], list[str]] = {}
    for was, now in pairs:
        if now.watched and was.remote_secrets != now.remote_secrets:
            changes.setdefault((was.remote_secrets, now.remote_secrets), []).append(now.name)
    for (old, new), names in changes.items():
        if old == "both" and new == "mounted":
            what = "the labelled remote secrets are removed: an istiod without the mounted ones loses every remote"
        elif {old, new} == {"separate", "mounted"}:
            what = f"remoteSecrets is {new} instead of {old}: a running istiod loses its remotes"
        else:
            continue
        yield Risk(codes.CREDENTIALS_MOVE, what, tuple(names))


def changed_form(pairs: Pairs) -> frozenset[str]:
    """The clusters whose remote secrets change their form: each removed secret is replaced by another."""
    return frozenset(now.name for was, now in pairs if was.remote_secrets != now.remote_secrets)


def keys_that_go(difference: Difference) -> Iterator[Risk]:
    """Credentials that are removed from a shared Secret while their cluster stays in the mesh."""
    for entry, old, new in bodies(difference, Action.CHANGE):
        if entry.identity.name != MOUNTED:
            continue
        for key in sorted(keys_in(old) - keys_in(new)):
            known = key.removesuffix(".yaml")
            remote = difference.names.get(known, known)
            if remote in difference.after:
                what = f'istiod loses the endpoints of "{remote}"'
                yield Risk(codes.CREDENTIALS_LEAVE, what, entry.clusters, entry.identity)
