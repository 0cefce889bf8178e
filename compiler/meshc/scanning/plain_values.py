"""Finds the values that anyone can read in an object that is, or becomes, a Secret."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.kube import SECRETS, at, identity_of
from meshc.sealedtext import decoded, is_encrypted, is_sealed, is_sops_block

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from meshc.errors import Path, Place, Problem

    Where = Callable[[Path], Place]
    """Returns the place of the value at a path of the object."""

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""The annotation in which kubectl keeps the applied object; for a Secret, it has every value readable."""

_WEAKENS = ("kustomize.toolkit.fluxcd.io/decrypt", "sealedsecrets.bitnami.com/cluster-wide")
"""The annotations about protection that nobody needs on their own Secret."""
_ANY_TYPE = ("str", "bytes", "int", "float", "bool")


def is_secret(body: Mapping[str, Any]) -> bool:
    """True for an object that is a Secret or becomes one."""
    return body.get("kind") in SECRETS


def plain_secret(data: Mapping[str, Any], where: Where) -> Iterable[Problem]:
    """Finds readable values in a user's Secret, and annotations that turn off its protection."""
    yield from _annotations(data, where)
    if data.get("kind") == "Secret" and not identity_of(data).group:
        yield from _secret(data, where)
    elif data.get("kind") == "SealedSecret":
        yield from _sealed_secret(data, where)
    elif data.get("kind") in ("ExternalSecret", "ClusterExternalSecret"):
        yield from _external_secret(data, where)
    for inner in _inside(data, top=True):
        yield from _secret(inner, lambda _: where(()))


def _inside(value: Any, *, top: bool = False) -> Iterator[Mapping[str, Any]]:
    """Secrets inside another object, which an operator applies."""
    if isinstance(value, dict):
        if not top and value.get("kind") == "Secret" and "apiVersion" in value and not identity_of(value).group:
            yield value
            return
        for item in value.values():
            yield from _inside(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from _inside(item)


def _annotations(data: Mapping[str, Any], where: Where) -> Iterable[Problem]:
    annotations = at(data, "metadata", "annotations")
    for key in annotations if is_secret(data) and isinstance(annotations, dict) else ():
        if key == LAST_APPLIED:
            what = f"the annotation {LAST_APPLIED} contains the Secret as it was applied"
            yield codes.PLAINTEXT_SECRET.at(where(()), what, "remove it, and replace the values of the Secret")
        if key in _WEAKENS:
            what = f"the annotation {key} turns off the protection of a secret"
            yield codes.UNSAFE_ANNOTATION.at(where(()), what, "remove the annotation")
    if not is_secret(data) and isinstance(annotations, dict):
        yield from _applied(annotations.get(LAST_APPLIED), where(()))


def _applied(text: Any, place: Place) -> Iterable[Problem]:
    """Finds a Secret in kubectl's last-applied annotation, on any object."""
    try:
        body = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return
    if isinstance(body, dict) and body.get("kind") == "Secret" and (body.get("data") or body.get("stringData")):
        what = f"the annotation {LAST_APPLIED} contains the Secret as it was applied"
        yield codes.PLAINTEXT_SECRET.at(place, what, "remove it, and replace the values of the Secret")


def _secret(data: Mapping[str, Any], where: Where) -> Iterable[Problem]:
    """sops doesn't encrypt an empty value, and Flux also decrypts values in `stringData`."""
    sealed = is_sops_block(data.get("sops"))
    fields = [data.get(field) or {} for field in ("data", "stringData")]
    shaped = all(isinstance(values, dict) for values in fields)
    values = [value for field in fields for value in field.values()] if shaped else [None]
    if not all(_is_closed(value, sealed=sealed) for value in values):
        what = "a Secret in plain text would be committed to output/"
        hint = "seal it (sops, SealedSecret) or refer to it (ExternalSecret), and replace its values"
        yield codes.PLAINTEXT_SECRET.at(where(()), what, hint)


def _is_closed(value: Any, *, sealed: bool) -> bool:
    return value == "" or (sealed and is_encrypted(value, _ANY_TYPE)) or is_placeholder(value)


def _sealed_secret(data: Mapping[str, Any], where: Where) -> Iterable[Problem]:
    encrypted = at(data, "spec", "encryptedData")
    for key, value in encrypted.items() if isinstance(encrypted, dict) else ():
        if not is_sealed(value) and not is_placeholder(value):
            yield _plain(
                ("spec", "encryptedData", key),
                where,
                "seal it with the controller's certificate, and replace its values",
            )
    for field in ("data", "stringData"):
        values = at(data, "spec", "template", field)
        for key, value in values.items() if isinstance(values, dict) else ():
            if not _is_public(value):
                hint = "move it to encryptedData, sealed, and replace its values"
                yield _plain(("spec", "template", field, key), where, hint)


_KEYS = re.compile(r"(?i)pass(word|wd|phrase)?$|token|secret|(?<!public)[-_.]?key$|credential|kubeconfig|dsn$")


def _external_secret(data: Mapping[str, Any], where: Where) -> Iterable[Problem]:
    """A template may contain settings in plain text, but no value with a name like a secret's."""
    path = ("spec", "externalSecretSpec") if data.get("kind") == "ClusterExternalSecret" else ("spec",)
    path = (*path, "target", "template", "data")
    values = at(data, *path)
    for key, value in values.items() if isinstance(values, dict) else ():
        if isinstance(key, str) and _KEYS.search(key) and not _is_public(value):
            yield _plain((*path, key), where, "keep it in the store, and replace it")


def _plain(path: tuple[str, ...], where: Where, hint: str) -> Problem:
    what = f"{'.'.join(path)} is here in plain text"
    return codes.PLAINTEXT_SECRET.at(where(path), what, hint)


def _is_public(value: Any) -> bool:
    """True for certificates, for a template that is filled with sealed values, and for a placeholder."""
    from meshc.trust.certificates import only_certificates

    if not isinstance(value, str):
        return False
    return value == "" or "{{" in value or is_placeholder(value) or only_certificates(value.encode())


_PLACEHOLDER = re.compile(
    r"\$\{[A-Za-z_][A-Za-z0-9_]*(:[-=])?\}"  # Flux's post-build substitution, without a default that could be a secret
    r"|op://[^\s/]+/[^\s/]+(/[^\s]+)?"  # 1Password
    r"|<path:[^\s<>]+>"  # Argo CD Vault Plugin
    r"|(ref\+)?vault(secret)?:[^\s][^\s#]*#[^\s]+"  # vals, the Vault webhook
)


def is_placeholder(value: Any) -> bool:
    """True for a text that only names where a secret is kept, as plain text or in base64."""
    if not isinstance(value, str):
        return False
    if _PLACEHOLDER.fullmatch(value):
        return True
    try:
        return _PLACEHOLDER.fullmatch(decoded(value).decode()) is not None
    except UnicodeDecodeError:
        return False
