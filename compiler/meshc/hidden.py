"""Bytes that are never printed: private keys, tokens, and anything else that must not be in a log, a diff or a
traceback."""

from __future__ import annotations

import hmac
from typing import NoReturn


class Hidden:
    """Secret bytes: shown as `<hidden>`, never pickled, compared in constant time. Only `reveal` returns them."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """The bytes. Call `reveal` where the bytes are used, and keep no reference to them afterwards."""
        return self._value

    def __repr__(self) -> str:
        return "<hidden>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format("<hidden>", spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hidden) and hmac.compare_digest(self._value, other._value)

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("what is hidden isn't pickled")
