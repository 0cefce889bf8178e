"""Makes sealed files and certificates inside tests/cases anew: python tests/make_sealed_cases.py [CASE...]

Their keys are thrown away, so the bytes are new each time: run pytest --update afterwards, and read the diff.
"""

from __future__ import annotations

import base64
import json
import secrets
import shutil
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from meshc.hidden import Hidden
from meshc.seal.cacerts import with_roots
from meshc.seal.contract import Plain, Target
from meshc.seal.file import sealed_file
from meshc.trust import binding, proofs
from support.cases import find_case
from support.sealing import CA_KEY, WHOLE_DATA, cacerts, remote_secret, seal
from support.throwaway import Authority, make_root, pem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAKERS: dict[str, Callable[[], Mapping[str, bytes]]] = {}
Object = dict[str, Any]
JWT = "eyJhbGciOiJub25lIn0.eyJmYWtlIjp0cnVlfQ."
"""What a bearer token looks like; it opens nothing."""


def case(make: Callable[[], Mapping[str, bytes]]) -> Callable[[], Mapping[str, bytes]]:
    """Registers the maker of a case's files by the case's name, with - for _."""
    MAKERS[make.__name__.replace("_", "-")] = make
    return make


def remote(cluster: str, **changes: Any) -> Object:
    """A remote secret in plain text, its metadata changed; None takes a field out."""
    made = remote_secret(cluster, f"https://{cluster}.example:6443")
    for key, value in changes.items():
        made["metadata"][key] = value
        if value is None:
            del made["metadata"][key]
    return made


def sops(plain: Object, encrypted: str = WHOLE_DATA, *options: str) -> bytes:
    return seal(plain, encrypted, *options)


def edited(sealed: bytes, change: Callable[[Object], object]) -> bytes:
    """A sealed file that somebody changed by hand."""
    body = yaml.safe_load(sealed)
    change(body)
    return dump(body)


def dump(*bodies: Object) -> bytes:
    return yaml.safe_dump_all(bodies, sort_keys=False, width=10_000).encode()


def sealed_value() -> str:
    """What kubeseal makes of a value, by its form: the length of a wrapped key, that key, AES-GCM text."""
    return base64.b64encode((512).to_bytes(2, "big") + secrets.token_bytes(512 + 64)).decode()


def sealed_secret(plain: Object, public: Mapping[str, str] | None = None) -> Object:
    """A SealedSecret in place of a Secret; `public` stays readable in the template."""
    metadata, shown = plain["metadata"], dict(public or {})
    template: Object = {"metadata": dict(metadata), "type": "Opaque"} | ({"data": shown} if shown else {})
    return {
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
        "spec": {
            "encryptedData": {key: sealed_value() for key in plain["data"] if key not in shown},
            "template": template,
        },
    }


def external_secret(plain: Object, public: Mapping[str, str] | None = None) -> Object:
    """An ExternalSecret that fetches a Secret's values from a store."""
    metadata, shown = plain["metadata"], dict(public or {})
    kept = {key: metadata[key] for key in ("labels", "annotations") if key in metadata}
    template: Object = {"engineVersion": "v2", "mergePolicy": "Merge"}
    template |= ({"metadata": kept} if kept else {}) | ({"data": shown} if shown else {})
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
        "spec": {
            "refreshInterval": "1h0m0s",
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": "mesh-vault"},
            "target": {
                "name": metadata["name"],
                "creationPolicy": "Owner",
                "deletionPolicy": "Retain",
                "template": template,
            },
            "data": [
                {"secretKey": key, "remoteRef": {"key": f"mesh/{metadata['name']}", "property": key}}
                for key in plain["data"]
                if key not in shown
            ],
        },
    }


def public(authority: Authority, root: Authority) -> dict[str, str]:
    """The parts of cacerts that anyone may read."""
    parts = {
        "ca-cert.pem": authority.cert_pem,
        "cert-chain.pem": pem(authority, root),
        "root-cert.pem": root.cert_pem,
    }
    return {key: data.decode() for key, data in parts.items()}


def certificates(root: Authority, **clusters: Authority) -> dict[str, bytes]:
    """The folder certificates/ of a mesh."""
    files = {"certificates/root-cert.pem": root.cert_pem}
    for name, authority in clusters.items():
        folder = f"certificates/{name.replace('_', '-')}"
        files |= {
            f"{folder}/ca-cert.pem": authority.cert_pem,
            f"{folder}/cert-chain.pem": pem(authority, root),
        }
    return files


def at_hub(**files: bytes) -> dict[str, bytes]:
    """Remote secrets in hub by remote, with _ for -."""
    return {f"sealed/hub/remote-secret-{name.replace('_', '-')}.yaml": data for name, data in files.items()}


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@case
def sealed_by_sops() -> Mapping[str, bytes]:
    root = make_root()
    hub = root.issue("hub")
    files = certificates(root, hub=hub) | at_hub(edge_1=sops(remote("edge-1")))
    return files | {"sealed/hub/cacerts.yaml": sops(cacerts(hub, root), CA_KEY)}


