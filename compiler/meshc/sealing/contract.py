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
"""The scope of a SealedSecret: bound to name and namespace, to the namespace, or to nothing. meshc never places a
cluster-wide one."""


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
    """The recipient of a Secret, in the cluster where it is applied. Each backend needs one of the three fields.

    `recipients` are age recipients, sorted and without duplicates. `certificate` is the PEM of the public sealing
    certificate.
    """

    recipients: tuple[str, ...] = ()
    certificate: bytes = b""
    store: Store | None = None
    scope: Scope = "strict"


class SealError(MeshcError):
    """A Secret can't be sealed as asked. The message never contains a value."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of a sealed object, without decrypting it: one word, and who can open it."""

    state: str
    opened_by: tuple[str, ...] = ()


class Backend(Protocol):
    """A module for one sealed form: it checks what is committed, and seals what is new.

    Checks need no key and are part of every compile. `seal` imports the encryption code only when it is called.
    """

    KIND: str
    """The kind of the sealed object."""
    OPERATOR: str
    """The API group of the kind if an operator in the cluster opens it. Empty if the delivery engine opens it."""
    ADDS: bool
    """Whether a value can be added to a sealed object that nobody opens."""
    PUBLIC: tuple[str, ...]
    """The path of the readable values in the object."""

    def check(self, need: SecretNeed, document: Document, public: Mapping[str, bytes]) -> Iterable[Problem]:
        """The problems of the sealed object: it can't be opened, Istio wouldn't read it, or it isn't encrypted at all.

        `public` are the certificates that public keys must be byte-equal to. No message ever holds a value.
        """
        ...

    def blobs(self, body: Body) -> Mapping[str, str]:
        """The ciphertext of each sealed key, in an object without problems from `check`.

        Digests and bindings cover these texts.
        """
        ...

    def recipients(self, body: Body) -> tuple[str, ...] | None:
        """The recipients that the object itself names; None for a form that names none."""
        ...

    def standing(self, need: SecretNeed, body: Body, certificate: bytes | None) -> Standing:
        """The state of an object of this kind. `certificate` is the certificate of the cluster's controller, if it has
        one."""
        ...

    def readers(self, body: Body) -> set[str]:
        """Who can open the object, in the texts of `wanted_readers`. Empty where the object doesn't say."""
        ...

    def wanted_readers(self, sealing: Sealing, certificate: bytes | None) -> set[str]:
        """Who will be able to open what is sealed from now on."""
        ...

    def target(self, plan: Plan, cluster: ClusterPlan, secret: str, certificate: bytes | None) -> Target:
        """The recipient for Secrets that are applied in `cluster`.

        Raises SealError, with what to write into mesh.yaml, if the cluster's settings lack what this form needs.
        """
        ...

    def seal(self, plain: Plain, target: Target, now: datetime) -> Body:
        """The sealed object, without meshc's own annotations, keys in any order.

        `now` is in UTC. Raises SealError if the target lacks what this form needs, or is malformed.
        """
        ...

    def with_values_of(self, before: Body, keys: Collection[str], body: Body, target: Target) -> Body:
        """The sealed object plus these keys of an earlier one, whose ciphertexts are kept.

        Raises SealError if they can't be kept.
        """
        ...

    def noted(self, body: Body, target: Target) -> Mapping[str, str]:
        """The annotations that let a compile check that a sealed object is still as meshc wrote it."""
        ...

    def left_to_do(self, cluster: ClusterPlan, files: str) -> str:
        """What a person must do after meshc has sealed `files`, a glob; empty if there is nothing to do."""
        ...
