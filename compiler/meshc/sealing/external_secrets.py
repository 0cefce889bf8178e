"""An ExternalSecret: references into a store that an operator reads. Certificates are in the template.

meshc writes no secret, and reads no value from the store.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.kube import SUBDOMAIN, at
from meshc.sealing.contract import SealError, Standing, Store, Target
from meshc.sealing.sealed import (
    check_annotations,
    check_identity,
    check_keys,
    check_labels,
    check_public,
    check_template_text,
)
from meshc.sealing.unsealed import check_plain, labels_and_annotations, template_data

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from meshc.errors import Path, Problem
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan, Plan, Sealing
    from meshc.plan.needs import SecretNeed
    from meshc.sealing.contract import Plain
    from meshc.yamltext.document import Document

_TEMPLATE = ("spec", "target", "template")
KIND, OPERATOR, ADDS = "ExternalSecret", "external-secrets.io", True
PUBLIC: tuple[str, ...] = (*_TEMPLATE, "data")
_STORES = ("SecretStore", "ClusterSecretStore")


def check(need: SecretNeed, document: Document, public: Mapping[str, bytes]) -> Iterable[Problem]:
    """Checks form and identity, and that the resulting Secret has every key."""
    data, clusters = document.data, (need.cluster,)
    yield from _identity(need, document)
    yield from check_labels(need, document, _TEMPLATE)
    yield from check_annotations(need, document)
    yield from check_annotations(need, document, _TEMPLATE)
    yield from check_template_text(need, document, _TEMPLATE, at(data, *_TEMPLATE))
    if data.get("apiVersion") != "external-secrets.io/v1":
        what = f"{need.kind}: an ExternalSecret has apiVersion external-secrets.io/v1 (v1beta1 is gone)"
        yield codes.SEALED_UNREADABLE.at(
            document.place(("apiVersion",)), what, "write external-secrets.io/v1", clusters=clusters
        )
    plain = at(data, *_TEMPLATE, "data") or {}
    references = at(data, "spec", "data") or ()
    if not isinstance(plain, dict) or not isinstance(references, tuple):
        what = f"{need.kind}: spec.data must be a list, template.data a mapping"
        yield codes.SEALED_UNREADABLE.at(
            document.place(("spec",)),
            what,
            "write - {secretKey: ..., remoteRef: {...}} under spec.data",
            clusters=clusters,
        )
        return
    if not at(data, "spec", "dataFrom"):  # which adds keys that only the store knows
        there: dict[str, Path] = {key: (*_TEMPLATE, "data", key) for key in plain}
        for number, reference in enumerate(references):
            if isinstance(key := at(reference, "secretKey"), str):
                there[key] = ("spec", "data", number, "secretKey")
        yield from check_keys(need, document, ("spec", "data"), there)
    if plain and at(data, *_TEMPLATE, "mergePolicy") != "Merge":
        what = f"{need.kind}: a template with data and without mergePolicy: Merge drops every other key"
        yield codes.SEALED_KEYS.at(
            document.place(_TEMPLATE), what, "add mergePolicy: Merge to the template", clusters=clusters
        )
    for key, value in plain.items():
        path = (*_TEMPLATE, "data", key)
        yield from check_public(need, document, path, value.encode() if isinstance(value, str) else b"", public)


def _identity(need: SecretNeed, document: Document) -> Iterable[Problem]:
    """The Secret's name is the target's, by default the ExternalSecret's own."""
    target = at(document.data, "spec", "target", "name")
    if target is None:
        yield from check_identity(need, document)
        return
    namespace = at(document.data, "metadata", "namespace")
    paths: list[tuple[tuple[str, ...], Any, str]] = [
        (("spec", "target", "name"), target, need.name),
        (("metadata", "namespace"), namespace, need.namespace),
    ]
    for path, value, wanted in paths:
        if value != wanted:
            what = f'{need.kind}: {".".join(path)} isn\'t "{wanted}", where Istio looks'
            yield codes.SEALED_IDENTITY.at(
                document.place(path), what, f"write {path[-1]}: {wanted}", clusters=(need.cluster,)
            )