@case
def sealed_by_sealed_secrets() -> Mapping[str, bytes]:
    root = make_root()
    hub = root.issue("hub")
    files = certificates(root, hub=hub) | at_hub(edge_1=dump(sealed_secret(remote("edge-1"))))
    return files | {"sealed/hub/cacerts.yaml": dump(sealed_secret(cacerts(hub, root), public(hub, root)))}


@case
def sealed_by_external_secrets() -> Mapping[str, bytes]:
    root = make_root()
    hub = root.issue("hub")
    files = certificates(root, hub=hub) | at_hub(edge_1=dump(external_secret(remote("edge-1"))))
    return files | {"sealed/hub/cacerts.yaml": dump(external_secret(cacerts(hub, root), public(hub, root)))}


@case
def sealed_in_classic() -> Mapping[str, bytes]:
    root = make_root(key="RSA-2048")
    hub, edge = root.issue("hub", key="RSA-2048"), root.issue("edge-1", key="RSA-2048")
    plain = remote_secret("edge-1", "https://edge-1.example:6443", classic=True)
    return {
        **certificates(root, hub=hub, edge_1=edge),
        **at_hub(edge_1=sops(plain)),
        "sealed/hub/cacerts.yaml": sops(cacerts(hub, root), CA_KEY),
        "sealed/edge-1/cacerts.yaml": dump(sealed_secret(cacerts(edge, root), public(edge, root))),
    }


@case
def cacerts_missing() -> Mapping[str, bytes]:
    root = make_root()
    return certificates(root, hub=root.issue("hub"))


@case
def cacerts_of_a_remote_istiod_may_be_missing() -> Mapping[str, bytes]:
    root = make_root()
    hub, edge = root.issue("hub"), root.issue("edge-1")
    sealed = {"sealed/hub/cacerts.yaml": sops(cacerts(hub, root), CA_KEY)}
    return certificates(root, hub=hub, edge_1=edge) | sealed


@case
def remote_secret_of_the_primary_itself() -> Mapping[str, bytes]:
    return at_hub(hub=sops(remote("hub")), edge_1=sops(remote("edge-1")))


@case
def sealed_file_of_a_removed_cluster() -> Mapping[str, bytes]:
    gone = sops(remote("edge-9"))
    return {
        **at_hub(edge_9=gone),
        "sealed/hub/remote-secret-edge-1.yml": sops(remote("edge-1")),
        "sealed/edge-1/remote-secret-edge-1.yaml": sops(remote("edge-1")),
        "sealed/hub/cacerts.yaml": gone,
    }


@case
def plain_text_in_a_file_that_nothing_places() -> Mapping[str, bytes]:
    token = remote("edge-9")
    token["data"] = {"edge-9": base64_of(f"token: {JWT}")}
    return at_hub(edge_9=dump(token), edge_8=dump(remote("edge-8")))


@case
def sealed_file_that_is_no_sealed_secret() -> Mapping[str, bytes]:
    one, wrong = sops(remote("edge-1")), "not-a-mapping"
    return at_hub(
        edge_1=one + b"---\n" + one,
        edge_2=b"# to be sealed\n",
        edge_3=b"- apiVersion: v1\n  kind: Secret\n",
        edge_4=dump(remote("edge-4") | {"kind": "ConfigMap"}),
        edge_5=edited(sops(remote("edge-5")), lambda body: body.update(apiVersion="v2", spec={})),
        edge_6=dump(sealed_secret(remote("edge-6")) | {"apiVersion": "bitnami.com/v1", "data": {}}),
        edge_7=dump(external_secret(remote("edge-7")) | {"apiVersion": "external-secrets.io/v1beta1"}),
        edge_8=edited(sops(remote("edge-8")), lambda body: body["metadata"].update(annotations=["a", "b"])),
        edge_9=edited(sops(remote("edge-9")), lambda body: body.update(metadata=wrong)),
        edge_10=edited(dump(external_secret(remote("edge-10"))), lambda body: body["spec"].update(data=wrong)),
        edge_11=b"kind: [Secret\n",
    )


@case
def sealed_under_a_wrong_name() -> Mapping[str, bytes]:
    strict = sealed_secret(remote("edge-3"))
    strict["spec"]["template"]["metadata"]["namespace"] = "default"
    target = external_secret(remote("edge-4"))
    target["spec"]["target"]["name"] = "edge-4"
    untargeted = external_secret(remote("edge-5"))
    del untargeted["spec"]["target"]["name"]
    untargeted["metadata"]["name"] = "edge-5"
    return at_hub(
        edge_1=sops(remote("edge-1", name="edge-1")),
        edge_2=sops(remote("edge-2", namespace="default")),
        edge_3=dump(strict),
        edge_4=dump(target),
        edge_5=dump(untargeted),
        edge_6=edited(sops(remote("edge-6")), lambda body: body["metadata"].pop("namespace")),
    )


@case
def sealed_with_wrong_keys() -> Mapping[str, bytes]:
    config, two, none, replaced = remote("edge-1"), remote("edge-2"), remote("edge-3"), remote("edge-5")
    config["data"] = {"config": config["data"]["edge-1"]}
    two["data"]["note"] = base64_of("kept for later")
    blob = sealed_secret(none)
    blob["spec"]["data"] = blob["spec"].pop("encryptedData")["edge-3"]
    by_name = external_secret(remote("edge-4"))
    by_name["spec"]["data"][0]["secretKey"] = "kubeconfig"
    merge = external_secret(replaced)
    del merge["spec"]["target"]["template"]["mergePolicy"]
    root = make_root()
    merge["spec"]["target"]["template"]["data"] = {"root-cert.pem": root.cert_pem.decode()}
    return at_hub(
        edge_1=sops(config),
        edge_2=sops(two),
        edge_3=dump(blob),
        edge_4=dump(by_name),
        edge_5=dump(merge),
        edge_6=edited(sops(remote("edge-6")), lambda body: body.pop("data")),
    )


@case
def remote_secret_without_label() -> Mapping[str, bytes]:
    outside = sealed_secret(remote("edge-3"))
    outside["metadata"]["labels"] = outside["spec"]["template"]["metadata"].pop("labels")
    return at_hub(
        edge_1=sops(remote("edge-1", labels=None)),
        edge_2=sops(remote("edge-2", annotations={"networking.istio.io/cluster": "edge-1"})),
        edge_3=dump(outside),
        edge_4=dump(external_secret(remote("edge-4", labels={"istio/multiCluster": "false"}, annotations=None))),
    )


@case
def remote_secret_in_plain_text() -> Mapping[str, bytes]:
    token = remote("edge-1")
    token["data"] = {"edge-1": base64_of(json.dumps({"users": [{"user": {"token": JWT}}]}))}
    readable = sealed_secret(remote("edge-4"))
    readable["spec"]["encryptedData"]["edge-4"] = base64_of("kind: Config")
    both = sealed_secret(remote("edge-5"))
    both["spec"]["template"]["data"] = {"edge-5": "kind: Config"}
    fetched = external_secret(remote("edge-6"))
    fetched["spec"]["target"]["template"]["data"] = {"edge-6": "kind: Config"}
    last = {"kubectl.kubernetes.io/last-applied-configuration": '{"data":{"edge-7":"a2luZDogQ29uZmln"}}'}
    kept = remote("edge-7")
    kept["metadata"]["annotations"] |= last
    return at_hub(
        edge_1=dump(token),
        edge_2=sops(remote("edge-2"), "^nothing-of-that-name$"),
        edge_3=edited(
            sops(remote("edge-3")),
            lambda body: body["data"].update({"edge-3": "ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:str]"}),
        ),
        edge_4=dump(readable),
        edge_5=dump(both),
        edge_6=dump(fetched),
        edge_7=sops(kept),
        edge_8=edited(sops(remote("edge-8")), lambda body: body["data"].update({"edge-8": 7})),
    )


@case
def remote_secret_in_string_data() -> Mapping[str, bytes]:
    istioctls = remote("edge-1")
    istioctls["stringData"] = {key: base64.b64decode(value).decode() for key, value in istioctls.pop("data").items()}
    template = sealed_secret(remote("edge-2"))
    template["spec"]["template"]["stringData"] = {"note": "kept for later"}
    return at_hub(edge_1=sops(istioctls, "^stringData$"), edge_2=dump(template))


@case
def remote_secret_without_a_sops_block() -> Mapping[str, bytes]:
    sealed = sops(remote("edge-1"))
    return at_hub(
        edge_1=edited(sealed, lambda body: body.pop("sops")),
        edge_2=dump(remote("edge-2")),
        edge_3=edited(sops(remote("edge-3")), lambda body: body["sops"].pop("mac")),
    )


@case
def annotation_switches_protection_off() -> Mapping[str, bytes]:
    def with_annotation(cluster: str, key: str, value: str) -> Object:
        made = remote(cluster)
        made["metadata"]["annotations"][key] = value
        return made

    wide = sealed_secret(remote("edge-2"))
    wide["metadata"]["annotations"] = {"sealedsecrets.bitnami.com/cluster-wide": "true"}
    templated = sealed_secret(with_annotation("edge-3", "sealedsecrets.bitnami.com/cluster-wide", "true"))
    own = sops(
        remote(
            "tool",
            name="tool",
            namespace="shop",
            annotations={"kustomize.toolkit.fluxcd.io/decrypt": "Disabled"},
        )
    )
    return {
        **at_hub(
            edge_1=sops(with_annotation("edge-1", "kustomize.toolkit.fluxcd.io/decrypt", "Disabled")),
            edge_2=dump(wide),
            edge_3=dump(templated),
            edge_4=dump(external_secret(with_annotation("edge-4", "kustomize.toolkit.fluxcd.io/ssa", "Ignore"))),
            edge_5=sops(with_annotation("edge-5", "argocd.argoproj.io/sync-options", "Prune=false")),
            edge_6=sops(remote("edge-6")),
        ),
        "extra/tool.yaml": own,
    }


@case
def patch_of_a_sealed_secret() -> Mapping[str, bytes]:
    return at_hub(edge_1=sops(remote("edge-1")), edge_2=dump(sealed_secret(remote("edge-2"))))


@case
def template_text_in_a_sealed_file() -> Mapping[str, bytes]:
    read = external_secret(remote("edge-1", labels={"istio/multiCluster": "true", "owner": '{{ env "HOME" }}'}))
    listed = external_secret(remote("edge-2"))
    listed["spec"]["target"]["template"]["templateFrom"] = [{"literal": "{{ .token }}"}]
    template = sealed_secret(remote("edge-3"))
    template["spec"]["template"]["metadata"]["annotations"]["note"] = "{{ index . 0 }}"
    return at_hub(edge_1=dump(read), edge_2=dump(listed), edge_3=dump(template))


@case
def sops_mac_over_the_whole_file() -> Mapping[str, bytes]:
    root = make_root()
    hub = root.issue("hub")
    plain = cacerts(hub, root)
    unsorted = dict(sorted(plain["data"].items(), reverse=True))
    two = edited(
        sops(plain, r"^(ca-key|cert-chain)\.pem$"),
        lambda body: body.update(data={k: body["data"][k] for k in unsorted}),
    )
    return {
        **certificates(root, hub=hub),
        **at_hub(edge_1=seal(remote("edge-1"), WHOLE_DATA, "--verbose"), edge_2=sops(remote("edge-2"))),
        "sealed/hub/cacerts.yaml": two,
    }


@case
def sealed_certificates_differ_from_the_folder() -> Mapping[str, bytes]:
    root, old = make_root(), make_root()
    hub, edge = root.issue("hub"), root.issue("edge-1")
    renewed = root.issue("hub")
    return {
        **certificates(root, hub=renewed, edge_1=edge),
        "sealed/hub/cacerts.yaml": sops(cacerts(hub, root), CA_KEY),
        "sealed/edge-1/cacerts.yaml": dump(sealed_secret(cacerts(edge, old), public(edge, old))),
    }


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


@case
def secret_in_plain_text_in_users_files() -> Mapping[str, bytes]:
    key = make_root().key_pem.decode()
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "tls", "namespace": "shop"}}
    wrapped = base64.encodebytes(b"certificate first\n" + key.encode()).decode()
    fake = sops(remote("edge-1", name="fake", namespace="shop"))
    text: Object = remote("edge-1", name="text", namespace="shop") | {
        "data": {},
        "stringData": {"password": "hunter2"},
    }
    token = {"metadata": {"annotations": {"note": f"Bearer {JWT}"}}}
    return {
        "extra/a-config-map.yaml": dump(config | {"data": {"tls.key": base64_of(key)}}),
        "extra/b-wrapped.yaml": dump(
            config | {"metadata": {"name": "wrapped", "namespace": "shop"}, "binaryData": {"x": wrapped}}
        ),
        "extra/c-secret.yaml": dump(remote("edge-1", name="plain", namespace="shop")),
        "extra/d-string-data.yaml": dump({"apiVersion": "v1", "kind": "List", "items": [text]}),
        "extra/e-fake.yaml": edited(fake, lambda body: body.pop("sops")),
        "extra/f-sealed.yaml": sops(remote("edge-1", name="good", namespace="shop")),
        "built/kustomization.yaml": b"configMapGenerator: [{name: x, files: [key.txt]}]\n",
        "built/key.txt": key.encode(),
        "patches/token.yaml": dump(token),
        "apps/shop.yaml": dump(config | {"data": {"age": "AGE-SECRET-KEY-1" + "Q" * 58}}),
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
    return files | {"certificates/root-key.pem": root.key_pem, at_edge(1, "notes"): b"not read\n"}


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


# What just doesn't raise a code: see tests/boundaries.yaml


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


def public_key(authority: Authority) -> bytes:
    return authority.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


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


@case
def remote_secret_of_hub2_in_hub() -> Mapping[str, bytes]:
    return at_hub(hub2=sops(remote("hub2")), edge_1=sops(remote("edge-1")))


@case
def sealed_file_of_a_cluster_that_stays() -> Mapping[str, bytes]:
    return at_hub(edge_9=sops(remote("edge-9")), edge_1=sops(remote("edge-1")))


@case
def two_sealed_secrets_in_one_file() -> Mapping[str, bytes]:
    one = sops(remote("edge-1"))
    return at_hub(edge_1=one + b"---\n" + one)


@case
def one_sealed_secret_between_document_marks() -> Mapping[str, bytes]:
    return at_hub(edge_1=b"---\n# sealed by hand\n" + sops(remote("edge-1")) + b"...\n")


@case
def sealed_under_names_that_come_out_right() -> Mapping[str, bytes]:
    unnamed = sealed_secret(remote("edge-3"))
    del unnamed["spec"]["template"]["metadata"]["name"], unnamed["spec"]["template"]["metadata"]["namespace"]
    renamed, untargeted = external_secret(remote("edge-4")), external_secret(remote("edge-5"))
    renamed["metadata"]["name"] = "edge-4"
    del untargeted["spec"]["target"]["name"]
    return at_hub(
        edge_1=sops(remote("edge-1")),
        edge_2=sops(remote("edge-2")),
        edge_3=dump(unnamed),
        edge_4=dump(renamed),
        edge_5=dump(untargeted),
        edge_6=sops(remote("edge-6")),
    )


@case
def sealed_with_exactly_the_keys() -> Mapping[str, bytes]:
    fetched = external_secret(remote("edge-5"))
    fetched["spec"]["dataFrom"] = [{"extract": {"key": "mesh/edge-5"}}]
    del fetched["spec"]["data"]
    return at_hub(
        edge_1=sops(remote("edge-1")),
        edge_2=sops(remote("edge-2")),
        edge_3=dump(sealed_secret(remote("edge-3"))),
        edge_4=dump(external_secret(remote("edge-4"))),
        edge_5=dump(fetched),
        edge_6=sops(remote("edge-6")),
    )


@case
def remote_secret_with_label_and_annotation() -> Mapping[str, bytes]:
    one, apart = remote("edge-1"), sealed_secret(remote("edge-3"))
    one["metadata"]["labels"]["team"] = "mesh"
    apart["metadata"]["labels"] = {"istio/multiCluster": "false"}  # the template alone makes the Secret
    return at_hub(
        edge_1=sops(one),
        edge_2=sops(remote("edge-2")),
        edge_3=dump(apart),
        edge_4=dump(external_secret(remote("edge-4"))),
    )


@case
def remote_secret_sealed_just_so() -> Mapping[str, bytes]:
    shortest = sealed_secret(remote("edge-4"))
    wrapped = (256).to_bytes(2, "big") + secrets.token_bytes(256 + 17)
    shortest["spec"]["encryptedData"]["edge-4"] = base64.b64encode(wrapped).decode()
    noted = remote("edge-7")
    noted["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied"] = "today"
    return at_hub(
        edge_1=sops(remote("edge-1")),
        edge_2=sops(remote("edge-2"), "^edge-2$"),
        edge_3=sops(remote("edge-3")),
        edge_4=dump(shortest),
        edge_5=dump(sealed_secret(remote("edge-5"))),
        edge_6=dump(external_secret(remote("edge-6"))),
        edge_7=sops(noted),
        edge_8=sops(remote("edge-8")),
    )


@case
def remote_secret_in_data() -> Mapping[str, bytes]:
    return at_hub(edge_1=sops(remote("edge-1")), edge_2=dump(sealed_secret(remote("edge-2"))))


@case
def remote_secret_with_a_sops_block() -> Mapping[str, bytes]:
    return at_hub(**{f"edge_{number}": sops(remote(f"edge-{number}")) for number in (1, 2, 3)})


@case
def braces_that_are_no_template() -> Mapping[str, bytes]:
    one, three = external_secret(remote("edge-1")), sealed_secret(remote("edge-3"))
    one["spec"]["target"]["template"]["metadata"]["annotations"]["owner"] = '{ env "HOME" }}'
    three["spec"]["template"]["metadata"]["annotations"]["note"] = "{ { index . 0 } }"
    return at_hub(edge_1=dump(one), edge_2=dump(external_secret(remote("edge-2"))), edge_3=dump(three))


@case
def annotations_that_switch_nothing_off() -> Mapping[str, bytes]:
    def with_annotation(cluster: str, key: str, value: str) -> Object:
        made = remote(cluster)
        made["metadata"]["annotations"][key] = value
        return made

    root = make_root()
    hub = root.issue("hub")
    own = cacerts(hub, root)
    own["metadata"]["annotations"] = {"argocd.argoproj.io/sync-options": "Prune=false,Delete=false"}
    waved = sealed_secret(remote("edge-2"))
    waved["metadata"]["annotations"] = {"argocd.argoproj.io/sync-wave": "-10"}
    tool = remote("tool", name="tool", namespace="shop", annotations={"team": "shop"})
    return {
        **certificates(root, hub=hub),
        **at_hub(
            edge_1=sops(with_annotation("edge-1", "team", "mesh")),
            edge_2=dump(waved),
            edge_4=dump(external_secret(with_annotation("edge-4", "argocd.argoproj.io/sync-wave", "-10"))),
            edge_6=sops(remote("edge-6")),
        ),
        "sealed/hub/cacerts.yaml": sops(own, CA_KEY),
        "extra/tool.yaml": sops(tool),
    }


@case
def sops_mac_over_values_in_order() -> Mapping[str, bytes]:
    root = make_root()
    hub = root.issue("hub")
    return {
        **certificates(root, hub=hub),
        **at_hub(edge_1=sops(remote("edge-1")), edge_2=sops(remote("edge-2"))),
        "sealed/hub/cacerts.yaml": sops(cacerts(hub, root), r"^(ca-key|cert-chain)\.pem$"),
    }


@case
def sealed_certificates_equal_to_the_folder() -> Mapping[str, bytes]:
    root = make_root()
    hub, edge = root.issue("hub"), root.issue("edge-1")
    return {
        **certificates(root, hub=hub, edge_1=edge),
        "sealed/hub/cacerts.yaml": sops(cacerts(hub, root), CA_KEY),
        "sealed/edge-1/cacerts.yaml": dump(sealed_secret(cacerts(edge, root), public(edge, root))),
    }


@case
def public_parts_in_users_files() -> Mapping[str, bytes]:
    root = make_root()
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "tls", "namespace": "shop"}}
    wrapped = base64.encodebytes(root.cert_pem + public_key(root)).decode()
    empty: Object = remote("edge-1", name="plain", namespace="shop") | {"data": {}}
    unlisted: Object = remote("edge-1", name="text", namespace="shop") | {"data": {}, "stringData": {}}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "age", "namespace": "shop"}}
    note = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "any", "annotations": {"note": "Bearer eyJ"}}}
    return {
        "extra/a-config-map.yaml": dump(config | {"data": {"tls.crt": base64_of(root.cert_pem.decode())}}),
        "extra/b-wrapped.yaml": dump(
            config | {"metadata": {"name": "wrapped", "namespace": "shop"}, "binaryData": {"x": wrapped}}
        ),
        "extra/c-secret.yaml": dump(empty),
        "extra/d-string-data.yaml": dump({"apiVersion": "v1", "kind": "List", "items": [unlisted]}),
        "extra/f-sealed.yaml": sops(remote("edge-1", name="good", namespace="shop")),
        "built/kustomization.yaml": b"configMapGenerator: [{name: x, files: [key.txt]}]\n",
        "built/key.txt": public_key(root),
        "patches/token.yaml": dump(note),
        "apps/shop.yaml": dump(service | {"spec": {"ports": [{"port": 80}], "selector": {"age": "age1" + "q" * 58}}}),
    }


# What sealing commands of meshc leave in a file, and what can be done to it without a key

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
RECIPIENTS = (
    "age10qy0s7snt9hkde6ajgsdnzk930e5jm4e9p8qm4s36gc3g6l9s3rq3aq734",
    "age15pw8ce0w7htwhec39lay5hz5xktzn6achgwda3ynx86xz7sd697qzyahpj",
    "age16j8scuw0ndykwt6rmv4y2pye6gn2d5gh00j8w2qll8xns935tgwsn2qjtq",
    "age19auc9cexkejw3r638t4n3f65r36u88vc9cgc2f0lafma4xlxwgesjpkwc6",
    "age1au4x507rj4jyhc6pkxfujp9zhva2srqsdjt642jxmnt6xqckfytqnk5grp",
    "age1kufjh7me8ke4unav234ejzf77983usy8efe4nwejze7p5ndtcvqqdvrvap",
)
"""Sorted. Their identities were thrown away."""
NAMED = RECIPIENTS[:2]
"""Those that mesh.yaml names in these cases."""
ROOTS = "root-cert.pem"


def sealing_certificate() -> bytes:
    """What `kubeseal --fetch-cert` gets from a controller."""
    return make_root("sealed-secret", key="RSA-2048").cert_pem


def proven(
    cluster: str,
    authority: Authority,
    root: Authority,
    recipients: tuple[str, ...] = NAMED,
    certificate: bytes = b"",
) -> bytes:
    """A cluster's cacerts as meshc seals it: by sops, or to the controller's certificate where one is given."""
    parts, key = public(authority, root), Hidden(authority.key_pem)
    ca, chain, roots = (parts[name].encode() for name in ("ca-cert.pem", "cert-chain.pem", ROOTS))

    def bound(blobs: Mapping[str, str]) -> dict[str, str]:
        statement = binding.state(cluster, blobs["ca-key.pem"], ca, root.cert_pem)
        return proofs.of_ca(ca, chain, roots) | {proofs.BINDING: binding.sign(key, statement)}

    plain = Plain(
        "istio-system", "cacerts", {"ca-key.pem": key}, {"ca-cert.pem": ca, "cert-chain.pem": chain, ROOTS: roots}
    )
    backend = "sealed-secrets" if certificate else "sops"
    return sealed_file(plain, backend, Target(recipients, certificate), NOW, bound)


def proven_remote(cluster: str, server: str, recipients: tuple[str, ...] = NAMED) -> bytes:
    """A remote secret as meshc seals it."""
    made = remote(cluster)
    metadata = made["metadata"]
    config = Hidden(base64.b64decode(made["data"][cluster]))
    plain = Plain("istio-system", metadata["name"], {cluster: config}, {}, metadata["labels"], metadata["annotations"])
    return sealed_file(plain, "sops", Target(recipients), NOW, lambda blobs: {proofs.SERVER: server})


def proven_mesh(root: Authority, hub: Authority, edge: Authority) -> dict[str, bytes]:
    """Both forms with every proof: cacerts of hub by sops, of edge-1 to the certificate of its controller."""
    certificate = sealing_certificate()
    return {
        **certificates(root, hub=hub, edge_1=edge),
        "certificates/edge-1/sealing-cert.pem": certificate,
        **at_hub(edge_1=proven_remote("edge-1", "https://edge-1.example:6443")),
        "sealed/hub/cacerts.yaml": proven("hub", hub, root),
        "sealed/edge-1/cacerts.yaml": proven("edge-1", edge, root, certificate=certificate),
    }


def annotated(sealed: bytes, **values: object) -> bytes:
    """A sealed file with annotations of meshc changed; - stands for _."""
    ours = {f"meshc/{name.replace('_', '-')}": value for name, value in values.items()}
    return edited(sealed, lambda body: body["metadata"]["annotations"].update(ours))


def transplanted(into: bytes, donor: bytes, *annotations: str) -> bytes:
    """A sealed file with the ciphertext of another, and those of its annotations."""
    there = yaml.safe_load(donor)
    given = there["metadata"]["annotations"]

    def change(body: Object) -> None:
        body["data"]["ca-key.pem"] = there["data"]["ca-key.pem"]
        body["sops"] = there["sops"]
        body["metadata"]["annotations"] |= {key: given[key] for key in annotations or given}

    return edited(into, change)


def three() -> tuple[Authority, Authority, Authority]:
    root = make_root()
    return root, root.issue("hub"), root.issue("edge-1")


@case
def sealed_with_every_proof() -> Mapping[str, bytes]:
    return proven_mesh(*three())


@case
def two_roots_while_rotating_with_bindings() -> Mapping[str, bytes]:
    old, new = make_root(), make_root()
    hub, edge = old.issue("hub"), new.issue("edge-1")
    both = pem(old, new)
    return {
        **certificates(old, hub=hub, edge_1=edge),
        "certificates/edge-1/cert-chain.pem": pem(edge, new),
        "certificates/root-cert.pem": both,
        "sealed/hub/cacerts.yaml": with_roots(proven("hub", hub, old), both, "cacerts.yaml"),
        "sealed/edge-1/cacerts.yaml": with_roots(
            proven("edge-1", edge, new, certificate=sealing_certificate()), both, "cacerts.yaml"
        ),
    }


@case
def sealed_for_other_recipients() -> Mapping[str, bytes]:
    root, hub, edge = three()
    sealed = proven_remote("edge-1", "https://edge-1.example:6443")
    return proven_mesh(root, hub, edge) | {
        "sealed/hub/cacerts.yaml": proven("hub", hub, root, (RECIPIENTS[0], *RECIPIENTS[2:])),
        "sealed/hub/remote-secret-edge-1.yaml": annotated(sealed, recipients_sha256="0" * 64),
    }


@case
def sealed_for_the_recipients_named() -> Mapping[str, bytes]:
    root, hub, edge = three()
    return proven_mesh(root, hub, edge) | {
        "sealed/hub/cacerts.yaml": proven("hub", hub, root, RECIPIENTS),
        "sealed/hub/remote-secret-edge-1.yaml": proven_remote("edge-1", "https://edge-1.example:6443", RECIPIENTS),
    }


@case
def ciphertext_exchanged() -> Mapping[str, bytes]:
    root, hub, edge = three()
    files = proven_mesh(root, hub, edge)
    other = yaml.safe_load(proven_remote("edge-1", "https://edge-1.example:6443"))
    change = {key: other[key] for key in ("data", "sops")}
    blob = sealed_value()
    path = "sealed/hub/remote-secret-edge-1.yaml"
    return files | {
        path: edited(files[path], lambda body: body.update(change)),
        "sealed/edge-1/cacerts.yaml": edited(
            files["sealed/edge-1/cacerts.yaml"], lambda body: body["spec"]["encryptedData"].update({"ca-key.pem": blob})
        ),
    }


