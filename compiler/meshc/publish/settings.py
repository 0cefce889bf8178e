"""Selects the few settings of a repository that meshc uses, and turns off the rest.

Anyone who can write to a repository can change its settings, and many settings start programs or change addresses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from meshc.publish.git import Git, Settings

_FOLLOWED = re.compile(
    r"(?:user|author|committer)\.(?:name|email)|user\.signingkey|commit\.gpgsign|gpg\.format"
    r"|http\.https://[^\n]*\.extraheader",  # CI systems pass a token to a checkout in this way
    re.IGNORECASE,
)
_PASSED_OVER = re.compile(
    r"(?:(?P<core>core)\.(?P<which>sshcommand|gitproxy|askpass)"
    r"|(?P<section>credential|url|gpg|http|remote)\.(?:[^\n]*\.)?"
    r"(?P<name>helper|insteadof|pushinsteadof|program|defaultkeycommand|proxy|sslverify|uploadpack|receivepack|vcs))",
    re.IGNORECASE,
)
_FILTER = re.compile(r"filter\.[^\n]*\.(?:clean|smudge|process|required)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Own:
    """A repository's own settings: the ones that meshc uses, the ones that turn off its filters, and the ignored ones.

    `passed_over` are kinds of settings, such as `url.*.insteadof`, because a full name may contain a token.
    """

    followed: Settings = ()
    silenced: Settings = ()
    passed_over: tuple[str, ...] = ()


def own_settings(git: Git) -> Own:
    """The settings of the repository itself, including files that it includes; without the user's and the system's
    settings."""
    followed: list[tuple[str, str]] = []
    silenced: dict[str, str] = {}
    passed_over: set[str] = set()
    fields = git.run("config", "--list", "--includes", "--show-scope", "-z").decode(errors="replace").split("\0")
    for scope, entry in zip(fields[::2], fields[1::2], strict=False):
        if scope not in ("local", "worktree"):
            continue
        key, has_value, value = entry.partition("\n")
        if _FOLLOWED.fullmatch(key):
            followed.append((key, value if has_value else "true"))
        elif match := _PASSED_OVER.fullmatch(key):
            kind = ("core", match["which"]) if match["core"] else (match["section"], "*", match["name"])
            passed_over.add(".".join(kind).lower())
        if _FILTER.fullmatch(key):
            silenced[key] = "false" if key.lower().endswith(".required") else ""
    return Own(tuple(followed), tuple(silenced.items()), tuple(sorted(passed_over)))
