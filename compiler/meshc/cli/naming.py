"""Sets the name of each option's value in the help, and the environment variable that sets an option.

All variables have the same form: `MESHC_<COMMAND>_<OPTION>`, such as MESHC_CA_ISSUE_DAYS for `meshc ca issue --days`,
and `MESHC_<OPTION>` for an option before the command.
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
"""The name of a value in the help, by option or argument, unless the command itself sets a name."""
_NOT_SET = ("--help", "--version", "--install-completion", "--show-completion")


def name_values(command: Any, words: tuple[str, ...] = ()) -> None:
    """Sets the names of values and variables of a command and its subcommands. `words` are the words of the command."""
    for parameter in command.params:
        is_option = parameter.param_type_name == "option"
        if not is_option:
            parameter.display_type_rich = _no_type  # Typer adds the type to the name: CLUSTER <str>
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
    """The long name of an option: `--file`."""
    return str(max(option.opts, key=len))


def variable(words: tuple[str, ...], option: str) -> str:
    """The environment variable of an option."""
    return "_".join(("MESHC", *words, option.lstrip("-"))).upper().replace("-", "_")
