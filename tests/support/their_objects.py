"""Random objects of users that refer to each other by name, and patches of them, in many forms of YAML."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import yaml

from support.patch_forms import Entry, service, steps, target

_ACCOUNTS = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: app, namespace: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: app, namespace: default}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: binding}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: app}]
"""
_DEPLOYMENT = "apiVersion: apps/v1\nkind: Deployment\nmetadata: &m {name: web, namespace: shop}\n"
_LABELS = ("add", "/metadata/labels", {"a": "b"})
BY_NAME: tuple[tuple[str, list[Entry]], ...] = (
    (_ACCOUNTS, [(steps(_LABELS), {"kind": "ServiceAccount", "namespace": "shop"})]),
    ("", [(service(3, metadata={"labels": {"x": "y"}}), {"kind": "Service", "name": ""})]),
    (
        "",
        [
            (steps(("add", "/metadata/annotations", {"a": "b"})), target(3)),
            (steps(_LABELS), {"annotationSelector": "internal.config.kubernetes.io/previousNames!=svc-3,a"}),
        ],
    ),
    (
        f"{_DEPLOYMENT}spec: {{selector: {{matchLabels: {{a: b}}}}, template: {{metadata: {{labels: {{a: b}}}}, spec: "
        "{containers: [{name: web, image: j}, {name: c, image: i}]}}}\n",
        [(f"{_DEPLOYMENT}spec: {{template: {{spec: {{containers: [{{<<: *m, $patch: delete}}]}}}}}}\n", {})],
    ),
    ('apiVersion: example.com/v1\nkind: Any\nmetadata: {name: last, namespace: shop}\nspec: {z: "a\\n\\n"}\n', []),
)
"""Resources with patches, of which kustomize's output depends on names, or which end with empty lines."""
UNSURE: tuple[str, list[Entry]] = (_ACCOUNTS, [(steps(_LABELS), {"kind": "ServiceAccount"})])
"""A resource that refers to one of two objects, which kustomize refuses after the patch."""
_NAMES = ("app", "name", "kind", "svc", "v1", f"{'long-' * 11}name", "a", "no", "true", "e3", "null")
"""Names that meshc can mark, and names that it can't (the last ones). Some are also words in other places."""
_ROLES = ("App.v1", "app:a", "app", f"{'part.' * 48}name", "a:b:c")
"""Names that only objects of RBAC may have."""
_RBAC = "rbac.authorization.k8s.io"
_HOOKS = "admissionregistration.k8s.io/v1"


def theirs_by_chance(chance: random.Random, *, odd: bool) -> tuple[str, list[Entry]]:
    """A file of resources, and patches of the objects in it. Only odd ones have what meshc can't mark."""
    bodies = {_key(one): one for one in (_body(chance, odd) for _ in range(chance.randint(2, 6)))}
    patches = [_patch(chance, one, odd) for one in bodies.values() if chance.random() < 0.7]
    return "---\n".join(_text(chance, one, odd) for one in bodies.values()), patches


def _key(body: dict[str, Any]) -> tuple[str, ...]:
    return body["kind"], body["metadata"].get("namespace", "default"), body["metadata"]["name"]


def _body(chance: random.Random, odd: bool) -> dict[str, Any]:
    names = [chance.choice(_NAMES[:4]) for _ in range(3)]
    kind = chance.choice(tuple(_MORE))
    api_version, more = _MORE[kind]
    more_names = _ROLES if "Role" in kind else _NAMES if odd else _NAMES[:6]
    metadata = {"name": chance.choice(more_names if chance.random() < 0.4 else _NAMES[:3])}
    if kind == "CustomResourceDefinition":
        metadata["name"] = f"{names[0]}.example.com"
    if not kind.startswith(("Cluster", "Custom", "Mutating")):
        metadata |= chance.choice(({"namespace": "shop"}, {"namespace": "shop"}, {"namespace": "default"}, {}))
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **more(*names)}


def _role(kind: str, name: str) -> dict[str, str]:
    return {"apiGroup": _RBAC, "kind": kind, "name": name}


def _pod(name: str, other: str) -> dict[str, Any]:
    sources = [{"configMapRef": {"name": name}}, {"secretRef": {"name": other}}]
    volumes = [
        {"name": name, "configMap": {"name": name}},
        {"name": "p", "persistentVolumeClaim": {"claimName": other}},
    ]
    container = {"name": name, "image": "i:1", "envFrom": sources}
    return {"serviceAccountName": name, "containers": [container], "volumes": volumes}


def _template(label: str, name: str, other: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {"a": label}}, "spec": _pod(name, other)}


