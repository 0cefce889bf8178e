"""An ExternalSecret: references into a store, nothing secret in Git, certificates in the template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.kube import at
from meshc.secrets.contract import (
    check_annotations,
    check_identity,
    check_keys,
    check_labels,
    check_public,
    check_template_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from meshc.errors import Path, Problem
    from meshc.kube import Body
    from meshc.plan.needs import SecretNeed
    from meshc.yamltext.document import Document

_TEMPLATE = ("spec", "target", "template")


def check(need: SecretNeed, document: Document, public: Mapping[str, bytes]) -> Iterable[Problem]:
    """Form, identity, and that the Secret which comes out has every key."""
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
    if not at(data, "spec", "dataFrom"):  # which brings keys that only the store knows
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
        yield from check_public(need, document, path, key, value.encode() if isinstance(value, str) else b"", public)


def blobs(data: Body) -> Mapping[str, str]:
    """None: the values lie in the store."""
    return {}


def recipients(data: Body) -> None:
    """Nobody: the store decides who reads it."""


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
