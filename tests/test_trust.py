"""Certificates: each fault is found and told in full, its neighbour isn't, and openssl agrees."""

from __future__ import annotations

import base64
import subprocess
from datetime import UTC, datetime
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from meshc import codes
from meshc.errors import Exit, Place, Severity
from meshc.generation import Generation
from meshc.trust import alone as room
from meshc.trust.certificates import fingerprint, only_certificates, read
from meshc.trust.names import Signer, leaves_of
from meshc.trust.verify import ClusterFiles, verify
from support.throwaway import CA_END, NEVER_CRITICAL, ROOT_END, START, Authority, make_root, pem
from support.tools import find_tool, tries

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meshc.errors import Problem

ROOT = make_root()
HUB = ROOT.issue("hub")
EDGE = ROOT.issue("edge")
RSA_ROOT = make_root("RSA root", key="RSA-2048")
LEAVES = leaves_of(Signer(Generation.ISTIOD, "istio-system", "cluster.local"))
SUBJECT = "L=hub,CN=Intermediate CA,O=Istio"
EXPORT = "export the certificate again, as PEM"
ONLY_BLOCKS = "keep only the lines from BEGIN CERTIFICATE to END CERTIFICATE"


def files(ca: Authority | bytes | None, *chain: Authority, cluster: str = "hub") -> ClusterFiles:
    """A cluster whose cert-chain.pem holds `ca` and then `chain`."""
    if not isinstance(ca, Authority):
        return ClusterFiles(cluster, ("ca-cert.pem", ca) if ca else None, ("cert-chain.pem", pem(*chain)), LEAVES)
    return ClusterFiles(
        cluster, (f"{cluster}/ca-cert.pem", ca.cert_pem), (f"{cluster}/cert-chain.pem", pem(ca, *chain)), LEAVES
    )


def problems_of(
    root: Authority | bytes, *clusters: ClusterFiles, generation: Generation = Generation.ISTIOD
) -> list[Problem]:
    data = root.cert_pem if isinstance(root, Authority) else root
    return verify(("root-cert.pem", data), clusters, generation=generation)


def told(problems: list[Problem]) -> list[str]:
    return [f"{p.code.id} {p.place}: {p.what} / {p.hint}" for p in problems]


def one(problems: list[Problem]) -> str:
    """The only problem, as it is told."""
    (text,) = told(problems)
    return text


# What is right


def test_good_mesh_has_no_problems() -> None:
    assert told(problems_of(ROOT, files(HUB, ROOT), files(EDGE, ROOT, cluster="edge"))) == []


def test_chain_file_may_leave_the_root_out() -> None:
    assert told(problems_of(ROOT, files(HUB))) == []


def test_authority_between_root_and_cluster() -> None:
    root = make_root(path_length=2)
    middle = root.issue("", "Regional CA", path_length=1)

    assert told(problems_of(root, files(middle.issue("hub"), middle, root))) == []


def test_rotation_with_two_roots_of_one_subject() -> None:
    new = make_root()

    assert told(problems_of(pem(ROOT, new), files(HUB, ROOT), files(new.issue("edge"), new, cluster="edge"))) == []


def test_renewed_root_under_the_same_key() -> None:
    renewed = make_root(key=ROOT.key, end=datetime(2046, 1, 1, tzinfo=UTC))

    assert told(problems_of(renewed, files(HUB, ROOT))) == []


def test_cluster_without_any_file_is_not_looked_at() -> None:
    assert told(problems_of(ROOT, ClusterFiles("hub", None, None, ()))) == []


@pytest.mark.parametrize("key", ["P-256", "P-384", "RSA-2048"])
def test_keys_that_istiod_takes(key: Any) -> None:
    assert told(problems_of(ROOT, files(ROOT.issue(key=key)))) == []


# Reading


