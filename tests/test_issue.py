"""What is issued holds for openssl and for meshc's own checks; bindings and rotations refuse everything else."""

from __future__ import annotations

import base64
import re
import subprocess
import traceback
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from meshc.generation import Generation
from meshc.hidden import Hidden
from meshc.trust import binding
from meshc.trust.binding import Statement, sign, state
from meshc.trust.issue import (
    SKEW,
    Intermediate,
    Issued,
    IssueError,
    chain_of,
    due,
    issue_intermediate,
    key_fits,
    load_key,
    make_root,
    plain_key,
    summary,
)
from meshc.trust.rotation import Action, Phase, Signer, Step, contains, next_step, phase_of, roots_above
from meshc.trust.verify import ClusterFiles, verify
from support.throwaway import Authority, make_key
from support.throwaway import make_root as throwaway_root
from support.tools import find_tool, tries

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from meshc.trust.keys import KeyType, PrivateKey

NOW = datetime(2026, 6, 1, 12, 30, 15, tzinfo=UTC)
DAY = timedelta(days=1)
PASSWORD = Hidden(b"correct horse")


def issue(root: Issued, cluster: str = "hub", key_type: KeyType = "ecdsa-p256", **more: Any) -> Issued:
    wish: dict[str, Any] = {"namespace": "istio-system", "now": NOW, "days": 730, **more}
    return issue_intermediate(root.certificate, root.key, Intermediate(cluster=cluster, key_type=key_type, **wish))


def parsed(issued: Issued) -> x509.Certificate:
    return x509.load_pem_x509_certificate(issued.certificate)


def issued(authority: Authority) -> Issued:
    return Issued(authority.cert_pem, Hidden(authority.key_pem))


ROOT = make_root("bookstore", "ecdsa-p256", NOW, 3650)
NEW = make_root("bookstore", "ecdsa-p256", NOW, 3650)
HUB = issue(ROOT)
RSA_HUB = issue(ROOT, key_type="rsa-2048")
RSA_KEY = load_key(RSA_HUB.key)
EC_KEY = load_key(HUB.key)


@pytest.fixture
def openssl(tmp_path: Path) -> Callable[..., str]:
    """What openssl verify says, at NOW and strictly: trusted bundle, untrusted in between, the certificate."""
    program = find_tool("openssl")

    def says(bundle: bytes, between: bytes, certificate: bytes, at: datetime = NOW) -> str:
        for name, data in (("bundle", bundle), ("between", between), ("certificate", certificate)):
            (tmp_path / name).write_bytes(data)
        untrusted = ["-untrusted", "between"] if between else []
        command = [program, "verify", "-x509_strict", "-attime", f"{at.timestamp():.0f}", "-CAfile", "bundle"]
        done = subprocess.run(
            [*command, *untrusted, "certificate"], cwd=tmp_path, capture_output=True, check=False, text=True
        )
        return "OK" if done.returncode == 0 else done.stdout + done.stderr

    return says


def workload(ca: Issued) -> bytes:
    """A certificate as istiod signs it for a sidecar."""
    name = x509.SubjectAlternativeName([x509.UniformResourceIdentifier("spiffe://cluster.local/ns/a/sa/b")])
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    return (
        Authority(parsed(ca), load_key(ca.key))
        .issue("", "workload", ca=False, san=None, purposes=purposes, extra=[(name, True)], end=NOW + DAY)
        .cert_pem
    )


# Issuing


@pytest.mark.thorough
@pytest.mark.parametrize("key_type", ["ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-3072", "rsa-4096"])
def test_root_intermediate_and_workload_hold(openssl: Callable[..., str], key_type: KeyType) -> None:
    root = make_root("bookstore", key_type, NOW, 3650)
    hub = issue(root, key_type=key_type)
    chain = chain_of(hub.certificate, root.certificate)

    assert openssl(root.certificate, b"", root.certificate) == "OK"
    assert openssl(root.certificate, b"", hub.certificate) == "OK"
    assert openssl(root.certificate, chain, workload(hub)) == "OK"
    files = ClusterFiles("hub", ("ca", hub.certificate), ("chain", chain), ())
    for generation in Generation if key_type.startswith("rsa") else (Generation.ISTIOD,):
        assert verify(("root", root.certificate), [files], generation=generation) == []
    kind, _, size = key_type.partition("-")
    assert summary(hub.certificate).key == (f"RSA {size}" if kind == "rsa" else f"ECDSA secp{size[1:]}r1")
    digest = parsed(hub).signature_hash_algorithm
    assert digest is not None
    assert digest.name == ("sha384" if key_type == "ecdsa-p384" else "sha256")
    assert key_fits(hub.certificate, hub.key)
    assert not key_fits(hub.certificate, root.key)


def test_kinds_of_keys_mix(openssl: Callable[..., str]) -> None:
    assert openssl(ROOT.certificate, RSA_HUB.certificate, workload(RSA_HUB)) == "OK"


