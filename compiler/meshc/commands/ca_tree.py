"""Lists the CAs of a mesh below the roots that sign them, each with the clusters that use it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshc.issuing.authorities import Row, rows
from meshc.issuing.cacerts import CA, CHAIN, ROOTS
from meshc.plan.signers import signed_by
from meshc.trust.issue import summary
from meshc.trust.rotation import roots_above, roots_in

if TYPE_CHECKING:
    from datetime import datetime

    from meshc.issuing.work import Work

_NO_ROOT = "none"
"""Replaces the fingerprint of a CA that is missing, broken or under no root."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A root, or the CA of a cluster; `below` are the CAs that a root signed.

    `signs_for` are the clusters to whose workloads it issues certificates, `placed_in` the clusters that trust it as a
    root.
    """

    row: Row
    signs_for: tuple[str, ...] = ()
    placed_in: tuple[str, ...] = ()
    below: tuple[Authority, ...] = ()


def ca_tree(work: Work, now: datetime) -> tuple[Authority, ...]:
    """The roots in the order of their file, then the CAs that are under none of them.

    Empty if the CAs of the mesh aren't plugged in, because the repository then has no certificates.
    """
    plan = work.plan
    if plan.ca != "plugged-in":
        return ()
    found = rows(work, now, None)
    first = len(roots_in(work.read(work.certificate(ROOTS)) or b"")) or 1  # a cluster may have the name "root"
    below: dict[str, list[Authority]] = {}
    for row in found[first:]:
        below.setdefault(_root_above(work, row), []).append(Authority(row, signed_by(plan, row.name)))
    trusting = tuple(cluster.name for cluster in plan.clusters if cluster.cacerts != "none")
    tree = [Authority(row, (), trusting, tuple(below.pop(row.fingerprint, ()))) for row in found[:first]]
    return (*tree, *(one for rest in below.values() for one in rest))


def _root_above(work: Work, row: Row) -> str:
    """The fingerprint of the first root that a cluster's CA is under."""
    certificate, bundle = work.read(work.certificate(CA, row.name)), work.read(work.certificate(ROOTS))
    if row.broken or certificate is None or bundle is None:
        return _NO_ROOT
    chain = work.read(work.certificate(CHAIN, row.name))
    above = roots_above(certificate, certificate if chain is None else chain, bundle)
    return summary(above[0]).fingerprint if above else _NO_ROOT
