"""Converts a plan to JSON data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshc.errors import Place
from meshc.kube import Version
from meshc.plan.files import ComponentPlan, UserFile
from meshc.plan.ways import Door


def as_json(value: Any) -> Any:
    """A plan as JSON data, with the key names of mesh.yaml. File contents are left out, and versions are text."""
    if isinstance(value, Version | Place):
        return str(value)
    if isinstance(value, UserFile):
        return {"name": value.name, "source": value.source}
    if isinstance(value, ComponentPlan):
        return {"folder": value.folder, "source": value.source}
    if isinstance(value, Door):
        return {"port": value.port, "selector": dict(value.selector)}
    if hasattr(value, "__dataclass_fields__"):
        return {key_of(name): as_json(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [as_json(item) for item in value]
    return value


def key_of(field: str) -> str:
    """The key in mesh.yaml for a field: `pod_cidrs` is podCIDRs."""
    first, *rest = field.split("_")
    if field == "id":
        return "clusterID"
    return first + "".join(_WORDS.get(word, word.capitalize()) for word in rest)


_WORDS = {"cidrs": "CIDRs", "ids": "IDs", "tls": "TLS", "url": "URL", "id": "ID"}
