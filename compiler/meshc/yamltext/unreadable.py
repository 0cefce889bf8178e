"""Decodes the bytes of a YAML stream, and reports why a text can't be parsed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.errors import Place, Problem, Rewrite
from meshc.yamltext.document import Mark
from meshc.yamltext.scalars import SWITCHES

if TYPE_CHECKING:
    import yaml

_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def decode(data: bytes, file: str) -> tuple[str, Problem | None]:
    """The text of a stream without its byte order mark, or a problem."""
    hint = "save the file as UTF-8"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "", codes.YAML_ENCODING.at(Place(file, 1, 1), "the text is UTF-16, not UTF-8", hint)
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        what = f"the text is not UTF-8: it contains the byte 0x{data[error.start]:02x}"
        return "", codes.YAML_ENCODING.at(place_after(data[: error.start].decode(), file), what, hint)
    found = _FORBIDDEN.search(text)
    if found is None:
        return text, None
    number = f"{ord(found[0]):04x}"
    what = f"the character U+{number.upper()} isn't allowed in YAML"
    hint = f"remove it, or write \\u{number} inside double quotes"
    return "", codes.YAML_CHARACTER.at(place_after(text[: found.start()], file), what, hint)


def place_after(text: str, file: str) -> Place:
    return Place(file, *mark_after(text))


def mark_after(text: str) -> Mark:
    """The line and the column that follow a text."""
    breaks = [found.end() for found in _BREAK.finditer(text)]
    return len(breaks) + 1, len(text) - (breaks[-1] if breaks else 0) + 1


_BREAK = re.compile("\r\n|[\n\r\u0085\u2028\u2029]")
"""Line breaks of YAML 1.1, by which libyaml counts lines."""


def syntax(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    """The reason why libyaml stopped, as a problem: a conflict marker of Git, a tab, or libyaml's own message."""
    mark = error.problem_mark or error.context_mark
    place = Place(file, *mark_of(mark)) if mark else Place(file, 1, 1)
    if mark and mark.index >= len(text):  # libyaml puts the end below a last line without a line break
        place = place_after(text, file)
    if conflict := _CONFLICT.search(text):
        what, hint = "there are markers of a merge conflict here", "solve the conflict, then compile again"
        return codes.YAML_SYNTAX.at(place_after(text[: conflict.start()], file), what, hint)
    words = error.problem or "the text is not YAML"
    if mark and ("tab character" in words or text[mark.index : mark.index + 1] == "\t"):
        return codes.YAML_TAB.at(place, "a tab is used for indentation", "use spaces")
    also = [Place(file, *mark_of(error.context_mark))] if error.context and error.context_mark else []
    what = f"{error.context}, {words}" if error.context else words
    hint = "check the indentation, and look for quotes and brackets that aren't closed"
    return codes.YAML_SYNTAX.at(place, " ".join(what.lower().split()), hint, also=[one for one in also if one != place])


_CONFLICT = re.compile(r"^<{7} ", re.MULTILINE)
"""The first line of Git's conflict markers, by default."""


def mark_of(mark: Any) -> Mark:
    """The line and the column of a mark of libyaml, from 1."""
    return (mark.line + 1, mark.column + 1)


def misread(text: str, place: Place, path: str) -> Problem:
    """Reports a plain word that YAML 1.1 doesn't read as text."""
    meaning = "true or false" if text.lower() in SWITCHES else "another value"
    what = f"{shown(text)} without quotes is {meaning} to older YAML parsers"
    instead = "true/false for a switch" if text.lower() in SWITCHES else "plain decimal digits for a number"
    hint = f"write {shown(text)} (with quotes) for the string, or {instead}"
    return codes.YAML_MISREAD.at(place, what, hint, path=path, fix=Rewrite(text, text))


def wrong_tag(tag: str, place: Place, path: str) -> Problem:
    """Reports a tag that isn't in the core schema, or doesn't fit its value."""
    name = tag.replace(TAG, "!!")
    known = tag in TYPES or tag in (TAG + "map", TAG + "seq")
    what = f"the tag {shown(name)} {'does not fit its value' if known else 'is not supported here'}"
    return codes.YAML_TAG.at(place, what, "remove the tag, or put the string in quotes", path=path)


def shown(text: str) -> str:
    """`text` in double quotes, short and on one line."""
    return json.dumps(text if len(text) <= 60 else text[:59] + "…", ensure_ascii=False)


TAG = "tag:yaml.org,2002:"
"""What the tags of the core schema begin with."""
TYPES: Mapping[str, type] = {
    TAG + "str": str,
    TAG + "int": int,
    TAG + "float": float,
    TAG + "bool": bool,
    TAG + "null": type(None),
}
