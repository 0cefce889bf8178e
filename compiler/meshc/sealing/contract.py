"""What the module of a sealed form must offer, and the values that it takes and returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

from meshc.errors import MeshcError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from meshc.errors import Problem
    from meshc.hidden import Hidden
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan, Sealing
    from meshc.plan.needs import SecretNeed
    from meshc.yamltext.document import Document


SEALING_CERTIFICATE = "sealing-cert.pem"
"""The name of a controller's public certificate, below <ca.directory>/<cluster>/."""

Scope = Literal["strict", "namespace-wide", "cluster-wide"]
"""What a SealedSecret is bound to: name and namespace, the namespace, nothing. meshc places no cluster-wide one."""


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
    scope: Scope = "strict"


class SealError(MeshcError):
    """A Secret can't be sealed as asked. Its message never holds a value."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a sealed object stands that nobody has opened: a word for its state, and who can open it."""

    state: str
    opened_by: tuple[str, ...] = ()


class Backend(Protocol):
    """A module for one sealed form: it checks what is committed, and seals what is new.

    The first half needs no key and is part of every compile. What encrypts is imported by `seal` when it is called.
    """

    KIND: str
    """The kind of the sealed object."""
    OPERATOR: str
    """The API group of that kind where an operator in the cluster opens it. Empty where the delivery engine does."""
    ADDS: bool
    """Whether a value can be added to a sealed object that nobody opens."""
    PUBLIC: tuple[str, ...]
    """Where the values that stay readable stand in the object."""

    def check(self, need: SecretNeed, document: Document, public: Mapping[str, bytes]) -> Iterable[Problem]:
        """What is wrong with the sealed object: it would not open, not be read, or is no secret at all.

        `public` are the certificates that public keys must be byte-equal to. No message ever holds a value.
        """
        ...

    def blobs(self, body: Body) -> Mapping[str, str]:
        """The ciphertext of each sealed key, as it stands in an object that `check` finds nothing wrong with.

        Digests and bindings are made over these.
        """
        ...

    def recipients(self, body: Body) -> tuple[str, ...] | None:
        """Whom such an object says it is sealed for; None for a form that names nobody."""
        ...

    def standing(self, need: SecretNeed, body: Body, certificate: bytes | None) -> Standing:
        """How an object of this kind stands. `certificate` is that of the cluster's controller, where it has one."""
        ...

    def readers(self, body: Body) -> set[str]:
        """Who can open the object, in the texts of `wanted_readers`. Empty where the object doesn't say."""
        ...

    def wanted_readers(self, sealing: Sealing, certificate: bytes | None) -> set[str]:
        """Who will be able to open what is sealed from now on."""
        ...

    def target(self, plan: Plan, cluster: ClusterPlan, secret: str, certificate: bytes | None) -> Target:
        """Whom a Secret is sealed for that is applied in `cluster`.

        Raises SealError, with what to write into mesh.yaml, if the cluster's settings lack what this form needs.
        """
        ...

    def seal(self, plain: Plain, target: Target, now: datetime) -> Body:
        """The sealed object, without meshc's own annotations, keys in any order.

        `now` is in UTC. Raises SealError if the target lacks what this form needs, or is malformed.
        """
        ...

    def with_values_of(self, before: Body, keys: Collection[str], body: Body, target: Target) -> Body:
        """The sealed object with these keys of an earlier one, which stay as they are sealed there.

        Raises SealError where they can't.
        """
        ...

    def noted(self, body: Body, target: Target) -> Mapping[str, str]:
        """The annotations by which a compile sees that a sealed object is still the one that meshc wrote."""
        ...

    def left_to_do(self, cluster: ClusterPlan, files: str) -> str:
        """What a person has to do after meshc has sealed `files`, a glob; empty where there is nothing."""
        ...
