"""Finds names that a CA's leaf certificates can't have because of name constraints.

A constraint is compared with the names of every certificate below it: the leaf, and the CAs in between. The rules are
those of Go's Verify (constraints.go), and for subjects those of OpenSSL and BoringSSL (Envoy), because Go doesn't
compare subjects. Istio's leaf certificates have no subject.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import TYPE_CHECKING

from cryptography import x509

from meshc import codes
from meshc.trust.go import domain_fault, mailbox
from meshc.trust.uris import host_of

if TYPE_CHECKING:
    from meshc.errors import Problem
    from meshc.generation import Generation
    from meshc.trust.certificates import Certificate


_COMPARED = (x509.DNSName, x509.UniformResourceIdentifier, x509.RFC822Name, x509.IPAddress, x509.DirectoryName)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate that a CA must be able to sign: its owner in words, its names, and whether ztunnel reads it.

    ztunnel's rustls-webpki can't compare URIs and subjects, and refuses every chain with a constraint on them.
    """

    whose: str
    names: tuple[x509.GeneralName, ...]
    ztunnel: bool = False


@dataclass(frozen=True, slots=True)
class Signer:
    """The settings that decide which certificates the CA of a cluster signs.

    `host` is the host name at which API servers call istiod, if there is one.
    """

    generation: Generation
    namespace: str
    trust_domain: str
    revisions: Sequence[str] = ()
    host: str | None = None
    ambient: bool = False


def leaves_of(signer: Signer) -> tuple[Leaf, ...]:
    """The certificates that the CA of a cluster signs: workloads' and, with istiod, istiod's own server certificate.

    Constraints don't cover the part of a URI after the trust domain.
    """
    uri = x509.UniformResourceIdentifier(f"spiffe://{signer.trust_domain}/ns/any/sa/any")
    workload = Leaf("a workload", (uri,), signer.ambient)
    if not signer.generation.serves_by_its_ca:
        return (workload,)
    services = ["istiod", "istiod-remote", "istio-pilot"]
    services += [f"istiod-{revision}" for revision in signer.revisions if revision != "default"]
    hosts = [f"{service}.{signer.namespace}.svc" for service in services] + ([signer.host] if signer.host else [])
    return Leaf("istiod", tuple(x509.DNSName(name) for name in hosts)), workload


def forbidden(path: Sequence[Certificate], leaves: Sequence[Leaf], name: tuple[str, ...]) -> Iterator[Problem]:
    """Reports leaf certificates that the constraints along a path, from the signer to its root, forbid: a problem for
    each leaf."""
    for above, issuer in enumerate(path):
        if issuer.constraints is None:
            continue
        below = [*leaves, *(Leaf(f'"{ca.subject}"', (*ca.names, *_subject(ca))) for ca in path[:above])]
        for leaf in below:
            why = next((why for one in leaf.names if (why := _forbids(issuer.constraints, one))), None)
            if leaf.ztunnel and _of(issuer.constraints, x509.UniformResourceIdentifier, x509.DirectoryName):
                why = "ztunnel supports no constraints on URIs or subjects"
            if why:
                what = f'the name constraints of "{issuer.subject}" forbid the certificate of {leaf.whose}: {why}'
                hint = "issue it again without name constraints, or with constraints that permit this name"
                also = (path[0].place,) if above else ()
                yield codes.NAME_FORBIDDEN.at(issuer.place, what, hint, also=also, clusters=name)


def _of(constraints: x509.NameConstraints, *kinds: type[x509.GeneralName]) -> bool:
    """True if there is a constraint on names of these kinds."""
    bases = (*(constraints.permitted_subtrees or ()), *(constraints.excluded_subtrees or ()))
    return any(isinstance(base, kinds) for base in bases)


def _subject(certificate: Certificate) -> Iterator[x509.GeneralName]:
    if len(list(certificate.x509.subject)):
        yield x509.DirectoryName(certificate.x509.subject)


def _forbids(constraints: x509.NameConstraints, name: x509.GeneralName) -> str | None:
    permitted = [base for base in constraints.permitted_subtrees or () if type(base) is type(name)]
    excluded = [base for base in constraints.excluded_subtrees or () if type(base) is type(name)]
    if _host(name) is None or (not isinstance(name, _COMPARED) and (permitted or excluded)):
        return f"{_shown(name)} can't be compared with the constraints"
    if permitted and not any(_covers(base, name) for base in permitted):
        return f"{_shown(name)} isn't permitted"
    found = next((base for base in excluded if _covers(base, name, excluded=True)), None)
    return f"{_shown(name)} is excluded by {_shown(found)}" if found else None


def _host(name: x509.GeneralName) -> str | None:
    """The part of a name that is compared; None if it has none."""
    match name:
        case x509.DNSName(value=domain):
            return None if domain_fault(domain) else domain
        case x509.UniformResourceIdentifier(value=uri):
            host = (host_of(uri) or "").partition(":")[0]
            return host if host and not _is_address(host) else None
        case x509.RFC822Name(value=address):
            parts = mailbox(address)
            return parts[1] if parts else None
    return ""


def _covers(base: x509.GeneralName, name: x509.GeneralName, *, excluded: bool = False) -> bool:
    if isinstance(base, x509.DirectoryName):
        rdns = base.value.rdns
        return isinstance(name, x509.DirectoryName) and name.value.rdns[: len(rdns)] == rdns
    if isinstance(base, x509.IPAddress):
        assert isinstance(base.value, IPv4Network | IPv6Network)  # noqa: S101
        return isinstance(name, x509.IPAddress) and name.value in base.value
    domain, host = str(base.value).lower(), (_host(name) or "").lower()
    if isinstance(name, x509.RFC822Name) and "@" in domain:
        return mailbox(str(base.value)) == mailbox(name.value)
    if host == domain or (domain.startswith(".") and host.endswith(domain)):
        return True
    # To OpenSSL and BoringSSL a URI's host is this host alone (RFC 5280, 4.2.1.10), to Go what is below it as well.
    if (excluded or isinstance(name, x509.DNSName)) and (not domain or host.endswith(f".{domain}")):
        return True
    rest = host.partition(".")[2]  # a wildcard could stand for what is excluded
    return excluded and host.startswith("*") and bool(rest) and domain.partition(".")[2] == rest


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _shown(name: x509.GeneralName) -> str:
    value = name.value.rfc4514_string() if isinstance(name, x509.DirectoryName) else str(name.value)
    return '"' + "".join(c if c.isprintable() else "?" for c in value)[:120] + '"'
