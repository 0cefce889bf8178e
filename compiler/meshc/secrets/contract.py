"""What a module for one sealed form must offer, and the rules that all forms share."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from meshc import codes
from meshc.errors import Path, Problem

if TYPE_CHECKING:
    from meshc.kube import Body
    from meshc.plan.needs import SecretNeed
    from meshc.yamltext import Document


class Form(Protocol):
    """A module that knows one kind of sealed object, by the kind that the object states."""

    def check(self, need: SecretNeed, document: Document, public: Mapping[str, bytes]) -> Iterable[Problem]:
        """Everything that is wrong with the sealed object: it would not open, not be read, or is no secret at all.

        `public` are the certificates that public keys must be byte-equal to. No message ever holds a value.
        """
        ...


def is_mapping(value: Any) -> bool:
    return isinstance(value, dict)


def at(data: Any, *path: str) -> Any:
    """The value at a path of mappings; None where there is none."""
    for step in path:
        data = data.get(step) if isinstance(data, dict) else None
    return data


def check_identity(need: SecretNeed, document: Document, below: Path = ()) -> Iterable[Problem]:
    """Name and namespace are the need's. `below` is where the metadata stands that an operator gives to its Secret."""
    metadata = at(document.data, *[str(step) for step in below], "metadata")
    for field, wanted in (("name", need.name), ("namespace", need.namespace)):
        found = at(metadata, field)
        if found != wanted and not (below and found is None):
            what = f'{need.kind}: {field} is {_shown(found)}, Istio looks for "{wanted}"'
            place = document.place((*below, "metadata", field))
            yield codes.SEALED_IDENTITY.at(place, what, f"seal it again with {field}: {wanted}", clusters=(need.cluster,))


def check_labels(need: SecretNeed, document: Document, below: Path = ()) -> Iterable[Problem]:
    """The Secret that comes out carries what Istio selects by."""
    metadata = at(document.data, *[str(step) for step in below], "metadata")
    for field, wanted in (("labels", need.labels), ("annotations", need.annotations)):
        for key, value in wanted.items():
            if at(metadata, field, key) != value:
                place = document.place((*below, "metadata", field, key))
                where = ".".join([str(step) for step in below] + ["metadata", field])
                what = f'{need.kind}: {where} lacks {key}: "{value}", so istiod doesn\'t see it'
                if field == "annotations":
                    what = f'{need.kind}: {where} lacks {key}: "{value}"'
                yield codes.SEALED_LABELS.at(place, what, f'add {key}: "{value}" under {where}', clusters=(need.cluster,))


_SWITCHES = (
    "kustomize.toolkit.fluxcd.io/decrypt",
    "kustomize.toolkit.fluxcd.io/ssa",
    "kustomize.toolkit.fluxcd.io/reconcile",
    "kustomize.toolkit.fluxcd.io/force",
    "kustomize.toolkit.fluxcd.io/prune",
    "argocd.argoproj.io/hook",
    "argocd.argoproj.io/sync-options",
    "argocd.argoproj.io/compare-options",
    "argocd.argoproj.io/ignore-healthcheck",
    "sealedsecrets.bitnami.com/cluster-wide",
    "sealedsecrets.bitnami.com/managed",
    "sealedsecrets.bitnami.com/patch",
)
"""Annotations with which a pull request could switch decryption, pruning, drift repair or a seal's scope off."""


def check_annotations(need: SecretNeed, document: Document, below: Path = ()) -> Iterable[Problem]:
    """No annotation of the file changes how the secret is protected; meshc's own are allowed."""
    for key, value in (at(document.data, *[str(step) for step in below], "metadata", "annotations") or {}).items():
        if key in _SWITCHES and need.added.get(key) != value:
            place = document.place((*below, "metadata", "annotations", key))
            what = f"{need.kind}: annotation {key} switches protection off"
            yield codes.UNSAFE_ANNOTATION.at(place, what, "take it out of the file", clusters=(need.cluster,))


def check_keys(need: SecretNeed, document: Document, path: Path, found: Iterable[str]) -> Iterable[Problem]:
    """The Secret has exactly the keys that Istio reads."""
    wanted, held = {*need.keys, *need.public}, set(found)
    for key in sorted(wanted - held):
        yield codes.SEALED_KEYS.at(
            document.place(path), f'{need.kind}: key "{key}" is missing', "seal it again with that key", clusters=(need.cluster,)
        )
    for key in sorted(held - wanted):
        what = f"{need.kind}: key {_shown(key)} isn't one that Istio reads here"
        hint = f"seal it again with {', '.join(sorted(wanted))}"
        yield codes.SEALED_KEYS.at(document.place((*path, key)), what, hint, clusters=(need.cluster,))


def check_public(need: SecretNeed, document: Document, path: Path, key: str, value: bytes, public: Mapping[str, bytes]) -> Iterable[Problem]:
    """A public part in a sealed file is byte for byte the certificate in the folder that trust is checked on."""
    from meshc.trust.certificates import only_certificates

    place, clusters = document.place(path), (need.cluster,)
    if key in need.keys or not only_certificates(value):
        what = f'{need.kind}: "{key}" is neither sealed nor a certificate'
        hint = "seal it, and replace the key or token: what was committed is known"
        yield codes.PLAINTEXT.at(place, what, hint, clusters=clusters)
    elif key in public and public[key] != value:
        what = f'{need.kind}: "{key}" isn\'t the certificate in the folder of public parts'
        hint = "issue and seal the cluster's certificate again, or restore the file there; both must be the same bytes"
        yield codes.PUBLIC_PART_DIFFERS.at(place, what, hint, clusters=clusters)


def check_template_text(need: SecretNeed, document: Document, path: Path, value: Any) -> Iterable[Problem]:
    """Nothing that a controller would run as a template."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from check_template_text(need, document, (*path, key), item)
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from check_template_text(need, document, (*path, number), item)
    elif isinstance(value, str) and "{{" in value:
        what = f"{need.kind}: template text {{{{ stands here, which the controller would run"
        yield codes.TEMPLATE_TEXT.at(document.place(path), what, "write the value itself", clusters=(need.cluster,))


def with_annotations(data: Mapping[str, Any], added: Mapping[str, str]) -> Body:
    """The object with annotations added to its own metadata."""
    metadata = dict(data["metadata"])
    if added:
        metadata["annotations"] = {**(metadata.get("annotations") or {}), **added}
    return {**data, "metadata": metadata}


def _shown(value: Any) -> str:
    return json.dumps(value[:80], ensure_ascii=False) if isinstance(value, str) else "missing" if value is None else "no text"
