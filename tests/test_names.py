"""Name constraints: which names of a leaf each of them lets pass, and what is asked of Go, Envoy and ztunnel."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from meshc import codes
from meshc.generation import Generation
from meshc.trust.alone import check_authority
from meshc.trust.certificates import only_certificates, read
from meshc.trust.names import Signer, leaves_of
from meshc.trust.rotation import contains
from meshc.trust.verify import ClusterFiles, verify
from support.throwaway import NEVER_CRITICAL, Authority, make_root, pem

DNS, URI, MAIL, ADDRESS = x509.DNSName, x509.UniformResourceIdentifier, x509.RFC822Name, x509.IPAddress
ROOT = make_root(path_length=3)


def permitted(*bases: x509.GeneralName) -> x509.NameConstraints:
    return x509.NameConstraints(bases, None)


def excluded(*bases: x509.GeneralName) -> x509.NameConstraints:
    return x509.NameConstraints(None, bases)


def told(
    ca: Authority, *chain: Authority, revision: str = "", host: str | None = None, ambient: bool = False
) -> list[str]:
    """The codes of what is wrong with a CA below ROOT, and for MESH322 the end of what it says."""
    leaves = leaves_of(
        Signer(Generation.ISTIOD, "istio-system", "cluster.local", [revision] if revision else [], host, ambient)
    )
    files = ClusterFiles("hub", ("ca-cert.pem", ca.cert_pem), ("cert-chain.pem", pem(ca, *chain)), leaves)
    problems = verify(("root-cert.pem", ROOT.cert_pem), [files], generation=Generation.ISTIOD)
    return [p.what.partition("forbid the certificate of ")[2] or f"{p.code.id} {p.what}" for p in problems]


def under(constraints: x509.NameConstraints, critical: bool = True) -> Authority:
    return ROOT.issue(extra=((constraints, critical),))


@pytest.mark.parametrize(
    "constraints",
    [
        permitted(DNS("svc")),
        permitted(DNS("SVC")),
        permitted(DNS("")),
        permitted(DNS(".istio-system.svc")),
        permitted(DNS("example.com"), DNS("istio-system.svc")),
        permitted(URI("cluster.local")),
        permitted(URI("CLUSTER.local")),
        permitted(URI(".local")),
        permitted(URI("example.com"), URI("cluster.local")),
        permitted(ADDRESS(ip_network("10.0.0.0/8"))),
        permitted(MAIL("example.com")),
        excluded(DNS("example.com"), URI("example.com"), URI(".cluster.local"), DNS("d.istio-system.svc")),
        excluded(ADDRESS(ip_network("0.0.0.0/0"))),
    ],
)
def test_constraints_that_permit_what_is_signed(constraints: x509.NameConstraints) -> None:
    assert told(under(constraints)) == []
    assert told(under(constraints, critical=False)) == []


ISTIOD, WORKLOAD = 'istiod: "istiod.istio-system.svc"', 'a workload: "spiffe://cluster.local/ns/any/sa/any"'


@pytest.mark.parametrize(
    ("constraints", "expected"),
    [
        (permitted(DNS("example.com")), [f"{ISTIOD} isn't permitted"]),
        (permitted(DNS("system.svc")), [f"{ISTIOD} isn't permitted"]),
        (permitted(DNS("istiod.istio-system.svc")), ['istiod: "istiod-remote.istio-system.svc" isn\'t permitted']),
        (permitted(URI(".cluster.local")), [f"{WORKLOAD} isn't permitted"]),
        (permitted(URI("local")), [f"{WORKLOAD} isn't permitted"]),
        (permitted(URI("")), [f"{WORKLOAD} isn't permitted"]),
        (excluded(URI("local")), [f'{WORKLOAD} is excluded by "local"']),
        (excluded(URI("")), [f'{WORKLOAD} is excluded by ""']),
        (excluded(DNS("svc")), [f'{ISTIOD} is excluded by "svc"']),
        (
            permitted(DNS("a"), URI("b")),
            [f"{WORKLOAD} isn't permitted", f"{ISTIOD} isn't permitted"],
        ),
    ],
)
def test_constraints_that_forbid_what_is_signed(constraints: x509.NameConstraints, expected: list[str]) -> None:
    assert told(under(constraints)) == expected
    assert told(under(constraints, critical=False)) == expected


def test_names_of_a_revision_and_of_an_external_control_plane() -> None:
    ca = under(permitted(*(DNS(f"{name}.istio-system.svc") for name in ("istiod", "istiod-remote", "istio-pilot"))))

    assert told(ca) == told(ca, revision="default") == []
    assert told(ca, revision="blue") == ['istiod: "istiod-blue.istio-system.svc" isn\'t permitted']
    assert told(ca, host="istiod.example.com") == ['istiod: "istiod.example.com" isn\'t permitted']


def test_names_of_the_cas_between_count() -> None:
    corporate = ROOT.issue(
        "", "Corporate CA", path_length=1, san=None, extra=((permitted(ADDRESS(ip_network("10.0.0.0/8"))), True),)
    )
    names = x509.SubjectAlternativeName([ADDRESS(ip_address("192.0.2.1"))])

    assert told(corporate.issue(), corporate) == []
    assert told(corporate.issue(san=None, extra=((names, False),)), corporate) == [
        '"L=hub,CN=Intermediate CA,O=Istio": "192.0.2.1" isn\'t permitted'
    ]


def test_a_constraint_on_subjects_is_compared_with_those_of_cas() -> None:
    """Go passes over it, BoringSSL compares it; a leaf of Istio has no subject."""

    def corporate(organization: str) -> Authority:
        name = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)]))
        return ROOT.issue("", "Corporate CA", path_length=1, extra=((permitted(name), False),))

    right, wrong = corporate("Istio"), corporate("Example")

    assert told(right.issue(), right) == []
    assert told(wrong.issue(), wrong) == [
        '"L=hub,CN=Intermediate CA,O=Istio": "L=hub,CN=Intermediate CA,O=Istio" isn\'t permitted'
    ]


def test_ztunnel_takes_no_constraint_on_uris() -> None:
    uri, dns = under(permitted(URI("cluster.local"))), under(permitted(DNS("svc")))

    assert told(uri) == told(dns) == told(dns, ambient=True) == []
    assert told(uri, ambient=True) == ["a workload: ztunnel supports no constraints on URIs or subjects"]


def test_policies_that_are_asked_for() -> None:
    """Each CA below may use up one of those that may be passed."""

    def corporate(number: int) -> Authority:
        return ROOT.issue("", "Corporate CA", path_length=1, extra=((x509.PolicyConstraints(number, None), False),))

    for number, refused in ((0, True), (2, True), (3, False)):
        above = corporate(number)

        assert any("requires policies" in text for text in told(above.issue(), above)) == refused


def test_a_longer_rsa_key_than_a_handshake_takes() -> None:
    (certificate,), _ = read("", make_root().cert_pem)
    found = [
        [p.code.id for p in check_authority(replace(certificate, key=f"RSA {bits}"), codes.CA_UNUSABLE, ())]
        for bits in (8192, 8193)
    ]

    assert found == [[], ["MESH308"]]


def test_a_certificate_that_go_refuses_is_a_certificate_all_the_same() -> None:
    """So it is no secret, and whoever takes it out of a bundle changes nothing for istiod."""
    odd = make_root("Odd", extra=(NEVER_CRITICAL,))

    assert only_certificates(odd.cert_pem)
    assert contains(pem(ROOT, odd), ROOT.cert_pem)
    assert [p.code.id for p in read("", pem(ROOT, odd))[1]] == ["MESH321"]
