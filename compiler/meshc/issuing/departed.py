"""Lists the CAs of clusters that have left the mesh and that are still trusted.

An intermediate is trusted until it expires, or until no cluster trusts its root: meshc writes no list of revoked CAs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from meshc.issuing.authorities import Row
from meshc.issuing.cacerts import CA, CHAIN, ROOTS
from meshc.trust.issue import Summary, summary
from meshc.trust.keys import IssueError
from meshc.trust.rotation import roots_above

if TYPE_CHECKING:
    from meshc.issuing.work import Work

STATE = "left the mesh"
Files = Mapping[str, Sequence[bytes]]
"""Every content that ca-cert.pem and cert-chain.pem of a cluster had."""


def departed(work: Work, past: Mapping[str, Files], now: datetime) -> list[Row]:
    """A row for each CA in Git's history whose cluster isn't in mesh.yaml, and that is still trusted. Sorted by
    name."""
    roots = work.read(work.certificate(ROOTS))
    here = {cluster.name for cluster in work.plan.clusters}
    if roots is None:
        return []
    seen = {about.fingerprint for name in here if (about := _about(work.read(work.certificate(CA, name)), roots))}
    found = []
    for name in sorted(past.keys() - here):
        chains = past[name].get(CHAIN, ())
        for certificate in past[name].get(CA, ()):
            about = _about(certificate, roots)
            if about is None or about.not_after <= now or about.fingerprint in seen:
                continue
            seen.add(about.fingerprint)
            if any(_trusted(certificate, chain, roots) for chain in (*chains, certificate)):
                found.append(
                    Row(name, STATE, about, expiring=False, notes=(f"trusted until {about.not_after:%Y-%m-%d}",))
                )
    return found


def _about(certificate: bytes | None, issuers: bytes) -> Summary | None:
    try:
        return summary(certificate, issuers) if certificate else None
    except IssueError:
        return None


def _trusted(certificate: bytes, chain: bytes, roots: bytes) -> bool:
    try:
        return bool(roots_above(certificate, chain, roots))
    except IssueError:
        return False
