"""Lays out a YAML text in one way: indentation, spaces and empty lines. Values and comments don't change.

It parses the result: if values, their order or their quotes differ, or if a second run would change the text again, it
raises EditError. It keeps order, quotes and line breaks inside a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml
from yaml import tokens

from meshc.yamltext.edit import EditError

_STEP = 2
_OPENS = (tokens.FlowMappingStartToken, tokens.FlowSequenceStartToken)
_CLOSES = (tokens.FlowMappingEndToken, tokens.FlowSequenceEndToken)
_BLOCKS = (tokens.BlockMappingStartToken, tokens.BlockSequenceStartToken)
_BREAKS = re.compile("[\r\u0085\u2028\u2029]")
"""Characters that end a line in YAML, but not in an editor."""


def laid_out(data: bytes, file: str) -> bytes:
    """The text in meshc's layout. Raises EditError if this isn't possible without other changes."""
    text = data.decode().removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        once = _Layout(text).run()
        same = _told(once) == _told(text) and _Layout(once).run() == once
    except (yaml.YAMLError, _StrangeError):
        same = False
    if not same:
        raise EditError(f"{file} can't be formatted without other changes", "format it by hand")
    return once.encode()


class _StrangeError(Exception):
    """The text has a form that isn't laid out here."""


class _Block(NamedTuple):
    """A block collection: the current column of its entries, and the new one."""

    kind: str
    """map, list, or bare: a list in the same column as its key; YAML has no start token for it."""
    old: int
    new: int


class _Edit(NamedTuple):
    start: int
    end: int
    text: str


@dataclass
class _Layout:
    text: str
    lines: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    wanted: dict[int, int] = field(default_factory=dict)
    """For each line, the new column of its first character."""
    held: set[int] = field(default_factory=set)
    """Lines that begin inside a scalar."""
    blocks: dict[int, tuple[_Block, ...]] = field(default_factory=dict)
    """For each line, the collections that are open at its end."""
    edits: list[_Edit] = field(default_factory=list)

    def run(self) -> str:
        """The text in its layout."""
        if _BREAKS.search(self.text):
            raise _StrangeError
        self.lines = self.text.split("\n")
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)
        self._read()
        self._set_margins()
        result, end = [], len(self.text)
        for edit in sorted(self.edits, reverse=True):
            result += [self.text[edit.end : end], edit.text]
            end = edit.start
        text = "".join([self.text[:end], *reversed(result)])
        return text if text.endswith("\n") or not text else f"{text}\n"

    def _read(self) -> None:
        """Computes the column of each line, and the spaces between the tokens of a line."""
        stack: list[_Block] = []
        flow, last, at_key = 0, None, False
        for token in yaml.scan(self.text, Loader=yaml.SafeLoader):
            if isinstance(token, tokens.DirectiveToken) or (isinstance(token, tokens.KeyToken) and _length(token)):
                raise _StrangeError
            if not flow:
                _follow(token, stack, last)
            at_key |= isinstance(token, tokens.KeyToken) and not flow
            if not _length(token):
                continue
            line = token.start_mark.line
            if last is None or last.end_mark.line != line or getattr(last, "style", None) in ("|", ">"):
                self.wanted[line] = _column(token, stack, flow, at_key)
            else:
                self.edits.append(_Edit(last.end_mark.index, token.start_mark.index, _space(last, token)))
            self._hold(token, stack)
            self.blocks[line] = tuple(stack)
            flow += isinstance(token, _OPENS) - isinstance(token, _CLOSES)
            last, at_key = token, False

    def _hold(self, token: Any, stack: list[_Block]) -> None:
        """Moves the other lines of a scalar as far as the collection around it."""
        first, last = token.start_mark.line, token.end_mark.line
        in_block = getattr(token, "style", None) in ("|", ">")
        if in_block and not self.text[self.starts[last] : token.end_mark.index].strip(" "):
            last -= 1  # the end is where the next line begins, or what is before its text
        margin = min((_margin(line) for line in self.lines[first + 1 : last + 1] if line.strip()), default=0)
        for number in range(first + 1, last + 1):
            line = self.lines[number]
            self.held.add(number)
            if line.strip() or (in_block and len(line) > margin):
                old = margin if in_block else _margin(line)
                self._indent(number, old, max(0, old + _shift(stack)))

    def _set_margins(self) -> None:
        """Indents each line, and removes spaces at its end, and all but one of several empty lines."""
        blank = True
        content = [number for number, line in enumerate(self.lines) if line.strip() or number in self.held]
        final = content[-1] if content else -1
        for number, line in enumerate(self.lines):
            start = self.starts[number]
            if number in self.held:
                blank = False
            elif not line.strip():
                whole = min(start + len(line) + 1, len(self.text))
                drop = blank or number > final
                self.edits.append(_Edit(start, whole if drop else start + len(line), ""))
                blank = True
            else:
                blank = False
                self._indent(number, _margin(line), self._wanted(number))
            if line.strip() and number + 1 not in self.held:
                self.edits.append(_Edit(start + len(line.rstrip(" \t")), start + len(line), ""))

    def _wanted(self, number: int) -> int:
        """The column of a line. A comment has the column of the next line, or of an earlier line at the same depth."""
        if number in self.wanted:
            return self.wanted[number]
        column = _margin(self.lines[number])
        after = next((one for one in range(number + 1, len(self.lines)) if one in self.wanted), None)
        if after is not None and _margin(self.lines[after]) == column:
            return self.wanted[after]
        before = next((one for one in range(number - 1, -1, -1) if one in self.blocks), None)
        open_before = self.blocks[before][::-1] if before is not None else ()
        for block in open_before:
            if (block.old == column and block.kind != "bare") or (after is None and block.old < column):
                return block.new
        return self.wanted[after] if after is not None else 0

    def _indent(self, number: int, old: int, new: int) -> None:
        start = self.starts[number]
        self.edits.append(_Edit(start, start + old, " " * new))