def extensions(issued: Issued) -> dict[str, tuple[bool, x509.ExtensionType]]:
    return {type(e.value).__name__: (e.critical, e.value) for e in parsed(issued).extensions}


def test_what_a_root_says() -> None:
    found = extensions(ROOT)

    assert set(found) == {"BasicConstraints", "KeyUsage", "SubjectKeyIdentifier"}
    assert found["BasicConstraints"] == (True, x509.BasicConstraints(ca=True, path_length=1))
    critical, usage = found["KeyUsage"]
    assert critical
    assert isinstance(usage, x509.KeyUsage)
    assert (usage.digital_signature, usage.key_cert_sign, usage.crl_sign) == (True, True, True)
    assert (usage.content_commitment, usage.key_encipherment, usage.key_agreement) == (False, False, False)
    assert re.fullmatch(
        r"CN=bookstore root CA 2026-06-01 [0-9a-f]{8},O=bookstore", parsed(ROOT).subject.rfc4514_string()
    )


def test_what_an_intermediate_says() -> None:
    found = extensions(HUB)

    assert set(found) == set(extensions(ROOT)) | {"AuthorityKeyIdentifier", "SubjectAlternativeName"}
    assert found["BasicConstraints"] == (True, x509.BasicConstraints(ca=True, path_length=0))
    assert found["KeyUsage"] == extensions(ROOT)["KeyUsage"]
    assert found["SubjectAlternativeName"][1] == x509.SubjectAlternativeName([x509.DNSName("istiod.istio-system.svc")])
    assert parsed(HUB).subject.rfc4514_string() == "CN=hub intermediate CA,L=hub,O=bookstore"
    other = extensions(issue(ROOT, namespace="mesh"))["SubjectAlternativeName"][1]
    assert other == x509.SubjectAlternativeName([x509.DNSName("istiod.mesh.svc")])


def test_two_roots_differ_in_subject_key_and_serial() -> None:
    ours, theirs = parsed(ROOT), parsed(NEW)

    assert ours.subject != theirs.subject
    assert ours.public_key() != theirs.public_key()
    assert ours.serial_number != theirs.serial_number


def test_longest_names(openssl: Callable[..., str]) -> None:
    long = "a" * 63
    root = make_root(long, "ecdsa-p256", NOW, 10)
    hub = issue(root, long, namespace=long)

    assert openssl(root.certificate, hub.certificate, workload(hub)) == "OK"
    assert parsed(hub).subject.rfc4514_string() == f"CN=intermediate CA,L={long},O={long}"


@pytest.mark.parametrize("name", ["", "a" * 64, "Hub", "a.b", "a\n", "-a", "é", "a,CN=b"])
def test_names_that_are_no_labels(name: str) -> None:
    calls: list[Callable[[], object]] = [
        lambda: make_root(name, "ecdsa-p256", NOW, 10),
        lambda: issue(ROOT, name),
        lambda: issue(ROOT, namespace=name),
    ]
    for call in calls:
        with pytest.raises(IssueError, match="must be a DNS-1123 label"):
            call()


def test_no_ca_below_an_intermediate(openssl: Callable[..., str]) -> None:
    with pytest.raises(IssueError, match="allows no CA below it"):
        issue(HUB)

    below = Authority(parsed(HUB), EC_KEY).issue("edge", key=EC_KEY)
    path = HUB.certificate + below.cert_pem
    assert "path length constraint exceeded" in openssl(ROOT.certificate, path, workload(issued(below)))


def test_company_root_and_a_middle_ca(openssl: Callable[..., str]) -> None:
    """The middle's identifier isn't the digest of its key, and the intermediate takes it over as it is."""
    root = throwaway_root(path_length=2)
    middle = root.issue("", "Regional CA", path_length=1, ski=b"of its own")
    hub = issue(issued(middle))
    chain = chain_of(hub.certificate, middle.cert_pem, root.cert_pem)

    assert chain == hub.certificate + middle.cert_pem + root.cert_pem
    assert openssl(root.cert_pem, chain, workload(hub)) == "OK"
    files = ClusterFiles("hub", ("ca", hub.certificate), ("chain", chain), ())
    assert verify(("root", root.cert_pem), [files], generation=Generation.ISTIOD) == []


OPENSSL_ROOT = """
[req]
prompt = no
string_mask = nombstr
distinguished_name = name
x509_extensions = ca
[name]
C = DE
0.O = Acme
1.O = Second
+OU = Platform
CN = Acme & Co
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
"""


