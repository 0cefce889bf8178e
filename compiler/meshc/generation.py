"""The two generations of Istio: classic 1.0 with Pilot, Mixer and Citadel, and all later versions with istiod."""

from __future__ import annotations

from enum import StrEnum


class Generation(StrEnum):
    """The kind of control plane that a mesh has."""

    CLASSIC = "classic"
    ISTIOD = "istiod"

    @classmethod
    def of(cls, version: str) -> Generation:
        """The generation of an Istio version."""
        return cls.CLASSIC if version.startswith("1.0.") else cls.ISTIOD

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of a control plane whose addresses remotes need. The first part always exists."""
        return ("pilot", "policy", "telemetry", "zipkin") if self is Generation.CLASSIC else ("istiod",)

    @property
    def signs_in_remotes(self) -> bool:
        """True if each remote runs its own CA, as with Citadel. istiod signs for its remotes."""
        return self is Generation.CLASSIC
