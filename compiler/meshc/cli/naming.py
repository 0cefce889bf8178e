"""Names the value of each option in help, and the environment variable that an option can be set by.

The scheme is one: `MESHC_<COMMAND>_<OPTION>`, such as MESHC_CA_ISSUE_DAYS for `meshc ca issue --days`, and
`MESHC_<OPTION>` for an option that stands before the command.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "--against": "DIR|COMMIT",
        "--base": "COMMIT",
        "--branch": "BRANCH",
        "--chart": "CHART",
        "--cluster": "CLUSTER",
        "--days": "DAYS",
        "--duration": "DURATION",
        "--entry": "NAME",
        "--jobs": "NUMBER",
        "--keys-to": "DIR",
        "--namespace": "NAMESPACE",
        "--output": "COMMAND",
        "--path": "DIR",
        "--primary": "CLUSTER",
        "--renew-before": "DAYS",
        "--repo": "DIR|URL",
        "--sample": "NUMBER",
        "--seal-to": "RECIPIENT",
        "--timeout": "SECONDS",
        "--within": "DAYS",
        "cluster": "CLUSTER",
        "directory": "DIR",
        **dict.fromkeys(
            (
                *("--file", "--kubeconfig", "--identity", "--certificate", "--chain", "--from", "--key"),
                "--key-out",
                *("--new-root", "--password-file", "--root", "--root-key"),
            ),
            "FILE",
        ),
    }
)
"""What stands for a value in help, by the option or argument, where the command itself names no word."""
_NOT_SET = ("--help", "--version", "--install-completion", "--show-completion")


def name_values(command: Any, words: tuple[str, ...] = ()) -> None:
    """Names the values and variables of a command, and of those below it. `words` are what it is called by."""
    for parameter in command.params:
        is_option = parameter.param_type_name == "option"
        if not is_option:
            parameter.display_type_rich = _no_type  # Typer writes it behind the word: CLUSTER <str>
        name = long_name(parameter) if is_option else parameter.name
        if parameter.metavar is None and not getattr(parameter, "is_flag", False):
            parameter.metavar = WORDS.get(name)
        if is_option and name not in _NOT_SET:
            told = parameter.envvar
            others = [told] if isinstance(told, str) else list(told or ())
            parameter.show_envvar = bool(others)
            own = variable(words, name)
            parameter.envvar = [*dict.fromkeys([own, *others])] if parameter.show_envvar else own
    for name, inner in getattr(command, "commands", {}).items():
        if inner is not None:
            name_values(inner, (*words, name))


def _no_type(ctx: Any) -> None:
    del ctx


def long_name(option: Any) -> str:
    """An option by its long name: `--file`."""
    return str(max(option.opts, key=len))


def variable(words: tuple[str, ...], option: str) -> str:
    """The environment variable of an option."""
    return "_".join(("MESHC", *words, option.lstrip("-"))).upper().replace("-", "_")