@pytest.mark.parametrize(
    ("data", "line", "what", "hint"),
    [
        (b"", 0, "the file is empty", "put the certificate there, as PEM"),
        (b" \n\t\r\n", 0, "the file is empty", "put the certificate there, as PEM"),
        (b"# root\n" + ROOT.cert_pem, 1, "this isn't a CERTIFICATE block", ONLY_BLOCKS),
        (
            b"\n a\nb\n\nc\n" + ROOT.cert_pem,
            2,
            "this isn't a CERTIFICATE block",
            ONLY_BLOCKS,
        ),
        (b" " + ROOT.cert_pem, 1, "this isn't a CERTIFICATE block", ONLY_BLOCKS),
        (
            b"\xef\xbb\xbf" + ROOT.cert_pem,
            1,
            "this isn't a CERTIFICATE block",
            ONLY_BLOCKS,
        ),
        (
            ROOT.cert_pem.replace(b"CERT", b"TRUSTED CERT"),
            1,
            "this isn't a CERTIFICATE block",
            ONLY_BLOCKS,
        ),
        (ROOT.cert_pem.rpartition(b"-----END")[0], 1, "this block has no end", EXPORT),
        (b"-----BEGIN CERTIFICATE-----\n" + ROOT.cert_pem, 1, "this block has no end", EXPORT),
        (b"\n-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", 2, "this block isn't base64", EXPORT),
        (ROOT.cert_pem.replace(b"MII", b"M!I", 1), 1, "this block isn't base64", EXPORT),
        (ROOT.cert_pem.replace(b"MII", b"\nMII", 1), 1, "this block isn't base64", EXPORT),
        (
            ROOT.cert_pem.replace(b"-\nMII", b"-\nProc-Type: 4\n\nMII", 1),
            1,
            "this block isn't base64",
            EXPORT,
        ),
        (
            ROOT.cert_pem.replace(b"MII", b"MIJ", 1),
            1,
            "this block isn't a certificate that meshc can read",
            EXPORT,
        ),
        (
            ROOT.cert_pem.rstrip() + ROOT.cert_pem,
            1,
            "the end of this block and the beginning of the next are on one line",
            "put a newline between the two certificates",
        ),
    ],
)
def test_unreadable(data: bytes, line: int, what: str, hint: str) -> None:
    place = Place("root-cert.pem", line, 1 if line else 0)

    assert one(problems_of(data)) == f"MESH301 {place}: {what} / {hint}"
    assert not only_certificates(data)


@pytest.mark.parametrize(
    "data",
    [
        ROOT.cert_pem,
        pem(ROOT, HUB),
        ROOT.cert_pem.rstrip(),
        ROOT.cert_pem.replace(b"\n", b"\r\n"),
        b"\n\n" + ROOT.cert_pem.replace(b"\n", b" \t\n") + b"\n \n",
    ],
)
def test_readable(data: bytes) -> None:
    assert problems_of(data) == [] or data == pem(ROOT, HUB)
    assert only_certificates(data)


def _labelled_certificate(der: bytes) -> bytes:
    body = base64.encodebytes(der)
    return b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"


def _der(encryption: Any = None) -> bytes:
    return HUB.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, encryption or NoEncryption())


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (HUB.key_pem, 1),
        (HUB.cert_pem + HUB.key_pem, HUB.cert_pem.count(b"\n") + 1),
        (b"\n  " + HUB.key_pem, 2),
        (HUB.key_pem.replace(b"PRIVATE", b"EC PRIVATE"), 1),
        (HUB.key_pem.replace(b"PRIVATE", b"encrypted private"), 1),
        (HUB.key_pem.partition(b"\n")[2], HUB.key_pem.count(b"\n") - 1),
        (_labelled_certificate(_der()), 1),
        (_labelled_certificate(_der(BestAvailableEncryption(b"x"))), 1),
    ],
)
def test_private_key_in_public_file(data: bytes, line: int) -> None:
    problems = problems_of(ROOT, files(data, HUB))

    assert one(problems) == (
        f"MESH302 ca-cert.pem:{line}:1: a file of public certificates contains a private key / "
        "remove it, and make a new key and certificate: treat this key as known to others"
    )
    assert problems[0].code.exit is Exit.REFUSED
    assert problems[0].clusters == ("hub",)
    assert not any(row.decode() in told(problems)[0] for row in HUB.key_pem.splitlines()[1:-1])
    assert not only_certificates(data)


def test_every_block_of_a_file_is_told() -> None:
    data = ROOT.cert_pem.replace(b"MII", b"MIJ", 1) + ROOT.cert_pem + ROOT.cert_pem.replace(b"MII", b"M!I", 1)
    lines = ROOT.cert_pem.count(b"\n")

    assert [p.place.line for p in problems_of(data)] == [1, 2 * lines + 1]


