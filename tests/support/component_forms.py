"""Components of users in many forms: handwritten ones, and random ones of random patches, resources and fields."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from support.patch_forms import BY_HAND, RESOURCES, Entry, by_chance, service, steps, target
from support.their_objects import theirs_by_chance

Form = tuple[str, Sequence[Entry], Mapping[str, Any]]
"""A component: the text of its resources, its patches, and other fields of its kustomization."""

_LABELS = {"labels": [{"pairs": {"team": "mesh", "tier": "gold"}}]}
_SELECTORS = {
    "labels": [{"pairs": {"a": "b"}, "includeSelectors": True}, {"pairs": {"t": "u"}, "includeTemplates": True}]
}
_IMAGES = {"images": [{"name": "i", "newName": "mirror.example.com/i", "newTag": "1.10"}]}
_BY_TIER = {"kind": "Service", "labelSelector": "tier=gold"}
APART: tuple[Form, ...] = (
    ("", BY_HAND[:3], {}),
    (RESOURCES, [], {}),
    (RESOURCES, BY_HAND[13:], {}),
    ("", [], _LABELS),
    ("", [(service(0, metadata={"annotations": {"by": "tier"}}), _BY_TIER)], {}),
    (RESOURCES, [(steps(("add", "/metadata/labels/tier", "gold")), target("[2-4]"))], _SELECTORS),
    (RESOURCES, [], _IMAGES | {"commonAnnotations": {"a": "on", "b": "two\nlines\n"}}),
    ("", BY_HAND[9:11], {"commonLabels": {"x.y/z": "1e3"}}),
)
"""Components that meshc takes apart."""
_SAME = "apiVersion: v1\nkind: Service\nmetadata: {name: svc-3, namespace: other}\nspec: {ports: [{port: 1}]}\n"
WHOLE: tuple[Form, ...] = (
    ("", [], {"namePrefix": "a-"}),
    ("", [], {"nameSuffix": "-z"}),
    (RESOURCES, [], {"replicas": [{"name": "web", "count": 3}]}),
    ("", [], {"configMapGenerator": [{"name": "settings", "literals": ["a=b"]}]}),
    ("", [], {"patchesStrategicMerge": [service(1, metadata={"labels": {"a": "b"}}) + "\n"]}),
    ("", [], {"labels": [{"pairs": {"a": "b"}, "fields": [{"path": "spec/a", "create": True}]}]}),
    ("", [], {"commonAnnotations": {"config.kubernetes.io/local-config": "true"}}),
    ("", [(steps(("replace", "/metadata/name", "renamed")), target(1))], {}),
    (
        "",
        [(steps(("add", "/metadata/labels/a", "b")), {**target(1), "labelSelector": "config.kubernetes.io/a!=b"})],
        {},
    ),
    (_SAME, [], {}),
)
"""Components of which only a build of the whole overlay shows what they do."""


def component_by_chance(chance: random.Random, name: str) -> Form:
    """A random component. Its resources have names of their own, because two components may be in one cluster."""
    text, theirs = theirs_by_chance(chance, odd=False) if chance.random() < 0.4 else ("", [])
    fields: dict[str, Any] = {}
    for field in (_LABELS, _SELECTORS, _IMAGES, {"commonAnnotations": {"c.d/e": name}}, {"commonLabels": {"n": name}}):
        fields |= field if chance.random() < 0.25 else {}
    return text, [*theirs, *(by_chance(chance) if chance.random() < 0.8 else [])], fields


def write_component(folder: Path, name: str, form: Form) -> str:
    """Writes a component below a folder. Every other patch is a text in the kustomization. Returns the path."""
    text, entries, fields = form
    (folder / name).mkdir()
    if text:
        (folder / name / "own.yaml").write_text(text)
    patches = []
    for number, (patch, aimed) in enumerate(entries):
        where = {"patch": patch}
        if number % 2:
            (folder / name / f"p{number}.yaml").write_text(patch)
            where = {"path": f"p{number}.yaml"}
        patches.append(where | ({"target": aimed} if aimed else {}))
    head = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}
    resources = {"resources": ["own.yaml"]} if text else {}
    (folder / name / "kustomization.yaml").write_text(
        json.dumps(head | resources | {"patches": patches} | dict(fields))
    )
    return name
