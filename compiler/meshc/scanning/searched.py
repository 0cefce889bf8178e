"""Searches texts for secrets in plain text, and caches the digests of texts without secrets, for this run and later
ones.

A digest is faster than a search, and after a small change of a mesh nearly every text is unchanged.
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
    """Used for one compile. The cache stores only digests, under the digest of meshc's own code."""

    def __init__(self, cache: Repository) -> None:
        self._cache = cache
        self._key = sha256(f"searched {code_digest() if cache.cached else ''}".encode()).hexdigest()
        stored = cache.cache_get(self._key) or b""
        self._known = {stored[at : at + _DIGEST] for at in range(0, len(stored), _DIGEST)}
        self._clean: set[bytes] = set()

    def __call__(self, data: bytes, shown: str, code: Code, clusters: tuple[str, ...] = ()) -> Iterable[Problem]:
        """Like `plaintext_in`, with the cache."""
        digest = sha256(data).digest()
        if digest in self._clean:
            return ()
        found = () if digest in self._known else tuple(plaintext_in(data, shown, code, clusters))
        if not found:
            self._clean.add(digest)
        return found

    def keep(self) -> None:
        """Stores the digests that this compile used, and drops all others."""
        if self._clean != self._known:
            self._cache.cache_put(self._key, b"".join(sorted(self._clean)))
