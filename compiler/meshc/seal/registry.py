"""The modules that seal, by the backend's name in mesh.yaml. This is the only list of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.seal import external_secrets, sealed_secrets, sops

if TYPE_CHECKING:
    from meshc.seal.contract import Sealer

SEALERS: dict[str, Sealer] = {
    "sops": sops,
    "sealed-secrets": sealed_secrets,
    "external-secrets": external_secrets,
}
