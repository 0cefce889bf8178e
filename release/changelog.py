"""Reads CHANGELOG.md: its sections, and which files of overlays/ and output/ a version writes differently.

A section begins with `## 0.2.0 (unreleased)` or `## 0.2.0 (2026-12-01)`. Under `### Changed output` each entry begins
with a pattern of paths: "* `output/*/istio-remote.yaml`: what changed, and why".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from packaging.version import Version


@dataclass(frozen=True, slots=True)
class Section:
    """What CHANGELOG.md says of one version; `released` is None while it is unreleased."""

    version: Version
    released: date | None
    text: str

    def changed_output(self) -> tuple[str, ...]:
        """The patterns of paths whose content this version writes differently."""
        parts = re.split(r"(?m)^### ", self.text)
        listed = [part for part in parts if part.startswith("Changed output\n")]
        return tuple(re.findall(r"(?m)^\* `([^`]+)`:", "".join(listed)))


def sections(text: str) -> list[Section]:
    """All versions, in the order of the file. Raises ValueError for a heading that has another form."""
    parts = re.split(r"(?m)^## (.*)\n", text)[1:]
    return [_section(heading, body) for heading, body in zip(parts[::2], parts[1::2], strict=True)]


def _section(heading: str, text: str) -> Section:
    form = re.fullmatch(r"(\d+\.\d+\.\d+) \((unreleased|\d{4}-\d\d-\d\d)\)", heading)
    if form is None:
        raise ValueError(f'"## {heading}" in CHANGELOG.md is not of the form "## 0.1.0 (2026-12-01)"')
    released = None if form[2] == "unreleased" else date.fromisoformat(form[2])
    return Section(Version(form[1]), released, text.strip())
