"""Writes a difference as a pull request comment: the most important parts first, and never longer than the limit of a
comment.

Every text from a file is in a code element, where GitHub and GitLab interpret no markup, mention or link. Special
characters are escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from meshc.plain import count, plain, short
from meshc.review.blocks import Block, blocks, some
from meshc.review.change import leaving
from meshc.review.danger import LEAVING
from meshc.review.diff import Difference
from meshc.review.touched import Touched, alike, kinds, touched

if TYPE_CHECKING:
    from meshc.errors import Problem
    from meshc.review.settings import Setting

LIMIT = 65_000
"""The maximum number of characters. GitHub accepts 65,536 in a comment."""
_BOX, _WIDTH, _SETTINGS = 30_000, 300, 40
_KINDS, _ROWS, _NAMES = 8, 20, 4


def comment(
    difference: Difference,
    dangers: Sequence[Problem],
    mesh: str,
    base: str,
    settings: Sequence[Setting] = (),
    picture: str = "",
) -> str:
    """The whole comment. Its first line is a marker by which a bot finds the comment of an earlier run.

    `picture` is a Mermaid flowchart of the changed clusters. Groups that don't fit are left out, and their number is
    shown.
    """
    head = [
        f"<!-- meshc diff {re.sub(r'[^a-z0-9.-]', '', mesh)} -->",
        f"**{difference.summary}** of mesh {_code(mesh)}",
    ]
    head += [f"compared with {_code(base)}", ""]
    head += [f"{_code(old)} is compared with {_code(new)}, its new name<br>" for old, new in difference.renamed.items()]
    head += _counts(difference)
    head += _box(difference, dangers)
    head += _by_cluster(touched(difference, dangers, settings))
    head += ["```mermaid", picture.rstrip("\n"), "```", ""] if picture else []
    head += [f"* {_code(str(setting))}" for setting in settings[:_SETTINGS]]
    head += (
        [f"* and {count(len(settings) - _SETTINGS, 'more setting')}: run `meshc diff`"] if settings[_SETTINGS:] else []
    )
    head += [""] if settings else []
    room = LIMIT - 200 - sum(len(line) + 1 for line in head)
    kept = _fitting([_details(block) for block in blocks(difference)], room)
    return "\n".join([*head, *kept]).rstrip("\n") + "\n"


def _fitting(parts: Sequence[str], room: int) -> list[str]:
    """The first groups of changes that fit, and the number of groups that are left out."""
    kept: list[str] = []
    for number, part in enumerate(parts):
        room -= len(part) + 1
        if room < 0:
            left = len(parts) - number
            kept.append(
                f"{left} more group{'' if left == 1 else 's'} of changes don't fit: run `meshc diff` to see all."
            )
            break
        kept.append(part)
    return kept


def _counts(difference: Difference) -> list[str]:
    """The number of objects by action and kind."""
    found = kinds(difference)
    lines = [
        f"* {action} {_code(kind)}: {count(number, 'object')} in {count(clusters, 'cluster')}"
        for action, kind, number, clusters in found[:_KINDS]
    ]
    return (
        [*lines, *([f"* and {count(len(found) - _KINDS, 'more kind')}"] if found[_KINDS:] else []), ""] if found else []
    )


def _by_cluster(found: Sequence[Touched]) -> list[str]:
    """One row for each cluster, or for clusters with the same changes."""
    if not found:
        return []
    rows, head = alike(found), "| cluster | | add | change | delete | settings | dangers |"
    lines = [head, "|---|---|---|---|---|---|---|"]
    for row in rows[:_ROWS]:
        one = row.first
        name = _code(some(row.clusters, _NAMES)) + (f" ({len(row.clusters)})" if row.clusters[1:] else "")
        numbers = " | ".join(str(number or "") for number in (one.add, one.change, one.delete, one.settings))
        lines.append(f"| {name} | {one.state} | {numbers} | {', '.join(one.dangers)} |")
    left = sum(len(row.clusters) for row in rows[_ROWS:])
    return [*lines, "", *([f"{count(left, 'cluster')} more: run `meshc diff`", ""] if left else [])]


def _box(difference: Difference, dangers: Sequence[Problem]) -> list[str]:
    if not dangers:
        return []
    lines = ["> [!WARNING]", f"> **{len(dangers)} to look at before this is merged**", ">"]
    firsts = {problem.code.id: problem for problem in reversed(dangers)}  # one of each kind comes before repeats
    ordered = [*sorted(firsts.values(), key=lambda p: p.code.id), *(p for p in dangers if firsts[p.code.id] is not p)]
    for number, problem in enumerate(ordered):
        line = f"> * **{problem.code.id}** {problem.code.title}: {_code(problem.what)}<br>{problem.hint}"
        if sum(map(len, lines)) + len(line) > _BOX:
            lines.append(f"> * and {len(dangers) - number} more: run `meshc diff`")
            break
        lines.append(line)
    lines.append("")
    if leaving(difference):
        lines += ["When a cluster leaves:", "", *(f"{n}. {line}" for n, line in enumerate(LEAVING, 1)), ""]
    return lines


def _details(block: Block) -> str:
    title = f"{_code(block.title)} &mdash; {_code(block.where)}"
    if not block.edits:
        return f"* {title}"
    body = [line for edit in block.edits for line in _lines(edit.path, edit.before, edit.after)]
    fence = "`" * max(3, 1 + max((len(run) for line in body for run in re.findall("`+", line)), default=0))
    return "\n".join(["<details><summary>" + title + "</summary>", "", f"{fence}diff", *body, fence, "", "</details>"])


def _lines(path: str, before: str | None, after: str | None) -> Iterable[str]:
    yield f"  {plain(path)}"
    for sign, text in (("-", before), ("+", after)):
        for line in text.split("\n") if text is not None else ():
            yield f"{sign} {short(line, _WIDTH)}"


def _code(text: str) -> str:
    """Text in a code element, with all characters escaped that have a meaning in Markdown or HTML."""
    return f"<code>{re.sub(r'[^A-Za-z0-9 ,:/()=-]', lambda found: f'&#{ord(found[0])};', short(text, _WIDTH))}</code>"
