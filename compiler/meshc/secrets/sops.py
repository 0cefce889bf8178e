"""A Secret encrypted by sops: values are ENC strings, except for certificates, which may stay readable."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.secrets.contract import at, check_annotations, check_identity, check_keys, check_labels, check_public

if TYPE_CHECKING:
    from meshc.errors import Problem
    from meshc.plan.needs import SecretNeed
    from meshc.yamltext import Document

_ENCRYPTED = re.compile(r"ENC\[AES256_GCM,data:([A-Za-z0-9+/=]+),iv:([A-Za-z0-9+/=]+),tag:([A-Za-z0-9+/=]+),type:(str|bytes)\]")
_FIELDS = {"apiVersion", "kind", "metadata", "type", "immutable", "data", "stringData", "sops"}


def check(need: SecretNeed, document: Document, public: Mapping[str, bytes]) -> Iterable[Problem]:
    """Form, identity and every value. Which key services may open it is the file's own matter: compile opens nothing."""
    data, clusters = document.data, (need.cluster,)
    yield from check_identity(need, document)
    yield from check_labels(need, document)
    yield from check_annotations(need, document)
    for field in sorted(data.keys() - _FIELDS):
        what = f'{need.kind}: "{field}" is no field of a Secret'
        yield codes.SEALED_UNREADABLE.at(document.key_place((field,)), what, "take it out and seal again", clusters=clusters)
    if "stringData" in data:
        what = f"{need.kind}: stringData would be taken for the value as it stands"
        hint = "move it to data, base64-encoded, and seal again"
        yield codes.STRING_DATA.at(document.key_place(("stringData",)), what, hint, clusters=clusters)
    values = data.get("data")
    if not isinstance(values, dict):
        yield codes.SEALED_KEYS.at(document.place(("data",)), f"{need.kind}: data is missing", "seal it again", clusters=clusters)
        return
    yield from check_keys(need, document, ("data",), values)
    if not is_encrypted(at(data, "sops", "mac")):
        what = f"{need.kind}: there is no sops block with a mac, so nothing here is encrypted"
        hint = "encrypt it with sops, and replace the key or token: what was committed is known"
        yield codes.NOT_SEALED.at(document.place(()), what, hint, clusters=clusters)
    for key, value in values.items():
        if not is_encrypted(value):
            yield from check_public(need, document, ("data", key), key, _decoded(value), public)
    yield from _mac(need, document, values)


def is_encrypted(value: Any) -> bool:
    """Whether a value is a well-formed ENC string: sops' nonce is 32 bytes, the tag 16."""
    match = _ENCRYPTED.fullmatch(value) if isinstance(value, str) else None
    return bool(match and len(_decoded(match[2])) == 32 and len(_decoded(match[3])) == 16 and _decoded(match[1]))


def _decoded(value: Any) -> bytes:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        return b""


def _mac(need: SecretNeed, document: Document, values: Mapping[str, Any]) -> Iterable[Problem]:
    """kustomize sorts keys, and a MAC covers the order of the values it is over."""
    hidden = [key for key, value in values.items() if is_encrypted(value)]
    if at(document.data, "sops", "mac_only_encrypted") is True and hidden == sorted(hidden):
        return
    place = document.place(("sops", "mac_only_encrypted" if "mac_only_encrypted" in (at(document.data, "sops") or {}) else "mac"))
    what = f"{need.kind}: the sops MAC covers more than survives kustomize, so sops --decrypt refuses what is rendered"
    hint = "encrypt with --mac-only-encrypted, data keys sorted; Flux, which doesn't check the MAC, decrypts it all the same"
    if at(document.data, "sops"):
        yield codes.FRAGILE_MAC.at(place, what, hint, clusters=(need.cluster,))
