"""Recognizes data that sops, age or the SealedSecrets controller encrypted, without decrypting it.

All code that reads sealed files uses this module. Without a key, ciphertext can't be distinguished from other bytes of
the same length. So only the form is checked: the lengths of nonce, tag and hash, the entries of the recipients, and
that no ciphertext is readable text.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

NONCE, TAG = 32, 16
"""Bytes of the nonce and of the tag of a value that sops encrypts (sops 3.11, aes/cipher.go)."""
ENCRYPTED = re.compile(
    r"ENC\[AES256_GCM,data:([A-Za-z0-9+/]+=*),iv:([A-Za-z0-9+/]+=*),tag:([A-Za-z0-9+/]+=*),type:([a-z]+)\]"
)
"""A value of a Secret as sops writes it: ciphertext, nonce and tag in base64."""
_MAC = 128
"""Characters of a MAC: SHA-512 in hexadecimal. Its ciphertext has as many bytes."""
SERVICES = ("pgp", "kms", "gcp_kms", "azure_kv", "hc_vault", "key_groups")
"""The keys of a sops block that list recipients other than age's."""


_PART = r"[A-Za-z0-9_.:-]{1,64}"
_HOST = r"[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?"
RECIPIENTS: Mapping[str, re.Pattern[str]] = {
    "age": re.compile(r"age1[02-9ac-hj-np-z]{58}|ssh-(ed25519|rsa) [A-Za-z0-9+/=]+( [ -~]*)?", re.ASCII),
    "pgp": re.compile(r"[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}"),
    "kms": re.compile(
        r"arn:aws[a-z-]{0,20}:kms:[a-z0-9-]{1,40}:[0-9]{12}:(key|alias)/[A-Za-z0-9/_-]{1,256}"
        r"(\+arn:aws[a-z-]{0,20}:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512})?"
    ),
    "gcp_kms": re.compile(rf"projects/{_PART}/locations/{_PART}/keyRings/{_PART}/cryptoKeys/{_PART}"),
    "azure_kv": re.compile(rf"https://{_HOST}/keys/[A-Za-z0-9-]{{1,127}}/[A-Za-z0-9]{{1,64}}"),
    "hc_vault": re.compile(rf"https?://{_HOST}/v1/[A-Za-z0-9._/-]{{1,256}}/keys/[A-Za-z0-9._-]{{1,256}}"),
}
"""The form of a recipient's name, by the service that has the key. These are the forms that sops' own options use."""


def service_of(recipient: str) -> str:
    """The service that has a recipient's key; empty if the text is no recipient."""
    return next((service for service, form in RECIPIENTS.items() if form.fullmatch(recipient)), "")


def spelled(recipient: str) -> str:
    """A recipient in the form for comparison: fingerprints in upper case."""
    return recipient.upper() if service_of(recipient) == "pgp" else recipient


def named(service: str, entry: Any) -> str:
    """The recipient of an entry in a sops block; only the service, if the entry is incomplete."""
    said = entry if isinstance(entry, Mapping) else {}
    texts = {key: str(said.get(key) or "") for key in _PARTS.get(service, ())}
    if not texts or not all(texts.values()):
        return service
    match service:
        case "azure_kv":
            return f"{texts['vault_url'].rstrip('/')}/keys/{texts['name']}/{texts['version']}"
        case "hc_vault":
            return f"{texts['vault_address'].rstrip('/')}/v1/{texts['engine_path']}/keys/{texts['key_name']}"
        case "kms" if isinstance(said.get("role"), str) and said["role"]:
            return f"{texts['arn']}+{said['role']}"
    (text,) = texts.values()
    return text.upper() if service == "pgp" else text


_PARTS = {
    "age": ("recipient",),
    "pgp": ("fp",),
    "kms": ("arn",),
    "gcp_kms": ("resource_id",),
    "azure_kv": ("vault_url", "name", "version"),
    "hc_vault": ("vault_address", "engine_path", "key_name"),
}


def recipients_in(block: Any) -> tuple[str, ...]:
    """The recipients that a sops block lists, including duplicates."""
    services = ("age", *SERVICES) if isinstance(block, Mapping) else ()
    return tuple(named(service, entry) for service in services for entry in listed(block.get(service)))


def is_encrypted(value: Any, types: Collection[str] = ("str", "bytes")) -> bool:
    """True for a value with the form of sops: its lengths are right, and its ciphertext doesn't read as text.

    `types` are the allowed types of the value before encryption. The default is what the data of a Secret can have.
    """
    match = ENCRYPTED.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[4] not in types:
        return False
    data, nonce, tag = (decoded(part) for part in match.groups()[:3])
    return bool(data) and len(nonce) == NONCE and len(tag) == TAG and not _is_text(data) and not _is_text(nonce)


def is_sops_block(block: Any) -> bool:
    """True for the `sops` block of a file that can be decrypted: it has a MAC of the right length, and recipients."""
    return isinstance(block, Mapping) and not any(True for _ in sops_faults(block))


def sops_faults(block: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The faults of a `sops` block, each with the path of the value in the block."""
    mac = block.get("mac")
    match = ENCRYPTED.fullmatch(mac) if isinstance(mac, str) else None
    if match is None or not is_encrypted(mac) or len(decoded(match[1])) != _MAC:
        yield ("mac",), "its sops block has no mac that sops could have written"
    age = listed(block.get("age"))
    if not age and not any(listed(block.get(service)) for service in SERVICES):
        yield ("age",), "its sops block names no recipient"
    for number, entry in enumerate(age):
        recipient, enc = (entry.get(key) if isinstance(entry, Mapping) else None for key in ("recipient", "enc"))
        if not isinstance(recipient, str) or not recipient:
            yield ("age", number, "recipient"), "a recipient in its sops block has no name"
        if not is_age_file(enc):
            yield ("age", number, "enc"), "the data key of its sops block is no age file, so nobody can open it"


_ARMOR = re.compile(r"\s*-----BEGIN AGE ENCRYPTED FILE-----\s([A-Za-z0-9+/=\s]+)-----END AGE ENCRYPTED FILE-----\s*")


def is_age_file(value: Any) -> bool:
    """True for an armored age file. Checks only the frame and the first line."""
    match = _ARMOR.fullmatch(value) if isinstance(value, str) else None
    return bool(match and decoded("".join(match[1].split())).startswith(b"age-encryption.org/v1\n-> "))


def is_sealed(value: Any) -> bool:
    """True for a value with the form of a SealedSecret's: two bytes of length, a wrapped key of this length, and
    AES-GCM ciphertext."""
    raw = decoded(value)
    wrapped = int.from_bytes(raw[:2], "big")
    return wrapped in (256, 384, 512, 1024) and len(raw) > 2 + wrapped + 16


def decoded(value: Any) -> bytes:
    """The bytes of a base64 text; empty for anything else."""
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        return b""


def listed(value: Any) -> tuple[Any, ...]:
    """The items of a list; a single value as one item; None as no item."""
    return tuple(value) if isinstance(value, tuple | list) else () if value is None else (value,)


def _is_text(data: bytes) -> bool:
    """True for 16 bytes or more that are all printable ASCII. By chance, this is so for one ciphertext in ten
    million."""
    return len(data) >= 16 and all(0x20 <= byte < 0x7F or byte in b"\t\r\n" for byte in data)