def test_nothing_is_called_broken_while_the_root_is_unreadable() -> None:
    assert [p.code for p in problems_of(b"", files(HUB, ROOT))] == [codes.CERTIFICATE_UNREADABLE]


@pytest.mark.parametrize(
    ("cluster", "expected"),
    [
        (
            ClusterFiles("hub", ("a.pem", HUB.cert_pem), None, LEAVES),
            'MESH303 a.pem: "hub" has this file but no cert-chain.pem / '
            "add it: Istio's CA doesn't start with an incomplete set",
        ),
        (
            ClusterFiles("hub", None, ("b.pem", HUB.cert_pem), LEAVES),
            'MESH303 b.pem: "hub" has this file but no ca-cert.pem / '
            "add it: Istio's CA doesn't start with an incomplete set",
        ),
    ],
)
def test_half_a_set(cluster: ClusterFiles, expected: str) -> None:
    assert one(problems_of(ROOT, cluster)) == expected


def test_ca_cert_holds_the_chain() -> None:
    line = HUB.cert_pem.count(b"\n") + 1

    assert one(problems_of(ROOT, files(pem(HUB, ROOT), HUB))) == (
        f"MESH304 ca-cert.pem:{line}:1: this file contains 2 certificates, but istiod and Citadel read only "
        "the first / keep only the cluster's own CA there; its issuers belong in cert-chain.pem"
    )


# Roots


def test_root_that_was_issued() -> None:
    assert told(problems_of(HUB)) == [
        f'MESH305 root-cert.pem:1:1: "{SUBJECT}" isn\'t a root: its issuer is "CN=Root CA,O=Istio" / '
        "put the certificate of the root itself there"
    ]


def test_root_signed_by_its_namesake() -> None:
    assert told(problems_of(ROOT.issue("", "Root CA"))) == [
        'MESH305 root-cert.pem:1:1: "CN=Root CA,O=Istio" isn\'t a root: it names itself as issuer, '
        "but another key has signed it / put the certificate of the root itself there"
    ]


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        (
            make_root(ca=False, usage=("key_cert_sign",)),
            "isn't a CA: it lacks CA:TRUE / issue it again with basicConstraints CA:TRUE",
        ),
        (
            make_root(usage=("crl_sign",)),
            "may not sign: its keyUsage lacks keyCertSign / issue it again with keyCertSign",
        ),
    ],
)
def test_root_that_may_not_sign(root: Authority, expected: str) -> None:
    assert one(problems_of(root)) == f'MESH305 root-cert.pem:1:1: "CN=Root CA,O=Istio" {expected}'


def test_key_usage_may_be_absent() -> None:
    root = make_root(usage=None)

    assert told(problems_of(root, files(root.issue(usage=None)))) == []


def test_root_twice() -> None:
    problems = problems_of(pem(ROOT, ROOT), files(HUB))
    line = ROOT.cert_pem.count(b"\n") + 1

    assert one(problems) == (
        f"MESH306 root-cert.pem:{line}:1: this certificate is here a second time / remove one of the two"
    )
    assert problems[0].severity is Severity.WARNING
    assert problems[0].also == (Place("root-cert.pem", 1, 1),)


# The cluster's CA


@pytest.mark.parametrize(
    ("ca", "expected"),
    [
        (
            ROOT.issue(ca=False, usage=None),
            "isn't a CA: it lacks CA:TRUE / issue it again with basicConstraints CA:TRUE",
        ),
        (
            ROOT.issue(usage=("digital_signature",)),
            "may not sign: its keyUsage lacks keyCertSign / issue it again with keyCertSign",
        ),
        (
            ROOT.issue(purposes=[ExtendedKeyUsageOID.CODE_SIGNING]),
            "may not sign workloads: its extendedKeyUsage lacks serverAuth and clientAuth / "
            "issue it again without extendedKeyUsage",
        ),
        (
            ROOT.issue(purposes=[ExtendedKeyUsageOID.SERVER_AUTH]),
            "may not sign workloads: its extendedKeyUsage lacks clientAuth / issue it again without extendedKeyUsage",
        ),
        (
            ROOT.issue(extra=[(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)]),
            "has a critical extension that Istio's CA and Envoy refuse: 1.2.3.4"
            " / issue it again without that extension",
        ),
    ],
)
def test_ca_that_may_not_sign_workloads(ca: Authority, expected: str) -> None:
    assert one(problems_of(ROOT, files(ca, ROOT))) == f'MESH307 hub/ca-cert.pem:1:1: "{SUBJECT}" {expected}'


