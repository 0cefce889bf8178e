"""The basic types of Kubernetes that meshc needs: objects, their identity, names, and versions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

Body = Mapping[str, Any]
"""An object in the form of its JSON. It never changes once it is in a `KubeObject`."""

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
"""A DNS-1123 label (RFC 1123): names of clusters, namespaces, Services and their ports. Match with `fullmatch`."""

SUBDOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
"""A DNS-1123 subdomain: host names, Secret names. Match with `fullmatch`."""


SECRETS = ("Secret", "SealedSecret", "ExternalSecret")
"""The kinds of objects that are a Secret, or from which a controller makes one. A test compares them with the registry
of sealed forms."""


class Identity(NamedTuple):
    """Identifies an object in a cluster. The version isn't part of it: two versions are the same object."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {where}"


@dataclass(frozen=True)
class KubeObject:
    """One Kubernetes object and the component it comes from."""

    body: Body
    origin: str

    @cached_property  # many clusters have the same copies of Services
    def identity(self) -> Identity:
        return identity_of(self.body)


def is_object(body: Any) -> bool:
    """True if `identity_of` can read the body. The check of the file reports a body that it can't read."""
    metadata = (body.get("metadata") or {}) if isinstance(body, dict) else None
    return isinstance(metadata, dict) and all(
        isinstance(metadata.get(key) or {}, dict) for key in ("labels", "annotations")
    )


def identity_of(body: Body) -> Identity:
    """The identity of an object. A missing part is empty."""
    group, _, version = str(body.get("apiVersion", "")).rpartition("/")
    metadata = body.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    return Identity(
        group if version else "",
        str(body.get("kind", "")),
        str(metadata.get("namespace") or ""),
        str(metadata.get("name") or ""),
    )


def at(data: Any, *path: str) -> Any:
    """The value at a path of keys; None if there is none."""
    for step in path:
        data = data.get(step) if isinstance(data, dict) else None
    return data


def as_list(value: Any) -> tuple[Any, ...]:
    """The items of a list; empty for any other value."""
    return tuple(value) if isinstance(value, tuple | list) else ()


def pods_in(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every pod spec in an object, at any depth: a mapping with a list of containers."""
    if isinstance(value, Mapping):
        if isinstance(value.get("containers"), tuple | list):
            yield value
        for item in value.values():
            yield from pods_in(item)
    for item in as_list(value):
        yield from pods_in(item)


class Version(NamedTuple):
    """A version such as `1.30.3`, compared number by number. A missing patch number is 0."""

    major: int
    minor: int
    patch: int = 0
    suffix: str = ""
    """The rest of a pre-release or variant, such as `-rc.0`. `parse` drops it."""

    @staticmethod
    def of_release(text: str) -> Version | None:
        """Reads `1.31.0-rc.0` with its suffix; None unless the text is three numbers and an optional suffix."""
        match = re.fullmatch(r"(\d{1,4})\.(\d{1,4})\.(\d{1,6})(-[0-9A-Za-z][0-9A-Za-z.-]{0,63})?", text)
        return Version(int(match[1]), int(match[2]), int(match[3]), match[4] or "") if match else None

    @staticmethod
    def parse(text: str) -> Version | None:
        """Reads `1.30`, `1.30.3`, `v1.30.3-gke.100`, `5.8.1`; None for anything else."""
        match = re.fullmatch(r"v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,6}))?(?:[-+][0-9A-Za-z.+-]*)?", text)
        return Version(int(match[1]), int(match[2]), int(match[3] or 0)) if match else None

    @property
    def line(self) -> tuple[int, int]:
        """The minor release, `(1, 30)`."""
        return (self.major, self.minor)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}{self.suffix}"


_VALUES = (
    ("data",),
    ("stringData",),
    ("spec", "encryptedData"),
    ("spec", "template", "data"),
    ("spec", "target", "template", "data"),
)
"""The paths at which sealed forms of a Secret list its keys."""


def keys_in(data: Body) -> set[str]:
    """The keys of the Secret in a sealed object of any form."""
    values = (at(data, *path) for path in _VALUES)
    there = {str(key) for one in values if isinstance(one, Mapping) for key in one}
    references = at(data, "spec", "data")
    return there | ({str(at(one, "secretKey")) for one in references} if isinstance(references, tuple) else set())
