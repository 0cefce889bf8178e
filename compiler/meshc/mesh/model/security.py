"""Security: mutual TLS, the CA, and how secrets are sealed."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from meshc.mesh.model.selection import Shape
from meshc.mesh.model.words import FilePath, Subdomain, matching
from meshc.sealedtext import service_of


class Ca(Shape):
    """The CA that signs the workloads' certificates."""

    type: Literal["plugged-in", "self-signed", "external"] = "plugged-in"
    """plugged-in: each cluster has a Secret `cacerts` with an intermediate CA, all under one root. self-signed: Istio
    makes its own root. external: another tool makes cacerts or runs istio-csr, and meshc delivers nothing."""
    directory: FilePath = "certificates"
    """Folder of the public parts: root-cert.pem, <cluster>/ca-cert.pem, <cluster>/cert-chain.pem."""
    fast_root_rotation: bool = False
    """istiod: sidecars and gateways get a new root at once, not with their next certificate. The values that `meshc
    values` prints then set ISTIO_MULTIROOT_MESH in istiod and PROXY_CONFIG_XDS_AGENT in proxies. A pod keeps the
    setting with which it was created."""


def _recipient(text: str) -> str:
    if not service_of(text) or len(text) > _LONGEST_RECIPIENT:
        rule = "must be an age recipient (age1..., or an SSH public key), a PGP fingerprint, or a key of a KMS as sops"
        raise PydanticCustomError("bad_recipient", f"{rule} names it; never an identity")
    return text


_LONGEST_RECIPIENT = 2048


Recipient = Annotated[
    str,
    AfterValidator(_recipient),
    Field(
        json_schema_extra={
            "examples": [
                "age1j5jr40pyzmgq7lmh6a2c25akvcngzn4lphf6jde75jdaumrdla9qafq06f",
                "85D77543B3D624B63CEA9E6DBC17301B491B3F21",
                "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            ]
        }
    ),
]


class Store(Shape):
    """The store from which External Secrets operators read."""

    kind: Literal["ClusterSecretStore", "SecretStore"] = "ClusterSecretStore"
    """The kind of store."""
    name: Subdomain
    """The store's name."""
    key: Annotated[str, matching(re.compile(r"[ -~]+"), "must be a path in the store, in ASCII", 512)] = (
        "{mesh}/{cluster}/{secret}"
    )
    """The path of a secret in the store; {mesh}, {cluster} (in which it is applied) and {secret} are filled in."""


class ClusterSecrets(Shape):
    """How secrets for one cluster are sealed, if it differs from the mesh."""

    backend: Literal["sops", "sealed-secrets", "external-secrets"] | None = None
    """The form of sealed files for this cluster."""
    recipients: tuple[Recipient, ...] = ()
    """Recipients who can decrypt this cluster's secrets, besides the mesh's."""
    scope: Literal["strict", "namespace-wide"] | None = None
    """The scope of this cluster's SealedSecrets."""
    store: Store | None = None


class Secrets(Shape):
    """The folder of sealed secrets, and how they are made."""

    directory: FilePath = "sealed"
    """Folder of sealed files: <cluster>/cacerts.yaml, <primary>/remote-secret-<remote>.yaml, and of an external
    control plane <cluster>/istio-kubeconfig.yaml."""
    backend: Literal["sops", "sealed-secrets", "external-secrets"] = "sops"
    """The form that sealing commands write. A compile accepts every form. With sealed-secrets,
    <ca.directory>/<cluster>/sealing-cert.pem is the public certificate of each cluster's controller."""
    recipients: tuple[Recipient, ...] = ()
    """Recipients who open every sops file of the mesh, such as a break-glass key: age recipients, PGP fingerprints,
    keys of AWS KMS (arn:aws:kms:...), GCP KMS (projects/.../cryptoKeys/...), Azure Key Vault (https://.../keys/...) and
    Vault (https://.../v1/.../keys/...). meshc seals for age; sops adds the others."""
    scope: Literal["strict", "namespace-wide"] = "strict"
    """The scope of a SealedSecret: its name and namespace (strict), or only its namespace. cluster-wide isn't allowed,
    because anyone could then unseal it into their own namespace."""
    store: Store | None = None
    require_binding: bool = False
    """true: every cacerts must have a signature by its own CA key, which proves that its ciphertext belongs to its
    certificate. Without this setting, a missing signature is a warning. A wrong signature is always refused."""


class Security(Shape):
    """Mutual TLS, the CA, and the secrets of the mesh."""

    mutual_tls: Literal["strict", "permissive", "disabled"] = Field(default="strict", alias="mutualTLS")
    """Mutual TLS between workloads, mesh-wide."""
    control_plane_tls: bool | None = Field(default=None, alias="controlPlaneTLS")
    """Classic: mutual TLS between sidecars and the control plane, on by default. istiod: always on."""
    ca: Ca = Ca()
    secrets: Secrets = Secrets()
