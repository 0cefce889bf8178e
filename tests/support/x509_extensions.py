"""Makes random extensions: valid ones, odd ones, and some that a parser should refuse."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from random import Random
from typing import Any

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID
from cryptography.x509.oid import ObjectIdentifier as Oid

DOMAINS = ["", "cluster.local", "local", ".local", ".cluster.local", "svc", "istio-system.svc", ".istio-system.svc"]
DOMAINS += [
    "istiod.istio-system.svc",
    "CLUSTER.LOCAL",
    "example.com",
    "a..b",
    "a.",
    "x y",
    "10.0.0.1",
    "_a.svc",
    "*.svc",
]
URIS = ["spiffe://cluster.local/ns/a/sa/b", "spiffe://CLUSTER.local", "urn:uuid:1", "spiffe:///a", "http://a:80/", "/a"]
URIS += [
    "http://10.0.0.1/",
    "http://[::1]/",
    "http://a%41/",
    "http://a:b/",
    "http://a./",
    "a b:c",
    "http://u@b.local?x#y",
    "",
]
MAILS = ["a@cluster.local", "a.b@example.com", "a..b@c", "@", "a", '"a b"@c.d', "a@b@c", "a@b."]


_USAGES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")


def extensions(chance: Random, odd: bool) -> list[tuple[x509.ExtensionType, bool]]:
    """The extensions of a CA; with `odd`, also a few that most CAs don't have, and some that are wrong."""
    length = chance.choice([0, 1, 2, 3]) if chance.random() < 0.12 else None
    found: list[tuple[x509.ExtensionType, bool]] = []
    if chance.random() < 0.99:
        ca = chance.random() < 0.99
        found.append((x509.BasicConstraints(ca, length if ca else None), chance.random() < 0.9))
    if chance.random() < 0.9:
        usage = dict.fromkeys((*_USAGES, "crl_sign", "encipher_only", "decipher_only"), False)
        may = chance.random() < 0.99
        found.append((x509.KeyUsage(**usage | {"digital_signature": True}, key_cert_sign=may), True))
    if not odd:
        return found
    makers = chance.sample(_ODD, chance.choice([1, 1, 1, 2, 3]))
    return found + [(maker(chance), chance.random() < 0.3) for maker in makers]


def _general(chance: Random) -> x509.GeneralName:
    make = chance.randrange(6)
    if make == 0:
        return x509.UniformResourceIdentifier(chance.choice(URIS))
    if make == 1:
        return x509.RFC822Name._init_without_validation(chance.choice(MAILS))
    if make == 2:
        return x509.IPAddress(ip_address(chance.choice(["10.0.0.1", "::1", "::ffff:10.0.0.1"])))
    if make == 3:
        return x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a")]))
    if make == 4 and chance.random() < 0.3:
        return x509.RegisteredID(Oid("1.2.3"))
    return x509.DNSName(chance.choice(DOMAINS))


def _base(chance: Random) -> x509.GeneralName:
    make = chance.randrange(9)
    if make == 0:
        nets = ["10.0.0.0/8", "0.0.0.0/0", "::/0", "::ffff:0:0/100", "fd00::/8"]
        return x509.IPAddress(ip_network(chance.choice(nets)))
    if make == 1:
        return x509.RFC822Name._init_without_validation(chance.choice([*MAILS, *DOMAINS]))
    if make == 2:
        return x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a")]))
    kind = x509.DNSName if make < 6 else x509.UniformResourceIdentifier
    return kind(chance.choice(DOMAINS[:10] if chance.random() < 0.8 else DOMAINS))


def _constraints(chance: Random) -> x509.NameConstraints:
    def some(most: int) -> list[x509.GeneralName] | None:
        return [_base(chance) for _ in range(chance.randint(1, most))]

    way = chance.randrange(3)
    return x509.NameConstraints(some(4) if way != 1 else None, some(2) if way else None)


def _policies(chance: Random) -> x509.CertificatePolicies:
    wanted = ["1.2.3", "1.2.4", "2.5.29.32.0", "1.2.3.99999999999"]
    return x509.CertificatePolicies(
        [x509.PolicyInformation(Oid(chance.choice(wanted)), None) for _ in range(chance.randint(1, 3))]
    )


def _purposes(chance: Random) -> x509.ExtendedKeyUsage:
    known = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    other = [ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE, Oid("1.2.3"), Oid("1.2.2147483648")]
    return x509.ExtendedKeyUsage(
        [*(known if chance.random() < 0.6 else known[:1]), *chance.sample(other, chance.randrange(2))]
    )


def _points(chance: Random) -> x509.CRLDistributionPoints:
    relative = x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, "a")])
    whole = x509.DistributionPoint([x509.UniformResourceIdentifier("http://a/")], None, None, None)
    return x509.CRLDistributionPoints(
        [whole if chance.random() < 0.7 else x509.DistributionPoint(None, relative, None, None)]
    )


_ODD: list[Any] = [
    _constraints,
    _constraints,
    _constraints,
    lambda chance: x509.SubjectAlternativeName([_general(chance) for _ in range(chance.randint(1, 3))]),
    lambda chance: x509.SubjectAlternativeName([_general(chance)]),
    _policies,
    _purposes,
    _points,
    lambda chance: x509.PolicyConstraints(chance.choice([0, 1, 2, 3, 4]), chance.choice([None, 0, 1])),
    lambda chance: x509.InhibitAnyPolicy(chance.choice([0, 1, 2**63])),
    lambda chance: x509.SubjectKeyIdentifier(chance.choice([b"", b"a"])),
    lambda chance: x509.AuthorityKeyIdentifier(chance.choice([b"a", b"b"]), None, None),
    lambda chance: x509.AuthorityInformationAccess(
        [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://a"))]
    ),
    lambda chance: x509.UnrecognizedExtension(
        Oid(chance.choice(["1.2.3", "1.2.2147483648", "2.5.29.33", "2.5.29.99"])),
        chance.choice(
            [
                b"\x05\0",
                b"0\x0a0\x08\x06\x02\x2a\x03\x06\x02\x2a\x04",
                b"0\x0b0\x09\x06\x04\x55\x1d\x20\0\x06\1*",
                b"x",
                b"",
            ]
        ),
    ),
    lambda chance: x509.IssuerAlternativeName([_general(chance)]),
]
