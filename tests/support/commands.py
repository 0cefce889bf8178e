"""meshc in the process of the tests, where the current folder and the environment are the test's."""

from __future__ import annotations

from typer.testing import CliRunner, Result

from meshc.cli.main import app


def invoke(*words: str, stdin: str = "") -> Result:
    """What a command says, and its exit code. Any exception but an exit passes through."""
    return CliRunner().invoke(app, words, input=stdin, catch_exceptions=False)
