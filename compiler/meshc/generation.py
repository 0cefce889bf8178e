"""The two generations of Istio: classic 1.0, with Pilot, Mixer and Citadel, and everything since, with istiod."""

from __future__ import annotations

from enum import StrEnum


class Generation(StrEnum):
    """What runs as the control plane of a mesh."""

    CLASSIC = "classic"
    ISTIOD = "istiod"

    @classmethod
    def of(cls, version: str) -> Generation:
        """The generation of an Istio version."""
        return cls.CLASSIC if version.startswith("1.0.") else cls.ISTIOD

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of a control plane that remotes reach by addresses. The first is always needed."""
        return ("pilot", "policy", "telemetry", "zipkin") if self is Generation.CLASSIC else ("istiod",)

    @property
    def signs_in_remotes(self) -> bool:
        """Whether a CA runs in each remote too. Citadel does; istiod signs for its remotes."""
        return self is Generation.CLASSIC