def test_root_that_openssl_made(openssl: Callable[..., str], tmp_path: Path) -> None:
    """Name parts in old encodings, a part of two values, no digitalSignature: the issuer's name is kept as it is."""
    (tmp_path / "config").write_bytes(OPENSSL_ROOT.encode())
    make = "req -x509 -days 30 -newkey rsa:2048 -nodes -keyout key -out root -config config"
    subprocess.run([find_tool("openssl"), *make.split()], cwd=tmp_path, check=True, capture_output=True)
    root = Issued((tmp_path / "root").read_bytes(), Hidden((tmp_path / "key").read_bytes()))
    today = summary(root.certificate).not_before
    hub = issue(root, now=today)

    assert openssl(root.certificate, b"", hub.certificate, today) == "OK"
    assert "O=Acme" in parsed(hub).subject.rfc4514_string()
    assert "Second" not in parsed(hub).subject.rfc4514_string()


def test_issuer_without_organization() -> None:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "root")])
    builder = x509.CertificateBuilder(name, name, EC_KEY.public_key(), 5, NOW - DAY, NOW + DAY)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    nameless = builder.sign(EC_KEY, hashes.SHA256()).public_bytes(Encoding.PEM)
    hub = issue(Issued(nameless, HUB.key))

    assert parsed(hub).subject.rfc4514_string() == "CN=hub intermediate CA,L=hub"
    assert (
        verify(
            ("r", nameless),
            [ClusterFiles("hub", ("a", hub.certificate), ("b", hub.certificate), ())],
            generation=Generation.ISTIOD,
        )
        == []
    )


@pytest.mark.parametrize(
    ("authority", "message"),
    [
        (throwaway_root(ca=False, usage=None), "isn't a CA"),
        (throwaway_root(usage=("crl_sign",)), "may not sign"),
        (throwaway_root(path_length=0), "allows no CA below it"),
        (throwaway_root(purposes=[ExtendedKeyUsageOID.SERVER_AUTH]), "lacks clientAuth"),
        (throwaway_root(key="Ed25519"), "a type that Istio's CAs don't support"),
        (throwaway_root(key="P-521"), "a type that Istio's CAs don't support"),
        (throwaway_root(key="RSA-1024"), "has 1024 bits"),
        (Authority(parsed(ROOT), EC_KEY), "isn't that of"),
    ],
)
def test_issuers_that_cannot_be_one(authority: Authority, message: str) -> None:
    with pytest.raises(IssueError, match=message):
        issue(issued(authority))


def test_istios_sample_issues_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meshc.trust.alone.SAMPLE_KEYS", {summary(ROOT.certificate).key_digest: "root-cert.pem"})

    with pytest.raises(IssueError, match="Istio's public sample"):
        issue(ROOT)


def test_citadel_signs_with_rsa_only() -> None:
    assert summary(issue(ROOT, key_type="rsa-2048", generation=Generation.CLASSIC).certificate).key == "RSA 2048"
    with pytest.raises(IssueError, match="Citadel can't sign with a key of type ecdsa-p384"):
        issue(ROOT, key_type="ecdsa-p384", generation=Generation.CLASSIC)


# Dates


def test_dates() -> None:
    root, hub = summary(ROOT.certificate), summary(HUB.certificate)

    assert (root.not_before, root.not_after) == (NOW - SKEW, NOW + 3650 * DAY)
    assert (hub.not_before, hub.not_after) == (NOW - SKEW, NOW + 730 * DAY)
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5))) + timedelta(microseconds=999_999)
    assert summary(issue(ROOT, now=elsewhere).certificate).not_after == NOW + 730 * DAY
    tomorrow = NOW.astimezone(timezone(timedelta(hours=14)))
    assert "root CA 2026-06-01" in summary(make_root("m", "ecdsa-p256", tomorrow, 1).certificate).subject


def test_dates_stay_within_the_issuers(openssl: Callable[..., str]) -> None:
    begin, end = NOW - SKEW / 2, NOW + timedelta(seconds=1)
    root = throwaway_root(start=begin, end=end)
    hub = issue(issued(root))

    assert (summary(hub.certificate).not_before, summary(hub.certificate).not_after) == (begin, end)
    assert openssl(root.cert_pem, b"", hub.certificate) == "OK"
    assert "expired" in openssl(root.cert_pem, b"", hub.certificate, end + DAY)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (NOW - DAY, NOW, "ended on 2026-06-01T12:30:15Z: replace it first"),
        (NOW - 2 * DAY, NOW - DAY, "ended on 2026-05-31T12:30:15Z"),
        (NOW + timedelta(seconds=1), NOW + DAY, "begins on 2026-06-01T12:30:16Z, which is in the future"),
    ],
)
def test_issuer_that_is_not_valid_now(start: datetime, end: datetime, message: str) -> None:
    with pytest.raises(IssueError, match=message):
        issue(issued(throwaway_root(start=start, end=end)))


@pytest.mark.parametrize("days", [0, -1, 36501, 10**12])
def test_days_out_of_range(days: int) -> None:
    calls: list[Callable[[], object]] = [
        lambda: make_root("m", "ecdsa-p256", NOW, days),
        lambda: issue(ROOT, days=days),
    ]
    for call in calls:
        with pytest.raises(IssueError, match="choose from 1 to 36500"):
            call()


