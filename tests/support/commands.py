"""Runs meshc in the process of the tests, with the test's current folder and environment."""

from __future__ import annotations

from typer.testing import CliRunner, Result

from meshc.cli.main import app


def invoke(*words: str, stdin: str = "") -> Result:
    """The output of a command, and its exit code. Raises every exception except an exit."""
    return CliRunner().invoke(app, words, input=stdin, catch_exceptions=False)
