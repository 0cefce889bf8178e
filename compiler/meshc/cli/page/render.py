"""Renders a report as an HTML page: one file, with its style, its script and its data inside.

Every text is escaped by the template library, and so are control characters. The page's content security policy allows
only its own style and script, by their digests.
"""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from meshc.cli.page.data import data_of
from meshc.cli.page.sections import sections_of, sections_of_broken
from meshc.plain import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshc.commands.report import Broken, Report

MARK = "<!-- made by meshc report -->"
"""The mark by which meshc recognizes its own pages."""

_SCRIPTS = ("filter.js", "matrix.js", "path.js")


def page_of(found: Report, file: str) -> str:
    """The page. Equal reports give equal pages."""
    script = "".join(map(_asset, _SCRIPTS))
    return _rendered("page.html.j2", sections_of(found, file, _html), script, data=as_script(data_of(found)))


def broken_page_of(found: Broken, file: str) -> str:
    """The page of a mesh that doesn't compile. It needs no script."""
    return _rendered("broken.html.j2", sections_of_broken(found, file, _html), "")


def _rendered(template: str, sections: Mapping[str, Any], script: str, **more: Any) -> str:
    environment = Environment(
        loader=PackageLoader("meshc.cli", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_safe,
    )
    style = _asset("page.css")
    return environment.get_template(template).render(
        sections,
        style=_as_is(style),
        script=_as_is(script),
        mark=_as_is(MARK),
        policy=_policy(style, script),
        **more,
    )


def as_script(data: Any) -> Markup:
    """JSON for a script element: no character in it ends the element or starts a comment."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return _as_is(text)


def _policy(style: str, script: str) -> str:
    """The content security policy of the page: no request, no form, no other script, not even one in an attribute."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}"


def _asset(name: str) -> str:
    return (files("meshc.cli") / "page" / name).read_text("utf-8")


def _safe(value: Any) -> Any:
    """Escapes text; keeps a value that is already HTML."""
    return value if hasattr(value, "__html__") else plain(str(value))


def _html(markdown: str) -> Markup:
    """The page of a problem as HTML. HTML inside the page is shown as text."""
    return _as_is(MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown))


def _as_is(text: str) -> Markup:
    """Marks text that needs no escaping: meshc's own files, JSON without HTML characters, and the output of the
    Markdown library."""
    return Markup(text)  # noqa: S704
