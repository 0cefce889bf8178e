"""Every field of both samples put wrong in every way that a hand, a merge or an enemy might.

Problems with a place, or a valid mesh; never another exception, nothing that could steer a terminal, nothing written.
In CI each kind of fault is put into every second field, the next kind into the others; elsewhere into every fourth.
With MESHC_TEST_LONG=1 into all, and two faults at once in many more pairs by chance (seeded).
"""

from __future__ import annotations

import copy
import io
import json
import os
import random
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path, PurePosixPath

import pytest
import yaml

from meshc.cli.report import Format, show_problems, show_result
from meshc.disk.repository import Repository
from meshc.errors import Place, Problem, ProblemsError, Severity
from meshc.mesh import kustomizations, user_reader
from meshc.mesh.source import load
from meshc.output.kustomize import find
from meshc.pipeline import compile_mesh
from meshc.yamltext.document import Document
from meshc.yamltext.read import read
from support.nasty import KEYS, ODD_KEYS, TYPES, VALUES
from support.paths import ROOT
from support.tools import find_tool, tries

pytestmark = pytest.mark.thorough

MESHES = ["mesh.yaml", "examples/classic/mesh.yaml"]
INPUTS = ("apps", "certificates", "sealed", "patches", "extra")
LONG = os.environ.get("MESHC_TEST_LONG") == "1"
PAIRS = 4000 if LONG else tries(60)
STEP = 4 if tries(2) == 1 else 2

ENTRIES = ("removed", "twice", "another's")
KINDS = [*VALUES, *KEYS, *ODD_KEYS, *ENTRIES]
ONLY_LONG = {"absolute path", "exponent", "letter doubled", "upper case", "list of mappings"}
"""Kinds that seldom find what a like one doesn't."""

FREE_KEYS = {"labels", "matchLabels"}
"""Mappings whose keys are the user's own: any label key is right."""


class Entries(list[tuple[str, "Node"]]):
    """A mapping as it is written: a key may stand in it twice."""


class Items(list["Node"]):
    """A list."""


Reading = tuple[tuple[Document, ...], tuple[Problem, ...]]
Node = str | Entries | Items
"""A scalar is the text that stands in the file, quotes included."""
Steps = tuple[int, ...]
"""Positions from the top down, which stay apart where two keys are equal."""


@dataclass
class Text:
    """A mesh.yaml, and where the key and the value of each position stand in it."""

    lines: list[str] = field(default_factory=lambda: ["# a mesh with a fault"])
    keys: dict[Steps, tuple[int, int]] = field(default_factory=dict)
    values: dict[Steps, tuple[int, int]] = field(default_factory=dict)

    @property
    def here(self) -> tuple[int, int]:
        return len(self.lines), len(self.lines[-1]) + 1

    def __str__(self) -> str:
        return "\n".join(self.lines) + "\n"


@dataclass
class Tally:
    """How many mutations there were, and how many of them meshc refused."""

    made: int = 0
    refused: int = 0

    def __str__(self) -> str:
        return f"{self.made} mutations: {self.refused} refused, {self.made - self.refused} valid"


@dataclass(frozen=True)
class Sample:
    """A sample in a folder of its own, and its mesh.yaml as nodes."""

    tree: Node
    repository: Repository

    @property
    def paths(self) -> list[Steps]:
        return list(positions(self.tree))


@pytest.fixture(scope="module", params=MESHES)
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    find_tool("kubectl")
    source = (ROOT / request.param).parent
    work = tmp_path_factory.mktemp("sample")
    for name in INPUTS:
        if (source / name).exists():
            shutil.copytree(source / name, work / name)
    (work / ".git").mkdir()
    return Sample(nodes(yaml.compose((ROOT / request.param).read_text())), Repository.around(work))


