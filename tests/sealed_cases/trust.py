"""Cases with certificates, right and wrong."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from sealed_cases.making import (
    case,
    certificates,
    dump,
    external_secret,
    public,
    public_key,
    sealed_secret,
    sops,
)
from support.der_trees import read_tree
from support.sealing import CA_KEY, cacerts
from support.throwaway import Authority, make_root, pem


@case
def private_key_after_a_certificate() -> Mapping[str, bytes]:
    root = make_root()
    hub, edge = root.issue("hub"), root.issue("edge-1")
    with_key = cacerts(hub, root)
    with_key["data"]["cert-chain.pem"] = base64.b64encode(pem(hub, root) + hub.key_pem).decode()
    shown = public(edge, root)
    shown["ca-cert.pem"] += "password: hunter2\n"
    return {
        **certificates(root, hub=hub, edge_1=edge),
        "sealed/hub/cacerts.yaml": sops(with_key, CA_KEY),
        "sealed/edge-1/cacerts.yaml": dump(sealed_secret(cacerts(edge, root), shown)),
    }


def several(root: Authority, **clusters: Authority) -> dict[str, bytes]:
    """Certificates of hub and more, with a cacerts of hub that comes whole from a store."""
    hub = root.issue("hub")
    sealed = external_secret(cacerts(hub, root))
    return certificates(root, hub=hub, **clusters) | {"sealed/hub/cacerts.yaml": dump(sealed)}


def at_edge(number: int, name: str) -> str:
    return f"certificates/edge-{number}/{name}.pem"


@case
def certificate_that_is_not_plain_pem() -> Mapping[str, bytes]:
    root = make_root()
    files = several(root, edge_1=root.issue("edge-1"), edge_2=root.issue("edge-2"), edge_3=root.issue("edge-3"))
    files[at_edge(1, "ca-cert")] = b"subject=O = Istio\n" + files[at_edge(1, "ca-cert")]
    files[at_edge(2, "ca-cert")] = b""
    files[at_edge(2, "cert-chain")] = files[at_edge(2, "cert-chain")].replace(b"M", b"?", 3)
    lines = files[at_edge(3, "cert-chain")].splitlines(keepends=True)
    files[at_edge(3, "cert-chain")] = b"".join(lines[:-1])
    return files


@case
def private_key_in_a_public_file() -> Mapping[str, bytes]:
    root = make_root()
    edge = root.issue("edge-1")
    files = several(root, edge_1=edge)
    files[at_edge(1, "ca-cert")] += edge.key_pem
    files |= {f"certificates/root-key.{ending}": root.key_pem for ending in ("pem", "backup")}
    return files | {at_edge(1, "notes"): b"not read\n"}


@case
def certificate_without_its_chain() -> Mapping[str, bytes]:
    root = make_root()
    files = several(root, edge_1=root.issue("edge-1"), edge_2=root.issue("edge-2"))
    del (
        files[at_edge(1, "cert-chain")],
        files[at_edge(2, "ca-cert")],
        files["certificates/hub/cert-chain.pem"],
    )
    return files


@case
def several_certificates_in_ca_cert() -> Mapping[str, bytes]:
    root = make_root()
    edge = root.issue("edge-1")
    return several(root, edge_1=edge) | {at_edge(1, "ca-cert"): pem(edge, root)}


@case
def root_that_is_no_root() -> Mapping[str, bytes]:
    root, workload, silent = (
        make_root(),
        make_root("Workload", ca=False),
        make_root("No usage", usage=("crl_sign",)),
    )
    return several(root) | {"certificates/root-cert.pem": pem(root, root.issue("hub"), workload, silent)}


@case
def root_twice() -> Mapping[str, bytes]:
    root, other = make_root(), make_root()
    return several(root) | {"certificates/root-cert.pem": pem(root, other, root)}


@case
def ca_that_may_not_sign() -> Mapping[str, bytes]:
    root = make_root()
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    return several(
        root,
        edge_1=root.issue("edge-1", ca=False),
        edge_2=root.issue("edge-2", usage=("digital_signature",)),
        edge_3=root.issue("edge-3", purposes=(ExtendedKeyUsageOID.CLIENT_AUTH,)),
        edge_4=root.issue("edge-4", extra=((unknown, True),)),
        edge_5=root.issue("edge-5", purposes=(ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH)),
    )


@case
def ca_key_that_istiod_does_not_know() -> Mapping[str, bytes]:
    root = make_root()
    return several(
        root,
        edge_1=root.issue("edge-1", key="P-521"),
        edge_2=root.issue("edge-2", key="RSA-1024"),
        edge_3=root.issue("edge-3", key="Ed25519"),
        edge_4=root.issue("edge-4", key="P-384"),
    )


@case
def ca_key_that_citadel_does_not_know() -> Mapping[str, bytes]:
    root = make_root(key="P-256")
    hub, edge = root.issue("hub"), root.issue("edge-1", key="RSA-2048")
    sealed = {f"sealed/{name}/cacerts.yaml": dump(external_secret(cacerts(hub, root))) for name in ("hub", "edge-1")}
    return certificates(root, hub=hub, edge_1=edge) | sealed


@case
def certificate_signed_with_sha1() -> Mapping[str, bytes]:
    root = make_root(key="RSA-2048")
    edge = root.issue("edge-1")
    weak = signed_with_sha1(root, edge)
    chain = {at_edge(1, "ca-cert"): weak, at_edge(1, "cert-chain"): weak + root.cert_pem}
    return several(root, edge_1=edge) | chain


def signed_with_sha1(issuer: Authority, authority: Authority) -> bytes:
    """The certificate with a signature that cryptography doesn't make. Both OIDs have one length."""
    assert isinstance(issuer.key, rsa.RSAPrivateKey)
    sha256_with_rsa, sha1_with_rsa = (bytes.fromhex(f"2a864886f70d0101{last}") for last in ("0b", "05"))
    der = authority.cert.public_bytes(Encoding.DER).replace(sha256_with_rsa, sha1_with_rsa)
    signed = authority.cert.tbs_certificate_bytes.replace(sha256_with_rsa, sha1_with_rsa)
    der = der[: -len(authority.cert.signature)] + issuer.key.sign(signed, padding.PKCS1v15(), hashes.SHA1())
    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"


