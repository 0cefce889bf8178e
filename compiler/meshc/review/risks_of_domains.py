"""Finds the dangers of a changed trust domain and changed aliases.

A trust domain is replaced in three commits, each synced everywhere before the next: add the new domain as an alias,
swap the two, and remove the old one when no certificate has it any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from meshc import codes

if TYPE_CHECKING:
    from meshc.errors import Place, Problem
    from meshc.plan.ir import Plan

_DOMAIN, _ALIASES = "trustDomain", "trustDomainAliases"


def trust_domains(before: Plan, after: Plan, place: Callable[[str], Place]) -> Iterator[Problem]:
    """A warning for a changed trust domain, and for each added or removed alias."""
    names = tuple(cluster.name for cluster in after.clusters)
    was, now = before.trust_domain, after.trust_domain
    known, kept = before.trust_domain_aliases, after.trust_domain_aliases
    if was != now:
        what = f'{_DOMAIN} is "{now}" instead of "{was}"'
        hint = "sync this everywhere, restart the workloads, and keep the alias until meshc next says to remove it"
        if was not in kept:
            what += (
                ": workloads with a certificate of the old one are refused, which is every workload until it restarts"
            )
            hint = f"write {_ALIASES}: [{', '.join((was, *kept))}]"
        elif now not in known:
            what += ": clusters that haven't synced this refuse workloads with a certificate of the new one"
            hint = f"first commit and sync {_ALIASES}: [{', '.join((now, *known))}]"
        yield codes.MESH_IDENTITY.at(place(_DOMAIN), what, hint, clusters=names)
    for alias in known:
        if alias not in (*kept, now):
            what = (
                f'"{alias}" is no longer an alias of the trust domain: workloads with a certificate of it are refused'
            )
            hint = "check that no workload has one: meshc next shows when the last one that this mesh signed expires"
            yield codes.MESH_IDENTITY.at(place(_ALIASES), what, hint, clusters=names)
    for alias in kept:
        if alias not in (*known, was, now):
            what = f'identities of trust domain "{alias}" are accepted like those of the mesh'
            yield codes.TRUST_GRANTED.at(place(_ALIASES), what, codes.TRUST_GRANTED.advice, clusters=names)
