"""Makes docs/problems.md from the codes: python tests/make_docs.py"""

from __future__ import annotations

from pathlib import Path

from meshc.codes import every_code
from meshc.errors import Code, Exit

GROUPS = {
    "0": "Text and tools",
    "1": "The shape of mesh.yaml",
    "2": "Clusters",
    "3": "Trust",
    "4": "Secrets",
    "5": "Namespaces and services",
    "6": "Files of yours",
    "7": "Rendering and delivery",
    "8": "What a change puts at risk",
    "9": "Acknowledgements",
}
INTRODUCTION = """# Problems

Every problem says what is wrong, where (`mesh.yaml:14:7`), and what to do next, under a code that never changes
its meaning. Errors stop a compile before anything is written; warnings and notices don't. Errors marked *refused*
exit with 5, others with 3. Each code has a page, which `meshc explain CODE` prints too.

Those of 8xx are told by `meshc diff` alone: a reviewer decides, and `--fail-on danger` makes it a failure.

A problem marked *can be acknowledged* may be accepted with a reason; an acknowledgement that silences nothing is
itself a problem:

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


if __name__ == "__main__":
    (Path(__file__).parent.parent / "docs/problems.md").write_text(problems_page())
