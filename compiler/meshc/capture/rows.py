"""rows turns what was found in a cluster into a row of a table: what was looked at, how it stands, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from meshc.capture.ask import AskError, Trouble

if TYPE_CHECKING:
    from meshc.errors import Place


class State(StrEnum):
    """How something stands."""

    OK = "ok"
    DIFFERS = "differs"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It can't be looked at, or there is nothing to compare with."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing of one cluster. `says` never holds a secret."""

    cluster: str
    what: str
    state: State
    says: str
    hint: str = ""
    place: Place | None = None

    def as_json(self) -> dict[str, Any]:
        """The row as data; every key is always there."""
        return {
            "cluster": self.cluster,
            "what": self.what,
            "state": str(self.state),
            "says": self.says,
            "hint": self.hint,
            "place": str(self.place) if self.place else None,
        }


def of_error(cluster: str, what: str, error: AskError) -> Row:
    """A question that wasn't answered: a right that is missing is no fault of the cluster's."""
    state = State.UNKNOWN if error.trouble is Trouble.FORBIDDEN else State.FAILED
    return Row(cluster, what, state, error.what.removeprefix(f"{cluster}: "), error.hint)
