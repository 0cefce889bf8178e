"""Writes the text of a kustomization.yaml from a list of resources and patches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from meshc.tree import HEADER
from meshc.yamltext.write import write

NAME = "kustomization.yaml"
VERSION = "kustomize.config.k8s.io/v1beta1"
"""The apiVersion of a kustomization."""
COMPONENT_VERSION = "kustomize.config.k8s.io/v1alpha1"
"""The apiVersion of a component."""

Listed = Iterable[tuple[str, Mapping[str, str]]]
"""Patches: for each, the path of its file and its target."""


def kustomization(resources: Iterable[str], patches: Listed = (), components: Iterable[str] = ()) -> bytes:
    """A kustomization that lists resources, patches and components in this order, without other transformations."""
    return _written(VERSION, "Kustomization", resources, patches, {"components": list(components)})


def component(resources: Iterable[str], patches: Listed, fields: Mapping[str, Any]) -> bytes:
    """A kustomization of kind Component, with more fields."""
    return _written(COMPONENT_VERSION, "Component", resources, patches, fields)


def _written(version: str, kind: str, resources: Iterable[str], patches: Listed, fields: Mapping[str, Any]) -> bytes:
    body: dict[str, Any] = {"apiVersion": version, "kind": kind}
    body["resources"] = list(resources)
    listed = [{"path": path, **({"target": dict(target)} if target else {})} for path, target in patches]
    body |= {"patches": listed} if listed else {}
    body |= {key: value for key, value in fields.items() if value}
    return HEADER + write(body).encode()
