"""The rules for every sealed object in the repository, whatever its form."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.kube import at, keys_in
from meshc.scanning.makes import copies
from meshc.scanning.plain_values import LAST_APPLIED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from meshc.errors import Path, Problem
    from meshc.kube import Body
    from meshc.plan.needs import SecretNeed
    from meshc.yamltext.document import Document


def is_mapping(value: Any) -> bool:
    return isinstance(value, dict)


def check_identity(need: SecretNeed, document: Document, below: Path = ()) -> Iterable[Problem]:
    """Checks that name and namespace are those of the need. `below` is the path of the metadata that an operator
    copies."""
    metadata = at(document.data, *[str(step) for step in below], "metadata")
    for field, wanted in (("name", need.name), ("namespace", need.namespace)):
        found = at(metadata, field)
        if found != wanted and not (below and found is None):
            what = f'{need.kind}: {field} is {_shown(found)}, Istio looks for "{wanted}"'
            place = document.place((*below, "metadata", field))
            yield codes.SEALED_IDENTITY.at(
                place, what, f"seal it again with {field}: {wanted}", clusters=(need.cluster,)
            )


def check_labels(need: SecretNeed, document: Document, below: Path = ()) -> Iterable[Problem]:
    """Checks that the resulting Secret has the labels and annotations that Istio selects by."""
    metadata = at(document.data, *[str(step) for step in below], "metadata")
    if need.not_labelled and at(metadata, "labels", need.not_labelled) is not None:
        place = document.key_place((*below, "metadata", "labels", need.not_labelled))
        what = f"{need.kind}: the label {need.not_labelled} makes istiod take it for a remote secret as well"
        hint = "remove the label: istiod would read the cluster twice, as two clusters with the same pods"
        yield codes.SEALED_LABELS.at(place, what, hint, clusters=(need.cluster,))
    for field, wanted in (("labels", need.labels), ("annotations", need.annotations)):
        if field == "annotations" and not is_mapping(at(metadata, field) or {}):
            continue  # reported by check_annotations
        for key, value in wanted.items():
            if at(metadata, field, key) != value:
                place = document.place((*below, "metadata", field, key))
                where = ".".join([str(step) for step in below] + ["metadata", field])
                why = ", by which Istio finds it" if field == "labels" else ", which names its cluster"
                what = f'{need.kind}: {where} lacks {key}: "{value}"{why}'
                hint = f'add {key}: "{value}" under {where}'
                if document.data.get("kind") == "SealedSecret":
                    hint += f"; after kubeseal --re-encrypt: meshc secrets accept {document.file}"
                yield codes.SEALED_LABELS.at(place, what, hint, clusters=(need.cluster,))


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
"""Annotations that can turn off decryption, pruning or drift correction, or change a seal's scope."""


def switches_off(annotation: str) -> bool:
    """True for an annotation that decides how a Secret is protected, or that copies it elsewhere."""
    return annotation in _SWITCHES or copies(annotation)


def check_annotations(need: SecretNeed, document: Document, below: Path = ()) -> Iterable[Problem]:
    """Checks that no annotation of the file changes the protection of the secret; meshc's own annotations are
    allowed."""
    about, path = (need.cluster,), (*below, "metadata", "annotations")
    found = at(document.data, *[str(step) for step in path])
    if found is not None and not is_mapping(found):
        what = f"{need.kind}: annotations must be a mapping"
        yield codes.SEALED_UNREADABLE.at(document.place(path), what, "write key: value pairs", clusters=about)
        return
    for key, value in (found or {}).items():
        place = document.key_place((*path, key))
        if switches_off(key) and need.added.get(key) != value:
            what = f"{need.kind}: the annotation {key} decides how the secret is protected"
            hint = "remove the annotation; meshc adds the protection that a Secret needs"
            yield codes.UNSAFE_ANNOTATION.at(place, what, hint, clusters=about)
        if key == LAST_APPLIED:
            what = f"{need.kind}: the annotation {key} contains the Secret as it was before it was sealed"
            hint = "remove it, and replace the key or token: anyone may have read what was committed"
            yield codes.PLAINTEXT.at(place, what, hint, clusters=about)