def test_due() -> None:
    end = NOW + 730 * DAY

    assert due(HUB.certificate, end - 30 * DAY, 30)
    assert not due(HUB.certificate, end - 30 * DAY - timedelta(seconds=1), 30)
    assert due(HUB.certificate, end, 0)
    assert due(HUB.certificate, end + DAY, 0)
    assert not due(HUB.certificate, end - DAY, 0)
    with pytest.raises(IssueError):
        due(b"", NOW, 0)


# Tables and chains


def test_summary() -> None:
    hub, root = summary(HUB.certificate, NEW.certificate + ROOT.certificate), summary(ROOT.certificate)

    assert hub.subject == "CN=hub intermediate CA,L=hub,O=bookstore"
    assert (hub.key, hub.path_length, root.path_length) == ("ECDSA secp256r1", 0, 1)
    assert hub.issuer == root.subject
    assert hub.issuer_fingerprint == root.fingerprint == root.issuer_fingerprint
    assert hub.fingerprint.replace(":", "").lower() == digest(HUB.certificate)
    assert re.fullmatch("[0-9a-f]{64}", hub.key_digest)
    assert summary(HUB.certificate).issuer_fingerprint is None
    assert summary(HUB.certificate, NEW.certificate).issuer_fingerprint is None


def test_chain() -> None:
    assert chain_of(HUB.certificate) == HUB.certificate
    chain = HUB.certificate + ROOT.certificate
    assert chain_of(HUB.certificate, ROOT.certificate) == chain
    rough = [b"\n\n" + data.replace(b"\n", b"\r\n").rstrip() for data in (HUB.certificate, ROOT.certificate)]
    assert chain_of(*rough) == chain


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((HUB.certificate, NEW.certificate), "isn't signed by"),
        ((ROOT.certificate, HUB.certificate), "isn't signed by"),
        ((HUB.certificate + ROOT.certificate,), "must be one certificate, but 2"),
        ((HUB.certificate, b""), "the file is empty"),
        ((HUB.certificate, HUB.key.reveal()), "contains a private key"),
    ],
)
def test_chains_that_are_none(parts: Sequence[bytes], message: str) -> None:
    with pytest.raises(IssueError, match=message):
        chain_of(*parts)


# Keys


def written(key: Any, form: PrivateFormat, password: Hidden | None = None) -> Hidden:
    encryption = BestAvailableEncryption(password.reveal()) if password else NoEncryption()
    return Hidden(key.private_bytes(Encoding.PEM, form, encryption))


@pytest.mark.parametrize(
    ("key", "form"), list(product([EC_KEY, RSA_KEY], [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL]))
)
def test_forms_of_keys(key: PrivateKey, form: PrivateFormat) -> None:
    """PKCS #8, PKCS #1 and SEC 1, encrypted and not, each comes out as the same plain PKCS #8."""
    plain, encrypted = written(key, form), written(key, form, PASSWORD)

    for found in (plain_key(plain), plain_key(encrypted, PASSWORD), plain_key(plain, Hidden(b""))):
        assert found == written(key, PrivateFormat.PKCS8)
    assert b"BEGIN PRIVATE KEY" in plain_key(encrypted, PASSWORD).reveal()
    for password, message in (
        (None, "is encrypted: give"),
        (Hidden(b""), "is encrypted: give"),
        (Hidden(b"x"), "wrong"),
    ):
        refused(encrypted, message, password)
    refused(plain, "isn't encrypted, but there is a password", PASSWORD)


def test_key_with_other_blocks_around() -> None:
    parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    around = (
        b"Bag Attributes\n" + parameters + written(EC_KEY, PrivateFormat.TraditionalOpenSSL).reveal() + HUB.certificate
    )

    assert plain_key(Hidden(around)) == HUB.key
    assert plain_key(Hidden(around.replace(b"\n", b"\r\n"))) == HUB.key


CUT_SHORT = """-----BEGIN PRIVATE KEY-----
MIIBSwIBADCCASsGByqGSM44BAEwggEeAoGBAO
-----END PRIVATE KEY-----
"""


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "must be one PEM block, but there are 0"),
        (b"\x00" * 5000, "must be one PEM block, but there are 0"),
        (HUB.certificate, "must be one PEM block, but there are 0"),
        (HUB.key.reveal() * 2, "must be one PEM block, but there are 2"),
        (HUB.key.reveal() + HUB.key.reveal()[:60], "must be one PEM block, but there are 2"),
        (HUB.key.reveal().replace(b"END PRIVATE", b"END PUBLIC"), "must be one PEM block, but there are 0"),
        (HUB.key.reveal()[:-40], "must be one PEM block, but there are 0"),
        (
            EC_KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
            "must be one PEM block, but there are 0",
        ),
        (HUB.key.reveal().replace(b"MI", b"MJ", 1), "can't be read"),
        (HUB.key.reveal().replace(b"PRIVATE KEY", b"RSA PRIVATE KEY"), "can't be read"),
        (CUT_SHORT.encode(), "can't be read"),
        (written(EC_KEY, PrivateFormat.OpenSSH).reveal(), "has an unknown format"),
        (written(make_key("Ed25519"), PrivateFormat.PKCS8).reveal(), "a type that Istio's CAs don't support"),
        (written(make_key("P-521"), PrivateFormat.PKCS8).reveal(), "a type that Istio's CAs don't support"),
        (written(make_key("RSA-1024"), PrivateFormat.PKCS8).reveal(), "has 1024 bits: make one of 2048 or more"),
    ],
)
def test_keys_that_are_refused(data: bytes, message: str) -> None:
    refused(Hidden(data), message)


