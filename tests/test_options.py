"""Every option of every command: its value has a word in help, and an environment variable sets it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from typer.main import get_command

from meshc.cli.main import app
from meshc.cli.naming import long_name
from support.commands import invoke
from support.paths import ROOT

if TYPE_CHECKING:
    import pytest

APART = {"--help", "--version", "--install-completion", "--show-completion"}


def commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """A command and all below it, with the words it is called by."""
    yield words, command
    for name in getattr(command, "commands", {}):
        yield from commands(command.get_command(None, name), (*words, name))


ALL = dict(commands(get_command(app)))
OPTIONS = [
    (words, option)
    for words, command in ALL.items()
    for option in command.params
    if option.param_type_name == "option" and long_name(option) not in APART
]


def test_no_help_speaks_of_types_of_python() -> None:
    for words in ALL:
        shown = invoke(*words, "--help").stdout
        assert "Usage: " in shown
        assert [
            name for name in ("<str>", "<path>", "<int", "<float", "<list", " TEXT ", " INTEGER") if name in shown
        ] == []


def test_every_option_has_a_variable_of_its_own() -> None:
    names: dict[str, str] = {}
    for words, option in OPTIONS:
        told = [option.envvar] if isinstance(option.envvar, str) else option.envvar
        own = "_".join(("MESHC", *words, long_name(option)[2:])).upper().replace("-", "_")
        assert told[0] == own, (words, option.opts)
        assert own not in names
        names[own] = " ".join(words)
        if long_name(option) == "--file" and words not in (("adopt",), ("capture",)):
            assert "MESHC_FILE" in told
    assert len(names) > 150
    page = (ROOT / "docs/install.md").read_text()
    assert "MESHC_PUBLISH_BRANCH" in names
    assert "MESHC_PUBLISH_BRANCH" in page
    assert {"MESHC_KUSTOMIZE", "MESHC_HELM", "MESHC_ISTIOCTL"}.isdisjoint(names)


def test_a_variable_stands_for_an_option_and_the_command_line_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESHC_VERSION_FORMAT", "json")
    assert invoke("version").stdout.startswith("{")
    assert invoke("version", "--format", "text").stdout.startswith("meshc")
    monkeypatch.setenv("MESHC_VERSION_FORMAT", "yaml")
    wrong = invoke("version")
    assert (wrong.exit_code, "yaml" in wrong.stderr) == (2, True)


def test_what_is_read_and_run_is_told_on_request_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    shown = invoke("--verbose", "plan")
    assert "  read: mesh.yaml (" in shown.stderr
    assert "read:" not in shown.stdout
    assert "read:" not in invoke("plan").stderr