@case
def certificates_that_go_does_not_read() -> Mapping[str, bytes]:
    root = make_root()
    edge, policy = root.issue("edge-1"), x509.PolicyInformation(x509.ObjectIdentifier("1.2.3.4"), None)
    serial = with_serial(root, edge, b"\xff\x01")
    files = several(
        root,
        edge_1=edge,
        edge_2=root.issue("edge-2", extra=((x509.CertificatePolicies([policy, policy]), False),)),
        edge_3=root.issue("edge-3", extra=((constraints(x509.DNSName("svc.")), True),)),
        edge_4=root.issue("edge-4", san=None, extra=((alternative(x509.IPAddress(ip_address(MAPPED))), False),)),
    )
    return files | {at_edge(1, "ca-cert"): serial, at_edge(1, "cert-chain"): serial + root.cert_pem}


MAPPED = "::ffff:10.0.0.1"


def with_serial(issuer: Authority, authority: Authority, serial: bytes) -> bytes:
    """The certificate with a serial number that cryptography doesn't write."""
    assert isinstance(issuer.key, ec.EllipticCurvePrivateKey)
    (tree,) = read_tree(authority.cert.public_bytes(Encoding.DER)) or []
    body, _, signature = tree.parts or []
    assert body.parts
    body.parts[1].content = serial
    algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    signature.parts, signature.content = None, b"\0" + issuer.key.sign(body.encoded(), algorithm)
    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(tree.encoded()) + b"-----END CERTIFICATE-----\n"


def constraints(*permitted: x509.GeneralName, excluded: x509.GeneralName | None = None) -> x509.NameConstraints:
    return x509.NameConstraints(permitted or None, [excluded] if excluded else None)


def alternative(*names: x509.GeneralName) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName(names)


