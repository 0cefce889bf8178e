"""authorities turns the certificates of a mesh into the rows of a table: which CA ends when, under which root."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from meshc.seal.cacerts import CA, CHAIN, ROOTS
from meshc.trust.issue import Summary, summary
from meshc.trust.keys import IssueError
from meshc.trust.rotation import roots_above

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan
    from meshc.seal.work import Work

_BEGIN = b"-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class Row:
    """One CA: a root, or a cluster's. `about` is empty where there is no certificate to tell of."""

    name: str
    state: str
    about: Summary | None
    expiring: bool
    notes: tuple[str, ...] = ()

    @property
    def until(self) -> str:
        return f"{self.about.not_after:%Y-%m-%d}" if self.about else ""

    @property
    def fingerprint(self) -> str:
        return self.about.fingerprint if self.about else ""

    @property
    def subject(self) -> str:
        return self.about.subject if self.about else ""

    def as_json(self) -> dict[str, Any]:
        """The row as data; every key is always there."""
        about = self.about
        return {
            "name": self.name,
            "state": self.state,
            "expiring": self.expiring,
            "subject": self.subject,
            "fingerprint": self.fingerprint,
            "key": about.key if about else "",
            "notBefore": f"{about.not_before:%Y-%m-%dT%H:%M:%SZ}" if about else "",
            "notAfter": f"{about.not_after:%Y-%m-%dT%H:%M:%SZ}" if about else "",
            "issuer": about.issuer_fingerprint or "" if about else "",
            "notes": list(self.notes),
        }


def rows(work: Work, now: datetime, within: int) -> list[Row]:
    """Every root, then every cluster in which a CA runs or one lies. `within` in days."""
    roots = work.read(work.certificate(ROOTS))
    blocks = [_BEGIN + rest for rest in (roots or b"").split(_BEGIN)[1:]]
    found = [
        _row(f"root {number}" if len(blocks) > 1 else "root", one, now, within) for number, one in enumerate(blocks, 1)
    ]
    if not blocks:
        found = [Row("root", "missing", None, expiring=False, notes=("meshc ca init makes one",))]
    return found + [row for cluster in work.plan.clusters if (row := _of_cluster(work, cluster, roots, now, within))]


def _of_cluster(work: Work, cluster: ClusterPlan, roots: bytes | None, now: datetime, within: int) -> Row | None:
    certificate = work.read(work.certificate(CA, cluster.name))
    if certificate is None:
        if cluster.cacerts != "required":
            return None
        return Row(cluster.name, "missing", None, expiring=False, notes=(f"meshc ca issue {cluster.name}",))
    chain = work.read(work.certificate(CHAIN, cluster.name)) or certificate
    row = _row(cluster.name, certificate, now, within, chain + (roots or b""))
    notes = []
    if row.about and roots is not None and not roots_above(certificate, chain, roots):
        notes.append("under none of the roots")
    if work.read(work.cacerts(cluster.name)) is None:
        notes.append("not sealed yet")
    return Row(row.name, row.state, row.about, row.expiring, (*row.notes, *notes))


def _row(name: str, certificate: bytes, now: datetime, within: int, issuers: bytes = b"") -> Row:
    try:
        about = summary(certificate, issuers)
    except IssueError as error:
        return Row(name, "unreadable", None, expiring=False, notes=(str(error),))
    left = (about.not_after - now).days
    if about.not_after <= now:
        return Row(name, "expired", about, expiring=True)
    if about.not_before > now:
        return Row(name, "not yet valid", about, expiring=False)
    ending = about.not_after - now <= timedelta(days=within)
    return Row(name, f"expires in {left} days" if ending else "valid", about, expiring=ending)
