"""The sealed forms, by the kind of the committed object. This is the only list of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.secrets import external_secrets, sealed_secrets, sops

if TYPE_CHECKING:
    from meshc.secrets.contract import Form

FORMS: dict[str, Form] = {
    "Secret": sops,
    "SealedSecret": sealed_secrets,
    "ExternalSecret": external_secrets,
}