def check_keys(need: SecretNeed, document: Document, path: Path, found: Mapping[str, Path]) -> Iterable[Problem]:
    """Checks that the Secret has exactly the keys that Istio reads. `path` is the path of the keys."""
    wanted = {*need.keys, *need.public}
    hint = f"seal it again with exactly {', '.join(sorted(wanted))}"
    if need.grows:
        hint = (
            "seal it again only for those clusters: meshc capture credentials --all --replace, or one with --identity"
        )
    missing = sorted(wanted - found.keys())
    if missing and not (need.grows and found.keys() & wanted):
        names = ", ".join(map(_shown, missing))
        what = f"{need.kind}: {f'keys {names} are' if len(missing) > 1 else f'key {names} is'} missing"
        yield codes.SEALED_KEYS.at(document.place(path), what, hint, clusters=(need.cluster,))
    for key in sorted(found.keys() - wanted):
        what = f"{need.kind}: key {_shown(key)} isn't one that Istio reads here"
        if need.grows:
            what = f"{need.kind}: key {_shown(key)} isn't the key of a cluster that {need.cluster} watches"
        yield codes.SEALED_KEYS.at(document.key_place(found[key]), what, hint, clusters=(need.cluster,))


def check_public(
    need: SecretNeed, document: Document, path: Path, value: bytes, public: Mapping[str, bytes]
) -> Iterable[Problem]:
    """Checks that a public part of a sealed file equals, byte for byte, the certificate that meshc verifies.

    The last step of `path` is its key.
    """
    from meshc.trust.certificates import only_certificates

    key = str(path[-1])
    place, clusters = document.place(path), (need.cluster,)
    if key in need.keys or not only_certificates(value):
        what = f'{need.kind}: "{key}" is neither sealed nor a certificate'
        hint = "seal it, and replace the key or token: anyone may have read what was committed"
        yield codes.PLAINTEXT.at(place, what, hint, clusters=clusters)
    elif key in public and public[key] != value and not _is_chain(key, value, public):
        what = f'{need.kind}: "{key}" differs from {path_of(need, key)} in the folder of certificates'
        hint = "issue and seal the cluster's certificate again, or restore the file: both must be the same bytes"
        if _lines(public[key]) == _lines(value):
            what = (
                f'{need.kind}: "{key}" and {path_of(need, key)} in the folder of certificates differ only in line ends'
            )
            hint = (
                "restore the line ends: write certificates/** text eol=lf into .gitattributes, and check it out again"
            )
        yield codes.PUBLIC_PART_DIFFERS.at(place, what, hint, clusters=clusters)


def _is_chain(key: str, value: bytes, public: Mapping[str, bytes]) -> bool:
    """Checks that the certificate of a TLS Secret is the chain in the folder of certificates; its roots are in another
    key."""
    from meshc.trust.tls_form import is_chain

    return key == _TLS_CERTIFICATE and is_chain(value, public.get(_TLS_ROOTS, b""), public[key])


def _lines(data: bytes) -> bytes:
    return data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").rstrip(b"\n")


def path_of(need: SecretNeed, key: str) -> str:
    """The path of a public part below the folder of certificates."""
    if key in ("root-cert.pem", _TLS_ROOTS):
        return "root-cert.pem"
    return f"{need.cluster}/{'cert-chain.pem' if key == _TLS_CERTIFICATE else key}"


_TLS_CERTIFICATE, _TLS_KEY, _TLS_ROOTS = "tls.crt", "tls.key", "ca.crt"


def in_its_form(need: SecretNeed, data: Body) -> SecretNeed:
    """The need for a sealed object with the keys of a TLS Secret instead of Istio's own keys, if istiod accepts it."""
    if not need.as_tls or not keys_in(data) & {_TLS_CERTIFICATE, _TLS_KEY}:
        return need
    return replace(need, keys=(_TLS_KEY,), public=(_TLS_CERTIFICATE, _TLS_ROOTS))


def check_template_text(need: SecretNeed, document: Document, path: Path, value: Any) -> Iterable[Problem]:
    """Checks for text that a controller would run as a template."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from check_template_text(need, document, (*path, key), item)
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from check_template_text(need, document, (*path, number), item)
    elif isinstance(value, str) and "{{" in value:
        what = f"{need.kind}: there is template text {{{{ here, which the controller would run"
        yield codes.TEMPLATE_TEXT.at(document.place(path), what, "write the value itself", clusters=(need.cluster,))


def with_annotations(data: Mapping[str, Any], added: Mapping[str, str]) -> Body:
    """The object with annotations added to its own metadata."""
    metadata = dict(data["metadata"])
    if added:
        metadata["annotations"] = {**(metadata.get("annotations") or {}), **added}
    return {**data, "metadata": metadata}


def _shown(value: Any) -> str:
    return (
        json.dumps(value[:80], ensure_ascii=False)
        if isinstance(value, str)
        else "missing"
        if value is None
        else "no text"
    )