def test_extended_usage_that_covers_workloads() -> None:
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]

    assert told(problems_of(ROOT, files(ROOT.issue(purposes=purposes)))) == []


def test_any_extended_usage_covers_no_workload() -> None:
    """OpenSSL and BoringSSL ask a CA for the very purpose; anyExtendedKeyUsage is none to them."""
    ca = ROOT.issue(purposes=[ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])

    assert "its extendedKeyUsage lacks serverAuth and clientAuth" in one(problems_of(ROOT, files(ca)))


@pytest.mark.parametrize(
    ("extension", "told_of"),
    [
        (x509.PolicyConstraints(1, None), "2.5.29.36"),
        (x509.IssuerAlternativeName([x509.DNSName("ca.example")]), "2.5.29.18"),
    ],
)
def test_critical_extensions_that_some_reader_refuses(extension: x509.ExtensionType, told_of: str) -> None:
    ca = ROOT.issue(extra=[(extension, True)])

    assert f"has a critical extension that Istio's CA and Envoy refuse: {told_of}" in one(problems_of(ROOT, files(ca)))


def test_critical_extension_that_go_does_not_even_read() -> None:
    ca = ROOT.issue(extra=[NEVER_CRITICAL])

    assert told(problems_of(ROOT, files(ca))) == [
        f'MESH321 hub/{file}:1:1: istiod and the proxies can\'t read "{SUBJECT}": its extension 1.3.6.1.5.5.7.1.1 '
        "is marked critical / issue it again with software that follows RFC 5280, such as meshc ca issue or openssl"
        for file in ("ca-cert.pem", "cert-chain.pem")
    ]


def _lines(authority: Authority) -> int:
    return authority.cert_pem.count(b"\n")


def test_unusable_authority_in_the_middle() -> None:
    middle = ROOT.issue("", "Regional CA", path_length=None, usage=("crl_sign",))

    ca = middle.issue()

    assert one(problems_of(ROOT, files(ca, middle))) == (
        f'MESH307 hub/cert-chain.pem:{_lines(ca) + 1}:1: "CN=Regional CA,O=Istio" may not sign: '
        "its keyUsage lacks keyCertSign / issue it again with keyCertSign"
    )


@pytest.mark.parametrize(
    ("key", "generation", "expected"),
    [
        (
            "P-521",
            Generation.ISTIOD,
            "has a key of type ECDSA secp521r1, but istiod supports only RSA, P-256 and P-384 / "
            "issue it again for an ECDSA P-256 or P-384 key, or RSA of 2048 bits or more",
        ),
        (
            "Ed25519",
            Generation.ISTIOD,
            "has a key of type Ed25519, but istiod supports only RSA, P-256 and P-384 / "
            "issue it again for an ECDSA P-256 or P-384 key, or RSA of 2048 bits or more",
        ),
        (
            "P-256",
            Generation.CLASSIC,
            "has a key of type ECDSA secp256r1, but Citadel can sign with RSA only / "
            "issue it again for an RSA key of 2048 bits or more",
        ),
        (
            "RSA-1024",
            Generation.ISTIOD,
            "has a key of 1024 bits / issue it again for an RSA key of 2048 bits or more",
        ),
    ],
)
def test_key_that_istio_cannot_use(key: Any, generation: Generation, expected: str) -> None:
    problems = problems_of(ROOT, files(ROOT.issue(key=key)), generation=generation)

    assert one(problems) == f'MESH308 hub/ca-cert.pem:1:1: "{SUBJECT}" {expected}'


def test_citadel_takes_rsa_under_any_root() -> None:
    assert told(problems_of(ROOT, files(ROOT.issue(key="RSA-2048")), generation=Generation.CLASSIC)) == []


def _signed_with_sha1(issuer: Authority, authority: Authority) -> bytes:
    """The same certificate signed again with SHA-1, by hand since cryptography doesn't do it any more."""
    assert isinstance(issuer.key, rsa.RSAPrivateKey)
    sha256_with_rsa, sha1_with_rsa = (bytes.fromhex(f"2a864886f70d0101{last}") for last in ("0b", "05"))
    der = authority.cert.public_bytes(Encoding.DER).replace(sha256_with_rsa, sha1_with_rsa)
    signed = authority.cert.tbs_certificate_bytes.replace(sha256_with_rsa, sha1_with_rsa)
    signature = issuer.key.sign(signed, padding.PKCS1v15(), hashes.SHA1())
    return _labelled_certificate(der[: -len(signature)] + signature)


