"""Runs a compile's checks on the CA that a cluster is about to get."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.errors import RefusedError, stop_on
from meshc.issuing.cacerts import CA, CHAIN, ROOTS, Authority
from meshc.trust.alone import shown_time
from meshc.trust.certificates import Certificate, read
from meshc.trust.issue import renewal_begins
from meshc.trust.names import Leaf, Signer, leaves_of
from meshc.trust.rotation import roots_above
from meshc.trust.verify import ClusterFiles, verify

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from meshc.plan.ir import ClusterPlan, Plan


def stop_on_faults(plan: Plan, cluster: ClusterPlan, authority: Authority) -> None:
    """Raises ProblemsError with all problems of the certificates, if one of them is an error."""
    files = ClusterFiles(cluster.name, (CA, authority.certificate), (CHAIN, authority.chain), signed_in(plan, cluster))
    stop_on(verify((ROOTS, authority.roots), [files], generation=plan.generation))


def parts_of(authority: Authority) -> dict[str, bytes]:
    """The certificates that a CA is verified with, and the names of their files; without the other roots of the
    bundle."""
    roots = roots_above(authority.certificate, authority.chain, authority.roots)
    return {CA: authority.certificate, ROOTS: b"".join(roots), CHAIN: authority.chain}


def lasting(parts: Mapping[str, bytes], now: datetime) -> list[str]:
    """A line for each certificate that is due for renewal or isn't valid yet. Raises RefusedError for an expired
    certificate."""
    seen = dict[str, tuple[str, Certificate]]()
    for file, data in parts.items():
        for certificate in read(file, data)[0]:
            seen.setdefault(certificate.fingerprint, (file, certificate))
    return [line for file, certificate in seen.values() if (line := _lasts(file, certificate, now))]


def _lasts(file: str, certificate: Certificate, now: datetime) -> str:
    begin, end = shown_time(certificate.not_before), shown_time(certificate.not_after)
    if certificate.not_after <= now:
        raise RefusedError(
            f'{file}: "{certificate.subject}" expired on {end}, so istiod would refuse it',
            "have it renewed first, or check this machine's clock",
        )
    if certificate.not_before > now:
        return f'{file}: "{certificate.subject}" is valid from {begin}; istiod refuses it until then'
    if renewal_begins(certificate.not_before, certificate.not_after) <= now:
        return f'{file}: "{certificate.subject}" expires on {end}: have it renewed in time'
    return ""


def signed_in(plan: Plan, cluster: ClusterPlan) -> tuple[Leaf, ...]:
    """The names that the CA of a cluster must be allowed to sign."""
    return leaves_of(
        Signer(
            plan.generation,
            plan.istio_namespace,
            plan.trust_domain,
            [plane.revision for plane in cluster.planes],
            cluster.injection_host,
            ambient=any(one.ambient for one in plan.clusters),
        )
    )