@case
def certificates_that_go_just_reads() -> Mapping[str, bytes]:
    root = make_root()
    edge = root.issue("edge-1")
    policies = [x509.PolicyInformation(x509.ObjectIdentifier(oid), None) for oid in ("1.2.3.4", "1.2.3.5")]
    serial = with_serial(root, edge, b"\0\xff\x01")
    files = several(
        root,
        edge_1=edge,
        edge_2=root.issue("edge-2", extra=((x509.CertificatePolicies(policies), False),)),
        edge_3=root.issue("edge-3", extra=((constraints(x509.DNSName("svc")), True),)),
        edge_4=root.issue("edge-4", san=None, extra=((alternative(x509.IPAddress(ip_address("::1"))), False),)),
    )
    return files | {at_edge(1, "ca-cert"): serial, at_edge(1, "cert-chain"): serial + root.cert_pem}


@case
def name_constraints_that_forbid_what_a_ca_signs() -> Mapping[str, bytes]:
    root, uri = make_root(path_length=2), x509.UniformResourceIdentifier
    corporate = root.issue("", "Corporate CA", path_length=1, extra=((constraints(uri("example.com")), True),))
    edge = corporate.issue("edge-4")
    files = several(
        root,
        edge_1=root.issue("edge-1", extra=((constraints(x509.DNSName("example.com")), True),)),
        edge_2=root.issue("edge-2", extra=((constraints(uri(".cluster.local")), True),)),
        edge_3=root.issue("edge-3", extra=((constraints(excluded=uri("local")), False),)),
        edge_4=edge,
    )
    return files | {at_edge(4, "cert-chain"): pem(edge, corporate, root)}


@case
def name_constraints_that_permit_what_a_ca_signs() -> Mapping[str, bytes]:
    root, uri = make_root(path_length=2), x509.UniformResourceIdentifier
    corporate = root.issue("", "Corporate CA", path_length=1, extra=((constraints(uri("cluster.local")), True),))
    edge = corporate.issue("edge-4")
    files = several(
        root,
        edge_1=root.issue("edge-1", extra=((constraints(x509.DNSName("istio-system.svc")), True),)),
        edge_2=root.issue("edge-2", extra=((constraints(uri(".local")), True),)),
        edge_3=root.issue("edge-3", extra=((constraints(excluded=uri(".cluster.local")), False),)),
        edge_4=edge,
    )
    return files | {at_edge(4, "cert-chain"): pem(edge, corporate, root)}


@case
def root_used_as_an_intermediate() -> Mapping[str, bytes]:
    root = make_root()
    files = several(root)
    return files | {at_edge(1, "ca-cert"): root.cert_pem, at_edge(1, "cert-chain"): root.cert_pem}


@case
def chain_that_reaches_no_root() -> Mapping[str, bytes]:
    root = make_root()
    policy = root.issue("policy", "Policy CA", path_length=1)
    edge, forged = policy.issue("edge-1"), make_root("Root CA").issue("policy", "Policy CA", path_length=1)
    third = policy.issue("edge-3")
    files = several(root, edge_1=edge, edge_2=forged.issue("edge-2"), edge_3=third)
    return files | {
        at_edge(2, "cert-chain"): pem(Authority(files_cert(files, 2), edge.key), policy),
        at_edge(3, "cert-chain"): pem(third, policy, root),
    }


def files_cert(files: Mapping[str, bytes], number: int) -> x509.Certificate:
    return x509.load_pem_x509_certificate(files[at_edge(number, "ca-cert")])


@case
def ca_under_another_root() -> Mapping[str, bytes]:
    root, namesake, stranger = make_root(), make_root(), make_root("Other Root CA")
    one, two, three = namesake.issue("edge-1"), stranger.issue("edge-2"), namesake.issue("edge-3")
    files = several(root, edge_1=one, edge_2=two, edge_3=three)
    return files | {
        at_edge(1, "cert-chain"): pem(one, namesake),
        at_edge(2, "cert-chain"): pem(two, stranger),
        at_edge(3, "cert-chain"): pem(three),
    }


@case
def two_roots_while_rotating() -> Mapping[str, bytes]:
    old, new = make_root(), make_root()
    files = several(old, edge_1=new.issue("edge-1"))
    files[at_edge(1, "cert-chain")] = files[at_edge(1, "ca-cert")]
    return files | {"certificates/root-cert.pem": pem(old, new)}


