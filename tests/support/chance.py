"""The source of random bytes for throw-away keys: the system, or inside `seeded` a text, so that fixtures are always
the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from cryptography.hazmat.primitives.asymmetric import rsa

_SEEDED: ContextVar[random.Random | None] = ContextVar("_SEEDED", default=None)
_SYSTEM = random.SystemRandom()
_EXPONENT = 65537
_SMALL = [number for number in range(3, 2000, 2) if all(number % one for one in range(3, int(number**0.5) + 1, 2))]


@contextmanager
def seeded(text: str) -> Iterator[None]:
    """A context in which all random bytes of this module follow from the text. Such keys are only for fixtures."""
    token = _SEEDED.set(random.Random(text))
    try:
        yield
    finally:
        _SEEDED.reset(token)


def is_seeded() -> bool:
    return _SEEDED.get() is not None


def source() -> random.Random:
    return _SEEDED.get() or _SYSTEM


def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    """A key whose primes come from `source`. This module finds the primes, because OpenSSL accepts no seed."""
    p, q = sorted((_prime(bits // 2), _prime(bits // 2)), reverse=True)
    d = pow(_EXPONENT, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(_EXPONENT, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public).private_key()


def _prime(bits: int) -> int:
    """A number with this number of bits, the two highest bits set, that is very probably prime."""
    while True:
        number = source().getrandbits(bits) | 3 << (bits - 2) | 1
        if (number - 1) % _EXPONENT and all(number % small for small in _SMALL) and _passes(number):
            return number


def _passes(number: int) -> bool:
    """The Miller-Rabin primality test, 40 rounds."""
    twos = ((number - 1) & -(number - 1)).bit_length() - 1
    for _ in range(40):
        value = pow(source().randrange(2, number - 1), (number - 1) >> twos, number)
        if value in (1, number - 1):
            continue
        for _ in range(twos - 1):
            value = value * value % number
            if value == number - 1:
                break
        else:
            return False
    return True
