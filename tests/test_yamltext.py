"""yamltext: every rule of its reader, and its writer byte for byte against kustomize."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from enum import StrEnum
from pathlib import Path as FilePath
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshc.errors import Exit, Place
from meshc.yamltext.document import Document
from meshc.yamltext.read import read
from meshc.yamltext.write import by_libyaml, write
from support.tools import tries


def one(text: str, *, strict: bool = False) -> Document:
    documents, problems = read(text.encode(), "f.yaml", strict=strict)
    assert problems == ()
    (document,) = documents
    return document


def faults(text: str | bytes, *, strict: bool = False) -> list[tuple[str, str, str, str]]:
    """Code, place, what and hint of each problem."""
    data = text.encode() if isinstance(text, str) else text
    _, problems = read(data, "f.yaml", strict=strict)
    for problem in problems:
        assert problem.code.exit is Exit.WRONG_INPUT
        assert "\n" not in problem.what
    return [(p.code.id, str(p.place).removeprefix("f.yaml:"), p.what, p.hint) for p in problems]


# What is read


def test_every_kind_of_value() -> None:
    text = "map: {a: 1}\nlist: [1, two]\ntext: 'x'\nint: -7\nfloat: 1.5\nbool: true\nnone: ~\nempty:\n"

    expected = {
        "map": {"a": 1},
        "list": (1, "two"),
        "text": "x",
        "int": -7,
        "float": 1.5,
        "bool": True,
        "none": None,
        "empty": None,
    }
    assert expected == one(text, strict=True).data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        ("Null", None),
        ("NULL", None),
        ("~", None),
        ("true", True),
        ("True", True),
        ("FALSE", False),
        ("0", 0),
        ("+12", 12),
        ("-0", 0),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.", 1.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1.5E-2", 0.015),
        ("tRUE", "tRUE"),
        ("2026-01-02", "2026-01-02"),
        ("1.2.3", "1.2.3"),
        ("v1", "v1"),
        ("-", ("-",)),
        ("1e400", "1e400"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_plain_scalars_follow_the_core_schema(text: str, value: object) -> None:
    found = one(f"a: {text}" if text != "-" else 'a: ["-"]', strict=True).data["a"]

    assert (value, type(value)) == (found, type(found))


@pytest.mark.parametrize(
    "text",
    ["y", "No", "on", "OFF", "010", "-00", "0_1", "1_000", "1:30", "0b1", "-0x1F", ".5_0", ".inf", "-.Inf", ".NaN"],
)
def test_what_only_old_yaml_resolves_stays_text_in_manifests(text: str) -> None:
    assert text == one(f"a: {text}").data["a"]


@pytest.mark.parametrize("text", ["y", "n", "Yes", "NO", "on", "Off"])
def test_old_switches_are_problems_in_strict_mode(text: str) -> None:
    what = f'"{text}" without quotes is true or false to older YAML parsers'
    hint = f'write "{text}" (with quotes) for the string, or true/false for a switch'

    assert [("MESH013", "2:4", what, hint)] == faults(f"b: 1\na: {text}\n", strict=True)
    assert faults(f'a: "{text}"', strict=True) == []


@pytest.mark.parametrize("text", ["010", "08", "-00", "1:30", "1_000", "1_0.5", "0b1", "-0o7", "+0x1F", "0X1F", ".5_0"])
def test_old_numbers_are_problems_in_strict_mode(text: str) -> None:
    what = f'"{text}" without quotes is another value to older YAML parsers'
    hint = f'write "{text}" (with quotes) for the string, or plain decimal digits for a number'

    assert [("MESH013", "1:4", what, hint)] == faults(f"a: {text}", strict=True)


def test_a_problem_names_the_path() -> None:
    _, (problem,) = read(b"spec:\n  clusters:\n  - a: 1\n  - enabled: no\n", "f.yaml", strict=True)

    assert problem.path == "spec.clusters[1].enabled"


def test_keys_are_their_text() -> None:
    assert one('1: a\ntrue: b\nno: c\n"null": d\n"": e\n', strict=True).data == {
        "1": "a",
        "true": "b",
        "no": "c",
        "null": "d",
        "": "e",
    }


def test_core_tags() -> None:
    text = 'a: !!str 1\nb: !!int "2"\nc: !!float 3\nd: !!bool "true"\ne: !!null ""\nf: !!map {}\ng: !!seq []\n'

    data = one(text, strict=True).data

    assert data == {"a": "1", "b": 2, "c": 3.0, "d": True, "e": None, "f": {}, "g": ()}
    assert isinstance(data["c"], float)


def test_every_document_but_the_empty_ones() -> None:
    documents, problems = read(b"---\n---\na: 1\n---\n# nothing\n---\n- 2\n...\n", "f.yaml")

    assert [document.data for document in documents] == [{"a": 1}, (2,)]
    assert problems == ()
    assert read(b"", "f.yaml") == ((), ())


def test_a_byte_order_mark_is_skipped() -> None:
    (document,), _ = read(b"\xef\xbb\xbfa: 1\n", "f.yaml")

    assert document.data == {"a": 1}
    assert Place("f.yaml", 1, 1) == document.key_place(("a",))


# Places


def test_places() -> None:
    document = one("spec:\n  clusters:\n  - name: é hub\n    ports: [80, 'x']\n    labels: {a: yes}\n    none:\n")

    clusters = ("spec", "clusters")
    assert Place("f.yaml", 1, 1) == document.place(("spec",))
    assert Place("f.yaml", 2, 3) == document.place(clusters)
    assert Place("f.yaml", 3, 5) == document.place((*clusters, 0))
    assert Place("f.yaml", 3, 11) == document.place((*clusters, 0, "name"))
    assert Place("f.yaml", 3, 5) == document.key_place((*clusters, 0, "name"))
    assert Place("f.yaml", 4, 5) == document.place((*clusters, 0, "ports"))
    assert Place("f.yaml", 4, 17) == document.place((*clusters, 0, "ports", 1))
    assert Place("f.yaml", 4, 17) == document.key_place((*clusters, 0, "ports", 1))
    assert Place("f.yaml", 5, 17) == document.place((*clusters, 0, "labels", "a"))
    assert Place("f.yaml", 3, 11) == document.place((*clusters, 0, "name", "deeper", 3))
    assert Place("f.yaml", 3, 5) == document.key_place((*clusters, 0, "missing"))
    assert Place("f.yaml", 1, 1) == document.place(("nowhere",))
    assert {(*clusters, 0, "ports", 0): "80", (*clusters, 0, "none"): ""} == document.texts


def test_the_place_in_an_empty_index_is_the_start() -> None:
    assert Place("f.yaml", 1, 1) == Document(None, "f.yaml", {}, {}, {}).place(("a",))


def test_columns_count_characters() -> None:
    assert Place("f.yaml", 1, 10) == one("漢😀é: {a: 1}").place(("漢😀é", "a"))
    assert Place("f.yaml", 1, 6) == one("漢😀é: 1").place(("漢😀é",))


def test_aliases_and_merge_keys_are_expanded() -> None:
    text = "a: &a {x: 1, y: {z: 2}}\nb: *a\nc:\n  <<: *a\n  x: 3\nd: {<<: [{x: 4}, *a]}\n"

    document = one(text)

    whole = {"x": 1, "y": {"z": 2}}
    assert {"a": whole, "b": whole, "c": {**whole, "x": 3}, "d": {**whole, "x": 4}} == document.data
    assert Place("f.yaml", 2, 1) == document.place(("b",))
    assert Place("f.yaml", 2, 4) == document.place(("b", "x"))
    assert Place("f.yaml", 5, 6) == document.place(("c", "x"))
    assert Place("f.yaml", 1, 14) == document.place(("c", "y"))
    assert document.texts[("b", "x")] == "1"
    assert ("c", "<<") not in document.keys
    assert one("'<<': 1", strict=True).data == {"<<": 1}


def test_an_alias_may_be_a_key_and_anchors_may_move() -> None:
    assert one("&a k: *a\n").data == {"k": "k"}
    assert one("x: &a k\n*a : 1\n").data == {"x": "k", "k": 1}
    assert one("[&a 1, &a 2, *a]").data == (1, 2, 2)


# What is refused


def test_text_that_is_no_utf_8() -> None:
    hint = "save the file as UTF-8"

    what = "the text is not UTF-8: it contains the byte 0xff"
    assert [("MESH003", "2:5", what, hint)] == faults("a: 1\nb: é".encode() + b"\xff")
    what = "the text is UTF-16, not UTF-8"
    assert [("MESH003", "1:1", what, hint)] == faults("a: 1".encode("utf-16"))


def test_characters_that_yaml_does_not_allow() -> None:
    what = "the character U+0000 isn't allowed in YAML"
    hint = "remove it, or write \\u0000 inside double quotes"
    assert [("MESH004", "2:4", what, hint)] == faults("a: 1\nb: \0")
    assert faults('"\x1b"')[0][2] == "the character U+001B isn't allowed in YAML"


@pytest.mark.parametrize(
    ("text", "place"), [("a:\n\tb: 1\n", "2:1"), ("a:\n  b: 1\n\tc: 2\n", "3:1"), ("a: |\n\tb\n", "2:1")]
)
def test_tabs(text: str, place: str) -> None:
    assert ("MESH002", place, "a tab is used for indentation", "use spaces") in faults(text)


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("a: b: c", "1:5", "mapping values are not allowed in this context"),
        ("a: [1,\n", "2:1", "while parsing a flow node, did not find expected node content"),
        ("a: 1\n b: 2\n- c", "2:3", "mapping values are not allowed in this context"),
        ("a: 'x\n", "2:1", "while scanning a quoted scalar, found unexpected end of stream"),
        ("a: @x", "1:4", "while scanning for the next token, found character that cannot start any token"),
        ("a: 1\nb\nc: 2", "3:1", "while scanning a simple key, could not find expected ':'"),
    ],
)
def test_other_syntax(text: str, place: str, what: str) -> None:
    hint = "check the indentation, and look for quotes and brackets that aren't closed"

    assert [("MESH001", place, what, hint)] == faults(text)


def test_a_syntax_problem_also_shows_where_it_began() -> None:
    _, (problem,) = read(b"a: 'x\n", "f.yaml")

    assert (Place("f.yaml", 1, 4),) == problem.also


def test_documents_before_a_syntax_problem_are_kept() -> None:
    documents, problems = read(b"a: 1\n---\nb: ]\n", "f.yaml")

    assert [document.data for document in documents] == [{"a": 1}]
    assert len(problems) == 1


def test_duplicate_keys() -> None:
    _, (problem,) = read(b"spec:\n  a: 1\n  'a': 2\n", "f.yaml")

    assert (
        problem.code.id,
        problem.what,
        problem.hint,
    ) == ("MESH005", 'the key "a" is here twice', "keep one of the two")
    assert Place("f.yaml", 3, 3) == problem.place
    assert (Place("f.yaml", 2, 3),) == problem.also
    assert problem.path == "spec.a"


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("a: 1\n~: 2", "2:1", "a key is empty or null"),
        ("? \n: 2", "1:2", "a key is empty or null"),
        ("? [a]\n: 2", "1:3", "a key is not a text"),
        ("? {a: 1}\n: 2", "1:3", "a key is not a text"),
        ("- &a [1]\n- *a : 2", "2:3", "a key is not a text"),
    ],
)
def test_keys_that_are_no_text(text: str, place: str, what: str) -> None:
    hint = "write a string as the key, in quotes if needed"
    hint += "; a template ({{ }}) is rendered first" if "{" in text else ""

    assert [("MESH006", place, what, hint)] == faults(text)


def test_merge_keys_are_a_problem_in_strict_mode() -> None:
    what, hint = 'merge keys ("<<") are not supported here', "write the keys out"

    assert [("MESH007", "2:5", what, hint)] == faults("a: &a {x: 1}\nb: {<<: *a}", strict=True)


def test_a_merge_key_needs_mappings() -> None:
    what = 'the value of a merge key ("<<") is neither a mapping nor a list of mappings'

    assert [("MESH007", "1:6", what, "write the keys out")] == faults("{<<: 1}")
    assert [("MESH007", "1:6", what, "write the keys out")] == faults("{<<: [{a: 1}, 2]}")


def test_aliases_that_lead_nowhere() -> None:
    hint = "write the value out"

    what = 'the alias "*b" names an unknown anchor'
    assert [("MESH008", "1:4", what, hint)] == faults("a: *b")
    what = 'the alias "*a" is inside the value that it names'
    assert [("MESH008", "1:8", what, hint)] == faults("a: &a [*a]")
    assert [code for code, *_ in faults("a: &a 1\n---\nb: *a\n")] == ["MESH008"]


def bomb(levels: int) -> str:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(("strict", "limit", "place"), [(True, 200_000, "6:"), (False, 500_000, "6:")])
def test_an_alias_bomb_is_refused_at_once(strict: bool, limit: int, place: str) -> None:
    begin = time.perf_counter()

    ((code, where, what, hint),) = faults(bomb(10), strict=strict)

    assert time.perf_counter() - begin < 0.2
    assert ("MESH010", f"more than {limit} values, with aliases written out") == (code, what)
    assert hint == "use fewer aliases, or split the file"
    assert where.startswith(place)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[" * 100_000, "1:65"),
        ("{a: " * 100_000, "1:257"),
        ("- " * 100_000, "1:129"),
        ("? " * 100_000, "1:129"),
        ("[{" * 50_000, "1:65"),
        ("[\n" * 100_000, "65:1"),
        ("a:\n  b: [c, " + "[" * 2_000, "2:71"),
        ("a: [b, " + "{" * 2_000, "1:70"),
        ("? " + "[" * 2_000, "1:66"),
        ("é: [" + "x" * 100_000 + ", " + "[" * 2_000, "1:100069"),
        ("[" * 60 + '\n"[[[[[[", # [[[[[[\n' + "[" * 2_000, "3:5"),
    ],
    ids=lambda text: text[:20],
)
def test_deep_nesting_is_refused_at_once(text: str, place: str) -> None:
    begin = time.perf_counter()

    found = faults(text)

    assert [("MESH011", place, "more than 64 nested collections", "use fewer levels of nesting")] == found
    assert time.perf_counter() - begin < 0.2


@pytest.mark.parametrize(
    "text",
    [
        "[" * 64 + "]" * 63,
        'a: "' + "[" * 2_000,
        "- |\n  " + "[" * 2_000 + "\n- ]",
        "# " + "[" * 2_000 + "\na: ]",
        "a: b" + "[" * 2_000 + ": c: d",
    ],
    ids=lambda text: text[:10],
)
def test_brackets_that_open_nothing_are_not_nesting(text: str) -> None:
    assert [code for code, *_ in faults(text)] == ["MESH001"]


@pytest.mark.parametrize("text", ["[" * 64 + "]" * 64, "a: '" + "[" * 2_000 + "'", "a: b" + "[" * 2_000])
def test_what_is_just_flat_enough_is_read(text: str) -> None:
    assert faults(text) == []


def test_aliases_count_for_the_depth() -> None:
    lines = ["a0: &a0 [1]"] + [f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 70)]

    assert [code for code, *_ in faults("\n".join(lines))] == ["MESH011"]
    assert faults("[" * 64 + "]" * 64) == []


def test_large_files() -> None:
    data = b"#" * ((2 << 20) + 1)

    what = "2097153 bytes are more than meshc reads (2 MiB)"
    assert [("MESH009", "1:1", what, "split the file")] == faults(data, strict=True)
    assert faults(data) == []
    assert [code for code, *_ in faults(data * 4)] == ["MESH009"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("!foo x", 'the tag "!foo" is not supported here'),
        ("! x", 'the tag "!" is not supported here'),
        ("!foo {}", 'the tag "!foo" is not supported here'),
        ("!!binary aGk=", 'the tag "!!binary" is not supported here'),
        ("!!set {a}", 'the tag "!!set" is not supported here'),
        ("!!python/object/apply:os.system [x]", 'the tag "!!python/object/apply:os.system" is not supported here'),
        ("!!int x", 'the tag "!!int" does not fit its value'),
        ("!!bool yes", 'the tag "!!bool" does not fit its value'),
        ("!!map []", 'the tag "!!map" does not fit its value'),
        ("!!str {}", 'the tag "!!str" does not fit its value'),
    ],
)
def test_tags(text: str, what: str) -> None:
    assert [("MESH012", "1:4", what, "remove the tag, or put the string in quotes")] == faults(f"a: {text}")


@pytest.mark.parametrize("text", ["", "\n", "# only words\n", "---\n---\n"])
def test_strict_wants_a_document(text: str) -> None:
    assert faults(text, strict=True) == [("MESH014", "1:1", "the file is empty", "restore the file, or run meshc init")]


def test_strict_wants_one_document() -> None:
    hint = 'keep one document in the file: remove the line "---" and everything after it'

    assert [("MESH015", "3:1", "a second document begins here", hint)] == faults(
        "a: 1\n---\nb: 1\n---\nc: 1\n", strict=True
    )
    assert one("---\n---\na: 1\n---\n", strict=True).data == {"a": 1}


def test_all_problems_are_found_in_one_go_up_to_a_hundred() -> None:
    text = "a: no\na: 1\nb: !x 1\nc: *d\nd: {~: 1}\n"

    assert [code for code, *_ in faults(text, strict=True)] == [
        "MESH013",
        "MESH005",
        "MESH012",
        "MESH008",
        "MESH006",
    ]
    assert len(faults("a: 1\n" * 1000)) == 100


@settings(deadline=None, max_examples=tries(300))
@given(st.binary(max_size=400), st.booleans())
def test_reading_never_raises_on_bytes(data: bytes, strict: bool) -> None:
    documents, problems = read(data, "f.yaml", strict=strict)

    assert all(problem.place.line >= 1 and problem.place.column >= 1 for problem in problems)
    assert not strict or len(documents) == 1 or problems


BITS = "a|b: |- |? |: |\n|\n  |\t|&x |*x|<<: |[|]|{|}|, |!!int |!|'|\"|>-\n|---\n|...\n|# |~|no|010|1e9|null|@"
MORE_BITS = [
    "0x_",
    ".",
    "`",
    "|\n",
    "%YAML 1.1\n",
    "\r",
    "\x85",
    "\u2028",
    "\ufeff",
    "é",
    "😀",
    "\\x",
    "!<tag:yaml.org,2002:str> ",
]
YAML_BITS = st.lists(st.sampled_from([*BITS.split("|"), *MORE_BITS]), max_size=40).map("".join)


@settings(deadline=None, max_examples=tries(1500))
@given(YAML_BITS | st.text(max_size=100), st.booleans())
def test_reading_never_raises_on_text(text: str, strict: bool) -> None:
    documents, problems = read(text.encode(errors="surrogatepass"), "f.yaml", strict=strict)

    assert all(problem.place.line >= 1 and problem.place.column >= 1 for problem in problems)
    for document in documents:
        for path in (*document.values, *document.texts, *document.keys):
            assert document.place(path).line >= 1


# What is written


class Colour(StrEnum):
    RED = "red"


def test_the_style() -> None:
    body = {
        "k10": [1, [2, {"b": 1, "a": ()}], {}],
        "k2": {"on": "off", "quoted": "a: b", "empty": "", "none": None, "t": True},
        "_": "one\ntwo\n",
        "colour": Colour.RED,
        "long": "word " * 18 + "end",
        "numbers": (1.0, 1e6, 0.1, 1234567.5, 1e21, 1e-7, -0.0, 2**64 - 1, 2**64, -(2**63)),
    }

    expected = """\
