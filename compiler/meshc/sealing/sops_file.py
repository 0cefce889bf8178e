"""A Secret in the format of sops with age recipients, encrypted and decrypted in memory, without a program, a file or a
setting.

It follows sops 3.11 (https://github.com/getsops/sops/blob/v3.11.0/sops.go), and tests compare both directions with
sops. The MAC doesn't prove who sealed a file: everybody who knows the recipients can make a new file.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from meshc.hidden import Hidden
from meshc.kube import Body
from meshc.sealedtext import recipients_in, service_of
from meshc.sealing import age
from meshc.sealing.contract import Plain, SealError, Target
from meshc.sealing.sops_format import (
    Stanza,
    decoded,
    decrypt,
    encoded,
    encrypt,
    leaves,
    new_mac,
    regex_for,
    stanza_of,
)
from meshc.sealing.unsealed import check_plain, check_values, metadata
from meshc.yamltext.write import in_order, is_ordered

VERSION = "3.11.0"
"""The version of sops that meshc writes into a file."""


def seal(plain: Plain, target: Target, now: datetime) -> Body:
    """A Secret whose hidden values are encrypted, and whose MAC covers only these values, in kustomize's order of keys.

    So sops can still decrypt and verify it after `kustomize build` has added labels and annotations. Raises SealError
    if the recipients aren't age recipients, or if sops would encrypt other values than the hidden ones.
    """
    check_plain(plain)
    check_values(plain)
    age.check_recipients(target.recipients)
    names = in_order(plain.hidden)
    if not is_ordered(names):  # a MAC covers the order of its values
        raise SealError(f"{', '.join(names)} can't be in one Secret: kustomize has no fixed order for these names")
    regex = regex_for(plain.hidden if plain.public else ("data",))
    data_key, modified = Hidden(os.urandom(32)), now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    data = {key: encoded(value).reveal().decode() for key, value in plain.public.items()}
    mac = new_mac(only_hidden=True)
    for key in names:
        text = encoded(plain.hidden[key].reveal())
        data[key] = encrypt(text, data_key, f"data:{key}:")
        mac.update(text.reveal())
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata(plain), "type": "Opaque", "data": data}
    for path, _ in leaves(body):
        if any(regex.fullmatch(step) for step in path) != (path[0] == "data" and path[1] in plain.hidden):
            raise SealError(f'"{path[-1]}" in {path[0]} has a name that sops uses to decide what it encrypts')
    return {
        **body,
        "sops": {
            "age": _wrapped(data_key, target.recipients),
            "encrypted_regex": regex.pattern,
            "lastmodified": modified,
            "mac": encrypt(Hidden(mac.hexdigest().upper().encode()), data_key, modified),
            "mac_only_encrypted": True,
            "version": VERSION,
        },
    }


def open_(sealed: Body, identities: Sequence[Hidden], declared: Collection[str] = ()) -> dict[str, Hidden]:
    """The hidden values of a Secret that meshc or sops has sealed, after its MAC was verified.

    Each identity is the text of one (`age.identities_in` reads a file of them). Raises SealError if none of them opens
    it, if a value that the MAC covers was changed, or if the file names a key of another service than age that isn't
    `declared`: to decrypt such a file, sops would send credentials to an address in the file.
    """
    stanza = stanza_of(sealed, declared)
    return _opened(sealed, stanza, _data_key(stanza, identities))


def rewrap(sealed: Body, identities: Sequence[Hidden], recipients: Sequence[str]) -> Body:
    """Changes the recipients, as `sops updatekeys` does: only the data key is wrapped again.

    A removed recipient can still read the old file; to prevent this, seal a new value. Keys of other services than age
    stay unchanged, because only sops can add or remove them. Raises SealError as `open_` does, and for invalid
    recipients.
    """
    mine = [one for one in recipients if service_of(one) == "age" or not service_of(one)]
    age.check_recipients(mine)
    stanza = stanza_of(sealed, recipients)
    data_key = _data_key(stanza, identities)
    _opened(sealed, stanza, data_key)
    return {**sealed, "sops": {**sealed["sops"], "age": _wrapped(data_key, mine)}}


def recipients_of(sealed: Body) -> tuple[str, ...]:
    """The recipients in the file, sorted and without duplicates. Needs no key. Raises SealError as `open_` does."""
    told = {one for one in recipients_in(sealed.get("sops")) if service_of(one) != ""}
    return tuple(sorted({*told, *(recipient for recipient, _ in stanza_of(sealed, told).age)}))


def _wrapped(data_key: Hidden, recipients: Iterable[str]) -> list[dict[str, str]]:
    known = sorted(recipients)
    return [{"recipient": one, "enc": enc} for one, enc in zip(known, age.wrap(data_key, known), strict=True)]


def _data_key(stanza: Stanza, identities: Sequence[Hidden]) -> Hidden:
    data_key = age.unwrap((enc for _, enc in stanza.age), identities)
    if data_key is None:
        raise SealError(f"none of the given age identities belongs to one of its {len(stanza.age)} recipients")
    if len(data_key.reveal()) != 32:
        raise SealError("its data key isn't a data key of sops")
    return data_key


def _opened(sealed: Body, stanza: Stanza, data_key: Hidden) -> dict[str, Hidden]:
    texts: dict[str, Hidden] = {}
    mac = new_mac(only_hidden=stanza.mac_only_encrypted)
    for path, leaf in leaves(sealed):
        if any(stanza.regex.fullmatch(step) for step in path):
            if len(path) != 2 or path[0] != "data":
                raise SealError(
                    f'"{path[-1]}" in {path[0]} is marked as encrypted; meshc decrypts only values under data'
                )
            texts[path[1]] = decrypt(leaf, data_key, f"data:{path[1]}:", path[1])
            mac.update(texts[path[1]].reveal())
        elif not stanza.mac_only_encrypted:
            mac.update(_plain_bytes(leaf))
    said = decrypt(stanza.mac, data_key, stanza.modified, "mac")
    if said != Hidden(mac.hexdigest().upper().encode()):
        raise SealError("its MAC doesn't fit its values: something was changed after it was sealed")
    return {key: decoded(text, key) for key, text in texts.items()}


def _plain_bytes(leaf: Any) -> bytes:
    """What sops hashes of a value that it leaves readable."""
    if isinstance(leaf, bool):
        return b"True" if leaf else b"False"
    if isinstance(leaf, str | int):
        return str(leaf).encode()
    raise SealError("its MAC covers a number or a list that meshc and sops read differently")
