"""Normalizes an object, so that two objects with the same meaning are equal.

Each rule of a role becomes one line for each permission, settings in a text lose their comments and their order, and
ports get Kubernetes' default protocol.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from meshc.kube import as_list, at, identity_of
from meshc.yamltext.read import read
from meshc.yamltext.write import write

if TYPE_CHECKING:
    from meshc.kube import Body

_MARKS = {"app.kubernetes.io/managed-by", "app.kubernetes.io/part-of", "endpointslice.kubernetes.io/managed-by"}
_SELECTED = {"app", "istio.io/rev"}
"""Labels by which Istio finds namespaces and webhooks. On other objects they only show the owner."""
_FOUND_BY_THEM = ("Namespace", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_KEPT = {"argocd.argoproj.io/sync-options", "kustomize.toolkit.fluxcd.io/prune"}
_ROLES = ("Role", "ClusterRole")


def unmarked(body: Body) -> dict[str, Any]:
    """The object without labels and annotations that only name its owner or protect it from pruning."""
    metadata = dict(at(body, "metadata") or {})
    labels = _MARKS | (set() if body.get("kind") in _FOUND_BY_THEM else _SELECTED)
    for field, words in (("labels", labels), ("annotations", _KEPT)):
        kept = {key: value for key, value in (metadata.pop(field, None) or {}).items() if key not in words}
        metadata |= {field: kept} if kept else {}
    return {**body, "metadata": metadata}


def meant(body: Body) -> dict[str, Any]:
    """The object in its normal form."""
    identity = identity_of(body)
    said: dict[str, Any] = _with_amounts(body)
    if identity.kind in _ROLES:
        said["rules"] = [{"allows": verb, "of": what} for verb, what in sorted(_least(set(_allowed(body))))]
    if identity.kind == "ConfigMap" and isinstance(body.get("data"), Mapping):
        said["data"] = {key: _settings(value) for key, value in body["data"].items()}
    if identity.kind in ("Service", "Endpoints", "EndpointSlice"):
        said = _with_protocols(said)
    if identity.kind == "Gateway" and identity.group == "networking.istio.io":
        said = _in_capitals(said)
    return said


def _allowed(body: Body) -> Iterator[tuple[str, str]]:
    for rule in as_list(body.get("rules")):
        names = [f" {name}" for name in as_list(at(rule, "resourceNames"))] or [""]
        for verb in as_list(at(rule, "verbs")):
            for url in as_list(at(rule, "nonResourceURLs")):
                yield str(verb), str(url)
            for group in as_list(at(rule, "apiGroups")):
                for resource in as_list(at(rule, "resources")):
                    yield from ((str(verb), f"{resource}.{group}".rstrip(".") + name) for name in names)


def _least(allowed: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Without permissions that a wider one includes."""

    def wider(verb: str, what: str) -> set[tuple[str, str]]:
        every = f"*.{what.partition(' ')[0].partition('.')[2]}"
        return {(word, one) for word in (verb, "*") for one in (what, every, "*.*")} - {(verb, what)}

    return {one for one in allowed if not wider(*one) & allowed}


def _settings(value: Any) -> Any:
    """A text of settings, normalized; any other text unchanged."""
    if not isinstance(value, str) or ":" not in value:
        return value
    documents, problems = read(value.encode(), "settings")
    if problems or len(documents) != 1 or not isinstance(documents[0].data, dict):
        return value
    if any(isinstance(one, str) and "\n" in one for one in documents[0].data.values()):
        return value  # such as a template, which people recognize by its own lines
    return write(_sorted(documents[0].data))


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value, key=str)}
    return [_sorted(one) for one in value] if isinstance(value, list | tuple) else value


_UNITS = {"m": Decimal("0.001"), "": Decimal(1), "k": Decimal(1000), "M": Decimal(10**6), "G": Decimal(10**9)}
_UNITS |= {"T": Decimal(10**12), "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40)}
_AMOUNT = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,9})?)([mkMGT]|[KMGT]i)?")


_MEASURED = ("requests", "limits")


def _with_amounts(value: Any, key: str = "") -> Any:
    """Resources as numbers: a server stores 2048Mi as 2Gi."""
    if isinstance(value, Mapping):
        return {name: _with_amounts(one, key if key in _MEASURED else str(name)) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_with_amounts(one) for one in value]
    match = _AMOUNT.fullmatch(str(value)) if key in _MEASURED else None
    return f"{(Decimal(match[1]) * _UNITS[match[2] or '']).normalize():f}" if match else value


def _with_protocols(value: Any, key: str = "") -> Any:
    if isinstance(value, Mapping):
        said = {name: _with_protocols(one, str(name)) for name, one in value.items()}
        return {"protocol": "TCP", **said} if key == "ports" else said
    return [_with_protocols(one, key) for one in value] if isinstance(value, list | tuple) else value


def _in_capitals(value: Any) -> Any:
    """Protocols of listeners in upper case, because Istio ignores the case."""
    if isinstance(value, Mapping):
        return {
            key: str(one).upper() if key == "protocol" and isinstance(one, str) else _in_capitals(one)
            for key, one in value.items()
        }
    return [_in_capitals(one) for one in value] if isinstance(value, list | tuple) else value
