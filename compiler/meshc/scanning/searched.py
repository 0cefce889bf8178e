"""Searches texts for secrets in plain text, and remembers by digest those that hold none, for this run and later ones.

The search takes longer than the digest, and of a mesh that changed in one place nearly every text is as it was.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from meshc.disk.code import code_digest
from meshc.scanning.guard import plaintext_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshc.disk.repository import Repository
    from meshc.errors import Code, Problem

_DIGEST = 32


class Searched:
    """Lives for one compile. The cache keeps digests alone, under the digest of the meshc that searched."""

    def __init__(self, cache: Repository) -> None:
        self._cache = cache
        self._key = sha256(f"searched {code_digest() if cache.cached else ''}".encode()).hexdigest()
        stored = cache.cache_get(self._key) or b""
        self._known = {stored[at : at + _DIGEST] for at in range(0, len(stored), _DIGEST)}
        self._clean: set[bytes] = set()

    def __call__(self, data: bytes, shown: str, code: Code, clusters: tuple[str, ...] = ()) -> Iterable[Problem]:
        """As `plaintext_in`."""
        digest = sha256(data).digest()
        if digest in self._clean:
            return ()
        found = () if digest in self._known else tuple(plaintext_in(data, shown, code, clusters))
        if not found:
            self._clean.add(digest)
        return found

    def keep(self) -> None:
        """Remembers what this compile asked for, and nothing that it didn't."""
        if self._clean != self._known:
            self._cache.cache_put(self._key, b"".join(sorted(self._clean)))
