"""Finds credentials in an inventory, which must not hold any because it is committed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.errors import Place
from meshc.kube import at, identity_of
from meshc.mesh.user_files import Manifest, objects_in
from meshc.scanning.plain_values import plain_secret
from meshc.sealedtext import decoded
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from meshc.errors import Path, Problem
    from meshc.mesh.inventories import Inventory

_HINT = "remove it and replace it: anyone may have read a file of the repository"
_PUBLIC = frozenset({"name", "server", "project", "shard", "namespaces", "clusterResources"})
"""Keys of Argo CD's cluster Secrets that anyone may read, besides a `config` without credentials."""
_OPEN = frozenset({"insecure", "serverName", "caData"})
_LEFT_OUT = ("", "REDACTED", "DATA+OMITTED", "LS0tLS1CRUdJTi...")
"""What kubectl writes instead of a credential."""
_OF_USERS = ("token", "password", "client-key-data", "client-certificate-data")


def credentials_in(inventory: Inventory, shown: str) -> Iterator[Problem]:
    """Every credential in an inventory, by the format of the file. The message never contains the credential."""
    for document in read(inventory.data, shown)[0]:
        for manifest, path, body in objects_in([Manifest(document)]):
            if not isinstance(body, dict):
                continue

            def where(below: Path, manifest: Manifest = manifest, path: Path = path) -> Place:
                return manifest.place((*path, *below))

            if body.get("kind") == "Secret" and not identity_of(body).group:
                yield from _of_argo_cd(body, where((*_at_data(body),)))
                yield from plain_secret(_private(body), where)
            yield from _of_kubeconfig(body, where)
            yield from _of_terraform(body, where)


def _at_data(body: Mapping[str, Any]) -> Iterable[str]:
    return ("data",) if "data" in body else ("stringData",) if "stringData" in body else ()


def without_public(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object; if it is a cluster Secret of Argo CD, without the keys that anyone may read."""
    labels = at(body, "metadata", "labels")
    is_cluster = isinstance(labels, dict) and labels.get("argocd.argoproj.io/secret-type") == "cluster"
    return (
        _private(body) if is_cluster and body.get("kind") == "Secret" and not [*_of_argo_cd(body, Place(""))] else body
    )


def _private(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """A Secret without the keys that anyone may read, and without `config`, which is checked separately."""
    kept = {}
    for key in ("data", "stringData"):
        if isinstance(values := body.get(key), dict):
            kept[key] = {name: value for name, value in values.items() if name not in {*_PUBLIC, "config"}}
    others = {key: value for key, value in body.items() if key not in ("data", "stringData")}
    return {**others, **{key: values for key, values in kept.items() if values}}


def _of_argo_cd(body: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    """Reports the `config` of a cluster Secret, which has Argo CD's credentials."""
    text = at(body, "stringData", "config")
    coded = at(body, "data", "config")
    text = text if isinstance(text, str) else decoded(coded) if isinstance(coded, str) else None
    if text is None:
        return
    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict) or not _is_open(config):
        hint = f"{_HINT}; a cluster Secret needs only name, server and labels here"
        yield codes.PLAINTEXT_SECRET.at(place, "the config of a cluster Secret of Argo CD is here", hint)


def _is_open(config: Mapping[str, Any]) -> bool:
    tls = config.get("tlsClientConfig", {})
    return set(config) <= {"tlsClientConfig"} and isinstance(tls, dict) and set(tls) <= _OPEN


def _of_kubeconfig(body: Mapping[str, Any], where: Any) -> Iterator[Problem]:
    users = body.get("users") if body.get("kind") == "Config" else None
    for number, entry in enumerate(users if isinstance(users, tuple) else ()):
        user = at(entry, "user")
        for key, value in user.items() if isinstance(user, dict) else ():
            if (key in _OF_USERS and value not in _LEFT_OUT) or key in ("auth-provider", "exec"):
                what = f"a kubeconfig's {key} is here"
                hint = f"{_HINT}; an inventory needs no users: kubectl config view, without users"
                yield codes.PLAINTEXT_SECRET.at(where(("users", number, "user", key)), what, hint)


def _of_terraform(body: Mapping[str, Any], where: Any) -> Iterator[Problem]:
    """Reports outputs in `terraform output -json` that are marked as sensitive."""
    for name, output in body.items():
        if isinstance(output, dict) and output.get("sensitive") is True and "value" in output:
            what = "an output that Terraform marks as sensitive is here in plain text"
            yield codes.PLAINTEXT_SECRET.at(where((name,)), what, _HINT)