_MORE: dict[str, tuple[str, Callable[[str, str, str], dict[str, Any]]]] = {
    "ServiceAccount": ("v1", lambda a, b, c: {"imagePullSecrets": [{"name": a}]}),
    "ConfigMap": ("v1", lambda a, b, c: {"data": {"name": a, b: f"name: {c}\n---\nmetadata:\n  name: {a}\n"}}),
    "Service": ("v1", lambda a, b, c: {"spec": {"ports": [{"name": "http", "port": 80}], "selector": {"app": a}}}),
    "Deployment": (
        "apps/v1",
        lambda a, b, c: {"spec": {"selector": {"matchLabels": {"a": a}}, "template": _template(a, b, c)}},
    ),
    "StatefulSet": (
        "apps/v1",
        lambda a, b, c: {
            "spec": {
                "serviceName": a,
                "selector": {"matchLabels": {"a": b}},
                "template": _template(b, c, a),
                "volumeClaimTemplates": [{"metadata": {"name": b}}],
            }
        },
    ),
    "HorizontalPodAutoscaler": (
        "autoscaling/v2",
        lambda a, b, c: {"spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": a}}},
    ),
    "PersistentVolumeClaim": ("v1", lambda a, b, c: {"spec": {"volumeName": a, "storageClassName": b}}),
    "Ingress": (
        "networking.k8s.io/v1",
        lambda a, b, c: {"spec": {"defaultBackend": {"service": {"name": a, "port": {"number": 80}}}}},
    ),
    "Role": (
        f"{_RBAC}/v1",
        lambda a, b, c: {"rules": [{"apiGroups": [""], "resources": ["x"], "resourceNames": [a, b], "verbs": ["get"]}]},
    ),
    "ClusterRole": (f"{_RBAC}/v1", lambda a, b, c: {"rules": [{"nonResourceURLs": [f"/{a}"], "verbs": ["get"]}]}),
    "RoleBinding": (
        f"{_RBAC}/v1",
        lambda a, b, c: {"roleRef": _role("Role", a), "subjects": [{"kind": "ServiceAccount", "name": b}]},
    ),
    "ClusterRoleBinding": (
        f"{_RBAC}/v1",
        lambda a, b, c: {
            "roleRef": _role("ClusterRole", a),
            "subjects": [_role("User", b), {"kind": "ServiceAccount", "name": c, "namespace": "shop"}],
        },
    ),
    "MutatingWebhookConfiguration": (
        _HOOKS,
        lambda a, b, c: {
            "webhooks": [{"name": f"{a}.example.com", "clientConfig": {"service": {"name": b, "path": f"/{c}"}}}]
        },
    ),
    "CustomResourceDefinition": (
        "apiextensions.k8s.io/v1",
        lambda a, b, c: {"spec": {"group": "example.com", "names": {"kind": "Any", "plural": a}, "scope": "Cluster"}},
    ),
    "Any": ("example.com/v1", lambda a, b, c: {"spec": {"name": a, "ref": {"name": b}, "text": f"{c}\n\n\n"}}),
}
"""The apiVersion and the other fields of each kind, from three names."""


def _patch(chance: random.Random, body: dict[str, Any], odd: bool) -> Entry:
    change = {"labels": {chance.choice(_NAMES[:3]).replace(":", "."): chance.choice(("on", "gold", "12"))}}
    kind, name = body["kind"], body["metadata"]["name"]
    target = {"kind": kind, **({"name": chance.choice((name, f"{name[:1]}.*", ""))} if chance.random() < 0.8 else {})}
    if chance.random() < 0.5:
        op = {"op": "add", "path": "/metadata/labels", "value": change["labels"]}
        return json.dumps([op]), target
    head = {key: body[key] for key in ("apiVersion", "kind")}
    merge = {**head, "metadata": {**body["metadata"], **change}}
    return _text(chance, merge, odd), (target if chance.random() < 0.3 else {})


def _text(chance: random.Random, body: dict[str, Any], odd: bool) -> str:
    """An object as a person, or a program, writes it."""
    form = chance.randrange(7)
    if form == 0:
        return f"{json.dumps(body)}\n"
    if form == 1 and odd:
        body = {**body, "more": [body["metadata"]]}  # PyYAML writes an anchor and an alias
    if form == 2:
        body = dict(reversed(body.items()))
    text = yaml.safe_dump(body, sort_keys=False, default_style='"' if form == 3 else None)
    if form == 4:
        return text.replace("\n", "\r\n")
    return f"# {body['metadata']['name']}\n{text}" if form == 5 else text
