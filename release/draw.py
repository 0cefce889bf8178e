"""Draws the diagrams of meshc's pages as SVG, since the site has no program that draws Mermaid and asks no other host.

It reads the flowcharts that `meshc graph` writes, and no others: nodes, subgraphs around them, arrows and colours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape

_NODE = re.compile(r'(\w+)(?:\[\[|\[\(|\{\{|\[)"([^"]*)"[\])}]+(?::::(\w+))?')
_ARROW = re.compile(r'(\w+) (<?)(-\.->|-->|==>)\|"([^"]*)"\| (\w+)')
_GROUP = re.compile(r'subgraph (\w+)\["([^"]*)"\]')
_CLASS = re.compile(r"classDef (\w+) fill:(#\w+),stroke:(#\w+)")
_STROKES = {"-.->": ' stroke-dasharray="4 3"', "-->": "", "==>": ' stroke-width="3"'}

_LETTER, _LINE, _PAD, _GAP = 7.2, 18, 14, 56
"""Widths and heights in pixels: of a letter, of a line, around text, between boxes."""


@dataclass
class _Box:
    """A node: its lines of text, and its position."""

    lines: list[str]
    colour: str
    x: float = 0
    y: float = 0
    width: float = 0

    @property
    def height(self) -> float:
        return len(self.lines) * _LINE + _PAD


@dataclass
class _Column:
    """Nodes one below the other; `title` names the network around them."""

    title: str
    nodes: list[str] = field(default_factory=list)
    x: float = 0
    width: float = 0
    bottom: float = 0


@dataclass(frozen=True)
class _Arrow:
    source: str
    target: str
    line: str
    both: bool
    text: str


@dataclass
class _Chart:
    boxes: dict[str, _Box] = field(default_factory=dict)
    columns: list[_Column] = field(default_factory=list)
    arrows: list[_Arrow] = field(default_factory=list)
    legend: list[str] = field(default_factory=list)
    colours: dict[str, tuple[str, str]] = field(default_factory=dict)


def draw(mermaid: str, name: str) -> str:
    """The SVG of a flowchart; `name` is read to those who don't see it. Raises ValueError for what it can't read."""
    chart = _read(mermaid)
    across = [_width(arrow.text) + 2 * _PAD for arrow in chart.arrows]
    width, height = _place(chart, max([_GAP * 1.5, *across]))
    parts = [
        f'<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'style="max-width:{width:.0f}px" role="img" aria-label="{escape(name)}" font-size="13" '
        'font-family="inherit" fill="currentColor">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        'markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z"/></marker></defs>',
        *(part for column in chart.columns for part in _network(column)),
        *_lines(chart),
        *(
            part
            for box in (chart.boxes[node] for column in chart.columns for node in column.nodes)
            for part in _node(box, chart)
        ),
        *_legend(chart, height),
        "</svg>",
    ]
    return "\n".join(parts)


def _read(mermaid: str) -> _Chart:
    chart, group, inside = _Chart(), "", False
    for line in map(str.strip, mermaid.splitlines()):
        if line == "end":
            group, inside = "", False
        elif found := _GROUP.fullmatch(line):
            group, inside = _text(found[2]), True
            if found[1] != "legend":
                chart.columns.append(_Column(group))
        elif found := _ARROW.fullmatch(line):
            chart.arrows.append(_Arrow(found[1], found[5], found[3], bool(found[2]), _text(found[4])))
        elif found := _CLASS.match(line):
            chart.colours[found[1]] = found[2], found[3]
        elif found := _NODE.fullmatch(line):
            _add(chart, found[1], _Box(_text(found[2]).split("<br/>"), found[3] or ""), group, inside)
        elif line and line != "flowchart LR":
            raise ValueError(f"not a line of meshc graph: {line}")
    return chart


def _add(chart: _Chart, name: str, box: _Box, group: str, inside: bool) -> None:
    """Nodes of a network are one column, and so are those of one kind that are in no network."""
    box.width = max(map(_width, box.lines)) + 2 * _PAD
    chart.boxes[name] = box
    if inside and group == "legend":
        chart.legend.append(name)
        return
    last = chart.columns[-1] if chart.columns else None
    alone = last is None or (not inside and (last.title or chart.boxes[last.nodes[0]].colour != box.colour))
    if alone:
        chart.columns.append(_Column(""))
    chart.columns[-1].nodes.append(name)


def _place(chart: _Chart, apart: float) -> tuple[float, float]:
    """Sets the position of every box. Returns the width and the height of the picture."""
    x = bottom = 1.0
    for column in chart.columns:
        column.x = x
        column.width = max([_width(column.title), *(chart.boxes[node].width for node in column.nodes)]) + 2 * _PAD
        y = _PAD + _LINE * 1.5
        for node in column.nodes:
            box = chart.boxes[node]
            box.x, box.y = column.x + (column.width - box.width) / 2, y
            y += box.height + _GAP
        column.bottom = y - _GAP + _PAD
        bottom = max(bottom, column.bottom)
        x += column.width + apart
    order = [node for column in chart.columns for node in column.nodes]
    far = any(abs(_column(chart, one.source) - _column(chart, one.target)) > 1 for one in chart.arrows)
    legend = sum(chart.boxes[name].width + _PAD for name in chart.legend)
    return max(x - apart + 1, legend if order else 0), bottom + (_GAP if far else 0) + 2 * _LINE + 2 * _PAD


def _column(chart: _Chart, name: str) -> int:
    return next(number for number, column in enumerate(chart.columns) if name in column.nodes)


def _network(column: _Column) -> Iterator[str]:
    if column.title:
        yield (
            f'<rect x="{column.x:.1f}" y="1" width="{column.width:.1f}" height="{column.bottom:.1f}" rx="6" '
            'fill="none" stroke="currentColor" opacity="0.4"/>'
        )
        yield _words(column.x + column.width / 2, _PAD + 4, column.title)


def _node(box: _Box, chart: _Chart) -> Iterator[str]:
    fill, stroke = chart.colours.get(box.colour, ("#ffffff", "#6b7280"))
    yield (
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="4" '
        f'fill="{fill}" stroke="{stroke}"/>'
    )
    for number, line in enumerate(box.lines):
        yield _words(box.x + box.width / 2, box.y + _PAD / 2 + 13 + number * _LINE, line, "#111827")


def _lines(chart: _Chart) -> Iterator[str]:
    """Arrows between the same boxes are side by side; an arrow over other columns runs below them."""
    bottom = max(column.bottom for column in chart.columns)
    for arrow in chart.arrows:
        like = [one for one in chart.arrows if {one.source, one.target} == {arrow.source, arrow.target}]
        shift = (like.index(arrow) - (len(like) - 1) / 2) * 2 * _LINE
        one, other = chart.boxes[arrow.source], chart.boxes[arrow.target]
        start, end = _column(chart, arrow.source), _column(chart, arrow.target)
        if start == end:
            yield from _down(arrow, one, other, shift * 3)
        elif abs(start - end) == 1:
            yield from _across(arrow, one, other, shift / 2)
        else:
            yield from _below(arrow, one, other, bottom + _GAP)


def _down(arrow: _Arrow, one: _Box, other: _Box, shift: float) -> Iterator[str]:
    x = max(one.x + one.width / 2, other.x + other.width / 2) + shift
    begin, end = (one.y + one.height, other.y) if one.y < other.y else (one.y, other.y + other.height)
    yield _line(arrow, f"M{x:.1f} {begin:.1f}L{x:.1f} {end:.1f}")
    yield _words(x, (begin + end) / 2 + 4, arrow.text, halo=True)


def _across(arrow: _Arrow, one: _Box, other: _Box, shift: float) -> Iterator[str]:
    begin, end = (one.x + one.width, other.x) if one.x < other.x else (one.x, other.x + other.width)
    first, last = one.y + one.height / 2 + shift, other.y + other.height / 2 + shift
    middle = (begin + end) / 2
    yield _line(
        arrow, f"M{begin:.1f} {first:.1f}C{middle:.1f} {first:.1f} {middle:.1f} {last:.1f} {end:.1f} {last:.1f}"
    )
    yield _words(middle, (first + last) / 2 + 4, arrow.text, halo=True)


def _below(arrow: _Arrow, one: _Box, other: _Box, depth: float) -> Iterator[str]:
    begin, end = one.x + one.width / 2, other.x + other.width / 2
    first, last = one.y + one.height, other.y + other.height
    yield _line(arrow, f"M{begin:.1f} {first:.1f}C{begin:.1f} {depth:.1f} {end:.1f} {depth:.1f} {end:.1f} {last:.1f}")
    yield _words((begin + end) / 2, (first + last) / 8 + depth * 3 / 4 + 4, arrow.text, halo=True)


def _line(arrow: _Arrow, path: str) -> str:
    heads = 'marker-end="url(#tip)"' + (' marker-start="url(#tip)"' if arrow.both else "")
    return f'<path d="{path}" fill="none" stroke="currentColor"{_STROKES[arrow.line]} {heads}/>'


def _legend(chart: _Chart, height: float) -> Iterator[str]:
    x = 1.0
    for name in chart.legend:
        box = chart.boxes[name]
        box.x, box.y = x, height - box.height - 2
        yield from _node(box, chart)
        x += box.width + _PAD


def _words(x: float, y: float, text: str, colour: str = "", *, halo: bool = False) -> str:
    """A line of text around a point; with a halo it stays readable on an arrow."""
    paint = f' fill="{colour}"' if colour else ""
    paint += ' stroke="var(--md-default-bg-color, #fff)" stroke-width="6" paint-order="stroke"' if halo else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle"{paint}>{escape(text)}</text>'


def _width(text: str) -> float:
    return len(text) * _LETTER


def _text(label: str) -> str:
    """A label without Mermaid's spelling of signs."""
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), label)
