"""A patch's target finds what kustomize's own code finds by it, and is refused where kustomize refuses it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from meshc.overlays.marks import Marks
from meshc.overlays.selectors import parse_selector
from meshc.overlays.targets import read_target
from support.go_tool import run_go_tool

pytestmark = pytest.mark.thorough

NAMES: tuple[str, ...] = (
    *("", "a", "b", "ab", "aab", "abc", "A", "K", "\u212a", "s", "\u017f", "1", "\u0661", "_", "-", "a-b", "a b"),
)
NAMES += ("a\nb", "\n", "\v", "é", "É", "日本", "istio-sidecar-injector", "a" * 40, "a.b", "a,b", "{", "a{,2}", "x)|(y")
PATTERNS = (
    *("([a-z-]+)+[A-Z]", "(a|a)*b", "a|ab", "a)|(b", "x)|(y", "^a$", "\\Aa\\z", "a\\Z", "(?i)k", "(?i)S", "(?i:a)b"),
    *("\\d", "\\w+", "\\s", "\\S+", "[[:digit:]]", "[[:^alpha:]]", "[[:foo:]]", "[[:space:]]", "\\pN", "\\p{L}+"),
    *("\\p{Greek}", "\\PL", "\\p{^L}", "\\p{Foo}", "\\Qa.b\\E", "\\Qa", "\\Q\\E", "a\\Q", "(?P<n>a)", "(?<n>a)"),
    *("(?P<é>a)", "(?P<n>a)(?P<n>b)", "(?P=n)", "(a)\\1", "a(?=b)", "(?<=a)b", "a++", "a*+", "a**", "a??", "a{2}{3}"),
    *(
        "a{1000}",
        "a{1001}",
        "(a{40}){40}",
        "a{,2}",
        "a{2,1}",
        "{2}",
        "*",
        "+a",
        "()",
        "(|a)*",
        "^*",
        "\\b+",
        "(?:)",
        "(",
    ),
    *("[", "[]", "[]a]", "[^]a]", "[a-", "[b-a]", "[a-b-c]+", "[a-\\d]", "[\\d-a]", "\\C", "\\\\C", "\\Q\\C\\E", "\\8"),
    *("\\07", "\\141", "\\x61", "\\x{e9}", "\\x{110000}", "\\xZ", "\\", "\\-", "\\_", "\\é", "\\ ", "(?s).", ".", ".*"),
    *("(?m)^b$", "(?m)a$(?s).*", "(?U)a+", "(?x)a b", "(?i", "(?-i)a", "(?i-i)A", "(?a)a", "(?#a)", "\\Ba", "\\ba"),
    *(
        "[^a]",
        "(?i)[^k]",
        "(?i)\\W",
        "(?i)[a-z]+",
        "[日-本]+",
        "a\\\n",
        "\\h",
        "\\R",
        "\\X",
        "\\K",
        "[a&&b]",
        "[[:word:]]+",
    ),
    *("(" * 200 + "a" + ")" * 200, "a" * 3000, "(a|b)" * 200, "\\pL{500}", "(?:\\pL{30}){30}", "[[:alpha:]", "[[a]"),
)
STRICTER = ("\\p{Letter}", "\\p{lu}", "(" * 201 + "a" + ")" * 201)
"""Patterns that some versions of Go take and RE2 doesn't, which a person has to write otherwise."""
PIECES = (
    *"ab()|*+?[]{}^$.-\\1,AkK",
    "(?:",
    "(?i)",
    "{2}",
    "{1,}",
    "[^",
    "[a-",
    "\\d",
    "\\W",
    "\\b",
    "\\Q",
    "\\E",
    "\\pL",
)
WORDS: tuple[str, ...] = (
    *("a", "b", "in", "notin", "=", "==", "!=", "!", "(", ")", ",", "<", ">", " ", "\t", "\n", "1", "007"),
)
WORDS += ("x/y", "X/y", "a/b/c", "-a", "a-", "é", "/", "99999999999999999999", "a" * 64, "\u3000", "'", "x.y/z")
LABELS: tuple[dict[str, str], ...] = (
    {},
    {"a": "b"},
    {"a": "", "b": "1"},
    {"a": "1", "in": "a", "x/y": "in"},
    {"a": "8", "notin": "notin"},
    {"a": "-1", "b": "b"},
    {"a": "99999999999999999999", "b": "0" * 30 + "2"},
)
SELECTORS = (
    *(
        "",
        " ",
        "\t\n",
        "a",
        "!a",
        "! a",
        "!!a",
        "a,",
        ",a",
        "a,,b",
        "a b",
        "a=b",
        "a==b",
        "a = b",
        "a!=b",
        "a!b",
        "a===b",
    ),
    *(
        "!a=b",
        "!a,",
        "a=",
        "a=,b",
        "a!=",
        "a in (b)",
        "a in(b)",
        "a in (b",
        "a in b",
        "a in ()",
        "a in (,)",
        "a in (,,)",
    ),
    *(
        "a in (b,)",
        "a in (,b)",
        "a in (b,,1)",
        "a in (b,,)",
        "a in (b,,,1)",
        "a in (b 1)",
        "a in (in,notin)",
        "in in (a)",
    ),
    *(
        "notin notin (notin)",
        "a notin (b)",
        "a notin (b),a",
        "c notin (b)",
        "c!=b",
        "a notin ()",
        "a>1",
        "a > 007",
        "a<9",
    ),
    *("a<-1", "a>b", "a>", "a>1.5", "a>99999999999999999999", "a<1,a>1", "a>=1", "a=>1", "(a)", "a)", "x/y", "x/y=in"),
    *(
        "X/y",
        "x//y",
        "/y",
        "x/",
        "a=x/y",
        "a=-b",
        "a=b-",
        "a=b_c.d-e",
        "é",
        "a=é",
        "a\u00a0=b",
        "a=" + "b" * 63,
        "_",
        "a=_",
    ),
    *(
        "a=" + "b" * 64,
        "a" * 63,
        "a" * 64,
        "p" * 253 + "/a",
        "p" * 254 + "/a",
        "a='b'",
        'a="b"',
        "a;b",
        "a in (b)," * 3,
    ),
)