def test_weak_signature() -> None:
    data = _signed_with_sha1(RSA_ROOT, RSA_ROOT.issue())

    assert one(problems_of(RSA_ROOT, ClusterFiles("hub", ("ca-cert.pem", data), ("cert-chain.pem", data), LEAVES))) == (
        f'MESH309 ca-cert.pem:1:1: "{SUBJECT}" is signed with SHA1, which Go refuses, and so does istiod'
        " / issue it again with SHA-256"
    )


def test_weak_signature_of_a_root_on_itself_is_nobodys_business() -> None:
    assert told(problems_of(_signed_with_sha1(RSA_ROOT, RSA_ROOT), files(RSA_ROOT.issue()))) == []


def test_root_used_as_intermediate() -> None:
    problems = problems_of(ROOT, files(ROOT), files(ROOT, cluster="edge"))

    assert told(problems) == [
        f'MESH310 {cluster}/ca-cert.pem:1:1: the root itself is used as intermediate of "{cluster}" / '
        "issue an intermediate for the cluster, and keep the root's key out of every cluster"
        for cluster in ("edge", "hub")
    ]
    assert problems[0].code.acknowledgeable


# Chains


def test_issuer_is_missing() -> None:
    middle = ROOT.issue("", "Regional CA", path_length=None)

    assert one(problems_of(ROOT, files(middle.issue(), ROOT))) == (
        f'MESH311 hub/ca-cert.pem:1:1: the issuer of "{SUBJECT}", "CN=Regional CA,O=Istio", '
        "is neither in cert-chain.pem nor in root-cert.pem / add its certificate to cert-chain.pem"
    )


def test_issuer_in_the_chain_file_has_another_key() -> None:
    middle, double = (ROOT.issue("", "Regional CA", path_length=None) for _ in range(2))
    ca = middle.issue(aki=False)
    problems = problems_of(ROOT, files(ca, double, ROOT))

    assert one(problems) == (
        f'MESH311 hub/ca-cert.pem:1:1: "{SUBJECT}" isn\'t signed by the key of "CN=Regional CA,O=Istio" '
        "in cert-chain.pem / put the certificate of its CA into cert-chain.pem"
    )
    assert problems[0].also == (Place("hub/cert-chain.pem", _lines(ca) + 1, 1),)


def test_key_identifier_that_misses_the_issuer() -> None:
    assert one(problems_of(ROOT, files(ROOT.issue(aki=b"elsewhere"), ROOT))) == (
        f'MESH311 hub/ca-cert.pem:1:1: "{SUBJECT}" names its issuer "CN=Root CA,O=Istio" by a wrong key '
        "identifier / issue it again with the issuer's key identifier, because Envoy compares it"
    )


COMMON = "issue it again from the common root, or add its own root to root-cert.pem of the whole mesh"


def test_root_of_equal_subject_at_the_end_of_the_chain() -> None:
    other = make_root()
    ca = other.issue("hub")
    problems = problems_of(ROOT, files(ca, other))

    assert one(problems) == (
        f'MESH312 hub/cert-chain.pem:{_lines(ca) + 1}:1: the chain ends in "CN=Root CA,O=Istio", which '
        "has the subject of a root in root-cert.pem, but another key: "
        f"SHA-256 {fingerprint(other.cert)} here, {fingerprint(ROOT.cert)} there / {COMMON}"
    )
    assert problems[0].also == (Place("root-cert.pem", 1, 1),)
    assert problems[0].clusters == ("hub",)


def test_root_of_equal_subject_outside_the_chain() -> None:
    ca = make_root().issue("hub")

    assert one(problems_of(ROOT, files(ca))) == (
        f'MESH312 hub/ca-cert.pem:1:1: the root above "{SUBJECT}" has the subject "CN=Root CA,O=Istio", '
        "which is equal to that of a root in root-cert.pem, but its key differs: "
        f"SHA-256 {fingerprint(ca.cert)} isn't signed by {fingerprint(ROOT.cert)} / {COMMON}"
    )