@pytest.fixture(autouse=True)
def _files_are_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only mesh.yaml changes from one mutation to the next. What is read of the other files is remembered."""
    for module in (user_reader, kustomizations):
        monkeypatch.setattr(module, "read", remembered)


@cache
def remembered(data: bytes, file: str, *, last_wins: bool = False) -> Reading:
    return read(data, file, last_wins=last_wins)


@pytest.fixture
def told(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Iterator[Tally]:
    """Counts; `pytest -rP` and --junit-xml show them."""
    tally = Tally()
    yield tally
    record_property("mutations", tally.made)
    record_property("refused", tally.refused)
    sys.stdout.write(f"{request.node.name}: {tally}\n")


def test_a_sample_written_anew_is_the_same_mesh(sample: Sample) -> None:
    """What the other tests begin with: a text without fault, whose places are known."""
    text = laid_out(sample.tree)

    assert problems_of(str(text), sample.repository) == ()
    assert len(text.values) == len(sample.paths) + 1


@pytest.mark.parametrize("kind", [kind for kind in KINDS if LONG or kind not in ONLY_LONG])
def test_a_field_put_wrong_is_told_or_harmless(
    sample: Sample, told: Tally, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sample.repository.base)
    before = on_disk(sample.repository.base)
    for path in sample.paths if LONG else sample.paths[KINDS.index(kind) % STEP :: STEP]:
        tree = copy.deepcopy(sample.tree)
        if not mutate(tree, path, kind):
            continue
        text = laid_out(tree)
        told.made += 1

        problems = problems_of(str(text), sample.repository)

        told.refused += bool(problems)
        about = f"{kind}: {named(sample.tree, path)}"
        assert_sound(problems, text, about)
        assert_place(problems, sample.tree, text, path, kind, about)

    assert told.made >= tries(12)
    assert told.refused > 0
    assert before == on_disk(sample.repository.base)


def test_two_fields_put_wrong_at_once(sample: Sample, told: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults that meet: one hides the other or both are told, but neither makes an exception of it."""
    monkeypatch.chdir(sample.repository.base)
    before = on_disk(sample.repository.base)
    chance = random.Random(20)
    while told.made < PAIRS:
        pair = sorted(chance.sample(sample.paths, 2), reverse=True)
        kinds = [chance.choice(chance.choice((KINDS, ENTRIES))) for _ in pair]
        tree = copy.deepcopy(sample.tree)
        if pair[0][: len(pair[1])] == pair[1] or not all(map(mutate, [tree] * 2, pair, kinds)):
            continue
        text = laid_out(tree)
        told.made += 1

        problems = problems_of(str(text), sample.repository)

        told.refused += bool(problems)
        about = ", ".join(f"{kind}: {named(sample.tree, path)}" for kind, path in zip(kinds, pair, strict=True))
        assert_sound(problems, text, about)

    assert before == on_disk(sample.repository.base)


FORGED = "a\nmesh.yaml:1:1: error MESH000: forged"


