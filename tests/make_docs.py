"""Makes docs/problems.md from the codes, docs/support.md from the versions and docs/cli.md from the commands:
python tests/make_docs.py"""

from __future__ import annotations

from pathlib import Path

from make_cli import cli_page
from meshc.codes import every_code
from meshc.errors import Code, Exit
from meshc.supported import CLASSIC, CLASSIC_LINE, GIT, HELM, ISTIO, KUSTOMIZE

GROUPS = {
    "0": "Text and tools",
    "1": "The shape of mesh.yaml",
    "2": "Clusters",
    "3": "Trust",
    "4": "Secrets",
    "5": "Namespaces and services",
    "6": "Your own files",
    "7": "Rendering and delivery",
    "8": "Dangers of a change",
    "9": "Acknowledgements",
}
INTRODUCTION = """# Problems

Every problem says what is wrong, where (`mesh.yaml:14:7`), and what to do next, under a code that never changes
its meaning. Errors stop a compile before anything is written; warnings and notices don't. Errors marked *refused*
exit with 5, others with 3. Each code has a page, which `meshc explain CODE` prints too.

Only `meshc diff` reports the codes 8xx: a reviewer decides about them, and with `--fail-on danger` the command fails.

A problem marked *can be acknowledged* may be accepted with a reason; an acknowledgement without such a
problem is itself a problem:

```yaml
acknowledge:
  - {code: MESH215, clusters: [edge-1, edge-2], reason: "both draw pod addresses from one VPC range"}
```
"""


def problems_page() -> str:
    """docs/problems.md."""
    lines = [INTRODUCTION]
    group = ""
    for code in every_code().values():
        if code.id[4] != group:
            group = code.id[4]
            lines += [f"\n## {GROUPS[group]}\n", "| code | | what | what to do |", "|---|---|---|---|"]
        page = f"[{code.id}](../compiler/meshc/pages/{code.id}.md)"
        lines.append(f"| {page} | {marks(code)} | {code.title} | {code.advice} |".replace("<", "&lt;"))
    return "\n".join(lines) + "\n"


def marks(code: Code) -> str:
    """How much a problem matters, in words."""
    words = [str(code.severity)] + (["refused"] if code.exit is Exit.REFUSED else [])
    return ", ".join(words + (["can be acknowledged"] if code.acknowledgeable else []))


SUPPORT = """# Supported versions

meshc refuses an Istio version that isn't in this table ([MESH206](../compiler/meshc/pages/MESH206.md)). A newer minor
release is only a warning ([MESH245](../compiler/meshc/pages/MESH245.md)). meshc also warns about a Kubernetes version
that Istio doesn't support ([MESH213](../compiler/meshc/pages/MESH213.md)).

| Istio | Kubernetes | source of that | output compared with the charts of | what ran |
|---|---|---|---|---|
"""
PROGRAMS = """
An empty field means that no such test was run. Istio's charts aren't in meshc's repository:
CONTRIBUTING.md describes how to run the tests with charts. [The proof](proof.md) describes what ran, and how.

| program | versions |
|---|---|
"""


def support_page() -> str:
    """docs/support.md."""
    rows = {CLASSIC_LINE: CLASSIC, **ISTIO}
    lines = [
        f"| {_line(istio)} | 1.{row.kubernetes[0]} to 1.{row.kubernetes[1]} | {row.source} | {row.charts} | {row.ran} |"
        for istio, row in rows.items()
    ]
    first, end = (_line(version.line) for version in KUSTOMIZE)
    programs = {
        "kustomize": f"{first} up to, but not including, {end}; with other versions a compile takes longer",
        "helm, where mesh.yaml names charts": " or ".join(map(str, HELM)),
        "Git, for `meshc publish`": f"{_line(GIT.line)} or later",
    }
    more = [f"| {name} | {versions} |" for name, versions in programs.items()]
    return SUPPORT + "\n".join(lines) + "\n" + PROGRAMS + "\n".join(more) + "\n"


def _line(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


if __name__ == "__main__":
    DOCS = Path(__file__).parent.parent / "docs"
    (DOCS / "problems.md").write_text(problems_page())
    (DOCS / "support.md").write_text(support_page())
    (DOCS / "cli.md").write_text(cli_page())
