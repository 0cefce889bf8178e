"""Certificates made by chance, judged by meshc, by Go's crypto/x509 and by openssl.

Go judges as istiod and the agents of proxies do, openssl stands for Envoy. What Go refuses meshc refuses, without any
exception. The other way round each rule of meshc's own is listed here, with its reason. MESHC_TEST_LONG=1 tries 25 000.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
import warnings
from pathlib import Path
from random import Random

import pytest
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from meshc.errors import Severity
from meshc.generation import Generation
from meshc.trust.certificates import read
from meshc.trust.names import Signer, leaves_of
from meshc.trust.verify import ClusterFiles, verify
from support.der_trees import damage, read_tree
from support.tools import find_tool
from support.verifier import judge
from support.x509_chance import Chain, chain

pytestmark = pytest.mark.thorough

LONG = os.environ.get("MESHC_TEST_LONG") == "1"
LEAVES = leaves_of(Signer(Generation.ISTIOD, "istio-system", "cluster.local"))
NAMES = [leaf.names for leaf in LEAVES]
RUNS = range(25) if LONG else range(1)
CHAINS = 1000 if LONG else 300

STRICTER = {
    r"MESH301 .*(ExtraData|EncodedDefault)": "DER: nothing may follow the last field, and no default is written out",
    r"MESH301 .*(UnexpectedTag|InvalidValue|InvalidTag|IntegerOverflow|InvalidLength|ShortData)": (
        "cryptography reads a field that Go passes over, or reads less strictly: times without seconds, an extension"
        " of no use to Go, names of a kind that Go ignores"
    ),
    r"MESH301 .*(InvalidSize|InvalidSetOrdering|OidTooLong|RequiredValue)": "the same, of sizes and orders",
    r"MESH301 .*(relative distinguished name|duplicate attributes|empty attribute|RDN)": "RFC 5280, 4.1.2.4: names",
    r"MESH301 .*is not a valid X509 version": "a certificate of version 2 can be no CA",
    r"MESH301 .*(Unknown key type|key type|UnsupportedAlgorithm|not supported)": "Go verifies nothing with it either",
    r"MESH301 .*[Nn]ame constraints? must": "a constraint of a wildcard, which matches nothing",
    r"MESH301 .*(host bits set|netmask|network)": "a network with bits beyond its mask",
    r"MESH301 .*(path_length|must be|cannot be|not allowed|at least one|invalid|malformed|Invalid|error)": (
        "cryptography takes no such value of an extension or a name"
    ),
    r"MESH305 .*isn't a root": "Go trusts any certificate of the bundle, the others only one that signed itself",
    r"MESH30[57] .*CA:TRUE": "a root without it: Go looks at who signs, the others at the root as well",
    r"MESH30[57] .*critical extension": "Go acts on it, BoringSSL (Envoy) doesn't",
    r"MESH30[57] .*may not sign: its keyUsage": "a key usage without any bit, which Go takes for none",
    r"MESH307 .*extendedKeyUsage": "istiod asks for serverAuth alone, Envoy for both purposes, and not for any",
    r"MESH305 .*extendedKeyUsage": "the same, in a root",
    r"MESH307 .*requires policies": "every leaf counts, while Go looks at the CA first",
    r"MESH308": "RSA under 2048 bits, keys that istiod can't sign with",
    r"MESH309": "how a certificate is signed that no path needs, such as a root",
    r"MESH310": "the root's key in a cluster; may be acknowledged",
    r"MESH311 .*key identifier": "OpenSSL and BoringSSL go by it",
    r"MESH316": "dates that can't be, in a root that isn't used",
    r"MESH321 .*(exponent|modulus)": "Go reads the key, and then verifies nothing with it",
    r"MESH321 .*anyPolicy": "Go asks only where policies are in use",
    r"MESH321 .*isn't a URI": "RFC 3986 and 5280: a URI is absolute; readers differ about other hosts than plain ones",
    r"MESH321 .*isn't of version 3": "Go passes over the extensions of version 1, the others don't",
    r"MESH321 .*invalid encoding": "text of a type that Go 1.27 reads, and Go 1.25 doesn't",
    r"MESH321 .*name constraint isn't well-formed": "an address of mail with a quoted part",
    r"MESH322 .*(://|@).* isn't permitted": "without a dot in front it is this host alone to BoringSSL",
    r"MESH322 .*CN=|MESH322 .*O=": "a constraint on subjects, which OpenSSL and BoringSSL compare",
    r"MESH322 .*can't be compared": "an address of mail with a quoted part, under a constraint",
}
"""What meshc refuses and Go 1.27 takes: of a problem (of MESH301 what cryptography says) to the reason."""


def pem(*ders: bytes) -> bytes:
    begin, end = b"-----BEGIN CERTIFICATE-----\n", b"-----END CERTIFICATE-----\n"
    return b"".join(begin + base64.encodebytes(der) + end for der in ders)


def shown(made: Chain) -> str:
    """For the message of a test: keys are new each time, so no number makes the same chain again."""
    return pem(made.ca, *made.chain, *made.roots).decode()


def refusals(made: Chain) -> list[str]:
    """The errors that meshc tells of a chain."""
    files = ClusterFiles("hub", ("ca-cert.pem", pem(made.ca)), ("cert-chain.pem", pem(*made.chain)), LEAVES)
    problems = verify(("root-cert.pem", pem(*made.roots)), [files], generation=Generation.ISTIOD)
    return [f"{p.code.id} {p.what}" for p in problems if p.severity is Severity.ERROR]


def explained(refusal: str, ders: list[bytes]) -> bool:
    said = refusal
    if refusal.startswith("MESH301"):
        said = f"MESH301 {' '.join(map(unread, ders))}"
    return any(re.search(rule, said) for rule in STRICTER)


def unread(der: bytes) -> str:
    """What cryptography says against a certificate."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            certificate = x509.load_der_x509_certificate(der)
            _ = certificate.public_key(), certificate.version
            _ = certificate.subject, certificate.issuer, certificate.extensions, certificate.signature_hash_algorithm
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension) as error:
        return f"{type(error).__name__}: {error}"
    except x509.UnsupportedGeneralNameType as error:
        return f"invalid name: {error}"
    return ""


