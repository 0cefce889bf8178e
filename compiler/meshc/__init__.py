"""Compiles one mesh.yaml into a kustomize overlay for each cluster, and renders the overlays.

    import meshc

    mesh = meshc.compile("mesh.yaml")
    for cluster in mesh.plan.clusters: ...

docs/api.md describes what this package offers. Names are loaded when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from meshc.version import __version__

if TYPE_CHECKING:
    from meshc.commands.api import Check, Compilation, check, compile, diff, load  # noqa: A004
    from meshc.commands.diff import Comparison
    from meshc.errors import MeshcError, Place, Problem, ProblemsError, RefusedError, Severity, ToolError, UsageError

__all__ = [
    "Check",
    "Comparison",
    "Compilation",
    "MeshcError",
    "Place",
    "Problem",
    "ProblemsError",
    "RefusedError",
    "Severity",
    "ToolError",
    "UsageError",
    "__version__",
    "check",
    "compile",
    "diff",
    "load",
]

_HOMES = {
    "Comparison": "meshc.commands.diff",
    **dict.fromkeys(("Check", "Compilation", "check", "compile", "diff", "load"), "meshc.commands.api"),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "meshc.errors")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
