"""Formats the rows of doctor as Prometheus metrics, with a time series for each check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from meshc.capture.rows import State

if TYPE_CHECKING:
    from meshc.capture.rows import Row

CHECK, ENDS, RUN = "meshc_check_state", "meshc_check_not_after_timestamp_seconds", "meshc_doctor_run_timestamp_seconds"

_WEIGHT = {State.OK: 0, State.UNKNOWN: 1, State.DIFFERS: 2, State.FAILED: 3}
"""A known fault comes before an unknown state."""


def metrics(mesh: str, rows: Sequence[Row], now: datetime) -> str:
    """The whole exposition, without texts for people: labels must stay stable, but texts change."""
    return "\n".join(_lines(mesh, rows, now)) + "\n"


def _lines(mesh: str, rows: Sequence[Row], now: datetime) -> Iterator[str]:
    worst: dict[tuple[str, str, str], Row] = {}
    for row in rows:  # one check can have several rows for a cluster, for example `objects`
        key = (row.cluster, str(row.check), row.of)
        there = worst.get(key)
        worst[key] = row if there is None or _WEIGHT[row.state] > _WEIGHT[there.state] else there
    yield f"# HELP {CHECK} The state of a check of meshc doctor: 1 for its state, 0 for the others."
    yield f"# TYPE {CHECK} gauge"
    for key, row in worst.items():
        for state in State:
            yield f"{CHECK}{{{_labels(mesh, key)},state={_quoted(state)}}} {int(row.state is state)}"
    yield f"# HELP {ENDS} When a certificate or a token expires."
    yield f"# TYPE {ENDS} gauge"
    for key, row in worst.items():
        if row.until:
            yield f"{ENDS}{{{_labels(mesh, key)}}} {row.until.timestamp():.0f}"
    yield f"# HELP {RUN} When meshc doctor ran."
    yield f"# TYPE {RUN} gauge"
    yield f"{RUN}{{mesh={_quoted(mesh)}}} {now.timestamp():.0f}"


def _labels(mesh: str, key: tuple[str, str, str]) -> str:
    cluster, check, of = key
    named = {"mesh": mesh, "cluster": cluster, "check": check, "of": of}
    return ",".join(f"{name}={_quoted(value)}" for name, value in named.items())


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
