"""Decides which clusters a selection of mesh.yaml includes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.mesh.model import Cluster, Selector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshc.mesh.model import Selection


def selects(selection: Selection, cluster: Cluster) -> bool:
    """True if a selection includes this cluster."""
    if not isinstance(selection, Selector):
        return selection == "all" or cluster.name in selection
    labels = cluster.labels
    return (
        cluster.name not in selection.except_
        and (selection.names is None or cluster.name in selection.names)
        and all(labels.get(key) == value for key, value in selection.match_labels.items())
        and all(_holds(e.operator, labels.get(e.key), e.values) for e in selection.match_expressions)
    )


def _holds(operator: str, value: str | None, values: Sequence[str]) -> bool:
    if operator == "Exists":
        return value is not None
    if operator == "DoesNotExist":
        return value is None
    return (value in values) == (operator == "In")