def test_root_of_another_subject() -> None:
    other = make_root("Other CA")
    ca = other.issue("hub")

    assert one(problems_of(ROOT, files(ca, other))) == (
        f'MESH312 hub/cert-chain.pem:{_lines(ca) + 1}:1: the chain ends in "CN=Other CA,O=Istio", which '
        f"isn't in root-cert.pem: its SHA-256 is {fingerprint(other.cert)} / {COMMON}"
    )


def test_root_without_room_for_a_ca() -> None:
    root = make_root(path_length=0)
    problems = problems_of(root, files(root.issue(), root))

    assert one(problems) == (
        f'MESH313 hub/ca-cert.pem:1:1: "CN=Root CA,O=Istio" allows 0 CAs below it (path length), and '
        f'"{SUBJECT}" is number 1 / '
        "issue it from a CA further up, or issue that CA again with a greater path length"
    )
    assert problems[0].also == (Place("root-cert.pem", 1, 1),)


def test_intermediate_without_room_for_a_ca() -> None:
    middle = ROOT.issue("", "Regional CA", path_length=0)

    assert one(problems_of(ROOT, files(middle.issue(), middle, ROOT))) == (
        f'MESH313 hub/ca-cert.pem:1:1: "CN=Regional CA,O=Istio" allows 0 CAs below it (path length), '
        f'and "{SUBJECT}" is number 1 / '
        "issue it from a CA further up, or issue that CA again with a greater path length"
    )


def test_path_around_a_certificate_without_room() -> None:
    """Two certificates of one key: the limit of one doesn't matter while the other leads to a root."""
    tight = ROOT.issue("", "Regional CA", path_length=0)
    wide = ROOT.issue("", "Regional CA", key=tight.key, path_length=1)

    assert told(problems_of(ROOT, files(tight.issue(), tight, wide))) == []


def test_chain_file_begins_with_another_certificate() -> None:
    cluster = ClusterFiles("hub", ("ca-cert.pem", HUB.cert_pem), ("cert-chain.pem", ROOT.cert_pem), LEAVES)
    problems = problems_of(ROOT, cluster)

    assert one(problems) == (
        "MESH314 cert-chain.pem:1:1: the first certificate isn't the one in ca-cert.pem, which signs the "
        "workloads that send this chain / put the certificate of ca-cert.pem first, then its issuers in order"
    )
    assert problems[0].also == (Place("ca-cert.pem", 1, 1),)


def test_unrelated_certificate_in_the_chain_file() -> None:
    problems = problems_of(ROOT, files(HUB, EDGE, ROOT))

    assert one(problems) == (
        f'MESH315 hub/cert-chain.pem:{_lines(HUB) + 1}:1: "L=edge,CN=Intermediate CA,O=Istio" isn\'t '
        f'in the chain from "{SUBJECT}" to its root / '
        "remove it: every workload would send it in every handshake"
    )
    assert problems[0].severity is Severity.WARNING


# Dates


def test_certificate_without_a_moment() -> None:
    assert one(problems_of(ROOT, files(ROOT.issue(end=START)))) == (
        f'MESH316 hub/ca-cert.pem:1:1: "{SUBJECT}" is never valid: it begins on 2026-01-01T00:00:00Z and '
        "ends on 2026-01-01T00:00:00Z / issue it again with dates in order"
    )


def test_chain_without_a_moment() -> None:
    root = make_root(end=CA_END)
    ca = root.issue(start=CA_END, end=ROOT_END)

    assert told(problems_of(root, files(ca))) == [
        f'MESH316 hub/ca-cert.pem:1:1: the chain of "{SUBJECT}" is never valid: one certificate ends before '
        "another begins / issue its certificates again with dates that overlap",
        f'MESH317 hub/ca-cert.pem:1:1: "{SUBJECT}" ends on 2036-01-01T00:00:00Z, after its issuer on '
        "2028-01-01T00:00:00Z / issue it again with dates inside its issuer's, or renew the issuer",
    ]