def blobs(body: Body) -> Mapping[str, str]:
    """None: the ciphertext is in the store."""
    return {}


def recipients(body: Body) -> None:
    """Nobody: the store decides who reads it."""


def standing(need: SecretNeed, body: Body, certificate: bytes | None) -> Standing:
    """Sealed, if the object names a store."""
    store = at(body, "spec", "secretStoreRef", "name")
    return Standing("sealed", (f"store {store}",)) if isinstance(store, str) else Standing("unreadable")


def readers(body: Body) -> set[str]:
    """Nobody that the object names."""
    return set()


def wanted_readers(sealing: Sealing, certificate: bytes | None) -> set[str]:
    """Nobody: nothing is encrypted."""
    return set()


def target(plan: Plan, cluster: ClusterPlan, secret: str, certificate: bytes | None) -> Target:
    """The store of the cluster, and the path in it."""
    store = cluster.sealing.store
    if store is None:
        raise SealError(
            f"{cluster.name}: no store is named",
            'write security: {secrets: {store: {name: ..., key: "{mesh}/{cluster}/{secret}"}}}',
        )
    key = store.key
    for word, value in {"{mesh}": plan.mesh, "{cluster}": cluster.name, "{secret}": secret}.items():
        key = key.replace(word, value)
    return Target(store=Store(store.kind, store.name, key))


def seal(plain: Plain, target: Target, now: datetime) -> Body:
    """An ExternalSecret that makes the whole Secret; public values stand in its template as text.

    It contains the defaults of the CRD, so that no tool sees a difference. Only the policy differs from the default: it
    is Merge, because with Replace a template with data drops every key of the store. A Secret with public parts is a
    CA, which must stay if the store loses the key: otherwise istiod would make its own root and sign with it. Any other
    Secret is deleted with the store's entry.

    `now` isn't needed. Raises SealError if the target has no store, or one that can't be.
    """
    check_plain(plain)
    public = template_data(plain)
    store = _checked(target.store)
    described = labels_and_annotations(plain)
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": plain.name, "namespace": plain.namespace},
        "spec": {
            "refreshInterval": "1h0m0s",
            "secretStoreRef": {"kind": store.kind, "name": store.name},
            "target": {
                "name": plain.name,
                "creationPolicy": "Owner",
                "deletionPolicy": "Retain" if public else "Delete",
                "template": {
                    "engineVersion": "v2",
                    "mergePolicy": "Merge",
                    **({"metadata": described} if described else {}),
                    **({"data": public} if public else {}),
                },
            },
            "data": [
                {"secretKey": key, "remoteRef": {"key": store.key, "property": key}} for key in sorted(plain.hidden)
            ],
        },
    }


def with_values_of(before: Body, keys: Collection[str], body: Body, target: Target) -> Body:
    """The object plus the references of an earlier one."""
    del target
    kept = [dict(one) for one in at(before, "spec", "data") or () if at(one, "secretKey") in keys]
    references = sorted([*body["spec"]["data"], *kept], key=lambda one: str(one["secretKey"]))
    return {**body, "spec": {**body["spec"], "data": references}}


def noted(body: Body, target: Target) -> Mapping[str, str]:
    """Nothing: there is no ciphertext."""
    return {}


def left_to_do(cluster: ClusterPlan, files: str) -> str:
    """Nothing: the sealing commands print what to put into the store."""
    return ""


def _checked(store: Store | None) -> Store:
    if store is None:
        raise SealError("there is no store to refer to")
    if store.kind not in _STORES:
        raise SealError(f"the store's kind isn't {' or '.join(_STORES)}")
    if not SUBDOMAIN.fullmatch(store.name):
        raise SealError("the store's name isn't valid in Kubernetes")
    if not re.fullmatch(r"[!-~]+", store.key) or "{{" in store.key:
        raise SealError("the path in the store is empty, or contains spaces, templates or non-ASCII letters")
    return store