def refused(key: Hidden, message: str, password: Hidden | None = None) -> None:
    """load_key says so, and nothing of the exception holds a line of the key or the password."""
    with pytest.raises(IssueError, match=message) as raised:
        load_key(key, password)
    assert holds_nothing(raised.value, key, *([password] if password else []))


def holds_nothing(error: BaseException, *secrets: Hidden) -> bool:
    """Neither message, traceback with the variables of every frame but the test's own, nor what came before it."""
    assert error.__traceback__ is not None
    told = traceback.TracebackException(type(error), error, error.__traceback__.tb_next, capture_locals=True).format()
    text = "".join(told) + repr(error) + repr(error.args)
    assert "<hidden>" in text
    assert error.__context__ is None
    lines = [line.decode("latin-1") for secret in secrets for line in secret.reveal().splitlines()]
    return not any(line in text for line in lines if len(line) > 7 and not line.startswith("-----"))


@pytest.mark.thorough
@settings(deadline=None, max_examples=tries(300))
@given(st.data())
def test_damaged_keys_never_leave_another_exception(data: st.DataObject) -> None:
    text = bytearray(data.draw(st.sampled_from([HUB.key, RSA_HUB.key])).reveal())
    start = data.draw(st.integers(0, len(text)))
    text[start : start + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=30))
    damaged, error = Hidden(bytes(text)), None
    try:
        load_key(damaged)
    except IssueError as raised:
        error = raised
    assert error is None or holds_nothing(error, damaged)


def test_no_byte_of_a_key_is_shown() -> None:
    shown = f"{HUB} {HUB!r} {HUB!s}"

    assert "<hidden>" in shown
    assert not any(line.decode() in shown for line in HUB.key.reveal().splitlines()[1:-1])
    calls: list[Callable[[], object]] = [
        lambda: issue(Issued(ROOT.certificate, HUB.key)),
        lambda: issue(Issued(b"", HUB.key)),
        lambda: issue(HUB),
        lambda: issue(HUB, days=0),
        lambda: key_fits(b"", HUB.key),
        lambda: sign(HUB.key, replace(STATEMENT, blob_sha256="")),
    ]
    for call in calls:
        with pytest.raises(IssueError) as raised:
            call()
        assert holds_nothing(raised.value, HUB.key)


def test_key_that_is_given_as_certificate_is_not_quoted() -> None:
    calls: list[Callable[[], object]] = [
        lambda: key_fits(HUB.key.reveal(), HUB.key),
        lambda: chain_of(HUB.certificate, HUB.key.reveal()),
        lambda: issue(Issued(HUB.key.reveal(), HUB.key)),
    ]
    for call in calls:
        with pytest.raises(IssueError, match="a file of public certificates contains a private key") as raised:
            call()
        assert not any(line.decode() in str(raised.value) for line in HUB.key.reveal().splitlines()[1:-1])


# Binding


def digest(certificate: bytes) -> str:
    return sha256(x509.load_pem_x509_certificate(certificate).public_bytes(Encoding.DER)).hexdigest()


BLOB = "ENC[AES256_GCM,data:abc]"
STATEMENT = state("hub", BLOB, HUB.certificate, ROOT.certificate)
SIGNATURE = sign(HUB.key, STATEMENT)
RSA_STATEMENT = state("hub", BLOB, RSA_HUB.certificate, ROOT.certificate)
RSA_SIGNATURE = sign(RSA_HUB.key, RSA_STATEMENT)
BOUND = [(HUB, STATEMENT, SIGNATURE), (RSA_HUB, RSA_STATEMENT, RSA_SIGNATURE)]


def test_what_a_statement_holds() -> None:
    blob = sha256(BLOB.encode()).hexdigest()

    assert Statement("hub", blob, digest(HUB.certificate), digest(ROOT.certificate)) == STATEMENT


