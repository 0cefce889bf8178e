"""Encrypts a private key as an age file, and decrypts it: for a root key that is kept sealed."""

from __future__ import annotations

from collections.abc import Sequence

import pyrage

from meshc.errors import UsageError
from meshc.hidden import Hidden
from meshc.sealing.age import check_recipients
from meshc.sealing.contract import SealError

_STARTS = (b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----")


def seal_for(key: Hidden, recipients: Sequence[str]) -> Hidden:
    """The key as an armored age file. Raises SealError for a malformed recipient."""
    check_recipients(recipients)
    known = [
        pyrage.ssh.Recipient.from_str(one) if one.startswith("ssh-") else pyrage.x25519.Recipient.from_str(one)
        for one in recipients
    ]
    return Hidden(pyrage.encrypt(key.reveal(), known, armored=True))


def open_sealed(data: Hidden, identities: Sequence[Hidden]) -> Hidden:
    """The decrypted content of an age file; any other content is returned unchanged. Raises SealError if no identity
    opens it."""
    if not data.reveal().lstrip().startswith(_STARTS):
        return data
    if not identities:
        raise UsageError("the key is sealed by age", "name the identity that opens it: --identity FILE")
    known = []
    for number, identity in enumerate(identities, 1):
        try:
            text = identity.reveal().decode()
            is_ssh = text.lstrip().startswith("-----BEGIN")
            known.append(
                pyrage.ssh.Identity.from_buffer(identity.reveal()) if is_ssh else pyrage.x25519.Identity.from_str(text)
            )
        except (pyrage.IdentityError, UnicodeDecodeError):
            raise SealError(f"age identity {number} can't be read") from None
    try:
        return Hidden(pyrage.decrypt(data.reveal(), known))
    except pyrage.DecryptError as error:
        if str(error) == "No matching keys found":
            raise SealError("none of the identities opens the key") from None
        raise SealError(f"the age file is damaged ({error})", "restore it from where you keep it") from None
