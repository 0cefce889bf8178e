"""A SealedSecret of Bitnami's controller: values in encryptedData, certificates in the template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc import codes
from meshc.kube import at
from meshc.sealedtext import is_sealed
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

    from meshc.errors import Problem
    from meshc.kube import Body
    from meshc.plan.needs import SecretNeed
    from meshc.yamltext.document import Document

_TEMPLATE = ("spec", "template")
_FIELDS = {"apiVersion", "kind", "metadata", "spec", "status"}


def check(need: SecretNeed, document: Document, public: Mapping[str, bytes]) -> Iterable[Problem]:
    """Form, identity and every value. A strict seal is bound to name and namespace."""
    data, clusters = document.data, (need.cluster,)
    yield from check_identity(need, document)
    yield from check_identity(need, document, _TEMPLATE)
    yield from check_labels(need, document, _TEMPLATE)
    yield from check_annotations(need, document)
    yield from check_annotations(need, document, _TEMPLATE)
    yield from check_template_text(need, document, _TEMPLATE, at(data, *_TEMPLATE))
    for field in sorted(data.keys() - _FIELDS):
        what = f'{need.kind}: "{field}" is no field of a SealedSecret'
        yield codes.SEALED_UNREADABLE.at(document.key_place((field,)), what, "take it out", clusters=clusters)
    if data.get("apiVersion") != "bitnami.com/v1alpha1":
        what = f"{need.kind}: a SealedSecret has apiVersion bitnami.com/v1alpha1"
        hint = "write apiVersion: bitnami.com/v1alpha1"
        yield codes.SEALED_UNREADABLE.at(document.place(("apiVersion",)), what, hint, clusters=clusters)
    sealed, plain = at(data, "spec", "encryptedData"), at(data, *_TEMPLATE, "data") or {}
    if not isinstance(sealed, dict) or not isinstance(plain, dict):
        what = f"{need.kind}: spec.encryptedData and, if it is there, template.data must be mappings"
        hint = f"seal it again with {', '.join(sorted((*need.keys, *need.public)))}"
        yield codes.SEALED_KEYS.at(document.place(("spec",)), what, hint, clusters=clusters)
        return
    there = {key: ("spec", "encryptedData", key) for key in sealed} | {key: (*_TEMPLATE, "data", key) for key in plain}
    yield from check_keys(need, document, ("spec", "encryptedData"), there)
    for key, value in sealed.items():
        if not is_sealed(value):
            what = f'{need.kind}: "{key}" isn\'t sealed'
            hint = "seal it with the controller's certificate, and replace the key or token: it is known now"
            yield codes.PLAINTEXT.at(document.place(("spec", "encryptedData", key)), what, hint, clusters=clusters)
    for key, value in plain.items():
        path = (*_TEMPLATE, "data", key)
        yield from check_public(need, document, path, key, value.encode() if isinstance(value, str) else b"", public)
    if at(data, *_TEMPLATE, "stringData"):
        what = f"{need.kind}: stringData in the template would become the value as it stands"
        yield codes.STRING_DATA.at(
            document.key_place((*_TEMPLATE, "stringData")), what, "seal it instead", clusters=clusters
        )


def blobs(data: Body) -> Mapping[str, str]:
    """Each sealed value."""
    return dict(data["spec"]["encryptedData"])


def recipients(data: Body) -> None:
    """Nobody: the one controller whose certificate it was sealed with."""
