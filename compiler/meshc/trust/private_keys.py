"""Recognizes a private key where a certificate is expected."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_private_key

from meshc import codes
from meshc.errors import Place

if TYPE_CHECKING:
    from meshc.errors import Problem


PRIVATE_KEY = re.compile(rb"-----[ \t]*(?:BEGIN|END)[^\n-]*PRIVATE[ \t]+KEY", re.IGNORECASE)


def private_key(place: Place, clusters: tuple[str, ...]) -> Problem:
    """The problem of a file that holds a private key."""
    what = "a file of public certificates contains a private key"
    hint = "remove it, and make a new key and certificate: treat this key as known to others"
    return codes.PRIVATE_KEY_IN_PUBLIC_FILE.at(place, what, hint, clusters=clusters)


def is_private_key(der: bytes) -> bool:
    """True if a block with the title CERTIFICATE contains a key instead."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            load_der_private_key(der, None)
    except TypeError:  # encrypted: a key all the same
        return True
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True
