"""Signs a sealed blob with a CA's key, as proof that both belong together, and checks the proof without the key.

Certificates and ciphertexts are separate in Git, and without the key nobody can check whether they belong together:
someone could swap a ciphertext, or move it to another cluster. So when meshc seals a CA's key, it also signs, with this
key, a statement about what belongs together.

ECDSA with SHA-256 for EC keys, PKCS #1 v1.5 with SHA-256 for RSA: the scheme in which the key signs certificates
already, since one key is best used in one scheme (RFC 8017, 6). The statement begins with letters, and the signed part
of a certificate begins with the byte 0x30 (RFC 5280, 4.1), so neither signature can be used as the other.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from meshc.trust.certificates import read
from meshc.trust.issue import one
from meshc.trust.keys import IssueError, load_key

if TYPE_CHECKING:
    from meshc.hidden import Hidden

_PREFIX = "meshc ciphertext binding v1\n"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_CLUSTER = re.compile(r"[!-~]{1,253}")
_LONGEST = 4096
"""Characters of a signature: more than an RSA key of 16384 bits makes."""


@dataclass(frozen=True, slots=True)
class Statement:
    """The signed statement. Digests are SHA-256 in lower-case hex; for certificates, of their DER.

    `root_sha256` is the digest of the root that the CA chains to, not of root-cert.pem: so a second root in
    root-cert.pem, while the root is replaced, doesn't change the statement.
    """

    cluster: str
    blob_sha256: str
    ca_sha256: str
    root_sha256: str


def state(cluster: str, blob: str, ca_certificate: bytes, root_certificate: bytes) -> Statement:
    """The statement about a ciphertext, as it is in the sealed object, and two certificates.

    Raises IssueError unless each of the two is the PEM of one certificate.
    """
    ca, root = one(ca_certificate, "the CA"), one(root_certificate, "the root")
    digests = (sha256(c.x509.public_bytes(Encoding.DER)).hexdigest() for c in (ca, root))
    return Statement(cluster, sha256(blob.encode()).hexdigest(), *digests)


def sign(key: Hidden, statement: Statement) -> str:
    """The proof: base64 on one line. Raises IssueError for a key that load_key refuses, or a malformed statement."""
    message, signer = _message(statement), load_key(key)
    if message is None:
        raise IssueError("a cluster without a proper name, or a malformed digest, can't be bound to a blob")
    if isinstance(signer, rsa.RSAPrivateKey):
        signature = signer.sign(message, padding.PKCS1v15(), hashes.SHA256())
    else:
        signature = signer.sign(message, ec.ECDSA(hashes.SHA256()))
    return base64.b64encode(signature).decode()


def verify(ca_certificate: bytes, statement: Statement, signature: str) -> bool:
    """True if the key of this CA certificate signed the statement. Never raises, for any input.

    It proves that the signer had the key; it doesn't prove that the ciphertext contains the key, or that the
    certificate is valid.
    """
    certificates, problems = read("", ca_certificate)
    message, proof = _message(statement), _decoded(signature)
    if problems or len(certificates) != 1 or message is None or proof is None:
        return False
    (ca,) = certificates
    if sha256(ca.x509.public_bytes(Encoding.DER)).hexdigest() != statement.ca_sha256:
        return False
    key = ca.x509.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(proof, message, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(proof, message, ec.ECDSA(hashes.SHA256()))
        else:
            return False
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return True


def _message(statement: Statement) -> bytes | None:
    """The signed text; None if a part has more than one line, or isn't a digest."""
    digests = (statement.blob_sha256, statement.ca_sha256, statement.root_sha256)
    if not _CLUSTER.fullmatch(statement.cluster) or not all(_DIGEST.fullmatch(d) for d in digests):
        return None
    blob, ca, root = digests
    return f"{_PREFIX}cluster {statement.cluster}\nblob {blob}\nca {ca}\nroot {root}\n".encode("ascii")


def _decoded(signature: str) -> bytes | None:
    """Decodes strictly: only one spelling for each signature, without line breaks and without unused bits."""
    if len(signature) > _LONGEST:
        return None
    try:
        data = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode() == signature else None
