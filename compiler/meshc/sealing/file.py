"""Encodes a sealed Secret as the file that is committed, with meshc's own annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc.sealing.registry import BACKENDS
from meshc.trust import proofs
from meshc.yamltext.write import write

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan
    from meshc.sealing.contract import Backend, Plain, Target


def backend_of(cluster: ClusterPlan) -> Backend:
    """The form in which the secrets of a cluster are sealed."""
    return BACKENDS[cluster.sealing.backend]


def target_of(plan: Plan, cluster: ClusterPlan, secret: str, certificate: bytes | None) -> Target:
    """The recipient for Secrets that are applied in `cluster`; `certificate` is that of the cluster's controller, if it
    has one.

    Raises SealError, with what to write into mesh.yaml, if the cluster's backend lacks what it needs.
    """
    return backend_of(cluster).target(plan, cluster, secret, certificate)


def sealed_file(
    plain: Plain,
    backend: Backend,
    target: Target,
    now: datetime,
    proven: Callable[[Mapping[str, str]], Mapping[str, str]] = lambda blobs: {},
    more: Callable[[Body], Body] = lambda body: body,
) -> bytes:
    """The file. `proven` gets the ciphertexts and returns more annotations.

    `more` adds values that were sealed earlier to the new object. Raises SealError.
    """
    body = more(backend.seal(plain, target, now))
    blobs = backend.blobs(body)
    annotations = {**proven(blobs), **backend.noted(body, target)}
    if blobs:
        annotations[proofs.BLOB] = proofs.of_blobs(blobs)
    metadata = {**body["metadata"], "annotations": {**(body["metadata"].get("annotations") or {}), **annotations}}
    return write({**body, "metadata": metadata}).encode()
