"""Seals the given credentials of a remote, or cacerts, for every cluster that needs them: all files, or none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from meshc.errors import UsageError
from meshc.issuing import intermediates, recipients
from meshc.issuing.cacerts import CA, CHAIN, KEY, ROOTS, Authority
from meshc.issuing.given import Given, given, remote_of
from meshc.issuing.remote import Order, Sealing, stop_on_sealed
from meshc.issuing.verified import lasting, parts_of, stop_on_faults
from meshc.lowering import needs_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshc.hidden import Hidden
    from meshc.issuing.work import Work
    from meshc.plan.ir import ClusterPlan


@dataclass(frozen=True, slots=True)
class Wanted:
    """The cluster and the remote of a Secret, if the input doesn't name them; `replace` seals a sealed Secret again.

    `identities` decrypt a sops file that also contains the credentials of other clusters.
    """

    cluster: str | None
    remote: str | None
    replace: bool
    accepted: bool
    identities: tuple[Hidden, ...] = ()


@dataclass(frozen=True, slots=True)
class Sealed:
    """The changed files, a line for each value that must be put into a store, and what expires soon."""

    changed: tuple[str, ...]
    owed: tuple[str, ...]
    warnings: tuple[str, ...]


def sealed(work: Work, handed_over: Hidden, wanted: Wanted) -> Sealed:
    """Detects whether the input is a kubeconfig or a cacerts, and seals it. If it raises MeshcError, nothing was
    written."""
    handed = given(handed_over)
    if handed.keys is not None:
        places, owed, warnings = _cacerts(work, handed.keys, wanted)
    else:
        places, owed, warnings = _remote(work, handed, wanted)
    recipients.update_rules(work, places)
    changed = tuple(work.commit())
    return Sealed(changed, tuple(owed), (*warnings, *recipients.left_to_sops(work, places)))


_Done = tuple[list["ClusterPlan"], list[str], list[str]]


def _remote(work: Work, handed: Given, wanted: Wanted) -> _Done:
    remote = remote_of(work.plan, handed, wanted.remote)
    order = Order(datetime.now(UTC), wanted.cluster, wanted.replace, wanted.accepted, wanted.identities)
    sealing = Sealing(work, needs_of(work.plan), order)
    sealing.take(handed, remote)
    sealing.finish()
    return sealing.places, [str(each) for each in sealing.owed], sealing.warnings


def _cacerts(work: Work, keys: Mapping[str, Hidden], wanted: Wanted) -> _Done:
    if wanted.cluster is None:
        raise UsageError("the input doesn't say which cluster this cacerts is for", "--cluster NAME")
    (cluster,) = intermediates.signing(work.plan, [wanted.cluster])
    missing = [name for name in (CA, CHAIN, ROOTS, KEY) if name not in keys]
    if missing:
        raise UsageError(f"the cacerts has no {', '.join(missing)}")
    need = next(need for need in needs_of(work.plan) if need.cluster == cluster.name and need.name == "cacerts")
    stop_on_sealed(work, need, "", wanted.replace)
    authority = Authority(keys[CA].reveal(), keys[CHAIN].reveal(), keys[ROOTS].reveal())
    stop_on_faults(work.plan, cluster, authority)
    ending = lasting(parts_of(authority), datetime.now(UTC))
    recipients.stop_on_new(work, needs_of(work.plan), [cluster], wanted.accepted)
    intermediates.place(work, cluster, authority, keys[KEY], datetime.now(UTC))
    return [cluster], [], list(ending)
