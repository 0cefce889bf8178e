"""What a module that seals must offer, and the values that it takes and returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

from meshc.errors import MeshcError

if TYPE_CHECKING:
    from meshc.hidden import Hidden
    from meshc.kube import Body


@dataclass(frozen=True, slots=True)
class Plain:
    """A Secret before it is sealed. `hidden` values are sealed; `public` ones are certificates, and stay readable."""

    namespace: str
    name: str
    hidden: Mapping[str, Hidden]
    public: Mapping[str, bytes] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Store:
    """Where an External Secrets operator reads: `key` is the path in the store, a property of it the Secret's key."""

    kind: str
    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a Secret is sealed for, in the cluster where it is applied. Each backend needs one of the three.

    `recipients` are age recipients, sorted and each once. `certificate` is the PEM of the public sealing certificate.
    """

    recipients: tuple[str, ...] = ()
    certificate: bytes = b""
    store: Store | None = None
    scope: Literal["strict", "namespace-wide", "cluster-wide"] = "strict"
    """Of a SealedSecret: what it is bound to."""


class SealError(MeshcError):
    """A Secret can't be sealed as asked. Its message never holds a value."""


class Sealer(Protocol):
    """A module that makes one sealed form."""

    def seal(self, plain: Plain, target: Target, now: datetime) -> Body:
        """The sealed object, without meshc's own annotations, keys in any order.

        `now` is in UTC. Raises SealError if the target lacks what this form needs, or is malformed.
        """
        ...

    def blobs(self, sealed: Body) -> Mapping[str, str]:
        """The ciphertext of each hidden key, as it stands in the object: what digests and bindings are made over."""
        ...
