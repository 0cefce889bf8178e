"""Writes the text of a kustomization.yaml from a list of resources and patches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from meshc.tree import HEADER
from meshc.yamltext.write import write

NAME = "kustomization.yaml"


def kustomization(
    resources: Iterable[str],
    patches: Iterable[tuple[str, Mapping[str, str]]] = (),
    components: Iterable[str] = (),
) -> bytes:
    """A kustomization that lists resources, patches and components in this order, without other transformations."""
    body: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": list(resources),
    }
    listed = [{"path": path, **({"target": dict(target)} if target else {})} for path, target in patches]
    if listed:
        body["patches"] = listed
    if named := list(components):
        body["components"] = named
    return HEADER + write(body).encode()
