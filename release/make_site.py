"""Writes the pages of the site to .site/pages, from which mkdocs builds .site/html: make site

The repository's pages link to one another by relative paths, as code hosts follow them. The site has them at shorter
addresses, so links are rewritten here. `make site REPOSITORY=https://...` also links to files that are no pages.
"""

from __future__ import annotations

import posixpath
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from draw import draw

ROOT = Path(__file__).parent.parent
OUT = ROOT / ".site"
AT_TOP = ("ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")

MERMAID = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
FENCE = re.compile(r" *```")
CODE = re.compile(r"(^ *```.*?^ *```)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!`)(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s]+)\)")
SPAN = re.compile(r"`[^`\n]+`")
ITEM = re.compile(r"([*-]|\d+\.) +")
ROW = re.compile(r"(?:[*-]|\d+\.) |\|")


def sources(root: Path = ROOT) -> dict[str, str]:
    """The address on the site of every page and picture, by its path in the repository."""
    found = {"README.md": "index.md", "examples/classic/README.md": "classic.md"}
    found |= {name: name.lower() for name in AT_TOP}
    for folder, pattern, under in (
        ("docs", "*.md", ""),
        ("docs", "zh/*.md", ""),
        ("docs", "images/*.svg", ""),
        ("compiler/meshc/pages", "*.md", "codes/"),
    ):
        for path in sorted((root / folder).glob(pattern)):
            found[str(path.relative_to(root))] = under + str(path.relative_to(root / folder))
    return found


def page(text: str, source: str, known: dict[str, str], repository: str = "") -> str:
    """A page of the repository as mkdocs reads it: with the site's links, and lists as Python-Markdown nests them."""

    def link(found: re.Match[str]) -> str:
        mark, label, target = found.groups()
        path, hash_, anchor = target.partition("#")
        if "://" in path or not path:
            return found[0]
        there = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        if there in known:
            to = posixpath.relpath(known[there], posixpath.dirname(known[source]) or ".")
            return f"{mark}[{label}]({to}{hash_}{anchor})"
        return f"{mark}[{label}]({repository}/blob/main/{there}{hash_}{anchor})" if repository else label

    text = _drawn(text)
    return _outside_code(_nested(text), lambda prose: LINK.sub(link, SPAN.sub(_bars, prose)))


def _drawn(text: str) -> str:
    """The page with its diagrams drawn. Code hosts draw Mermaid's text, and the site has no program that does."""
    heading = ""
    parts = MERMAID.split(text)  # prose, diagram, prose, and so on
    for at, part in enumerate(parts):
        if at % 2:
            parts[at] = draw(part, heading)
        else:
            heading = [heading, *HEADING.findall(part)][-1]
    return "".join(parts)


def _bars(span: re.Match[str]) -> str:
    """Code in a table's cell: Python-Markdown shows the backslash that code hosts need before a bar."""
    return span[0].replace("\\|", "|")


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    """The text with a change to what stands between its blocks of code."""
    parts = CODE.split(text)
    return "".join(part if at % 2 else change(part) for at, part in enumerate(parts))


def _nested(text: str) -> str:
    """What belongs to a list's item is indented by four spaces, and a list or table has an empty line before it."""
    lines: list[str] = []
    width, inside = 0, False
    for line in text.splitlines():
        fence = bool(FENCE.match(line))
        if width and line[:1].strip() and not fence and not ITEM.match(line) and lines and not lines[-1]:
            width = 0
        if width and line.startswith(" " * width):
            line = " " * 4 + line[width:]
        elif not inside and (item := ITEM.match(line)):
            width = item.end()
        inside ^= fence
        begins = not inside and not fence and ROW.match(line)
        if begins and lines and lines[-1].strip() and not ROW.match(lines[-1]) and not lines[-1].startswith(" "):
            lines.append("")
        lines.append(line)
    return "\n".join(lines) + "\n"


def write(out: Path, repository: str) -> None:
    """Writes every page to a folder that this makes."""
    known = sources()
    shutil.rmtree(out, ignore_errors=True)
    for source, address in known.items():
        target = out / address
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.endswith(".md"):
            target.write_text(page((ROOT / source).read_text(), source, known, repository))
        else:
            shutil.copy(ROOT / source, target)


def foreign(html: str) -> list[str]:
    """What a built page loads from another host when it is opened."""
    tags = re.findall(r"<(?:script|link|img|iframe|source)\b[^>]*>", html)
    loaded = [tag for tag in tags if not tag.startswith("<link") or "stylesheet" in tag]
    return [found for tag in loaded for found in re.findall(r"""(?:src|href)=["']?((?:https?:)?//[^"'\s>]+)""", tag)]


def main() -> None:
    """`write` before mkdocs, `--built` after it."""
    if "--built" in sys.argv[1:]:
        pages = sorted((OUT / "html").rglob("*.html"))
        found = {address for each in pages for address in foreign(each.read_text())}
        if found or not pages:
            sys.exit(f"pages of the site load from other hosts: {sorted(found)}" if found else "mkdocs built no page")
        print(f"built {len(pages)} pages in .site/html. Open index.html; the search works where the folder is served:")
        print("  python3 -m http.server --directory .site/html")
        return
    write(OUT / "pages", next(iter(sys.argv[1:]), "").rstrip("/"))


if __name__ == "__main__":
    main()
