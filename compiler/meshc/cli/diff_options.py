"""The values of the options of `meshc diff`, in a separate module so that `--help` imports little."""

from __future__ import annotations

from enum import StrEnum


class DiffFormat(StrEnum):
    """How a difference is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"
    JUNIT = "junit"
    GITLAB = "gitlab"


class DiffFailOn(StrEnum):
    """The condition for exit code 1, instead of any difference."""

    DANGER = "danger"
