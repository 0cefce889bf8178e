"""Lists the CAs of a mesh as rows of a table: when each one expires, and under which root it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from meshc.issuing.cacerts import CA, CHAIN, ROOTS
from meshc.trust.certificates import read
from meshc.trust.issue import Summary, renewal_begins, summary
from meshc.trust.keys import IssueError
from meshc.trust.rotation import roots_above

if TYPE_CHECKING:
    from meshc.issuing.work import Work
    from meshc.plan.ir import ClusterPlan

_BEGIN = b"-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class Row:
    """One CA: a root, or a cluster's. `about` is empty if there is no certificate.

    `broken` is set if no cluster can work with it: it is unreadable, missing although it is needed, or under none of
    the roots.
    """

    name: str
    state: str
    about: Summary | None
    expiring: bool
    broken: bool = False
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
            "broken": self.broken,
            "subject": self.subject,
            "fingerprint": self.fingerprint,
            "key": about.key if about else "",
            "notBefore": f"{about.not_before:%Y-%m-%dT%H:%M:%SZ}" if about else "",
            "notAfter": f"{about.not_after:%Y-%m-%dT%H:%M:%SZ}" if about else "",
            "issuer": about.issuer_fingerprint or "" if about else "",
            "notes": list(self.notes),
        }


def rows(work: Work, now: datetime, within: int | None) -> list[Row]:
    """Every root, then every cluster in which a CA runs or that has CA files.

    A CA is expiring if it ends `within` this number of days, or, without a number, if it is due for renewal by its own
    dates.
    """
    roots = work.read(work.certificate(ROOTS))
    path, blocks = work.certificate(ROOTS), [_BEGIN + rest for rest in (roots or b"").split(_BEGIN)[1:]]
    if roots is None:
        needed = any(cluster.cacerts == "required" for cluster in work.plan.clusters)
        found = [Row("root", "missing", None, expiring=False, broken=needed, notes=("meshc ca init makes one",))]
    else:
        found = [
            _row(f"root {number}" if len(blocks) > 1 else "root", _Found(path, one), now, within)
            for number, one in enumerate(blocks or [roots], 1)
        ]
    return found + [row for cluster in work.plan.clusters if (row := _of_cluster(work, cluster, roots, now, within))]


def stop_on_unreadable(work: Work, cluster: str) -> None:
    """Raises IssueError, with the path as mesh.yaml spells it, for a certificate that can't be read."""
    for path in (work.certificate(ROOTS), work.certificate(CA, cluster), work.certificate(CHAIN, cluster)):
        data = work.read(path)
        for problem in read(path, data)[1] if data is not None else ():
            raise IssueError(f"{problem.place}: {problem.what}", problem.hint)


def _of_cluster(work: Work, cluster: ClusterPlan, roots: bytes | None, now: datetime, within: int | None) -> Row | None:
    path = work.certificate(CA, cluster.name)
    certificate = work.read(path)
    if certificate is None:
        if cluster.cacerts != "required":
            return None
        hint = f"meshc ca issue {cluster.name}"
        return Row(cluster.name, "missing", None, expiring=False, broken=True, notes=(hint,))
    chain = work.read(work.certificate(CHAIN, cluster.name))
    chain = certificate if chain is None else chain
    row = _row(cluster.name, _Found(path, certificate, chain + (roots or b"")), now, within)
    if row.about and roots is not None:
        row = _under(work, row, certificate, chain, roots)
    if work.read(work.cacerts(cluster.name)) is None:
        row = replace(row, notes=(*row.notes, "not sealed yet"))
    return row


def _under(work: Work, row: Row, certificate: bytes, chain: bytes, roots: bytes) -> Row:
    """The row of a cluster, with problems between its CA and the roots."""
    try:
        stop_on_unreadable(work, row.name)
    except IssueError as error:
        return replace(row, broken=True, notes=(*row.notes, error.what))
    if roots_above(certificate, chain, roots):
        return row
    return replace(row, broken=True, notes=(*row.notes, "under none of the roots"))


class _Found(NamedTuple):
    """A certificate at a path, and its issuers."""

    path: str
    certificate: bytes
    issuers: bytes = b""


def _row(name: str, found: _Found, now: datetime, within: int | None) -> Row:
    try:
        about = summary(found.certificate, found.issuers)
    except IssueError as error:
        return Row(name, "unreadable", None, expiring=False, broken=True, notes=(f"{found.path}: {error}",))
    left = (about.not_after - now).days
    if about.not_after <= now:
        return Row(name, "expired", about, expiring=True, broken=True)
    if about.not_before > now:
        return Row(name, "not yet valid", about, expiring=False, broken=True)
    own = renewal_begins(about.not_before, about.not_after)
    ending = now >= (own if within is None else about.not_after - timedelta(days=within))
    return Row(name, f"expires in {left} days" if ending else "valid", about, expiring=ending)
