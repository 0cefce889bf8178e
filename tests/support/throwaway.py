"""Makes throw-away CAs in memory: roots, intermediates and certificates of workloads.

root = make_root()
hub = root.issue("hub")
files = {"root-cert.pem": root.cert_pem, "ca-cert.pem": hub.cert_pem, "cert-chain.pem": pem(hub, root)}
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TypedDict, Unpack

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from support.chance import is_seeded, rsa_key, source

if TYPE_CHECKING:
    from collections.abc import Sequence

KeyType = Literal["P-256", "P-384", "P-521", "Ed25519", "RSA-1024", "RSA-2048", "RSA-4096"]
PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey

START = datetime(2026, 1, 1, tzinfo=UTC)
ROOT_END = datetime(2036, 1, 1, tzinfo=UTC)
CA_END = datetime(2028, 1, 1, tzinfo=UTC)
CA_USAGE = ("digital_signature", "key_cert_sign", "crl_sign")
CURVES: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
ISTIOD = "istiod.istio-system.svc"

NEVER_CRITICAL: tuple[x509.ExtensionType, bool] = (
    x509.AuthorityInformationAccess(
        [x509.AccessDescription(x509.ObjectIdentifier("1.2.3"), x509.UniformResourceIdentifier("http://a.example"))]
    ),
    True,
)
"""An extension that other programs ignore, but because of which Go refuses to parse a certificate."""

_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


class Options(TypedDict, total=False):
    """The options of a certificate; every option has a default."""

    key: PrivateKey | KeyType
    start: datetime
    end: datetime
    ca: bool
    path_length: int | None
    """None for no limit. The default is None for a root and 0 for an intermediate."""
    usage: Sequence[str] | None
    """The names of key usages in cryptography; None leaves the extension out."""
    purposes: Sequence[x509.ObjectIdentifier]
    """Extended key usage; empty leaves the extension out, which is the default."""
    ski: bytes | bool
    aki: bytes | bool
    """The key identifiers: True computes them, False leaves them out, bytes replace them. A root has no aki."""
    san: str | None
    extra: Sequence[tuple[x509.ExtensionType, bool]]
    """More extensions, each with whether it is critical."""
    serial: int


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate and its private key. With `ca=False`, it is the certificate of a workload."""

    cert: x509.Certificate
    key: PrivateKey

    @property
    def cert_pem(self) -> bytes:
        return self.cert.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key in PKCS#8, which Citadel and istiod read for every kind of key."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def issue(self, cluster: str = "hub", name: str = "Intermediate CA", **options: Unpack[Options]) -> Authority:
        """A certificate that this CA signs; by default an intermediate like those of Istio's tools/certs."""
        defaults: Options = {"end": CA_END, "path_length": 0, "aki": True, "san": ISTIOD}
        return _make(_name(name, cluster), self, {**defaults, **options})


def make_root(name: str = "Root CA", **options: Unpack[Options]) -> Authority:
    """A self-signed root. All roots have the same subject, `O=Istio, CN=Root CA`, like Istio's own roots."""
    return _make(_name(name), None, options)


def pem(*authorities: Authority) -> bytes:
    """The certificates one after another, as in cert-chain.pem or in a root-cert.pem of several roots."""
    return b"".join(authority.cert_pem for authority in authorities)


def make_key(kind: KeyType) -> PrivateKey:
    if kind in CURVES:
        curve = CURVES[kind]
        return ec.derive_private_key(source().randrange(1, 1 << (curve.key_size - 2)), curve)
    if kind == "Ed25519":
        return ed25519.Ed25519PrivateKey.from_private_bytes(source().randbytes(32))
    bits = int(kind.removeprefix("RSA-"))
    return rsa_key(bits) if is_seeded() else rsa.generate_private_key(65537, bits)


def _name(common_name: str, cluster: str = "") -> x509.Name:
    parts = [(NameOID.ORGANIZATION_NAME, "Istio"), (NameOID.COMMON_NAME, common_name)]
    parts += [(NameOID.LOCALITY_NAME, cluster)] if cluster else []
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def _make(subject: x509.Name, issuer: Authority | None, options: Options) -> Authority:
    wish = options.get("key", "P-256")
    key = make_key(wish) if isinstance(wish, str) else wish
    public, signer = key.public_key(), issuer.key if issuer else key
    ca = options.get("ca", True)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.cert.subject if issuer else subject)
        .public_key(public)
        .serial_number(options.get("serial") or source().getrandbits(159) | 1)
        .not_valid_before(options.get("start", START))
        .not_valid_after(options.get("end", ROOT_END))
        .add_extension(x509.BasicConstraints(ca, options.get("path_length") if ca else None), critical=True)
    )
    usage = options.get("usage", CA_USAGE if ca else ("digital_signature",))
    if usage is not None:
        builder = builder.add_extension(x509.KeyUsage(**{u: u in usage for u in _USAGES}), critical=True)
    if purposes := options.get("purposes"):
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    if (ski := options.get("ski", True)) is not False:
        own = x509.SubjectKeyIdentifier.from_public_key(public) if ski is True else x509.SubjectKeyIdentifier(ski)
        builder = builder.add_extension(own, critical=False)
    aki = options.get("aki", False)
    if issuer and aki is not False:
        digest = _key_id(issuer.cert) if aki is True else aki
        builder = builder.add_extension(x509.AuthorityKeyIdentifier(digest, None, None), critical=False)
    if san := options.get("san"):
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(san)]), critical=False)
    for extension, critical in options.get("extra", ()):
        builder = builder.add_extension(extension, critical=critical)
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    if is_seeded() and isinstance(signer, ec.EllipticCurvePrivateKey):
        return Authority(builder.sign(signer, algorithm, ecdsa_deterministic=True), key)
    return Authority(builder.sign(signer, algorithm), key)


def _key_id(certificate: x509.Certificate) -> bytes:
    """The key identifier in a certificate; if it has none, the computed one."""
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest
