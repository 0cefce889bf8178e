"""Cases with sealed files as meshc makes them, and with what can be done to one without a key."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime

import yaml

from meshc.hidden import Hidden
from meshc.issuing.cacerts import with_roots
from meshc.sealing.contract import Plain, Target
from meshc.sealing.file import sealed_file
from meshc.sealing.registry import BACKENDS
from meshc.trust import binding, proofs
from sealed_cases.making import (
    Object,
    at_hub,
    base64_of,
    case,
    certificates,
    dump,
    edited,
    external_secret,
    public,
    remote,
    sealed_secret,
    sealed_value,
)
from support.sealing import cacerts
from support.throwaway import Authority, make_root, pem

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
    backend = BACKENDS["sealed-secrets" if certificate else "sops"]
    return sealed_file(plain, backend, Target(recipients, certificate), NOW, bound)


def proven_remote(cluster: str, server: str, recipients: tuple[str, ...] = NAMED) -> bytes:
    """A remote secret as meshc seals it."""
    made = remote(cluster)
    metadata = made["metadata"]
    config = Hidden(base64.b64decode(made["data"][cluster]))
    plain = Plain("istio-system", metadata["name"], {cluster: config}, {}, metadata["labels"], metadata["annotations"])
    return sealed_file(plain, BACKENDS["sops"], Target(recipients), NOW, lambda blobs: {proofs.SERVER: server})


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