@pytest.mark.parametrize(("ca", "statement", "signature"), BOUND, ids=["ecdsa", "rsa"])
def test_binding_holds_and_breaks_with_every_part(ca: Issued, statement: Statement, signature: str) -> None:
    again = Authority(parsed(ROOT), load_key(ROOT.key)).issue("hub", key=load_key(ca.key)).cert_pem
    other = issue(ROOT, "edge")
    zero = "0" * 64

    assert "\n" not in signature
    assert binding.verify(ca.certificate, statement, signature)
    for part in ("cluster", "blob_sha256", "ca_sha256", "root_sha256"):
        assert not binding.verify(ca.certificate, replace(statement, **{part: zero}), signature)
    assert not binding.verify(other.certificate, statement, signature)
    assert not binding.verify(other.certificate, replace(statement, ca_sha256=digest(other.certificate)), signature)
    assert not binding.verify(again, statement, signature)
    assert not binding.verify(again, replace(statement, ca_sha256=digest(again)), signature)
    assert not binding.verify(ca.certificate + ROOT.certificate, statement, signature)
    assert not binding.verify(ca.certificate, statement, sign(other.key, statement))


@pytest.mark.parametrize(("ca", "statement", "signature"), BOUND, ids=["ecdsa", "rsa"])
def test_signatures_have_one_text(ca: Issued, statement: Statement, signature: str) -> None:
    changed = [signature + "\n", " " + signature, signature + "=", signature[:-4], "", signature * 20, "é", "\ud800"]
    flipped = bytearray(base64.b64decode(signature))
    flipped[-1] ^= 1
    for text in (*changed, base64.b64encode(flipped).decode(), base64.encodebytes(bytes(flipped)).decode()):
        assert not binding.verify(ca.certificate, statement, text)


def test_bits_that_no_encoder_sets() -> None:
    """The 256 bytes of an RSA signature leave four bits of its last character over."""
    assert RSA_SIGNATURE.endswith("==")
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/":
        changed = RSA_SIGNATURE[:-3] + letter + "=="
        assert binding.verify(RSA_HUB.certificate, RSA_STATEMENT, changed) is (changed == RSA_SIGNATURE)


def test_openssl_verifies_a_binding(tmp_path: Path) -> None:
    """And so the message is what the documentation says, byte for byte."""
    program = find_tool("openssl")
    for ca, statement, signature in BOUND:
        blob, own, root = statement.blob_sha256, statement.ca_sha256, statement.root_sha256
        message = f"meshc ciphertext binding v1\ncluster hub\nblob {blob}\nca {own}\nroot {root}\n"
        (tmp_path / "message").write_text(message)
        (tmp_path / "signature").write_bytes(base64.b64decode(signature))
        (tmp_path / "ca").write_bytes(ca.certificate)
        key = subprocess.run(
            [program, "x509", "-in", "ca", "-pubkey", "-noout"], cwd=tmp_path, check=True, capture_output=True
        )
        (tmp_path / "key").write_bytes(key.stdout)
        command = [program, "dgst", "-sha256", "-verify", "key", "-signature", "signature", "message"]
        assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize(
    "change",
    [
        {"cluster": ""},
        {"cluster": "hub\nblob " + "0" * 64},
        {"cluster": "hüb"},
        {"blob_sha256": "0" * 63},
        {"ca_sha256": summary(HUB.certificate).fingerprint},
        {"root_sha256": "A" * 64},
        {"root_sha256": "0" * 64 + "\n"},
    ],
)
def test_statements_that_cannot_be_made(change: dict[str, str]) -> None:
    malformed = replace(STATEMENT, **change)

    with pytest.raises(IssueError, match="malformed"):
        sign(HUB.key, malformed)
    assert not binding.verify(HUB.certificate, malformed, SIGNATURE)


@settings(deadline=None, max_examples=tries(300))
@given(
    st.binary(max_size=100) | st.sampled_from([HUB.certificate, RSA_HUB.certificate]),
    st.builds(Statement, *[st.text(max_size=70)] * 4) | st.sampled_from([STATEMENT, RSA_STATEMENT]),
    st.text() | st.binary(max_size=300).map(lambda data: base64.b64encode(data).decode()),
)
def test_garbage_is_never_bound_and_never_raises(ca: bytes, statement: Statement, signature: str) -> None:
    assert not binding.verify(ca, statement, signature)


def test_kinds_of_keys_that_bind_nothing() -> None:
    odd = throwaway_root(key="Ed25519")

    assert not binding.verify(odd.cert_pem, replace(STATEMENT, ca_sha256=digest(odd.cert_pem)), SIGNATURE)


# Rotation

CLUSTERS = ("hub", "edge-1", "edge-2")
OLD_CAS = {cluster: issue(ROOT, cluster) for cluster in CLUSTERS}
NEW_CAS = {cluster: issue(NEW, cluster) for cluster in CLUSTERS}
BOTH = ROOT.certificate + NEW.certificate


def signers(renewed: Sequence[str] = ()) -> list[Signer]:
    """The clusters' CAs, those of `renewed` under the new root."""
    found = []
    for cluster in CLUSTERS:
        ca, root = (NEW_CAS[cluster], NEW) if cluster in renewed else (OLD_CAS[cluster], ROOT)
        found.append(Signer(cluster, ca.certificate, chain_of(ca.certificate, root.certificate)))
    return found


