"""Changes values in a YAML text by their path, and leaves every other character unchanged.

It replaces the text at the place of the value, and parses the result: if other values differ too, it raises EditError,
and a person must edit the file. It doesn't edit anchors, tags and text in several lines.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import yaml
from yaml import tokens

from meshc.errors import MeshcError, dotted
from meshc.yamltext.read import read
from meshc.yamltext.scalars import needs_quotes

if TYPE_CHECKING:
    from meshc.errors import Path
    from meshc.yamltext.document import Document

_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./-]*(:[A-Za-z0-9_./-]+)*")
"""Matches texts whose characters need no quotes in any place."""
_STARTS = (
    tokens.BlockMappingStartToken,
    tokens.BlockSequenceStartToken,
    tokens.FlowMappingStartToken,
    tokens.FlowSequenceStartToken,
)
_ENDS = (tokens.BlockEndToken, tokens.FlowMappingEndToken, tokens.FlowSequenceEndToken)


class EditError(MeshcError):
    """The text can't be edited automatically. The message says what to write by hand."""


def with_values(data: bytes, file: str, values: Mapping[Path, Any]) -> bytes:
    """The text with each value at its path: texts, numbers, and lists or mappings of them. Raises EditError."""
    for path, value in values.items():
        data = _with_value(data, file, path, value)
    return data


def _with_value(data: bytes, file: str, path: Path, value: Any) -> bytes:
    document = _read(data, file)
    wanted = _changed(document.data, path, value)
    if wanted == document.data:
        return data
    text = data.decode()
    try:
        edited = _edited(text, document, path, value)
    except (LookupError, yaml.YAMLError):
        edited = ""
    found, problems = read(edited.encode(), file, strict=True) if edited else ([], [])
    if problems or len(found) != 1 or found[0].data != wanted:
        raise EditError(f"{file} can't be edited without other changes", f"write {dotted(path)}: {inline(value)}")
    return edited.encode()


def _read(data: bytes, file: str) -> Document:
    documents, problems = read(data, file, strict=True)
    if problems or len(documents) != 1:
        raise EditError(f"{file} can't be edited: it isn't a single YAML document")
    return documents[0]


def _edited(text: str, document: Document, path: Path, value: Any) -> str:
    if path in document.values:
        start, end = _span(text, _index(text, document.values[path]))
        return text[:start] + inline(value) + text[end:]
    *above, key = path
    if tuple(above) not in document.values:
        return _edited(text, document, tuple(above), {str(key): value})
    return _added(text, document.values[tuple(above)], str(key), value)


def _added(text: str, mark: tuple[int, int], key: str, value: Any) -> str:
    """A new key at the end of the mapping at `mark`."""
    start, end = _span(text, _index(text, mark))
    entry = f"{inline(key)}: {inline(value)}"
    if text[start] == "{":
        body = text[start + 1 : end - 1].rstrip()
        return text[: start + 1] + (f"{body}, " if body.strip() else "") + entry + text[end - 1 :]
    line_end = text.find("\n", end)
    line_end = len(text) if line_end < 0 else line_end
    return text[:line_end] + f"\n{' ' * (mark[1] - 1)}{entry}" + text[line_end:]


def _span(text: str, start: int) -> tuple[int, int]:
    """Where the value that begins at `start` ends: its last token, without the comments that follow."""
    depth, last = 0, start
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if token.start_mark.index < start or isinstance(token, tokens.KeyToken | tokens.BlockEntryToken):
            continue
        if isinstance(token, _STARTS):
            depth += 1
        elif isinstance(token, _ENDS):
            depth -= 1
        if not isinstance(token, tokens.BlockEndToken):
            last = token.end_mark.index
        if depth == 0:
            return start, last
    raise LookupError("the value has no end")


def _index(text: str, mark: tuple[int, int]) -> int:
    line, column = mark
    at = 0
    for _ in range(line - 1):
        at = text.index("\n", at) + 1
    return at + column - 1


def inline(value: Any) -> str:
    """A value on one line, in any place of a YAML text."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{inline(key)}: {inline(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(inline, value)) + "]"
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and not needs_quotes(value)
        return value if plain else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


def _changed(data: Any, path: Path, value: Any) -> Any:
    """The data with the value at the path; creates missing parents."""
    if not path:
        return tuple(value) if isinstance(value, list) else copy.deepcopy(value)
    key, *below = path
    if isinstance(data, tuple):
        return tuple(_changed(one, tuple(below), value) if at == key else one for at, one in enumerate(data))
    inner = data.get(key) if isinstance(data, dict) else None
    return {**(data if isinstance(data, dict) else {}), key: _changed(inner, tuple(below), value)}
