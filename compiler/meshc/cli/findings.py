"""Writes the findings of a command in the formats of code hosts and CI systems, from its JSON document.

SARIF 2.1.0 (OASIS), JUnit's XML as Jenkins and GitLab read it, and GitLab's code quality report. All three contain the
same findings: problems, dangers of a diff, files that are not up to date, and the error that ended a command.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

from meshc.codes import every_code
from meshc.errors import Rewrite
from meshc.plain import plain
from meshc.version import __version__
from meshc.yamltext.document import Mark
from meshc.yamltext.rewrite import spans, written

_ERROR = "command-failed"
_STALE = "out-of-step"
_RULES: Mapping[str, str] = MappingProxyType(
    {_ERROR: "the command failed", _STALE: "a file isn't as it would be compiled"}
)
"""The rules for findings without a code."""
_LEVELS = {"error": "error", "warning": "warning", "notice": "note"}
_SEVERITIES = {"error": "critical", "warning": "minor", "notice": "info"}
_CONTROL = dict.fromkeys((*range(9), 11, 12, *range(14, 32)), "?")
"""Characters that XML 1.0 doesn't allow. `plain` has already escaped all of them."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """The fix of a finding: `text` replaces the characters from its column up to `end`."""

    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault. `file` is relative to the top of the repository; line 0 means the whole file."""

    rule: str
    severity: str
    file: str
    line: int
    column: int
    what: str
    hint: str
    fix: Replacement | None = None

    @property
    def text(self) -> str:
        return f"{self.what}\nhint: {self.hint}" if self.hint else self.what

    @property
    def fingerprint(self) -> str:
        """A fingerprint that stays the same if the finding moves to another line."""
        return sha256("\0".join((self.rule, self.file, self.what)).encode(errors="replace")).hexdigest()


def findings(document: Mapping[str, Any], mesh: str, from_top: Callable[[str], str]) -> Iterator[Finding]:
    """All findings of a document. `from_top` makes a path relative to the top of the repository, `mesh` is
    mesh.yaml."""
    if document["error"]:
        yield Finding(_ERROR, "error", from_top(mesh), 0, 0, document["error"], document["hint"])
    problems = (*document["problems"], *(document.get("dangers") or ()))
    replacements = _replacements(problems)
    for one in problems:
        where = (from_top(one["file"]), one["line"], one["column"])
        fix = replacements.get((one["file"], (one["line"], one["column"])))
        yield Finding(one["code"], one["severity"], *where, plain(one["what"]), plain(one["hint"]), fix)
    for one in document.get("stale") or ():
        what = f"{one['state']}: {one['file']}"
        file = from_top(str(PurePosixPath(mesh).parent / one["file"]))
        yield Finding(_STALE, "error", file, 0, 0, plain(what), "run meshc compile, and commit it")


def _replacements(problems: Iterable[Mapping[str, Any]]) -> Mapping[tuple[str, Mark], Replacement]:
    """The replacements for values in the files, by file and place."""
    by_file: dict[str, dict[Mark, Rewrite]] = {}
    for one in problems:
        if "value" in (fix := one["fix"] or {}):
            by_file.setdefault(one["file"], {})[one["line"], one["column"]] = Rewrite(fix["was"], fix["value"])
    found: dict[tuple[str, Mark], Replacement] = {}
    for file, rewrites in by_file.items():
        try:
            text = Path(file).read_bytes().decode()
        except (OSError, ValueError):
            continue
        for mark, (start, end) in spans(text, rewrites).items():
            found[file, mark] = Replacement(mark[1] + end - start, plain(written(text[start:end], rewrites[mark])))
    return found


def sarif(document: Mapping[str, Any], found: list[Finding]) -> str:
    """The SARIF log of one run. Its rules are the codes of the findings, each with its page."""
    names = sorted({finding.rule for finding in found})
    results = [
        {
            "ruleId": finding.rule,
            "ruleIndex": names.index(finding.rule),
            "level": _LEVELS[finding.severity],
            "message": {"text": finding.text},
            "locations": [{"physicalLocation": _location(finding)}],
            "partialFingerprints": {"meshc/v1": finding.fingerprint},
            **({"fixes": [_fix(finding, finding.fix)]} if finding.fix else {}),
        }
        for finding in found
    ]
    driver = {"name": "meshc", "version": __version__, "rules": [_rule(name) for name in names]}
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"meshc/{document['command']}/"},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2)


def _location(finding: Finding) -> dict[str, Any]:
    from urllib.parse import quote

    found: dict[str, Any] = {"artifactLocation": {"uri": quote(finding.file, errors="replace")}}
    if finding.line:
        found["region"] = {"startLine": finding.line, "startColumn": max(finding.column, 1)}
    return found


def _fix(finding: Finding, fix: Replacement) -> dict[str, Any]:
    region = {**_location(finding)["region"], "endLine": finding.line, "endColumn": fix.end}
    change = {
        "artifactLocation": _location(finding)["artifactLocation"],
        "replacements": [{"deletedRegion": region, "insertedContent": {"text": fix.text}}],
    }
    return {"description": {"text": f"write {fix.text}"}, "artifactChanges": [change]}


def _rule(name: str) -> dict[str, Any]:
    if name in _RULES:
        return {"id": name, "shortDescription": {"text": _RULES[name]}}
    code = every_code()[name]
    return {
        "id": name,
        "shortDescription": {"text": code.title},
        "help": {"text": code.advice},
        "defaultConfiguration": {"level": _LEVELS[str(code.severity)]},
    }


def junit(document: Mapping[str, Any], found: list[Finding]) -> str:
    """JUnit's XML with one test for each finding. Warnings and notices pass, with their text. Without findings, there
    is one passing test."""
    from xml.etree.ElementTree import Element, SubElement, indent, tostring

    failed = [finding for finding in found if finding.severity == "error"]
    name = f"meshc {document['command']}"
    counts = {"tests": str(len(found) or 1), "failures": str(len(failed)), "errors": "0", "skipped": "0"}
    suites = Element("testsuites", {"name": name, **counts})
    suite = SubElement(suites, "testsuite", {"name": name, **counts})
    for finding in found:
        where = f"{finding.file}:{finding.line}" if finding.line else finding.file
        case = SubElement(suite, "testcase", name=_held(f"{finding.rule} {where}"), classname=_held(finding.file))
        case.set("file", _held(finding.file))
        if finding.severity == "error":
            SubElement(case, "failure", message=_held(finding.what), type=finding.rule).text = _held(finding.text)
        else:
            SubElement(case, "system-out").text = _held(f"{finding.severity}: {finding.text}")
    if not found:
        SubElement(suite, "testcase", name=name, classname="meshc")
    indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suites, encoding="unicode")


def _held(text: str) -> str:
    return text.translate(_CONTROL)


def gitlab(_document: Mapping[str, Any], found: list[Finding]) -> str:
    """GitLab's code quality report: a list in which each place has a line, because GitLab requires it."""
    report = [
        {
            "description": finding.text,
            "check_name": finding.rule,
            "fingerprint": finding.fingerprint,
            "severity": _SEVERITIES[finding.severity],
            "location": {"path": finding.file, "lines": {"begin": max(finding.line, 1)}},
        }
        for finding in found
    ]
    return json.dumps(report, indent=2)


WRITERS: Mapping[str, Callable[[Mapping[str, Any], list[Finding]], str]] = MappingProxyType(
    {"sarif": sarif, "junit": junit, "gitlab": gitlab}
)
"""The formats, by their names on the command line."""
