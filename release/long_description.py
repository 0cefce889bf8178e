"""Makes the package's long description from README.md. A package index shows only this text: relative links are dead.

With `Repository` under [project.urls] of pyproject.toml, links and pictures lead to the files there, as they were at
the tag of the release. Without it, a link is replaced by its text, and a picture is removed. hatchling runs this module
for each build.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK = re.compile(r"(!?)\[([^\[\]]*+)\]\((?!https?:|#)([^()\s]++)\)")
_CODE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def long_description(readme: str, repository: str, tag: str) -> str:
    """README.md for a reader who has no other file of the repository. `repository` may be empty."""

    def link(found: re.Match[str]) -> str:
        picture, label, target = found.groups()
        if not repository:
            return "" if picture else label
        return f"{picture}[{label}]({repository}/{'raw' if picture else 'blob'}/{tag}/{target})"

    parts = _CODE.split(readme)
    text = "".join(part if at % 2 else _LINK.sub(link, part) for at, part in enumerate(parts))
    return re.sub(r"\n{3,}", "\n\n", text)


class LongDescription(MetadataHookInterface):
    """What pyproject.toml names under [tool.hatch.metadata.hooks.custom]."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Adds the long description, which `dynamic` leaves to this."""
        repository = metadata.get("urls", {}).get("Repository", "").rstrip("/")
        readme = (Path(self.root) / "README.md").read_text("utf-8")
        text = long_description(readme, repository, f"v{metadata['version']}")
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
