"""Makes the CAs of a mesh from names, a key and dates: one root, and an intermediate for each cluster."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from meshc import codes
from meshc.errors import Severity
from meshc.generation import Generation
from meshc.hidden import Hidden
from meshc.kube import LABEL
from meshc.trust.alone import check_alone, check_authority, shown_time
from meshc.trust.certificates import Certificate, read, signed_by
from meshc.trust.keys import IssueError as IssueError
from meshc.trust.keys import KeyType as KeyType
from meshc.trust.keys import digest_for, new_key, pkcs8
from meshc.trust.keys import load_key as load_key
from meshc.trust.keys import plain_key as plain_key

if TYPE_CHECKING:
    from meshc.trust.keys import PrivateKey

SKEW = timedelta(minutes=5)
"""A certificate is valid from this time before `now`, for clusters whose clocks are behind."""

LONGEST = 36500
"""Days. The format ends with the year 9999 (RFC 5280, 4.1.2.5), and no key lasts a century."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A new CA: its certificate as PEM, and its key as unencrypted PKCS #8 PEM, which every Istio reads."""

    certificate: bytes
    key: Hidden


@dataclass(frozen=True, slots=True)
class Summary:
    """What a table shows of a certificate. `fingerprint` is written as openssl does, `key_digest` as hex."""

    subject: str
    fingerprint: str
    key_digest: str
    """SHA-256 of the SubjectPublicKeyInfo."""
    key: str
    """The kind of key, such as `RSA 2048` or `ECDSA secp256r1`."""
    path_length: int | None
    not_before: datetime
    not_after: datetime
    issuer: str
    issuer_fingerprint: str | None
    """For a root its own fingerprint; None if the issuer isn't among the given certificates."""


def make_root(mesh: str, key_type: KeyType, now: datetime, days: int) -> Issued:
    """A self-signed root, valid until `days` days after `now` (UTC). It allows one CA below it.

    Its subject contains the day and the key, so no two roots have the same subject. Raises IssueError for a name or
    days out of range.
    """
    _label(mesh, "mesh")
    now = _utc(now)
    end, key = now + _lifetime(days), new_key(key_type)
    mark = f"{now:%Y-%m-%d} {x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest.hex()[:8]}"
    organization = x509.NameAttribute(NameOID.ORGANIZATION_NAME, mesh)
    subject = x509.Name([organization, _common_name(f"{mesh} root CA {mark}", f"root CA {mark}")])
    builder = _authority(subject, key, 1).issuer_name(subject).not_valid_before(now - SKEW)
    return _issued(builder.not_valid_after(end).sign(key, digest_for(key)), key)


@dataclass(frozen=True, slots=True)
class Intermediate:
    """The request for a cluster's CA, valid for a number of days from `now` (UTC)."""

    cluster: str
    namespace: str
    key_type: KeyType
    now: datetime
    days: int
    generation: Generation = Generation.ISTIOD


def issue_intermediate(issuer_certificate: bytes, issuer_key: Hidden, wanted: Intermediate) -> Issued:
    """The CA of one cluster, that signs its workloads and no further CA.

    It is never valid outside its issuer's dates. The SAN is the same as in Istio's tools/certs; Citadel of Istio 1.0
    doesn't need one. There is no extended key usage, so Go (istiod) and Envoy allow every usage. Raises IssueError if
    the issuer isn't a CA, isn't valid now or has another key, and for an EC key with classic Istio, because Citadel can
    sign only with RSA.
    """
    cluster, namespace = wanted.cluster, wanted.namespace
    _label(cluster, "cluster")
    _label(namespace, "namespace")
    if not wanted.generation.signs_with_ecdsa and not wanted.key_type.startswith("rsa-"):
        raise IssueError(f"Citadel can't sign with a key of type {wanted.key_type}: choose rsa-2048 or rsa-4096")
    issuer, signer, now = one(issuer_certificate, "the issuer"), load_key(issuer_key), _utc(wanted.now)
    _check_issuer(issuer, signer, now)
    end, key = min(now + _lifetime(wanted.days), issuer.not_after), new_key(wanted.key_type)
    common_name = _common_name(f"{cluster} intermediate CA", "intermediate CA")
    organization = issuer.x509.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[:1]
    subject = x509.Name([*organization, x509.NameAttribute(NameOID.LOCALITY_NAME, cluster), common_name])
    # The identifier that the issuer gives itself, not what it would be: OpenSSL and Envoy compare the two.
    own = issuer.key_id or x509.SubjectKeyIdentifier.from_public_key(signer.public_key()).digest
    name = x509.SubjectAlternativeName([x509.DNSName(f"istiod.{namespace}.svc")])
    builder = (
        _authority(subject, key, 0)
        .issuer_name(issuer.x509.subject)
        .not_valid_before(max(now - SKEW, issuer.not_before))
        .not_valid_after(end)
        .add_extension(x509.AuthorityKeyIdentifier(own, None, None), critical=False)
        .add_extension(name, critical=False)
    )
    return _issued(builder.sign(signer, digest_for(signer)), key)


