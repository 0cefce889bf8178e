"""Parses the bytes of a YAML stream into documents, or into problems with their places.

Scalars resolve by YAML 1.2's core schema. Every limit holds before what it forbids is built.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

import yaml
from yaml import events

from meshc import codes
from meshc.errors import Code, Fix, Place, Problem, Rewrite, dotted
from meshc.yamltext.document import Document, Mark
from meshc.yamltext.nesting import one_too_many
from meshc.yamltext.nodes import Node, spots
from meshc.yamltext.scalars import NULLS, SWITCHES, is_misread, resolve


def read(
    data: bytes, file: str, *, strict: bool = False, last_wins: bool = False
) -> tuple[tuple[Document, ...], tuple[Problem, ...]]:
    """Every document of a stream but the empty ones, and what is wrong with the text. Never raises.

    Strict is for what is written for meshc: exactly one document, no merge keys, no word that YAML 1.1 reads
    otherwise. Else it is a manifest of anybody's: merge keys are expanded, and such words (`no`, `1_000`, but
    also `0644`) stay the text they are. Where `last_wins`, a key may stand twice, as Kubernetes' own reader lets it.
    After a hundred problems it stops.
    """
    limits = _STRICT if strict else _LENIENT
    if len(data) > limits.bytes:
        what = f"{len(data)} bytes are more than meshc reads ({limits.bytes >> 20} MiB)"
        return (), (codes.YAML_SIZE.at(Place(file, 1, 1), what, "split the file"),)
    text, problem = _decode(data, file)
    if problem is not None:
        return (), (problem,)
    reader = _Reader(file, strict, limits.values, last_wins)
    try:
        reader.take_all(yaml.CSafeLoader(text))
    except yaml.MarkedYAMLError as error:
        reader.refused(error, text)
    except _StopReadingError:
        pass
    else:
        reader.finish()
    return tuple(reader.documents), tuple(reader.problems)


class _Limits(NamedTuple):
    bytes: int
    values: int


# Values count after aliases are expanded: the bound on the work that a small file can make.
_STRICT = _Limits(bytes=2 << 20, values=200_000)
_LENIENT = _Limits(bytes=8 << 20, values=500_000)
_DEPTH = 64
_PROBLEMS = 100

_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _decode(data: bytes, file: str) -> tuple[str, Problem | None]:
    """The text of a stream without its byte order mark, or why there is none."""
    hint = "save the file as UTF-8"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "", codes.YAML_ENCODING.at(Place(file, 1, 1), "the text is UTF-16, not UTF-8", hint)
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        what = f"the text is not UTF-8: it holds the byte 0x{data[error.start]:02x}"
        return "", codes.YAML_ENCODING.at(_place_after(data[: error.start].decode(), file), what, hint)
    found = _FORBIDDEN.search(text)
    if found is None:
        return text, None
    number = f"{ord(found[0]):04x}"
    what = f"the character U+{number.upper()} isn't allowed in YAML"
    hint = f"take it out, or write \\u{number} inside double quotes"
    return "", codes.YAML_CHARACTER.at(_place_after(text[: found.start()], file), what, hint)


def _place_after(text: str, file: str) -> Place:
    return Place(file, *_mark_after(text))


def _mark_after(text: str) -> Mark:
    breaks = [found.end() for found in _BREAK.finditer(text)]
    return len(breaks) + 1, len(text) - (breaks[-1] if breaks else 0) + 1


_BREAK = re.compile("\r\n|[\n\r\u0085\u2028\u2029]")
"""Line breaks of YAML 1.1, by which libyaml counts lines."""


def _syntax(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    place = Place(file, *_mark(mark)) if mark else Place(file, 1, 1)
    if mark and mark.index >= len(text):  # libyaml puts the end below a last line without a line break
        place = _place_after(text, file)
    if conflict := _CONFLICT.search(text):
        what, hint = "the marks of a merge conflict stand here", "decide what the file is to hold, then compile again"
        return codes.YAML_SYNTAX.at(_place_after(text[: conflict.start()], file), what, hint)
    words = error.problem or "the text is not YAML"
    if mark and ("tab character" in words or text[mark.index : mark.index + 1] == "\t"):
        return codes.YAML_TAB.at(place, "a tab is used for indentation", "use spaces")
    also = [Place(file, *_mark(error.context_mark))] if error.context and error.context_mark else []
    what = f"{error.context}, {words}" if error.context else words
    hint = "look at the indentation, and at quotes and brackets that aren't closed"
    return codes.YAML_SYNTAX.at(place, " ".join(what.lower().split()), hint, also=[one for one in also if one != place])


_CONFLICT = re.compile(r"^<{7} ", re.MULTILINE)
"""How Git begins a conflict, by default."""


def _mark(mark: Any) -> Mark:
    return (mark.line + 1, mark.column + 1)


def _is_plain_key(event: events.ScalarEvent, text: str, tag: str | None) -> bool:
    """Whether a key is the text that stands there, and nothing refers to it: most are."""
    return tag is None and event.anchor is None and (text not in _ODD_KEYS or event.style != "")


_ODD_KEYS = frozenset((*NULLS, "<<"))


def _shown(text: str) -> str:
    """`text` in double quotes, short and on one line."""
    return json.dumps(text if len(text) <= 60 else text[:59] + "…", ensure_ascii=False)


class _StopReadingError(Exception):
    """There is no use or no safety in reading on."""


class _Key(NamedTuple):
    """A key that waits for its value, which is dropped if `text` is None."""

    text: str | None
    mark: Mark
    merge: bool = False


@dataclass(slots=True)
class _Open:
    """A collection whose end isn't read yet. `before` is the count of values at its start."""

    node: Node
    anchor: str | None
    is_mapping: bool
    in_flow: bool
    before: int
    entries: dict[str | int, tuple[Mark | None, Node]] = field(default_factory=dict)
    merged: list[Node] = field(default_factory=list)
    key: _Key | None = None
    height: int = 0

    @property
    def step(self) -> str | int:
        """The path's step to the value that is read now."""
        return len(self.entries) if not self.is_mapping else (self.key.text or "<<") if self.key else ""