def test_certificate_outside_its_issuers_dates() -> None:
    ca = ROOT.issue(start=datetime(2025, 12, 31, tzinfo=UTC), end=datetime(2036, 1, 1, 0, 0, 1, tzinfo=UTC))
    problems = problems_of(ROOT, files(ca, ROOT))

    assert one(problems) == (
        f'MESH317 hub/ca-cert.pem:1:1: "{SUBJECT}" begins on 2025-12-31T00:00:00Z, before its issuer on '
        "2026-01-01T00:00:00Z and ends on 2036-01-01T00:00:01Z, after its issuer on 2036-01-01T00:00:00Z / "
        "issue it again with dates inside its issuer's, or renew the issuer"
    )
    assert problems[0].severity is Severity.WARNING
    assert problems[0].code.acknowledgeable


def test_certificate_with_its_issuers_dates() -> None:
    assert told(problems_of(ROOT, files(ROOT.issue(end=ROOT_END)))) == []


def test_no_clock() -> None:
    past = make_root(start=datetime(1999, 1, 1, tzinfo=UTC), end=datetime(2001, 1, 1, tzinfo=UTC))
    ca = past.issue(start=datetime(1999, 1, 1, tzinfo=UTC), end=datetime(2000, 1, 1, tzinfo=UTC))

    assert told(problems_of(past, files(ca))) == []


# Keys that others hold


def test_two_clusters_share_a_key() -> None:
    twin = ROOT.issue("edge", key=HUB.key)
    problems = problems_of(ROOT, files(HUB), files(twin, cluster="edge"))

    assert one(problems) == (
        'MESH318 edge/ca-cert.pem:1:1: "hub" and "edge" sign with the same key / '
        "make a key and a CA for each cluster, so that one can be replaced without the other"
    )
    assert problems[0].also == (Place("hub/ca-cert.pem", 1, 1),)
    assert problems[0].clusters == ("hub", "edge")
    assert problems[0].code.acknowledgeable


def test_istios_sample_ca(monkeypatch: pytest.MonkeyPatch) -> None:
    (certificate,), _ = read("", HUB.cert_pem)
    monkeypatch.setattr(room, "SAMPLE_KEYS", {certificate.key_digest: "ca-cert.pem"})
    renewed = ROOT.issue("hub", key=HUB.key)

    for ca in (HUB, renewed):
        problems = problems_of(ROOT, files(ca, ROOT), files(EDGE, ROOT, cluster="edge"))

        assert one(problems) == (
            "MESH319 hub/ca-cert.pem:1:1: this is Istio's public sample samples/certs/ca-cert.pem: "
            "everyone has its private key / make your own root and intermediates"
        )
        assert problems[0].code.exit is Exit.REFUSED


def test_istios_sample_root(monkeypatch: pytest.MonkeyPatch) -> None:
    (certificate,), _ = read("", ROOT.cert_pem)
    monkeypatch.setattr(room, "SAMPLE_KEYS", {certificate.key_digest: "root-cert.pem"})

    assert [str(p.place) for p in problems_of(ROOT, files(HUB, ROOT))] == [
        f"hub/cert-chain.pem:{_lines(HUB) + 1}:1",
        "root-cert.pem:1:1",
    ]


# openssl as the oracle


@pytest.fixture
def openssl(tmp_path: Path) -> Callable[..., bool]:
    """Whether openssl trusts a certificate: root, untrusted in between, the certificate, more arguments."""
    program = find_tool("openssl")

    def accepts(root: bytes, between: bytes, certificate: bytes, *more: str) -> bool:
        names = ("root", "between", "certificate")
        for name, data in zip(names, (root, between, certificate), strict=True):
            (tmp_path / name).write_bytes(data)
        between_args = ("-untrusted", "between") if between else ()
        command = [
            program,
            "verify",
            "-no_check_time",
            *more,
            "-CAfile",
            "root",
            *between_args,
            "certificate",
        ]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0

    return accepts


@pytest.mark.parametrize("key", ["P-256", "RSA-2048"])
def test_openssl_accepts_the_good_chain(openssl: Callable[..., bool], key: Any) -> None:
    root = make_root(key=key)
    hub = root.issue("hub", key=key)
    workload = hub.issue("", "workload", ca=False)

    assert told(problems_of(root, files(hub, root))) == []
    assert openssl(root.cert_pem, pem(hub, root), hub.cert_pem, "-x509_strict")
    assert openssl(root.cert_pem, pem(hub, root), workload.cert_pem, "-x509_strict")