_: |
  one
  two
colour: red
k2:
  empty: ""
  none: null
  "on": "off"
  quoted: 'a: b'
  t: true
k10:
- 1
- - 2
  - a: []
    b: 1
- {}
long: word word word word word word word word word word word word word word word word
  word word end
numbers:
- 1
- 1000000
- 0.1
- 1.2345675e+06
- 1e+21
- 1e-07
- 0
- 18446744073709551615
- 1.8446744073709552e+19
- -9223372036854775808
"""
    assert expected == write(body)


def test_equal_parts_are_written_out() -> None:
    part = {"a": [1]}

    assert "x:\n  a:\n  - 1\n'y':\n".replace("'", '"') + "  a:\n  - 1\n" == write({"x": part, "y": part})


def test_a_key_like_a_merge_key_does_not_merge() -> None:
    assert write({"<<": "<<"}) == '"<<": <<\n'
    assert one(write({"<<": "<<"})).data == {"<<": "<<"}


@pytest.mark.parametrize(
    "body",
    [
        {1: 2},
        {"a": {1: 2, "b": 1}},
        {None: 1},
        {"a": {1}},
        {"a": b"x"},
        {"a": object()},
        {"a": float("nan")},
        {"a": float("-inf")},
        {"a": chr(0xD800)},
        {"a": 10**400},
        [1],
        "text",
        None,
        {"a": time.gmtime},
    ],
)
def test_what_json_does_not_have(body: Any) -> None:
    with pytest.raises(TypeError):
        write(body)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    # A whole float beyond 2**53 is written with the fewest digits, which are another number's.
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not 2**53 < abs(x) < 2**64)
    | st.text(max_size=30)
    | YAML_BITS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10) | YAML_BITS, inner, max_size=4),
    max_leaves=15,
)


@pytest.mark.thorough
@settings(deadline=None, max_examples=tries(500))
@given(st.dictionaries(st.text(max_size=10), JSON, max_size=4))
def test_what_is_written_reads_back(body: dict[str, Any]) -> None:
    for strict in (True, False):
        documents, problems = read(write(body).encode(), "f.yaml", strict=strict)

        assert problems == ()
        assert [frozen(body)] == [document.data for document in documents]


def frozen(value: Any) -> Any:
    """The value with tuples for lists."""
    if isinstance(value, dict):
        return {key: frozen(entry) for key, entry in value.items()}
    return tuple(map(frozen, value)) if isinstance(value, list) else value


# The writer against kustomize itself

WORD_LIST = """
y Y yes Yes YES n N no No NO true True TRUE false off Off OFF on On ON null Null NULL ~ = << - -- --- ...
. .. ? ! & * | > % @ ` [ ] { } , : # a: :a a:b #a a#b 'a a= =a !a &a *a a&b 010 0o17 0x1F 0X1f 0b1 0B1
1_000 _1 1_ 1__0 1:30 1:60 190:20:30 1:30.5 12:34: 0:0 00:11:22:33:44:55 1.2.3.4 v1 1.30 1 -1 +1 1.0 -1.5
1. .5 +.5 -.5 1e3 1E3 1e+3 1.5e-3 .1e3 0 00 08 09 -0 +0 0. 0x 0b 0o 0b2 089 -0x1F +0b1 -0o7 0_1 .inf .Inf
-.inf +.INF .nan .NaN +.nan NaN inf 1e 1e+ --1 +-1 1e400 1e-400 0x1_F 1_0.5 1_0e5 1e1_0 .5_0 .5_ .5__0
.5e1_0 .5e_1 ._5 .e3 .5e400 .5p3 0x1.8p3 -_1 +_ 9223372036854775808 18446744073709551616
0xFFFFFFFFFFFFFFFF 0x1FFFFFFFFFFFFFFFF -0x8000000000000001 -0x8000000000000000 0777777777777777777777
2026-01-02 2026-1-2 2026-13-02 2026-02-30 2024-02-29 2023-02-29 0000-02-29 12345-01-01 02026-01-02
2026-01-02T03:04:05Z 2026-01-02T03:04:05.5+01:00 2026-01-02t3:4:5Z 2026-01-02T03:04:05
2026-01-02T25:04:05Z 2026-01-02T03:04:60Z 2026-01-02T03:04:05,5Z 2026-01-02T03:04:05z 2026-01-02T03:04Z
2026-01-02T03:04:05-24:60 2026-01-02T03:04:05-25:00 2026-01-02T03:04:05+0100
"""
WORDS = [
    *WORD_LIST.split(),
    "2026-01-02 03:04:05",
    "2026-01-02   3:4:5.123",
    "2001-12-14 21:59:43.10 -5",
    "2026-01-02 ",
]
SIGNS = "a bc word longerword 1 2 : # - ' \" \\ ~ ! % @ ` { } [ ] , & * ? | > = < / ."
SPACES = [" ", "  ", ": ", " #", "- ", "\n", "\n\n", "\t", "\r", "\r\n", "\xa0", "\u200b"]
# kustomize can't carry these: U+007F to U+009F without U+0085, U+FFFE and U+FFFF ("control characters are not
# allowed"), surrogate pairs in JSON. It writes U+0085 raw, which reads back as a blank, the byte order mark
# with an escape more than libyaml, and leaves out the indent before the quote after a final U+2028 or U+2029.
PARTS = [
    *SIGNS.split(),
    *SPACES,
    *["é", "漢字", "😀", "\ufffd", "\x00", "\x07", "\x1b", "\u2028a", "\u2029.", "x" * 30],
]