@pytest.mark.parametrize("part", ["value", "key"])
def test_no_word_of_mesh_yaml_begins_a_line(sample: Sample, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who reads a report of somebody else's mesh.yaml, or a machine that does, takes each line for meshc's."""
    monkeypatch.chdir(sample.repository.base)
    monkeypatch.setitem(VALUES, "value", json.dumps(FORGED))
    monkeypatch.setitem(ODD_KEYS, "key", lambda key: json.dumps(key + FORGED))
    forged = []
    for path in sample.paths:
        tree = copy.deepcopy(sample.tree)
        if mutate(tree, path, part):
            text = str(laid_out(tree))
            problems = problems_of(text, sample.repository)
            Path("mesh.yaml").write_text(text)
            forged += [named(sample.tree, path)] * any(odd_lines(problems, printed(problems, Format.TEXT)))

    assert forged == []


def problems_of(text: str, repository: Repository) -> Sequence[Problem]:
    """What is wrong with a mesh. Anything but problems passes through, and fails the test."""
    try:
        compile_mesh(load(text.encode(), "mesh.yaml"), repository, lambda: find(repository))
    except ProblemsError as error:
        return error.problems
    return ()


# What holds of every problem.


def assert_sound(problems: Sequence[Problem], text: Text, about: str) -> None:
    """Each has a place that exists and words that fit a screen, and is printed without harm."""
    lines = re.split("\r\n|[\n\r\u0085\u2028\u2029]", str(text))
    for problem in problems:
        assert problem.what, about
        assert problem.code.id, about
        for words in (problem.what, problem.hint):
            assert len(words) <= 2000, f"{about}: {len(words)} characters: {words[:300]}"
        for place in (problem.place, *problem.also):
            assert_exists(place, lines, f"{about}: {problem}")
    if problems:
        assert any(problem.severity is Severity.ERROR for problem in problems), about
        Path("mesh.yaml").write_text(str(text))  # from which lines are shown
        assert_printable(problems, about)


def assert_exists(place: Place, lines: Sequence[str], about: str) -> None:
    if place.file == "mesh.yaml":
        assert 1 <= place.line <= len(lines), about
        assert 1 <= place.column <= len(lines[place.line - 1]) + 1, about
        return
    path = PurePosixPath(place.file)
    assert not path.is_absolute(), about
    assert ".." not in path.parts, about
    if place.line:
        assert place.line <= len(Path(place.file).read_text().splitlines()), about


LINE = re.compile(
    r"  (and here|hint): .*| {0,4}\d+ \| .*| {0,4}\d+ \|| +\| +\^"
    r"|\d+ (error|warning|notice)s?(, \d+ (warning|notice)s?)*"
    r"(; meshc validate --fix corrects \d+)?; what a code means: meshc explain MESH\d{3}"
)


def assert_printable(problems: Sequence[Problem], about: str) -> None:
    """As text, as annotations and as JSON: nothing to steer a terminal with, and no line that meshc didn't mean."""
    shown = {form: printed(problems, form) for form in Format}
    for form, text in shown.items():
        assert all(c.isprintable() or c == "\n" for c in text), f"{about}: {form}"
    assert odd_lines(problems, shown[Format.TEXT]) == [], about
    assert len(shown[Format.GITHUB].splitlines()) == len(problems), about
    assert len(json.loads(shown[Format.JSON])["problems"]) == len(problems), about


def odd_lines(problems: Sequence[Problem], text: str) -> list[str]:
    """The lines of a report that are none of meshc's."""
    starts = tuple(f"{problem.place}: {problem.severity} {problem.code.id}: " for problem in problems)
    return [line for line in text.splitlines() if not LINE.fullmatch(line) and not line.startswith(starts)]


def printed(problems: Sequence[Problem], form: Format) -> str:
    with redirect_stderr(io.StringIO()) as err, redirect_stdout(io.StringIO()) as out:
        if form is Format.JSON:
            show_result(Format.JSON, "validate", {}, problems)
        else:
            show_problems(problems, form, Path("mesh.yaml"))
    return err.getvalue() + out.getvalue()


# Where the fault is told.


def assert_place(problems: Sequence[Problem], tree: Node, text: Text, path: Steps, kind: str, about: str) -> None:
    """A key that isn't one and a value of the wrong type are told right there; what only clashes, somewhere near."""
    places = [(problem.code.id, problem.place.line, problem.place.column) for problem in problems]
    *above, key = key_names(tree, path)
    if kind == "twice" and isinstance(key, str):
        second = (*path[:-1], path[-1] + 1)
        assert ("MESH005", *text.keys[second]) in places, f"{about}: {places}"
        assert [[text.keys[path]]] == [[(p.line, p.column) for p in problem.also] for problem in problems], about
    elif kind in KEYS and not FREE_KEYS.intersection(above[-1:]):
        assert ("MESH101", *text.keys[path]) in places, f"{about}: {places}"
    elif kind in TYPES and is_wrong(kind, at(tree, path)):
        assert any(on_value(text, path, line, column, kind) for _, line, column in places), f"{about}: {places}"
    elif problems and kind != "another's" and {problem.place.file for problem in problems} == {"mesh.yaml"}:
        near = {text.values[steps][0] for steps in text.values if steps[: len(path) - 1] == path[:-1]}
        near |= {
            mark[0] for marks in (text.keys, text.values) for steps, mark in marks.items() if is_above(steps, path)
        }
        lines = {place.line for problem in problems for place in (problem.place, *problem.also)}
        elsewhere = ELSEWHERE.fullmatch(named(tree, path)) and {code for code, *_ in places} <= TOLD_ELSEWHERE
        assert near & lines or elsewhere, f"{about}: {problems}"


ELSEWHERE = re.compile(r"spec\.(overrides\.\d+(\.set.*)?|clusters\.\d+(\.name)?|security\.secrets\.directory)")
TOLD_ELSEWHERE = {"MESH106", "MESH107", "MESH211", "MESH401"}
"""What is gone has no line: a name that others use, a setting or a folder that others need. It is told at those."""


def is_wrong(kind: str, old: Node) -> bool:
    """Whether nothing of this type can stand where `old` stood."""
    if kind == "truth":
        return old not in ("true", "false")
    return kind != "number" or not (isinstance(old, str) and old.isdigit())


def on_value(text: Text, path: Steps, line: int, column: int, kind: str) -> bool:
    """At the key or the value itself; with brackets around it, perhaps at something inside."""
    wanted, at_value = text.values[path]
    exact = (line, column) in (text.keys.get(path), text.values[path])
    return exact or (("[" in TYPES[kind] or "{" in TYPES[kind]) and line == wanted and column > at_value)


def is_above(steps: Steps, path: Steps) -> bool:
    return path[: len(steps)] == steps


# mesh.yaml as nodes.


def nodes(node: yaml.Node | None) -> Node:
    if isinstance(node, yaml.MappingNode):
        return Entries((key.value, nodes(value)) for key, value in node.value)
    if isinstance(node, yaml.SequenceNode):
        return Items(nodes(item) for item in node.value)
    assert isinstance(node, yaml.ScalarNode)
    return str(node.value) if node.style is None else json.dumps(node.value)


def positions(node: Node, path: Steps = ()) -> Iterator[Steps]:
    for number, inner in enumerate(values_in(node)):
        yield (*path, number)
        yield from positions(inner, (*path, number))


def values_in(node: Node) -> list[Node]:
    return [value for _, value in node] if isinstance(node, Entries) else list(node) if isinstance(node, Items) else []


def at(node: Node, path: Steps) -> Node:
    for number in path:
        node = values_in(node)[number]
    return node


def key_names(tree: Node, path: Steps) -> list[str | int]:
    """The steps to a position as a reader would name them."""
    names: list[str | int] = []
    for number in path:
        names.append(tree[number][0] if isinstance(tree, Entries) else number)
        tree = values_in(tree)[number]
    return names


def named(tree: Node, path: Steps) -> str:
    return ".".join(map(str, key_names(tree, path)))


def mutate(tree: Node, path: Steps, kind: str) -> bool:
    """Puts one field wrong; False where this kind of fault doesn't go with it."""
    parent, number = at(tree, path[:-1]), path[-1]
    assert not isinstance(parent, str)
    if kind == "another's":
        return copy_over(tree, path)
    if kind == "removed":
        del parent[number]
    elif isinstance(parent, Items):
        if kind == "twice":
            parent.insert(number, copy.deepcopy(parent[number]))
        elif kind in VALUES:
            parent[number] = VALUES[kind]
        else:
            return False
    else:
        key, value = parent[number]
        change = (KEYS | ODD_KEYS).get(kind)
        if kind == "twice":
            parent.insert(number, (key, copy.deepcopy(value)))
        else:
            parent[number] = (change(key), value) if change else (key, VALUES[kind])
    return True


def copy_over(tree: Node, path: Steps) -> bool:
    """Gives a field the value that stands at the next key of that name: a line copied and not corrected."""
    parent, number = at(tree, path[:-1]), path[-1]
    if not isinstance(parent, Entries):
        return False
    key, value = parent[number]
    every = [*positions(tree)]
    turned = [*every[every.index(path) :], *every[: every.index(path)]]
    others = (at(tree, one) for one in turned if key_names(tree, one)[-1] == key)
    other = next((node for node in others if node != value and at(tree, path) is not node), None)
    if other is None:
        return False
    parent[number] = (key, copy.deepcopy(other))
    return True


def laid_out(tree: Node) -> Text:
    text = Text()
    lay_out(tree, text, 0, ())
    return text


def lay_out(node: Node, text: Text, indent: int, path: Steps) -> None:
    """Writes a node in block style, the first entry of a list's item beside the dash."""
    if isinstance(node, str) or not node:
        text.lines[-1] += "" if text.lines[-1].endswith("- ") else " "
        text.values[path] = text.here
        text.lines[-1] += node if isinstance(node, str) else "{}" if isinstance(node, Entries) else "[]"
        return
    for number, value in enumerate(values_in(node)):
        if number or not text.lines[-1].endswith("- "):
            text.lines.append(" " * indent)
        text.values.setdefault(path, text.here)
        if isinstance(node, Entries):
            text.keys[*path, number] = text.here
            text.lines[-1] += f"{node[number][0]}:"
        else:
            text.lines[-1] += "- "
        lay_out(value, text, indent + 2, (*path, number))


def on_disk(folder: Path) -> dict[str, str]:
    """Every file but meshc's own and the mutated mesh.yaml, with a digest of what is in it."""
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and ".meshc" not in path.parts and path != folder / "mesh.yaml"
    }
