"""Writes the hint of a problem with an example value of the key, where no better hint is known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from meshc.mesh.examples import EXAMPLES
from meshc.mesh.known_keys import models_at
from meshc.yamltext.edit import inline

if TYPE_CHECKING:
    from pydantic import BaseModel

    from meshc.errors import Path

_UPWARDS = 2
"""Steps: the value of a list or of a map has the example of the whole list or map."""


def example_hint(path: Path, rule: str, whole: type[BaseModel]) -> str:
    """`for example version: 1.29.6`; empty if the key has no example. `rule` is the text of the rule that is broken."""
    if rule.startswith("needs "):
        words = (word for word in re.findall(r"\w+", rule) if _example(path, word, whole))
        return next((_example(path, word, whole) for word in words), "")
    for end in range(len(path), max(0, len(path) - _UPWARDS), -1):
        key = path[end - 1]
        if isinstance(key, str) and (found := _example(path[: end - 1], key, whole)):
            return found
    return ""


def _example(path: Path, key: str, whole: type[BaseModel]) -> str:
    for model in models_at(path, whole):
        for base in model.__mro__:
            if found := EXAMPLES.get(f"{base.__name__}.{key}"):
                return f"for example {key}: {inline(found[0])}"
    return ""
