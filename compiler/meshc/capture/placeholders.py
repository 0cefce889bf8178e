"""Recognizes names that a script or a template still fills in."""

from __future__ import annotations

from typing import Any

_NEVER_IN_NAMES = "{}$<>%@"
"""Marks of a name that a script or a template fills in: `cluster{i}`, `${NAME}`, `<CLUSTER>`, `%NAME%`."""


def is_filled_in(text: Any) -> bool:
    """True if a script or a template fills in a name."""
    return any(character in str(text) for character in _NEVER_IN_NAMES)
