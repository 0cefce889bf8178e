"""The sealed forms, by the backend's name in mesh.yaml. This is the only list of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.sealing import external_secrets, sealed_secrets, sops

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshc.sealing.contract import Backend

BACKENDS: Mapping[str, Backend] = {
    "sops": sops,
    "sealed-secrets": sealed_secrets,
    "external-secrets": external_secrets,
}

BY_KIND: Mapping[str, Backend] = {backend.KIND: backend for backend in BACKENDS.values()}
"""The sealed form for the kind of a committed object."""