class _Anchored(NamedTuple):
    node: Node
    size: int
    height: int


class _Reader:
    """Builds documents from events, one by one: a limit holds before what it forbids is built."""

    def __init__(self, file: str, strict: bool, limit: int, last_wins: bool) -> None:
        self.documents: list[Document] = []
        self.problems: list[Problem] = []
        self._file, self._strict, self._limit, self._last_wins = file, strict, limit, last_wins
        self._count = 0
        self._open: list[_Open] = []
        self._last: events.Event | None = None
        self._anchors: dict[str, _Anchored | None] = {}  # None: the anchor's own value is still being read

    def take_all(self, loader: yaml.CSafeLoader) -> None:
        """Reads every event. Raises _StopReadingError once a limit is reached."""
        takes: dict[type[events.Event], Callable[[Any], None]] = {
            events.ScalarEvent: self._scalar,
            events.MappingStartEvent: self._start,
            events.SequenceStartEvent: self._start,
            events.MappingEndEvent: self._end,
            events.SequenceEndEvent: self._end,
            events.AliasEvent: self._alias,
            events.DocumentStartEvent: self._begin,
        }
        while (event := loader.get_event()) is not None:
            if take := takes.get(type(event)):
                take(event)
            self._last = event

    def refused(self, error: yaml.MarkedYAMLError, text: str) -> None:
        """Reports why libyaml stopped: too many collections inside one another, or a mistake in the text."""
        mark = error.problem_mark
        if mark is not None:
            end_of_last = self._last.end_mark.index if self._last and self._last.end_mark else 0
            start = max(end_of_last, text.rfind("\n", 0, mark.index) + 1)
            in_flow = bool(self._open) and self._open[-1].in_flow
            found = one_too_many(text[start : mark.index + 1], _DEPTH - len(self._open), in_flow=in_flow)
            if found is not None:
                self._too_deep(_mark_after(text[: start + found]))
                return
        self.problems.append(_syntax(error, text, self._file))

    def finish(self) -> None:
        """Checks the stream as a whole, after its last event."""
        if self._strict and not self.documents and not self.problems:
            self._report(codes.YAML_EMPTY, (1, 1), "the file is empty", "restore the file, or run meshc init")

    def _begin(self, _: events.Event) -> None:
        self._anchors = {}

    def _scalar(self, event: events.ScalarEvent) -> None:
        text, tag = event.value, event.tag
        mark, plain = _mark(event.start_mark), event.style == ""
        around = self._open[-1] if self._open else None
        is_key = False
        if around is None or not around.is_mapping or around.key is not None:
            self._grow(mark, 1)
        elif _is_plain_key(event, text, tag) and text not in around.entries:
            around.key = _Key(text, mark)
            return
        else:
            is_key = True
        value: Any = text
        if tag is not None:
            value = self._tagged(tag, text, mark)
        elif plain:
            value = resolve(text)
            if self._strict and not is_key and is_misread(text, value):
                self._report_misread(text, mark)
        node = Node(mark, value, text, plain and tag is None)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(node, 1, 0)
        if around is None or is_key or not around.is_mapping:
            self._put(node, 0)
        else:
            self._entry(around, node)

    def _start(self, event: events.CollectionStartEvent) -> None:
        mark, is_mapping = _mark(event.start_mark), isinstance(event, events.MappingStartEvent)
        self._grow(mark, 1)
        self._limit_depth(mark, 1)
        if event.tag not in (None, _TAG + ("map" if is_mapping else "seq")):
            self._report_tag(event.tag or "", mark)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._open.append(_Open(Node(mark), event.anchor, is_mapping, bool(event.flow_style), self._count - 1))

    def _end(self, _: events.Event) -> None:
        ended = self._open.pop()
        for source in ended.merged:
            for key, entry in (source.entries or {}).items():
                ended.entries.setdefault(key, entry)
        node = ended.node
        node.entries = ended.entries
        values = {step: entry.value for step, (_, entry) in ended.entries.items()}
        node.value = values if ended.is_mapping else tuple(values.values())
        if ended.anchor is not None:
            self._anchors[ended.anchor] = _Anchored(node, self._count - ended.before, ended.height + 1)
        self._put(node, ended.height + 1)

    def _alias(self, event: events.AliasEvent) -> None:
        mark, name = _mark(event.start_mark), event.anchor or ""
        found = self._anchors.get(name)
        if found is None:
            what = "stands inside the value it names" if name in self._anchors else "names an anchor that isn't there"
            self._report(codes.YAML_ALIAS, mark, f"the alias {_shown('*' + name)} {what}", "write the value out")
            self._put(Node(mark), 0)
            return
        self._grow(mark, found.size)
        self._limit_depth(mark, found.height)
        target = found.node
        self._put(Node(mark, target.value, target.text, target.plain, target.entries, alias=True), found.height)

    def _put(self, node: Node, height: int) -> None:
        """Gives a value that is read whole to the collection around it, or makes it a document."""
        if not self._open:
            self._document(node)
            return
        around = self._open[-1]
        around.height = max(around.height, height)
        if not around.is_mapping:
            around.entries[len(around.entries)] = (None, node)
        elif around.key is None:
            around.key = self._key(node, around)
        else:
            self._entry(around, node)

    def _entry(self, around: _Open, node: Node) -> None:
        """Puts a value under the key that waits for it."""
        key, around.key = around.key, None
        if key is None or key.text is None:
            if key is not None and key.merge:
                around.merged += self._sources(node)
        else:
            around.entries[key.text] = (key.mark, node)

    def _key(self, node: Node, around: _Open) -> _Key:
        if node.text is None or (node.plain and node.value is None):
            what = "a key is empty or null" if node.text is not None else "a key is not a text"
            hint = "write a text as the key, in quotes where it needs them"
            hint += "; a template ({{ }}) is rendered first" if isinstance(node.value, dict) else ""
            self._report(codes.YAML_KEY, node.mark, what, hint)
            return _Key(None, node.mark)
        if node.plain and node.text == "<<":
            if self._strict:
                self._report(codes.YAML_MERGE, node.mark, 'merge keys ("<<") are not read here', "write the keys out")
            return _Key(None, node.mark, merge=not self._strict)
        first = around.entries.get(node.text)
        if first is not None and not self._last_wins:
            what, also = (
                f"the key {_shown(node.text)} stands here twice",
                Place(self._file, *(first[0] or first[1].mark)),
            )
            self._report(codes.YAML_DUPLICATE_KEY, node.mark, what, "keep one of the two", last=node.text, also=(also,))
            return _Key(None, node.mark)
        return _Key(node.text, node.mark)

    def _sources(self, node: Node) -> list[Node]:
        """The mappings that a merge key names, in order; the earlier one wins."""
        listed = [entry for _, entry in (node.entries or {}).values()] if isinstance(node.value, tuple) else [node]
        if all(isinstance(source.value, dict) for source in listed):
            return listed
        what = 'the value of a merge key ("<<") is neither a mapping nor a list of mappings'
        self._report(codes.YAML_MERGE, node.mark, what, "write the keys out")
        return []

    def _document(self, root: Node) -> None:
        if root.plain and root.text == "":
            return
        if self._strict and self.documents:
            hint = 'keep one document in the file: take out the line "---" and what follows'
            self._report(codes.YAML_DOCUMENTS, root.mark, "a second document begins here", hint)
            raise _StopReadingError
        values, keys, texts = spots(root)
        self.documents.append(Document(root.value, self._file, values, keys, texts))

    def _tagged(self, tag: str, text: str, mark: Mark) -> Any:
        """The value of a scalar with an explicit tag. Reports other tags than the core schema's."""
        value = text if tag == _TAG + "str" else resolve(text)
        if tag == _TAG + "float" and type(value) is int:
            value = float(value)
        if _TYPES.get(tag) is not type(value):
            self._report_tag(tag, mark)
        return value

    def _grow(self, mark: Mark, size: int) -> None:
        self._count += size
        if self._count > self._limit:
            self._too_many(mark)

    def _too_many(self, mark: Mark) -> NoReturn:
        what = f"more than {self._limit} values, with aliases written out"
        self._stop(codes.YAML_EXPANSION, mark, what, "use fewer aliases, or split the file")

    def _limit_depth(self, mark: Mark, height: int) -> None:
        if len(self._open) + height > _DEPTH:
            self._too_deep(mark)
            raise _StopReadingError

    def _too_deep(self, mark: Mark) -> None:
        what = f"more than {_DEPTH} collections inside one another"
        self.problems.append(codes.YAML_DEPTH.at(Place(self._file, *mark), what, "use fewer levels of nesting"))

    def _report_misread(self, text: str, mark: Mark) -> None:
        switch = text.lower() in SWITCHES
        meaning = "true or false" if switch else "another value"
        what = f"{_shown(text)} without quotes is {meaning} to older readers of YAML"
        instead = "true/false for a switch" if switch else "plain decimal digits for a number"
        self._report(
            codes.YAML_MISREAD,
            mark,
            what,
            f"write {_shown(text)} (with quotes) for the text, or {instead}",
            fix=Rewrite(text, text),
        )

    def _report_tag(self, tag: str, mark: Mark) -> None:
        name = tag.replace(_TAG, "!!")
        known = tag in _TYPES or tag in (_TAG + "map", _TAG + "seq")
        what = f"the tag {_shown(name)} {'does not fit its value' if known else 'is not read here'}"
        self._report(codes.YAML_TAG, mark, what, "remove the tag, or put the string in quotes")

    def _report(
        self,
        code: Code,
        mark: Mark,
        what: str,
        hint: str,
        *,
        last: str | None = None,
        also: Iterable[Place] = (),
        fix: Fix | None = None,
    ) -> None:
        steps = [around.step for around in self._open]
        if last is not None:
            steps[-1] = last
        path = dotted(tuple(steps))
        self.problems.append(code.at(Place(self._file, *mark), what, hint, path=path, also=also, fix=fix))
        if len(self.problems) >= _PROBLEMS:
            raise _StopReadingError

    def _stop(self, code: Code, mark: Mark, what: str, hint: str) -> NoReturn:
        self.problems.append(code.at(Place(self._file, *mark), what, hint))
        raise _StopReadingError


_TAG = "tag:yaml.org,2002:"
_TYPES: Mapping[str, type] = {
    _TAG + "str": str,
    _TAG + "int": int,
    _TAG + "float": float,
    _TAG + "bool": bool,
    _TAG + "null": type(None),
}