def asked(questions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    said = run_go_tool("targets", stdin=json.dumps(questions))
    assert said.returncode == 0, said.stderr
    answers = json.loads(said.stdout)
    assert len(answers) == len(questions)
    return list(answers)


def made(pieces: Sequence[str], number: int) -> Iterable[str]:
    chance = random.Random(f"targets {pieces[0]}")
    return ("".join(chance.choices(pieces, k=chance.randint(1, 9))) for _ in range(number))


def named(pattern: str) -> list[bool] | None:
    try:
        target = read_target({"name": pattern})
    except ValueError:
        return None
    return [target.names({"metadata": {"name": name}}) for name in NAMES]


def labelled(selector: str) -> list[bool] | None:
    try:
        requirements = parse_selector(selector)
    except ValueError:
        return None
    return [Marks(labels, {}).may_have(requirements, "labels") for labels in LABELS]


def test_names_are_found_as_kustomize_finds_them() -> None:
    patterns = sorted({*PATTERNS, *made(PIECES, 3000)} - {""})
    answers = asked([{"Pattern": pattern, "Names": NAMES} for pattern in patterns])
    differ = [pattern for pattern, said in zip(patterns, answers, strict=True) if named(pattern) != said["Matched"]]
    assert not differ
    assert sum(said["Matched"] is None for said in answers) > 300
    assert sum(any(said["Matched"] or ()) for said in answers) > 150


def test_what_is_stricter_than_go_is_refused() -> None:
    assert [named(pattern) for pattern in STRICTER] == [None] * len(STRICTER)


def test_selectors_are_read_as_kustomize_reads_them() -> None:
    selectors = sorted({*SELECTORS, *made(WORDS, 4000)})
    answers = asked([{"Selector": selector, "Labels": LABELS} for selector in selectors])
    differ = [text for text, said in zip(selectors, answers, strict=True) if labelled(text) != said["Matched"]]
    assert not differ
    assert sum(said["Matched"] is None for said in answers) > 300
    assert sum(any(said["Matched"] or ()) for said in answers) > 50


KINDS = (
    *(("v1", kind) for kind in ("Namespace", "Node", "PersistentVolume", "Pod", "Service", "Secret", "namespace")),
    *((f"rbac.authorization.k8s.io/{version}", "ClusterRole") for version in ("v1", "v1beta1", "v1alpha1")),
    *((f"admissionregistration.k8s.io/v1{stage}", "ValidatingAdmissionPolicy") for stage in ("", "beta1")),
    *((f"admissionregistration.k8s.io/v1{stage}", "MutatingWebhookConfiguration") for stage in ("", "beta1")),
    *((f"flowcontrol.apiserver.k8s.io/v1{stage}", "FlowSchema") for stage in ("", "beta1", "beta3")),
    *((f"{group}.k8s.io/v1", kind) for group, kind in (("storage", "StorageClass"), ("networking", "IngressClass"))),
    *(("v2", "Namespace"), ("", "Namespace"), ("gateway.networking.k8s.io/v1", "GatewayClass"), ("a/v1", "Node")),
)


def test_a_cluster_scoped_object_has_the_namespace_that_kustomize_gives_it() -> None:
    (said,) = asked([{"Kinds": KINDS}])
    for (version, kind), namespace in zip(KINDS, said["Namespaces"], strict=True):
        body = {"apiVersion": version, "kind": kind, "metadata": {"name": "a"}}
        found = {one for one in ("default", "_non_namespaceable_") if read_target({"namespace": one}).names(body)}
        assert found == {namespace}, (version, kind)
