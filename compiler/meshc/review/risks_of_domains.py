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
        hint = "sync this everywhere, restart the workloads, and keep the alias until meshc next lets it go"
        if was not in kept:
            what += ": who has a certificate of the old one is refused, which is everybody until restarted"
            hint = f"write {_ALIASES}: [{', '.join((was, *kept))}]"
        elif now not in known:
            what += ": clusters that haven't synced this refuse whoever has a certificate of the new one"
            hint = f"first, in a commit before this one: {_ALIASES}: [{', '.join((now, *known))}]"
        yield codes.MESH_IDENTITY.at(place(_DOMAIN), what, hint, clusters=names)
    for alias in known:
        if alias not in (*kept, now):
            what = f'"{alias}" is no alias of the trust domain any more: who has a certificate of it is refused'
            hint = "check that nobody has: meshc next tells when the last one ends that this mesh has signed"
            yield codes.MESH_IDENTITY.at(place(_ALIASES), what, hint, clusters=names)
    for alias in kept:
        if alias not in (*known, was, now):
            what = f'identities of trust domain "{alias}" are taken for the mesh\'s own'
            yield codes.TRUST_GRANTED.at(place(_ALIASES), what, codes.TRUST_GRANTED.advice, clusters=names)
