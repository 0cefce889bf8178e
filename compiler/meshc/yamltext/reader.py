"""Builds documents from the events of libyaml."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import yaml
from yaml import events

from meshc import codes
from meshc.errors import Code, Place, Problem, dotted
from meshc.yamltext.document import Document, Mark
from meshc.yamltext.nesting import one_too_many
from meshc.yamltext.nodes import Node, spots
from meshc.yamltext.opened import Anchored, Key, Open, StopReadingError
from meshc.yamltext.scalars import NULLS, is_misread, resolve
from meshc.yamltext.unreadable import TAG, TYPES, mark_after, mark_of, misread, shown, syntax, wrong_tag

_DEPTH = 64
_PROBLEMS = 100


class Reader:
    """Builds documents from events, one by one, and checks each limit before it builds the data."""

    def __init__(self, file: str, strict: bool, limit: int, last_wins: bool) -> None:
        self.documents: list[Document] = []
        self.problems: list[Problem] = []
        self._file, self._strict, self._limit, self._last_wins = file, strict, limit, last_wins
        self._count = 0
        self._open: list[Open] = []
        self._last: events.Event | None = None
        self._anchors: dict[str, Anchored | None] = {}  # None: the value of the anchor isn't read completely yet

    def take_all(self, loader: yaml.CSafeLoader) -> None:
        """Reads every event. Raises StopReadingError once a limit is reached."""
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
        """Reports why libyaml stopped: too many nested collections, or an error in the text."""
        mark = error.problem_mark
        if mark is not None:
            end_of_last = self._last.end_mark.index if self._last and self._last.end_mark else 0
            start = max(end_of_last, text.rfind("\n", 0, mark.index) + 1)
            in_flow = bool(self._open) and self._open[-1].in_flow
            found = one_too_many(text[start : mark.index + 1], _DEPTH - len(self._open), in_flow=in_flow)
            if found is not None:
                self._too_deep(mark_after(text[: start + found]))
                return
        self.problems.append(syntax(error, text, self._file))

    def finish(self) -> None:
        """Checks the stream as a whole, after its last event."""
        if self._strict and not self.documents and not self.problems:
            self._report(codes.YAML_EMPTY, (1, 1), "the file is empty", "restore the file, or run meshc init")

    def _begin(self, _: events.Event) -> None:
        self._anchors = {}

    def _scalar(self, event: events.ScalarEvent) -> None:
        text, tag = event.value, event.tag
        mark, plain = mark_of(event.start_mark), event.style == ""
        around = self._open[-1] if self._open else None
        is_key = False
        if around is None or not around.is_mapping or around.key is not None:
            self._grow(mark, 1)
        elif _is_plain_key(event, text, tag) and text not in around.entries:
            around.key = Key(text, mark)
            return
        else:
            is_key = True
        value: Any = text
        if tag is not None:
            value = self._tagged(tag, text, mark)
        elif plain:
            value = resolve(text)
            if self._strict and not is_key and is_misread(text, value):
                self._add(misread(text, self._at(mark), self._path()))
        node = Node(mark, value, text, plain and tag is None)
        if event.anchor is not None:
            self._anchors[event.anchor] = Anchored(node, 1, 0)
        if around is None or is_key or not around.is_mapping:
            self._put(node, 0)
        else:
            self._entry(around, node)

    def _start(self, event: events.CollectionStartEvent) -> None:
        mark, is_mapping = mark_of(event.start_mark), isinstance(event, events.MappingStartEvent)
        self._grow(mark, 1)
        self._limit_depth(mark, 1)
        if event.tag not in (None, TAG + ("map" if is_mapping else "seq")):
            self._add(wrong_tag(event.tag or "", self._at(mark), self._path()))
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._open.append(Open(Node(mark), event.anchor, is_mapping, bool(event.flow_style), self._count - 1))

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
            self._anchors[ended.anchor] = Anchored(node, self._count - ended.before, ended.height + 1)
        self._put(node, ended.height + 1)

    def _alias(self, event: events.AliasEvent) -> None:
        mark, name = mark_of(event.start_mark), event.anchor or ""
        found = self._anchors.get(name)
        if found is None:
            what = "is inside the value that it names" if name in self._anchors else "names an unknown anchor"
            self._report(codes.YAML_ALIAS, mark, f"the alias {shown('*' + name)} {what}", "write the value out")
            self._put(Node(mark), 0)
            return
        self._grow(mark, found.size)
        self._limit_depth(mark, found.height)
        target = found.node
        self._put(Node(mark, target.value, target.text, target.plain, target.entries, alias=True), found.height)

    def _put(self, node: Node, height: int) -> None:
        """Adds a complete value to the collection around it, or makes it a document."""
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

    def _entry(self, around: Open, node: Node) -> None:
        """Puts a value under the key that waits for it."""
        key, around.key = around.key, None
        if key is None or key.text is None:
            if key is not None and key.merge:
                around.merged += self._sources(node)
        else:
            around.entries[key.text] = (key.mark, node)

    def _key(self, node: Node, around: Open) -> Key:
        if node.text is None or (node.plain and node.value is None):
            what = "a key is empty or null" if node.text is not None else "a key is not a text"
            hint = "write a string as the key, in quotes if needed"
            hint += "; a template ({{ }}) is rendered first" if isinstance(node.value, dict) else ""
            self._report(codes.YAML_KEY, node.mark, what, hint)
            return Key(None, node.mark)
        if node.plain and node.text == "<<":
            if self._strict:
                self._report(
                    codes.YAML_MERGE, node.mark, 'merge keys ("<<") are not supported here', "write the keys out"
                )
            return Key(None, node.mark, merge=not self._strict)
        first = around.entries.get(node.text)
        if first is not None and not self._last_wins:
            path = dotted((*(one.step for one in self._open[:-1]), node.text))
            what, also = f"the key {shown(node.text)} is here twice", self._at(first[0] or first[1].mark)
            self._add(
                codes.YAML_DUPLICATE_KEY.at(self._at(node.mark), what, "keep one of the two", path=path, also=[also])
            )
            return Key(None, node.mark)
        return Key(node.text, node.mark)

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
            hint = 'keep one document in the file: remove the line "---" and everything after it'
            self._report(codes.YAML_DOCUMENTS, root.mark, "a second document begins here", hint)
            raise StopReadingError
        values, keys, texts = spots(root)
        self.documents.append(Document(root.value, self._file, values, keys, texts))

    def _tagged(self, tag: str, text: str, mark: Mark) -> Any:
        """The value of a scalar with an explicit tag. Reports other tags than the core schema's."""
        value = text if tag == TAG + "str" else resolve(text)
        if tag == TAG + "float" and type(value) is int:
            value = float(value)
        if TYPES.get(tag) is not type(value):
            self._add(wrong_tag(tag, self._at(mark), self._path()))
        return value

    def _grow(self, mark: Mark, size: int) -> None:
        self._count += size
        if self._count > self._limit:
            self._too_many(mark)

    def _limit_depth(self, mark: Mark, height: int) -> None:
        if len(self._open) + height > _DEPTH:
            self._too_deep(mark)
            raise StopReadingError

    def _too_many(self, mark: Mark) -> NoReturn:
        what = f"more than {self._limit} values, with aliases written out"
        self.problems.append(codes.YAML_EXPANSION.at(self._at(mark), what, "use fewer aliases, or split the file"))
        raise StopReadingError

    def _too_deep(self, mark: Mark) -> None:
        what = f"more than {_DEPTH} nested collections"
        self.problems.append(codes.YAML_DEPTH.at(self._at(mark), what, "use fewer levels of nesting"))

    def _report(self, code: Code, mark: Mark, what: str, hint: str) -> None:
        self._add(code.at(self._at(mark), what, hint, path=self._path()))

    def _add(self, problem: Problem) -> None:
        self.problems.append(problem)
        if len(self.problems) >= _PROBLEMS:
            raise StopReadingError

    def _at(self, mark: Mark) -> Place:
        return Place(self._file, *mark)

    def _path(self) -> str:
        return dotted(tuple(around.step for around in self._open))


def _is_plain_key(event: events.ScalarEvent, text: str, tag: str | None) -> bool:
    """True if a key is a plain text without an anchor or a tag, as most keys are."""
    return tag is None and event.anchor is None and (text not in _ODD_KEYS or event.style != "")


_ODD_KEYS = frozenset((*NULLS, "<<"))