@pytest.mark.parametrize("run", RUNS)
def test_chains(run: int) -> None:
    chance = Random(run)
    made = [chain(chance, NAMES) for _ in range(CHAINS)]
    verdicts = judge((one.ca, one.chain, one.roots, one.leaves) for one in made)
    taken = 0
    for one, verdict in zip(made, verdicts, strict=True):
        told = refusals(one)
        taken += not told

        assert told or not verdict.fault, f"Go refuses, meshc takes: {verdict.fault}\n{shown(one)}"
        if told and not verdict.fault:
            ders = [one.ca, *one.chain, *one.roots]
            assert any(explained(refusal, ders) for refusal in told), f"meshc alone refuses: {told}\n{shown(one)}"

    assert taken > CHAINS / 10  # else nothing was compared but rubbish


@pytest.mark.parametrize("run", RUNS)
def test_single_certificates_with_damage(run: int) -> None:
    """Bits flipped and parts exchanged without a new signature: what is read, and what isn't."""
    chance = Random(1000 + run)
    whole = [der for _ in range(30) for made in [chain(chance, NAMES[:0])] for der in (made.ca, *made.roots)]
    ders = [damaged(chance.choice(whole), chance) for _ in range(2 * CHAINS)]
    verdicts = judge((der, (), (), ()) for der in ders)
    for der, verdict in zip(ders, verdicts, strict=True):
        _, problems = read("ca-cert.pem", pem(der))
        told = [f"{problem.code.id} {problem.what}" for problem in problems]

        assert told or not verdict.fault, f"Go refuses, meshc takes: {verdict.fault}: {der.hex()}"
        if told and not verdict.fault:
            assert any(explained(refusal, [der]) for refusal in told), f"{told}, {unread(der)}: {der.hex()}"


def damaged(der: bytes, chance: Random) -> bytes:
    if chance.random() < 0.5:
        for tree in read_tree(der) or ():
            damage(tree, chance)
            return tree.encoded()
    at = chance.randrange(len(der))
    return der[:at] + bytes([der[at] ^ 1 << chance.randrange(8)]) + der[at + 1 :]


def test_openssl_takes_what_meshc_takes(tmp_path: Path) -> None:
    chance, openssl, found = Random(77), find_tool("openssl"), 0
    while found < (600 if LONG else 40):
        one = chain(chance, NAMES)
        if refusals(one):
            continue
        found += 1
        files = {
            "roots": one.roots,
            "chain": one.chain,
            "ca": [one.ca],
            "istiod": one.leaves[:1],
            "pod": one.leaves[1:],
        }
        for name, ders in files.items():
            (tmp_path / name).write_bytes(pem(*ders))
        said = subprocess.run(
            [
                openssl,
                "verify",
                "-partial_chain",  # a root is trusted as it is, however it is signed
                "-attime",
                "1800000000",
                "-CAfile",
                "roots",
                "-untrusted",
                "chain",
                "ca",
                "istiod",
                "pod",
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

        assert said.returncode == 0, said.stderr + shown(one)