LETTERS = "abzAZ0159/_.-:"
TAME = [word for word in WORDS if re.fullmatch("[A-Za-z0-9/_.:-]+", word)]


class Nasty:
    """Objects that try a writer of YAML, the same ones for the same seed. Some are tame: words without blanks."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.tame = False

    def text(self) -> str:
        pick, kind = self.random, self.random.random()
        if self.tame:
            return pick.choice(TAME) if kind < 0.7 else "".join(pick.choices(LETTERS, k=pick.randint(1, 120)))
        if kind < 0.25:
            return pick.choice(WORDS)
        if kind < 0.3:
            return ""
        if kind < 0.4:
            words = ["alpha", "be", "gamma,", "delta:", "x", "#", "'q'", "漢", "http://a.b/c", "-", "1"]
            return " ".join(pick.choices(words, k=pick.randint(5, 60)))
        if kind < 0.45:
            return "x" * pick.randint(60, 200) + pick.choice(["", " ", "\n"])
        if kind < 0.6:
            words = ["a", "key:", "- b", "", "  c", "#d", "word"]
            lines = [" ".join(pick.choices(words, k=pick.randint(0, 5))) for _ in range(pick.randint(1, 6))]
            return "\n".join(lines) + pick.choice(["", "\n", "\n\n"])
        return "".join(pick.choices(PARTS, k=pick.randint(1, 8)))

    def key(self) -> str:
        while self.tame:
            made = self.random.choice(["k", "a", "A", "z", "app.io/", "x-"]) + self.text()
            if len(made) <= 100 and not re.search(r"\d[^\W\d_]|\d{19}", made):
                return made
        while True:
            starts = ["k", "a", "b_", "A", "z", "é", "app.io/", "x-"]
            ends = ["", "1", "2", "10", "02", "_", "a", "-b", ".c", "漢"]
            common = self.random.choice(starts) + self.random.choice(ends)
            made = common if self.random.random() < 0.4 else self.text()
            # kustomize loses the quotes of "<<" and merges. Its order of keys has cycles, and then changes
            # from run to run, where a letter follows a digit and where 19 digits overflow.
            if made != "<<" and not re.search(r"\d[^\W\d_]|\d{19}", made):
                return made

    def annotation(self) -> tuple[str, str]:
        while True:
            # kustomize fails on annotations whose key is empty or, without its quotes, no text (1e3, true),
            # and on those whose value begins with a tab and holds a line break.
            key, value = "k" + self.key(), self.text()
            if not (value.startswith("\t") and "\n" in value):
                return key, value

    def number(self) -> int | float:
        pick, kind = self.random, self.random.random()
        if kind < 0.3:
            return pick.randint(-1000, 1000)
        if kind < 0.5:
            return pick.randint(-(2**63), 2**64 - 1)
        if kind < 0.6:
            return pick.choice([2**63, 2**64 - 1, 2**64, 10**20, 10**19, -(2**63), -(2**63) - 1, 123 * 10**40])
        if kind < 0.7:
            edges = [
                1.0,
                -0.0,
                0.1,
                1e5,
                1e6,
                1e15,
                1e16,
                1e17,
                1e18,
                1e19,
                1e20,
                1e21,
                1e22,
                1e-4,
                1e-5,
                1e-6,
                1e-7,
            ]
            return pick.choice([*edges, 123456.5, 1234567.5, 999999.9, 2.0**53, 2.0**63, 2.0**64, 5e-324, 1.7e308])
        return pick.uniform(-1, 1) * 10.0 ** pick.randint(-12, 30)

    def value(self, depth: int) -> Any:
        pick, kind = self.random, self.random.random()
        if depth and kind < 0.25:
            return {self.key(): self.value(depth - 1) for _ in range(pick.randint(0, 5))}
        if depth and kind < 0.45:
            return [self.value(depth - 1) for _ in range(pick.randint(0, 4))]
        if kind < 0.55:
            return pick.choice([True, False, None])
        return self.number() if kind < 0.65 else self.text()

    def thing(self, name: str) -> dict[str, Any]:
        metadata = {"name": name}
        self.tame = self.random.random() < 0.5
        return {"apiVersion": "example.org/v1", "kind": "Thing", "metadata": metadata, "spec": self.value(4)}

    def config_map(self, name: str) -> dict[str, Any]:
        self.tame = False
        annotations = dict(self.annotation() for _ in range(self.random.randint(1, 4)))
        data = {self.key(): self.text() for _ in range(self.random.randint(1, 5))}
        metadata = {"name": name, "annotations": annotations}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def kustomize(folder: FilePath, *documents: str) -> list[str]:
    """What kustomize makes of the documents, each in the order given."""
    beside = FilePath(sys.executable).parent
    kubectl = shutil.which("kubectl", path=os.pathsep.join([str(beside), os.environ.get("PATH", "")]))
    if kubectl is None:
        assert not os.environ.get("CI"), "CI must bring kubectl"
        pytest.skip("kubectl is not installed")
    (folder / "all.yaml").write_text("---\n".join(documents), encoding="utf-8", newline="")
    (folder / "kustomization.yaml").write_text("resources: [all.yaml]\nsortOptions: {order: fifo}\n")
    done = subprocess.run([kubectl, "kustomize", str(folder)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return re.split(r"^---\n", done.stdout.decode(), flags=re.MULTILINE)


def as_json(body: dict[str, Any]) -> str:
    """JSON as kustomize reads it: no pairs of surrogates, and no raw line separators."""
    text = json.dumps(body, ensure_ascii=False)
    return re.sub("[\u2028\u2029]", lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"


SEEDS = range(20260102, 20260102 + (100 if os.environ.get("MESHC_TEST_LONG") == "1" else 1))


@pytest.mark.thorough
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("form", [as_json, write], ids=["json", "own"])
def test_kustomize_writes_the_same_bytes(form: Any, seed: int, tmp_path: FilePath) -> None:
    nasty = Nasty(seed)
    bodies = [nasty.thing(f"n{i}") if i % 2 else nasty.config_map(f"n{i}") for i in range(1500)]

    written = kustomize(tmp_path, *map(form, bodies))

    for body, theirs in zip(bodies, written, strict=True):
        assert theirs == write(body)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_written_at_once_is_what_libyaml_writes(seed: int) -> None:
    nasty = Nasty(seed)
    bodies = [nasty.thing(f"n{i}") for i in range(4000)]

    with patch("meshc.yamltext.write.by_libyaml") as asked:
        asked.return_value = ""
        at_once = [body for body in bodies if write(body)]
    assert len(at_once) > 600
    for body in at_once:
        assert write(body) == by_libyaml(body)


def test_the_order_of_keys_is_kustomizes(tmp_path: FilePath) -> None:
    # Two keys have no cycle: here a letter may follow a digit.
    pairs = [
        ("1a", "12"),
        ("k1a", "k10"),
        ("a10", "a1b"),
        ("10", "9"),
        ("01", "1"),
        ("001", "01"),
        ("1-", "12"),
    ]
    pairs += [
        ("a_b", "aBc"),
        ("é", "z"),
        ("漢", "_"),
        ("a0b", "a00b"),
        ("10", "1"),
        ("99999999999999999999", "1"),
    ]
    bodies = [
        {
            "apiVersion": "example.org/v1",
            "kind": "Thing",
            "metadata": {"name": f"n{i}"},
            "spec": dict.fromkeys(pair, 1),
        }
        for i, pair in enumerate(pairs)
    ]

    written = kustomize(tmp_path, *map(as_json, bodies))

    assert written == [write(body) for body in bodies]
