"""Encodes a sealed Secret as the file that is committed, with meshc's own annotations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from meshc.seal.contract import Plain, SealError, Store, Target
from meshc.seal.registry import SEALERS
from meshc.sealedtext import service_of
from meshc.trust import proofs
from meshc.yamltext.write import write

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan, Plan

SEALING_CERTIFICATE = "sealing-cert.pem"
"""The name of a controller's public certificate, below <ca.directory>/<cluster>/."""


def target_of(plan: Plan, cluster: ClusterPlan, secret: str, certificate: bytes | None) -> Target:
    """Whom a Secret is sealed for that is applied in `cluster`; `certificate` is its controller's, where it has one.

    Raises SealError, with what to write into mesh.yaml, if the cluster's backend lacks what it needs.
    """
    sealing = cluster.sealing
    if sealing.backend == "sops" and sealing.others and not sealing.age:
        option = _OPTIONS[service_of(sealing.others[0])]
        regex = {"cacerts": r"^ca-key\.pem$"}.get(secret, "^data$")
        file = secret.removeprefix("istio-") if secret.startswith("istio-remote-") else secret
        path = f"{plan.sealed}/{cluster.name}/{file}.yaml"
        raise SealError(
            f"{cluster.name}: meshc seals for age recipients, and mesh.yaml names keys of other services alone",
            f"name an age recipient too, or seal with sops: sops encrypt {option} {sealing.others[0]} "
            f"--encrypted-regex '{regex}' --mac-only-encrypted --filename-override {path} SECRET > {path}",
        )
    if sealing.backend == "sops" and not sealing.recipients:
        raise SealError(
            f"{cluster.name}: there is no age recipient to seal for",
            "age-keygen makes a key; its public part goes under security: {secrets: {recipients: [age1...]}}",
        )
    if sealing.backend == "sealed-secrets" and not certificate:
        raise SealError(
            f"{cluster.name}: the certificate of its sealed-secrets controller is missing",
            f"kubeseal --fetch-cert > <ca.directory>/{cluster.name}/{SEALING_CERTIFICATE}",
        )
    store = sealing.store
    if sealing.backend == "external-secrets" and store is None:
        raise SealError(
            f"{cluster.name}: no store is named",
            'write security: {secrets: {store: {name: ..., key: "{mesh}/{cluster}/{secret}"}}}',
        )
    words = {"{mesh}": plan.mesh, "{cluster}": cluster.name, "{secret}": secret}
    key = store.key if store else ""
    for word, value in words.items():
        key = key.replace(word, value)
    reference = Store(store.kind, store.name, key) if store else None
    return Target(sealing.age, certificate or b"", reference, sealing.scope)


_OPTIONS = {
    "pgp": "--pgp",
    "kms": "--kms",
    "gcp_kms": "--gcp-kms",
    "azure_kv": "--azure-kv",
    "hc_vault": "--hc-vault-transit",
}
"""What sops calls the keys of each service on its command line."""


def sealed_file(
    plain: Plain,
    backend: str,
    target: Target,
    now: datetime,
    proven: Callable[[Mapping[str, str]], Mapping[str, str]] = lambda blobs: {},
    kept: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """The file. `proven` is given the ciphertexts and answers further annotations. Raises SealError.

    `kept` are ciphertexts of a SealedSecret that go into the new one as they are.
    """
    sealer = SEALERS[backend]
    body = sealer.seal(plain, target, now)
    if kept:
        body = {**body, "spec": {**body["spec"], "encryptedData": {**body["spec"]["encryptedData"], **kept}}}
    blobs = sealer.blobs(body)
    annotations = {**proven(blobs)}
    if blobs:
        annotations[proofs.BLOB] = proofs.of_blobs(blobs)
    if backend == "sops":
        annotations[proofs.RECIPIENTS] = proofs.of_recipients(target.recipients)
        annotations[proofs.ENVELOPE] = proofs.of_envelope(body["sops"])
    elif backend == "sealed-secrets":
        annotations[proofs.SEALING_CERTIFICATE] = proofs.of_certificate(target.certificate)
    metadata = {**body["metadata"], "annotations": {**(body["metadata"].get("annotations") or {}), **annotations}}
    return write({**body, "metadata": metadata}).encode()
