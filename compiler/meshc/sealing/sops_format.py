"""The parts of sops' format: values as text, the hash for the MAC, the metadata, and which values it covers."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from meshc.hidden import Hidden
from meshc.kube import Body
from meshc.sealedtext import ENCRYPTED, NONCE, SERVICES, TAG, listed, named
from meshc.sealing.contract import SealError

if TYPE_CHECKING:
    from hashlib import _Hash


@dataclass(frozen=True, slots=True)
class Stanza:
    """The `sops` block of a file: recipients with the data key wrapped for each, and which values the MAC covers."""

    age: tuple[tuple[str, str], ...]
    regex: re.Pattern[str]
    modified: str
    mac: str
    mac_only_encrypted: bool


def encrypt(text: Hidden, data_key: Hidden, bound_to: str) -> str:
    """The text as sops writes it, with a fresh nonce. It opens for the same `bound_to` alone: its path, `data:key:`."""
    nonce = os.urandom(NONCE)
    both = AESGCM(data_key.reveal()).encrypt(nonce, text.reveal(), bound_to.encode())
    parts = (base64.b64encode(part).decode() for part in (both[:-TAG], nonce, both[-TAG:]))
    return "ENC[AES256_GCM,data:{},iv:{},tag:{},type:str]".format(*parts)


def decrypt(text: Any, data_key: Hidden, bound_to: str, name: str) -> Hidden:
    """Decrypts the result of `encrypt`. sops doesn't encrypt an empty text. Raises SealError, with the name and no
    text."""
    if text == "":
        return Hidden(b"")
    match = ENCRYPTED.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise SealError(f'"{name}" isn\'t encrypted')
    if match[4] not in ("str", "bytes"):
        raise SealError(f'"{name}" isn\'t a text: the values of a Secret are base64')
    try:
        data, nonce, tag = (base64.b64decode(part, validate=True) for part in match.groups()[:3])
        if len(nonce) != NONCE or len(tag) != TAG:
            raise SealError(f'"{name}" isn\'t encrypted as sops does it')
        return Hidden(AESGCM(data_key.reveal()).decrypt(nonce, data + tag, bound_to.encode()))
    except (binascii.Error, InvalidTag):
        raise SealError(f'"{name}" was changed, moved or renamed after it was sealed') from None


def encoded(value: bytes) -> Hidden:
    """The value in the form of a Secret's data (base64)."""
    return Hidden(base64.b64encode(value))


def decoded(text: Hidden, key: str) -> Hidden:
    """The decoded value. Raises SealError for a value that API servers refuse."""
    try:
        return Hidden(base64.b64decode(text.reveal(), validate=True))
    except binascii.Error:
        raise SealError(f'the value of "{key}" isn\'t base64') from None


def new_mac(*, only_hidden: bool) -> _Hash:
    """The hash for a MAC. If the MAC covers only hidden values, the hash starts with the SHA-256 of `sops`."""
    return hashlib.sha512(hashlib.sha256(b"sops").digest() if only_hidden else b"")


def leaves(body: Body) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value except the `sops` block and nulls, in the order of the document; indexes of lists aren't in the
    path."""
    return _leaves((), {key: value for key, value in body.items() if key != "sops"})


def _leaves(path: tuple[str, ...], value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves((*path, key), item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(path, item)
    elif value is not None:
        yield path, value


_NAME = r"(?:[-_a-zA-Z0-9]|\\?\.)+"
_NAMES = re.compile(rf"\^(?:{_NAME}|\({_NAME}(?:\|{_NAME})*\))\$")
"""The regular expressions that meshc runs: names between ^ and $. Any other expression from a stranger's file might run
for ever."""


def regex_for(keys: Iterable[str]) -> re.Pattern[str]:
    """The `encrypted_regex` for exactly these keys. sops searches each step of a path with it, so it needs ^ and $."""
    names = [key.replace(".", r"\.") for key in sorted(keys)]
    return re.compile(f"^{names[0]}$" if len(names) == 1 else f"^({'|'.join(names)})$")


_FIELDS = {"age", "encrypted_regex", "lastmodified", "mac", "mac_only_encrypted", "version"}


def stanza_of(sealed: Body, declared: Collection[str] = ()) -> Stanza:
    """The `sops` block of a Secret. Raises SealError if it isn't complete, or contains something that meshc must not or
    can't use:

    keys of other services than age that aren't `declared`, groups of keys, other rules for what is encrypted, or any
    other field that isn't empty.
    """
    found = sealed.get("sops")
    if sealed.get("kind") != "Secret" or not isinstance(sealed.get("data"), Mapping) or not isinstance(found, Mapping):
        raise SealError("this isn't a Secret that sops has sealed")
    for field in sorted(str(key) for key, value in found.items() if value and key not in _FIELDS):
        if field in SERVICES and all(named(field, entry) in declared for entry in listed(found[field])):
            continue
        what = f"its sops block has {json.dumps(field[:80])}"
        raise SealError(f"{what}: meshc decrypts only values for age recipients, selected by encrypted_regex")
    entries, regex = found.get("age"), found.get("encrypted_regex")
    if not isinstance(entries, list | tuple) or not entries or not all(isinstance(one, Mapping) for one in entries):
        raise SealError("its sops block names no age recipients")
    age = tuple((one.get("recipient"), one.get("enc")) for one in entries)
    texts = (found.get("lastmodified"), found.get("mac"), *(text for pair in age for text in pair))
    if not all(isinstance(text, str) and text for text in texts):
        raise SealError("its sops block lacks a recipient, a wrapped data key, lastmodified or the mac")
    if not isinstance(regex, str) or not _NAMES.fullmatch(regex):
        raise SealError("its encrypted_regex isn't names between ^ and $, as ^data$: open it with sops")
    only = found.get("mac_only_encrypted")
    return Stanza(age, re.compile(regex), found["lastmodified"], found["mac"], mac_only_encrypted=only is True)