@case
def more_cas_than_the_path_length_allows() -> Mapping[str, bytes]:
    root = make_root()
    policy = root.issue("policy", "Policy CA")
    edge = policy.issue("edge-1")
    return several(root, edge_1=edge) | {at_edge(1, "cert-chain"): pem(edge, policy, root)}


@case
def chain_in_the_wrong_order() -> Mapping[str, bytes]:
    root = make_root()
    edge = root.issue("edge-1")
    return several(root, edge_1=edge) | {at_edge(1, "cert-chain"): pem(root, edge)}


@case
def unrelated_certificate_in_the_chain() -> Mapping[str, bytes]:
    root = make_root()
    edge, other = root.issue("edge-1"), root.issue("other", "Other CA")
    return several(root, edge_1=edge) | {at_edge(1, "cert-chain"): pem(edge, other, root)}


@case
def certificates_that_are_never_valid() -> Mapping[str, bytes]:
    root = make_root()
    policy = root.issue("policy", "Policy CA", path_length=1, end=datetime(2027, 1, 1, tzinfo=UTC))
    late = policy.issue("edge-1", start=datetime(2027, 6, 1, tzinfo=UTC))
    day = datetime(2027, 1, 1, tzinfo=UTC)
    files = several(root, edge_1=late, edge_2=root.issue("edge-2", start=day, end=day))
    return files | {at_edge(1, "cert-chain"): pem(late, policy, root)}


@case
def certificate_outlives_its_issuer() -> Mapping[str, bytes]:
    root = make_root(start=datetime(2026, 6, 1, tzinfo=UTC), end=datetime(2027, 1, 1, tzinfo=UTC))
    edge = root.issue("edge-1", end=datetime(2027, 1, 1, tzinfo=UTC), start=datetime(2026, 6, 1, tzinfo=UTC))
    return several(root, edge_1=edge)


@case
def clusters_share_a_key() -> Mapping[str, bytes]:
    root = make_root()
    one = root.issue("edge-1")
    return several(root, edge_1=one, edge_2=root.issue("edge-2", key=one.key))


@case
def certificates_missing() -> Mapping[str, bytes]:
    root = make_root()
    sealed = dump(external_secret(cacerts(root.issue("hub"), root)))
    return {"sealed/hub/cacerts.yaml": sealed, "certificates/root-cert.pem": root.cert_pem}


@case
def root_certificate_missing() -> Mapping[str, bytes]:
    files = several(make_root())
    del files["certificates/root-cert.pem"]
    return files


@case
def certificates_with_blank_lines_between() -> Mapping[str, bytes]:
    root = make_root()
    files = several(root, edge_1=root.issue("edge-1"), edge_2=root.issue("edge-2"), edge_3=root.issue("edge-3"))
    files[at_edge(1, "ca-cert")] = files[at_edge(1, "ca-cert")].replace(b"\n", b"\r\n")
    files[at_edge(2, "cert-chain")] = b"\n" + files[at_edge(2, "cert-chain")].replace(
        b"\n-----BEGIN", b"\n\n-----BEGIN"
    )
    files[at_edge(3, "cert-chain")] = files[at_edge(3, "cert-chain")].rstrip(b"\n")
    return files


@case
def public_key_beside_the_certificates() -> Mapping[str, bytes]:
    root = make_root()
    files = several(root, edge_1=root.issue("edge-1"))
    return files | {"certificates/root-key.pem": public_key(root), at_edge(1, "notes"): b"not read\n"}


@case
def certificates_of_a_remote_istiod_may_be_missing() -> Mapping[str, bytes]:
    root = make_root()
    return several(root, edge_1=root.issue("edge-1"))


@case
def chains_over_a_policy_ca() -> Mapping[str, bytes]:
    root = make_root()
    policy = root.issue("policy", "Policy CA", path_length=1)
    one, two, three = policy.issue("edge-1"), policy.issue("edge-2"), root.issue("edge-3")
    return several(root, edge_1=one, edge_2=two, edge_3=three) | {
        at_edge(1, "cert-chain"): pem(one, policy),
        at_edge(2, "cert-chain"): pem(two, root, policy),
        at_edge(3, "cert-chain"): pem(three),
    }


