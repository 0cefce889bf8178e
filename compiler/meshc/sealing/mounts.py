"""Finds volumes that istiod would mount, and volumes that hide them, in an object."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from meshc.kube import Body, as_list, at, identity_of, pods_in
from meshc.plan.istiod_values import KUBECONFIG, MOUNTED, MOUNTED_AT

_MOUNTS = {
    "/etc/cacerts": ("cacerts", "its CA"),
    "/var/run/secrets/remote": (KUBECONFIG, "the credentials of the config cluster"),
    "/var/run/secrets/istiod/tls": ("istiod-tls", "its own certificate"),
    MOUNTED_AT: (MOUNTED, "the credentials of other clusters"),
}
"""Where chart istiod mounts a Secret, and which (istio-discovery/templates/deployment.yaml, 1.24.0 to 1.30.3)."""


def is_veiled(body: Body) -> bool:
    """True for an object with text that sops encrypted, except a Secret's values: Flux decrypts every object."""
    identity = identity_of(body)
    if "sops" in body and (identity.group, identity.kind) != ("", "Secret"):
        return True
    rest = {key: value for key, value in body.items() if key not in ("data", "stringData", "sops")}
    return any(text.startswith("ENC[") for text in texts(rest if identity.kind == "Secret" else body))


def mounts(body: Body, namespace: str) -> Iterator[str]:
    """Finds another volume that is mounted at a path where istiod reads its files."""
    if identity_of(body).namespace != namespace:
        return
    for pod in pods_in(body):
        volumes = {str(at(one, "name")): one for one in as_list(pod.get("volumes"))}
        for container in filter(_is_istiod, as_list(pod.get("containers"))):
            for mount in as_list(at(container, "volumeMounts")):
                path = posixpath.normpath(f"/{at(mount, 'mountPath')}").replace("//", "/")
                for place, (wanted, what) in _MOUNTS.items():
                    overlap = f"{path}/".startswith(f"{place}/") or f"{place}/".startswith(f"{path}/")
                    secret = at(volumes.get(str(at(mount, "name"))), "secret", "secretName")
                    if overlap and (path != place or secret != wanted):
                        yield f"mounts another volume at {path}, where istiod reads {what}"


def _is_istiod(container: Any) -> bool:
    return at(container, "name") == "discovery" or "pilot" in str(at(container, "image"))


_SELECTS = {
    *("match", "exclude", "validate", "preconditions", "selector", "labelSelector", "matchLabels", "matchExpressions"),
    *("expr", "ignoreDifferences", "allowed", "annotations", "description", "summary", "message"),
}
"""Keys below which a custom resource only selects or describes objects, and makes none."""


def texts(value: Any) -> Iterator[str]:
    """Every key and every text in an object, except what only selects other objects."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            if key not in _SELECTS:
                yield from texts(item)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value
