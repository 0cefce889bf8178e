"""Wraps a data key for age recipients, and unwraps it with an identity of one of them. Works in memory, with pyrage."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from typing import Any

import pyrage
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from meshc.hidden import Hidden
from meshc.sealing.contract import SealError


def wrap(data_key: Hidden, recipients: Sequence[str]) -> tuple[str, ...]:
    """The data key in age's armored format, once for each recipient. Raises SealError as `check_recipients` does."""
    known = _known_recipients(recipients)
    return tuple(pyrage.encrypt(data_key.reveal(), [one], armored=True).decode() for one in known)


def unwrap(wrapped: Iterable[str], identities: Sequence[Hidden]) -> Hidden | None:
    """Decrypts the first of the armored texts that one of the identities opens; None if none does.

    Raises SealError for identities that can't be read.
    """
    known = _known_identities(identities)
    for text in wrapped:
        try:
            return Hidden(pyrage.decrypt(text.encode(), known))
        except pyrage.DecryptError:
            continue
    return None


def check_recipients(recipients: Sequence[str]) -> None:
    """Raises SealError unless these are age recipients, X25519 or SSH, each once and at least one.

    The message names a recipient by its number, from 1, and never by its text: it may be a private key.
    """
    _known_recipients(recipients)


def identities_in(file: Hidden) -> tuple[Hidden, ...]:
    """The identities of a key file: lines as age-keygen writes them, or one SSH private key.

    An identity is checked when it is used. Raises SealError if the file has none.
    """
    if file.reveal().lstrip().startswith(b"-----BEGIN"):
        return (file,)
    lines = [line.strip() for line in file.reveal().splitlines()]
    found = tuple(Hidden(line) for line in lines if line and not line.startswith(b"#"))
    if not found:
        raise SealError("the file has no age identity")
    return found


_PRIVATE = re.compile(r"AGE-SECRET-KEY-|AGE-PLUGIN-|PRIVATE KEY", re.IGNORECASE)


def _known_recipients(recipients: Sequence[str]) -> list[Any]:
    if not recipients:
        raise SealError("there is no age recipient to seal for")
    known = []
    for number, text in enumerate(recipients, 1):
        if _PRIVATE.search(text):
            raise SealError(
                f"age recipient {number} is an identity, a private key: name its public half, and replace the key"
            )
        if text in recipients[: number - 1]:
            raise SealError(f"age recipient {number} is the same as recipient {recipients.index(text) + 1}")
        known.append(_recipient(number, text))
    return known


def _recipient(number: int, text: str) -> Any:
    """pyrage's recipient. Accepts only one spelling of a key, so that equal keys are equal texts."""
    try:
        if text.startswith("ssh-"):
            if not re.fullmatch(r"ssh-(ed25519|rsa) [A-Za-z0-9+/]+=*", text):
                raise SealError(f"age recipient {number} isn't an SSH key's type and base64, without a comment")
            key, recipient = _ssh_point(text), pyrage.ssh.Recipient.from_str(text)
        else:
            recipient = pyrage.x25519.Recipient.from_str(text)
            if str(recipient) != text:
                raise SealError(f"age recipient {number} isn't written in lower case")
            key = _x25519_point(text)
    except (pyrage.RecipientError, binascii.Error):
        raise SealError(
            f"age recipient {number} isn't of a kind that meshc supports: age1..., ssh-ed25519, ssh-rsa"
        ) from None
    try:
        if key:
            X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(key))
    except ValueError:  # of low order; pyrage panics, or wraps so that everybody can open it
        raise SealError(f"age recipient {number} is a key that protects nothing") from None
    return recipient


_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
"""The characters that stand for 0 to 31 (BIP 173); the last six of a text are its checksum."""


def _x25519_point(text: str) -> bytes:
    bits = "".join(f"{_BECH32.index(character):05b}" for character in text.removeprefix("age1")[:-6])
    return int(bits[:256], 2).to_bytes(32, "big")


_P = 2**255 - 19


def _ssh_point(text: str) -> bytes:
    """An Ed25519 key as the X25519 key that age makes of it (RFC 7748, 4.1): (1 + y) / (1 - y). Empty for RSA."""
    kind, _, encoded = text.partition(" ")
    if kind != "ssh-ed25519":
        return b""
    y = int.from_bytes(base64.b64decode(encoded, validate=True)[-32:], "little") % 2**255
    return ((1 + y) * pow(1 - y, _P - 2, _P) % _P).to_bytes(32, "little")


def _known_identities(identities: Sequence[Hidden]) -> list[Any]:
    if not identities:
        raise SealError("there is no age identity to open it with")
    return [_identity(number, identity) for number, identity in enumerate(identities, 1)]


def _identity(number: int, identity: Hidden) -> Any:
    try:
        if identity.reveal().lstrip().startswith(b"-----BEGIN"):
            return pyrage.ssh.Identity.from_buffer(identity.reveal())
        return pyrage.x25519.Identity.from_str(identity.reveal().decode("ascii").strip())
    except (pyrage.IdentityError, UnicodeDecodeError):
        what = f"age identity {number} must be AGE-SECRET-KEY-1..., or an SSH key without passphrase"
        raise SealError(what) from None