def test_full_walk(openssl: Callable[..., str]) -> None:
    """Three clusters, each at any moment before or after the step: all trust all, and the checks find nothing."""
    bundle, renewed, walked = ROOT.certificate, tuple[str, ...](), []
    for _ in range(3):
        step = next_step(bundle, signers(renewed), NEW.certificate)
        walked.append((phase_of(bundle, signers(renewed)).phase, step.action))
        after = tuple(dict.fromkeys((*renewed, *step.reissue)))
        files = [ClusterFiles(s.cluster, ("ca", s.certificate), ("chain", s.chain), ()) for s in signers(after)]
        assert verify(("root", step.bundle), files, generation=Generation.ISTIOD) == []
        assert contains(step.bundle, bundle) or contains(bundle, step.bundle)
        for trusted, moment in product((bundle, step.bundle), (renewed, after)):
            for signer in signers(moment):
                cas = NEW_CAS if signer.cluster in moment else OLD_CAS
                assert openssl(trusted, signer.chain, workload(cas[signer.cluster])) == "OK"
        bundle, renewed = step.bundle, after

    assert walked == [
        (Phase.STEADY, Action.TRUST_BOTH),
        (Phase.BOTH_TRUSTED, Action.REISSUE),
        (Phase.ALL_REISSUED, Action.DROP_OLD),
    ]
    assert bundle == NEW.certificate
    standing = phase_of(bundle, signers(renewed))
    assert (standing.phase, standing.new, standing.pending, standing.done) == (Phase.STEADY, None, (), CLUSTERS)
    assert next_step(bundle, signers(renewed)).action is Action.NOTHING
    assert openssl(bundle, b"", OLD_CAS["hub"].certificate) != "OK"


def test_steps_in_full() -> None:
    assert next_step(ROOT.certificate, signers()) == Step(Action.NOTHING, ROOT.certificate, ROOT.certificate)
    trust = next_step(ROOT.certificate, signers(), NEW.certificate, Action.TRUST_BOTH)
    assert trust == Step(Action.TRUST_BOTH, BOTH, ROOT.certificate)
    assert next_step(BOTH, signers()) == Step(Action.REISSUE, BOTH, NEW.certificate, CLUSTERS)
    assert next_step(BOTH, signers(CLUSTERS)) == Step(Action.DROP_OLD, NEW.certificate, NEW.certificate)


def test_interrupted_walk() -> None:
    """One cluster at a time, and each run again as if the one before had been killed after writing."""
    for count in range(1, len(CLUSTERS)):
        renewed = CLUSTERS[:count]
        standing = phase_of(BOTH, signers(renewed))

        assert (standing.phase, standing.done, standing.pending) == (Phase.REISSUING, renewed, CLUSTERS[count:])
        assert (standing.old, standing.new) == (ROOT.certificate, NEW.certificate)
        for _ in range(2):
            step = next_step(BOTH, signers(renewed), NEW.certificate, Action.REISSUE)
            assert (step.bundle, step.reissue) == (BOTH, CLUSTERS[count:])
    assert phase_of(BOTH, signers(CLUSTERS)).phase is Phase.ALL_REISSUED


@pytest.mark.parametrize(
    "old",
    [
        ROOT.certificate.rstrip(),
        ROOT.certificate + b"\n\n",
        b"\n" + ROOT.certificate.replace(b"\n", b"\r\n"),
        ROOT.certificate.replace(b"\n", b" \n"),
    ],
)
def test_bundles_are_carried_over_byte_by_byte(old: bytes) -> None:
    new = NEW.certificate.replace(b"\n", b"\r\n").rstrip()
    both = next_step(old, signers(), new).bundle

    assert both.startswith(old)
    assert both.endswith(new)
    assert len(both) - len(old + new) == (not old.endswith(b"\n"))
    assert next_step(both, signers(), NEW.certificate).action is Action.REISSUE
    assert next_step(both, signers(CLUSTERS), NEW.certificate).bundle == new


def test_containment() -> None:
    wrapped = NEW.certificate.replace(b"\n", b"\r\n")

    assert contains(BOTH, NEW.certificate)
    assert contains(BOTH, BOTH)
    assert not contains(NEW.certificate, BOTH)
    assert not contains(BOTH, wrapped)  # 1.30 would take it, 1.24 wouldn't
    assert not contains(NEW.certificate + ROOT.certificate, BOTH)
    assert not contains(BOTH, b"")
    assert not contains(BOTH, NEW.certificate[:-10])


STRANGER = make_root("bookstore", "ecdsa-p256", NOW, 3650)
RENEWED = throwaway_root(key=load_key(ROOT.key))