def chain_of(certificate: bytes, *issuers: bytes) -> bytes:
    """cert-chain.pem as Istio's tools/certs writes it: the CA's certificate, then its issuers up to the root.

    Each argument is one certificate; each is written as openssl writes it, with one newline at the end. Raises
    IssueError unless every one is signed by the next.
    """
    path = [one(data, "a certificate of the chain") for data in (certificate, *issuers)]
    for child, issuer in pairwise(path):
        if not signed_by(child, issuer):
            raise IssueError(f'"{child.subject}" isn\'t signed by "{issuer.subject}": give its issuers in order')
    return b"".join(part.x509.public_bytes(Encoding.PEM) for part in path)


def key_fits(certificate: bytes, key: Hidden) -> bool:
    """True if the certificate has this key. Raises IssueError if one of the two can't be read."""
    return _fits(one(certificate, "the certificate"), load_key(key))


def due(certificate: bytes, now: datetime, before_days: int) -> bool:
    """True if the certificate has expired, or expires within `before_days` days from `now` (UTC)."""
    return one(certificate, "the certificate").not_after - now <= timedelta(days=before_days)


def renewal_begins(not_before: datetime, not_after: datetime) -> datetime:
    """When a certificate is due for renewal: in the last third of its lifetime, but at least 30 and at most 90 days
    before its end."""
    return not_after - min(max(timedelta(days=30), (not_after - not_before) / 3), timedelta(days=90))


def summary(certificate: bytes, issuers: bytes = b"") -> Summary:
    """Describes one certificate; `issuers` are certificates that may include its issuer."""
    it = one(certificate, "the certificate")
    signer = next((other for other in (it, *read("", issuers)[0]) if signed_by(it, other)), None)
    return Summary(
        it.subject,
        it.fingerprint,
        it.key_digest,
        it.key,
        it.path_length,
        it.not_before,
        it.not_after,
        it.issuer,
        signer.fingerprint if signer else None,
    )


def one(data: bytes, what: str) -> Certificate:
    """The only certificate of a PEM file. Raises IssueError if the file has no certificate, several, or other content;
    the message calls it `what`."""
    certificates, problems = read("", data)
    if problems:
        raise IssueError(f"{what} can't be used: {problems[0].what}; {problems[0].hint}")
    if len(certificates) > 1:
        raise IssueError(f"{what} must be one certificate, but {len(certificates)} are given")
    return certificates[0]


def _check_issuer(issuer: Certificate, key: PrivateKey, now: datetime) -> None:
    found = (*check_alone(issuer, ()), *check_authority(issuer, codes.CA_UNUSABLE, ()))
    for problem in found:
        if problem.severity is Severity.ERROR:
            raise IssueError(f"nothing can be issued: {problem.what}; {problem.hint}")
    if issuer.path_length == 0:
        raise IssueError(f'"{issuer.subject}" allows no CA below it (path length 0): issue from one further up')
    if not _fits(issuer, key):
        raise IssueError(f'the private key isn\'t that of "{issuer.subject}": give the key that belongs to it')
    if now < issuer.not_before:
        begin = shown_time(issuer.not_before)
        raise IssueError(
            f'"{issuer.subject}" begins on {begin}, which is in the future: check the clock of this machine'
        )
    if now >= issuer.not_after:
        raise IssueError(f'"{issuer.subject}" ended on {shown_time(issuer.not_after)}: replace it first')


def _authority(subject: x509.Name, key: PrivateKey, path_length: int) -> x509.CertificateBuilder:
    """The fields that root and intermediate have in common (RFC 5280, 4.2.1.2, 4.2.1.3 and 4.2.1.9)."""
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _issued(certificate: x509.Certificate, key: PrivateKey) -> Issued:
    return Issued(certificate.public_bytes(Encoding.PEM), pkcs8(key))


def _fits(certificate: Certificate, key: PrivateKey) -> bool:
    return certificate.x509.public_key() == key.public_key()


def _label(name: str, what: str) -> None:
    if len(name) > 63 or not LABEL.fullmatch(name):
        raise IssueError(f"the {what}'s name must be a DNS-1123 label: at most 63 of lower case letters, digits and -")


def _common_name(wish: str, short: str) -> x509.NameAttribute[str]:
    """The requested name, shortened if it has more than 64 characters (RFC 5280, A.1: ub-common-name)."""
    return x509.NameAttribute(NameOID.COMMON_NAME, wish if len(wish) <= 64 else short)


def _lifetime(days: int) -> timedelta:
    if not 1 <= days <= LONGEST:
        raise IssueError(f"a certificate can't last {days} days: choose from 1 to {LONGEST}")
    return timedelta(days=days)


def _utc(now: datetime) -> datetime:
    """The time in whole seconds, because a certificate's dates have no fractions."""
    return now.astimezone(UTC).replace(microsecond=0)