def _follow(token: Any, stack: list[_Block], last: Any) -> None:
    """Keeps the collections that are open in block style."""
    column = token.start_mark.column
    if isinstance(token, tokens.KeyToken | tokens.BlockEndToken) and stack and stack[-1].kind == "bare":
        stack.pop()
    if isinstance(token, tokens.BlockEndToken):
        stack.pop()
    elif isinstance(token, _BLOCKS):
        kind = "map" if isinstance(token, tokens.BlockMappingStartToken) else "list"
        stack.append(_Block(kind, column, stack[-1].new + _STEP if stack else 0))
    elif isinstance(token, tokens.BlockEntryToken) and stack[-1].kind == "map":
        stack.append(_Block("bare", column, stack[-1].new + _STEP))


def _column(token: Any, stack: list[_Block], flow: int, at_key: bool) -> int:
    """The column of a line that begins with this token."""
    if not stack:
        return 0 if not flow else int(token.start_mark.column)
    if flow:
        return max(0, int(token.start_mark.column) + _shift(stack))
    return stack[-1].new if at_key or isinstance(token, tokens.BlockEntryToken) else stack[-1].new + _STEP


def _shift(stack: list[_Block]) -> int:
    return stack[-1].new - stack[-1].old if stack else 0


def _space(last: Any, token: Any) -> str:
    """The text between two tokens on one line."""
    if isinstance(token, tokens.ValueToken):
        return " " if isinstance(last, tokens.AliasToken) else ""
    tight = isinstance(last, _OPENS) or isinstance(token, (*_CLOSES, tokens.FlowEntryToken))
    return "" if tight else " "


def _length(token: Any) -> int:
    return int(token.end_mark.index - token.start_mark.index)


def _margin(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _told(text: str) -> tuple[list[tuple[Any, ...]], list[str]]:
    """The tokens of a text, and its comments."""
    events = [
        (type(event).__name__, *(getattr(event, name, None) for name in ("value", "anchor", "tag", "style")))
        for event in yaml.parse(text, Loader=yaml.CSafeLoader)
    ]
    return events, list(_comments(text))


def _comments(text: str) -> Iterator[str]:
    end = 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if _length(token) or isinstance(token, tokens.StreamEndToken):
            for line in text[end : token.start_mark.index].split("\n"):
                if "#" in line:
                    yield line[line.index("#") :].rstrip()
            end = token.end_mark.index