@pytest.mark.parametrize(
    ("bundle", "renewed", "new", "asked", "message"),
    [
        (ROOT.certificate, (), ROOT.certificate, None, "already the root of the mesh"),
        (ROOT.certificate, (), ROOT.certificate.replace(b"\n", b"\r\n"), None, "already the root of the mesh"),
        (BOTH, (), ROOT.certificate, None, "the old root, which is being replaced"),
        (BOTH, (), STRANGER.certificate, None, "would be a third root"),
        (BOTH + STRANGER.certificate, (), None, None, "has 3 roots"),
        (ROOT.certificate * 2, (), None, None, "has the same root twice"),
        (ROOT.certificate, (), RENEWED.cert_pem, None, "has the key of the old"),
        (ROOT.certificate + RENEWED.cert_pem, (), None, None, "has the key of the old"),
        (ROOT.certificate, (), HUB.certificate, None, "isn't a root"),
        (ROOT.certificate, (), BOTH, None, "must be one certificate"),
        (ROOT.certificate, (), b"", None, "the file is empty"),
        (ROOT.certificate, (), throwaway_root(path_length=0).cert_pem, None, "allows no CA below it"),
        (b"", (), None, None, "the file is empty"),
        (ROOT.certificate, ("edge-1",), None, None, "under no root of root-cert.pem: edge-1; add the root"),
        (NEW.certificate, ("edge-1",), None, None, "under no root of root-cert.pem: hub, edge-2; add the root"),
        (ROOT.certificate, (), None, Action.TRUST_BOTH, "name a new root"),
        (ROOT.certificate, (), NEW.certificate, Action.REISSUE, "trust both roots first"),
        (ROOT.certificate, (), NEW.certificate, Action.DROP_OLD, "trust both roots first"),
        (BOTH, (), None, Action.DROP_OLD, "still under the old root: hub, edge-1, edge-2; issue again first"),
        (BOTH, ("hub", "edge-1"), None, Action.DROP_OLD, "still under the old root: edge-2; issue again first"),
        (BOTH, CLUSTERS, None, Action.REISSUE, "every CA is under the new one: drop the old root"),
        (BOTH, CLUSTERS, None, Action.TRUST_BOTH, "every CA is under the new one: drop the old root"),
    ],
)
def test_rotations_that_are_refused(
    bundle: bytes, renewed: Sequence[str], new: bytes | None, asked: Action | None, message: str
) -> None:
    with pytest.raises(IssueError, match=message):
        next_step(bundle, signers(renewed), new, asked)


def test_files_that_tell_nothing() -> None:
    good = signers()[0]
    for wrong in (replace(good, certificate=b""), replace(good, chain=b""), replace(good, chain=b"x")):
        with pytest.raises(IssueError, match=r"of hub can't be used"):
            phase_of(BOTH, [wrong])
    with pytest.raises(IssueError, match="no cluster with a CA"):
        phase_of(BOTH, [])


def test_roots_of_one_subject() -> None:
    """Fingerprints decide: throw-away roots share their subject, as those of Istio's tools/certs do."""
    old, new = throwaway_root(), throwaway_root()
    bundle = old.cert_pem + new.cert_pem
    below = {name: root.issue(name).cert_pem for name, root in (("hub", old), ("edge", new))}
    standing = phase_of(bundle, [Signer(name, cert, cert) for name, cert in below.items()])

    assert (standing.phase, standing.pending, standing.done) == (Phase.REISSUING, ("hub",), ("edge",))
    hub = Signer("hub", below["hub"], below["hub"])
    assert next_step(old.cert_pem, [hub], new.cert_pem).bundle == bundle
    with pytest.raises(IssueError, match="would be a third root"):
        next_step(bundle, [hub], throwaway_root().cert_pem)


def test_cross_signed_root_counts_as_new() -> None:
    old, new = throwaway_root("Old"), throwaway_root("New")
    crossed = old.issue("", "New", key=new.key, path_length=1)
    hub = new.issue("hub")
    signer = Signer("hub", hub.cert_pem, hub.cert_pem + crossed.cert_pem)

    assert phase_of(old.cert_pem, [signer]).phase is Phase.STEADY
    assert phase_of(old.cert_pem + new.cert_pem, [signer]).phase is Phase.ALL_REISSUED
    assert roots_above(signer.certificate, signer.chain, old.cert_pem + new.cert_pem) == (old.cert_pem, new.cert_pem)


def test_binding_outlives_both_trusted() -> None:
    """The statement names the root above the CA, whatever else root-cert.pem holds."""
    hub = signers()[0]
    for bundle in (ROOT.certificate, BOTH, NEW.certificate + ROOT.certificate, BOTH + STRANGER.certificate):
        (root,) = roots_above(hub.certificate, hub.chain, bundle)
        statement = state("hub", BLOB, hub.certificate, root)

        assert statement.root_sha256 == digest(ROOT.certificate)
    assert roots_above(hub.certificate, hub.chain, NEW.certificate) == ()
    with pytest.raises(IssueError):
        roots_above(hub.certificate, hub.chain, b"x")