@case
def roots_with_just_enough_usage() -> Mapping[str, bytes]:
    root, plain, lean = make_root(), make_root("No usage", usage=None), make_root("Lean", usage=("key_cert_sign",))
    return several(root) | {"certificates/root-cert.pem": pem(root, plain, lean)}


@case
def root_beside_its_renewal() -> Mapping[str, bytes]:
    root = make_root()
    renewed = make_root(key=root.key, end=datetime(2046, 1, 1, tzinfo=UTC))
    return several(root) | {"certificates/root-cert.pem": pem(root, renewed)}


@case
def cas_that_may_just_sign() -> Mapping[str, bytes]:
    root = make_root()
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    return several(
        root,
        edge_1=root.issue("edge-1", usage=("key_cert_sign",)),
        edge_2=root.issue("edge-2", usage=None),
        edge_3=root.issue("edge-3", purposes=(ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH)),
        edge_4=root.issue("edge-4", extra=((unknown, False),)),
    )


@case
def ca_keys_that_istiod_knows() -> Mapping[str, bytes]:
    root = make_root()
    return several(
        root,
        edge_1=root.issue("edge-1", key="P-256"),
        edge_2=root.issue("edge-2", key="RSA-2048"),
        edge_3=root.issue("edge-3", key="RSA-4096"),
        edge_4=root.issue("edge-4", key="P-384"),
    )


@case
def root_signed_with_sha1() -> Mapping[str, bytes]:
    made = make_root(key="RSA-2048")
    root = Authority(x509.load_pem_x509_certificate(signed_with_sha1(made, made)), made.key)
    return several(root, edge_1=root.issue("edge-1"))


@case
def as_many_cas_as_the_path_length_allows() -> Mapping[str, bytes]:
    root = make_root(path_length=2)
    policy = root.issue("policy", "Policy CA", path_length=1)
    edge = policy.issue("edge-1")
    return several(root, edge_1=edge) | {at_edge(1, "cert-chain"): pem(edge, policy, root)}


@case
def cross_signed_certificate_in_the_chain() -> Mapping[str, bytes]:
    root, other = make_root(), make_root("Other Root CA")
    policy = root.issue("policy", "Policy CA", path_length=1)
    cross = other.issue("policy", "Policy CA", path_length=1, key=policy.key)
    edge = policy.issue("edge-1")
    return several(root, edge_1=edge) | {at_edge(1, "cert-chain"): pem(edge, cross, policy, root)}


@case
def certificates_valid_for_a_second() -> Mapping[str, bytes]:
    root, day = make_root(), datetime(2027, 1, 1, tzinfo=UTC)
    policy = root.issue("policy", "Policy CA", path_length=1, end=day)
    late = policy.issue("edge-1", start=day - timedelta(seconds=1), end=day)
    files = several(root, edge_1=late, edge_2=root.issue("edge-2", start=day, end=day + timedelta(seconds=1)))
    return files | {at_edge(1, "cert-chain"): pem(late, policy, root)}


@case
def certificate_with_its_issuers_dates() -> Mapping[str, bytes]:
    start, end = datetime(2026, 6, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    root = make_root(start=start, end=end)
    hub, edge = root.issue("hub", start=start, end=end), root.issue("edge-1", start=start, end=end)
    return several(root) | certificates(root, hub=hub, edge_1=edge)


@case
def cas_of_one_name_with_keys_of_their_own() -> Mapping[str, bytes]:
    root = make_root()
    return several(root, edge_1=root.issue("edge"), edge_2=root.issue("edge"))


@case
def ca_named_like_the_sample_of_istio() -> Mapping[str, bytes]:
    root = make_root(key="RSA-2048")
    hub, edge = (root.issue("Sunnyvale", "Istio CA", key="RSA-2048", san="ca.istio.io") for _ in range(2))
    sealed = {f"sealed/{name}/cacerts.yaml": dump(external_secret(cacerts(hub, root))) for name in ("hub", "edge-1")}
    return certificates(root, hub=hub, edge_1=edge) | sealed