def test_openssl_agrees_on_roots(openssl: Callable[..., bool]) -> None:
    """Of A, B and both as root-cert.pem, with a CA of A: the same answers from both."""
    other = make_root()
    for root in (pem(ROOT), pem(other), pem(ROOT, other), pem(other, ROOT)):
        assert (problems_of(root, files(HUB, ROOT)) == []) is openssl(root, pem(HUB, ROOT), HUB.cert_pem)


@pytest.mark.parametrize(("root_limit", "middle_limit"), list(product([None, 0, 1, 2], ["none", None, 0, 1])))
def test_openssl_agrees_on_path_lengths(
    openssl: Callable[..., bool], root_limit: int | None, middle_limit: Any
) -> None:
    root = make_root(path_length=root_limit)
    middle = [] if middle_limit == "none" else [root.issue("", "Regional CA", path_length=middle_limit)]
    ca = (middle[0] if middle else root).issue("hub")
    workload = ca.issue("", "workload", ca=False)

    problems = problems_of(root, files(ca, *middle, root))

    assert (problems == []) is openssl(root.cert_pem, pem(ca, *middle), workload.cert_pem)
    assert {p.code for p in problems} <= {codes.PATH_TOO_LONG}


@pytest.mark.parametrize(
    "ca",
    [
        HUB,
        ROOT.issue(aki=b"elsewhere"),
        ROOT.issue(aki=False),
        ROOT.issue(usage=("crl_sign",)),
        ROOT.issue(usage=None),
        ROOT.issue(purposes=[ExtendedKeyUsageOID.SERVER_AUTH]),
        ROOT.issue(purposes=[ExtendedKeyUsageOID.CLIENT_AUTH]),
        ROOT.issue(purposes=[ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
        ROOT.issue(extra=[(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)]),
    ],
)
def test_openssl_agrees_on_extensions(openssl: Callable[..., bool], ca: Authority) -> None:
    workload = ca.issue("", "workload", ca=False)
    purposes = ("sslserver", "sslclient")
    trusted = all(openssl(ROOT.cert_pem, pem(ca), workload.cert_pem, "-purpose", p) for p in purposes)

    assert (problems_of(ROOT, files(ca)) == []) is trusted


# Anything at all

POSITIONS = st.sampled_from(["root", "ca", "chain"])


def _anywhere(position: str, data: bytes) -> list[Problem]:
    given_files = {"root": ROOT.cert_pem, "ca": HUB.cert_pem, "chain": pem(HUB, ROOT), position: data}
    cluster = ClusterFiles("hub", ("ca-cert.pem", given_files["ca"]), ("cert-chain.pem", given_files["chain"]), LEAVES)
    return verify(("root-cert.pem", given_files["root"]), [cluster], generation=Generation.ISTIOD)


@settings(deadline=None, max_examples=tries(300))
@given(POSITIONS, st.binary(max_size=200))
def test_arbitrary_bytes_never_raise(position: str, data: bytes) -> None:
    assert _anywhere(position, data) != []
    assert not only_certificates(data)


@pytest.mark.thorough
@settings(deadline=None, max_examples=tries(1000))
@given(POSITIONS, st.sampled_from([ROOT, HUB, RSA_ROOT]), st.data())
def test_mutated_certificates_never_raise(position: str, authority: Authority, data: st.DataObject) -> None:
    der = bytearray(authority.cert.public_bytes(Encoding.DER))
    for _ in range(data.draw(st.integers(1, 4))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    for problem in _anywhere(position, _labelled_certificate(bytes(der))):
        assert problem.what.isprintable()


@pytest.mark.thorough
@settings(deadline=None, max_examples=tries(500))
@given(POSITIONS, st.data())
def test_mutated_pem_never_raises(position: str, data: st.DataObject) -> None:
    text = bytearray(pem(HUB, ROOT))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 40, len(text))))
    text[start:end] = data.draw(st.binary(max_size=40) | st.sampled_from([b"-----BEGIN CERTIFICATE-----", b"\n", b"-"]))
    for problem in _anywhere(position, bytes(text)):
        assert problem.what.isprintable()


def test_odd_kind_of_key_everywhere() -> None:
    """Only the CA that signs workloads is bound to what istiod knows."""
    odd = make_root(key="Ed25519")

    assert {p.code for p in problems_of(odd, files(odd.issue(key="Ed25519"), odd))} == {codes.CA_KEY_UNSUPPORTED}