@case
def ca_issued_again_but_not_sealed() -> Mapping[str, bytes]:
    root, hub, edge = three()
    renewed = root.issue("hub")
    parts = {key: base64_of(text) for key, text in public(renewed, root).items()}
    return proven_mesh(root, renewed, edge) | {
        "sealed/hub/cacerts.yaml": edited(proven("hub", hub, root), lambda body: body["data"].update(parts)),
    }


@case
def annotations_edited() -> Mapping[str, bytes]:
    root, hub, edge = three()
    files = proven_mesh(root, hub, edge)
    hubs, edges = "sealed/hub/cacerts.yaml", "sealed/edge-1/cacerts.yaml"
    return files | {
        hubs: annotated(files[hubs], not_after="2036-01-01T00:00:00Z", spki_sha256=None),
        edges: annotated(files[edges], root_sha256=[1], blob_sha256="", ca_sha256="A" * 64),
    }


@case
def ciphertext_of_another_cluster() -> Mapping[str, bytes]:
    root, hub, edge = three()
    files = proven_mesh(root, hub, edge)
    edges = proven("edge-1", edge, root)
    bound = (proofs.BLOB, proofs.BINDING)
    return files | {"sealed/hub/cacerts.yaml": transplanted(files["sealed/hub/cacerts.yaml"], edges, *bound)}


@case
def ciphertext_of_another_cluster_with_all_that_it_says() -> Mapping[str, bytes]:
    root, hub, edge = three()
    files = proven_mesh(root, hub, edge)
    edges = proven("edge-1", edge, root)
    return files | {"sealed/hub/cacerts.yaml": transplanted(files["sealed/hub/cacerts.yaml"], edges)}


@case
def ciphertext_of_somebody_without_the_key() -> Mapping[str, bytes]:
    root, hub, edge = three()
    files = proven_mesh(root, hub, edge)
    own = proven("hub", Authority(hub.cert, make_root().key), root)
    return files | {"sealed/hub/cacerts.yaml": own}


@case
def bindings_that_are_none() -> Mapping[str, bytes]:
    root, hub, edge = three()
    files = proven_mesh(root, hub, edge)
    hubs, edges = "sealed/hub/cacerts.yaml", "sealed/edge-1/cacerts.yaml"
    return files | {
        hubs: annotated(files[hubs], binding=base64_of("signed: hub")),
        edges: annotated(files[edges], binding=None),
    }


@case
def cacerts_without_a_binding() -> Mapping[str, bytes]:
    root, hub, edge = three()
    return proven_mesh(root, hub, edge) | unbound(root, hub, edge)


@case
def cacerts_without_the_binding_asked_for() -> Mapping[str, bytes]:
    root, hub, edge = three()
    return proven_mesh(root, hub, edge) | unbound(root, hub, edge)


def unbound(root: Authority, hub: Authority, edge: Authority) -> dict[str, bytes]:
    """Sealed by people: without any annotation, and with all but one."""
    files = proven_mesh(root, hub, edge)
    path = "sealed/hub/cacerts.yaml"
    return {
        path: edited(files[path], lambda body: body["metadata"]["annotations"].pop(proofs.BINDING)),
        "sealed/edge-1/cacerts.yaml": dump(sealed_secret(cacerts(edge, root), public(edge, root))),
    }


@case
def cacerts_from_a_store_need_no_binding() -> Mapping[str, bytes]:
    root, hub, edge = three()
    files = proven_mesh(root, hub, edge)
    ca = {key: text.encode() for key, text in public(hub, root).items()}
    fetched = external_secret(cacerts(hub, root), public(hub, root))
    fetched["metadata"]["annotations"] = proofs.of_ca(ca["ca-cert.pem"], ca["cert-chain.pem"], ca[ROOTS])
    return files | {"sealed/hub/cacerts.yaml": dump(fetched)}


@case
def remote_secret_for_another_server() -> Mapping[str, bytes]:
    return proven_mesh(*three()) | at_hub(edge_1=proven_remote("edge-1", "https://edge-2.example:6443"))


@case
def remote_secret_for_the_server_spelt_otherwise() -> Mapping[str, bytes]:
    return proven_mesh(*three()) | at_hub(edge_1=proven_remote("edge-1", "https://edge-1.example:443/"))


@case
def sealed_to_another_certificate() -> Mapping[str, bytes]:
    return proven_mesh(*three()) | {"certificates/edge-1/sealing-cert.pem": sealing_certificate()}


if __name__ == "__main__":
    for name, make in MAKERS.items():
        if not sys.argv[1:] or name in sys.argv[1:]:
            files = make()
            for folder in {path.partition("/")[0] for path in files} & {"sealed", "certificates"}:
                shutil.rmtree(find_case(name) / folder, ignore_errors=True)
            for path, data in files.items():
                (find_case(name) / path).parent.mkdir(parents=True, exist_ok=True)
                (find_case(name) / path).write_bytes(data)
