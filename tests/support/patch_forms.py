"""Patches and resources of every form, handwritten and random, for a mesh whose clusters all have the same Services."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

SERVICES = 16
Entry = tuple[str, dict[str, str]]
"""The text of a patch, and its target."""


def service(number: int, **more: Any) -> str:
    """A strategic merge patch for a copy of a Service."""
    metadata = {"name": f"svc-{number}", "namespace": "shop", **more.pop("metadata", {})}
    return json.dumps({"apiVersion": "v1", "kind": "Service", "metadata": metadata, **more})


def target(number: int | str, **more: str) -> dict[str, str]:
    return {"kind": "Service", "name": f"svc-{number}", **more}


def steps(*found: Sequence[Any]) -> str:
    """A JSON patch: op, path and value of each step."""
    return json.dumps([dict(zip(("op", "path", "value"), step, strict=False)) for step in found])


BY_HAND: tuple[Entry, ...] = (
    (service(0, metadata={"labels": {"tier": "gold", "n": "1"}}), {}),
    (service(1, metadata={"annotations": {"a": "on", "b": "x: y", "c": "two\nlines\n"}}), {}),
    (service(2, spec={"ports": [{"port": 9090, "$patch": "delete"}]}), {}),
    (service(3, spec={"ports": [{"port": 8080, "name": "web"}]}), {}),
    (service(4, spec={"$patch": "replace", "ports": [{"port": 1, "name": "one"}]}), {}),
    (service(5, spec={"ports": [{"$patch": "replace"}, {"port": 2, "name": "two"}]}), {}),
    (service(6, **{"$patch": "delete"}), {}),
    (service(7, spec={"type": None, "externalTrafficPolicy": "Local"}), {}),
    (service(8, metadata={"labels": {"tier": "gold"}}) + "\n---\n" + service(9, spec={"sessionAffinity": "None"}), {}),
    (steps(("add", "/metadata/annotations", {"k": "1e3"})), target("1[0-3]")),
    (steps(("add", "/metadata/labels/x~1y", "on"), ("replace", "/spec/ports/0/port", 81)), target("1[01]")),
    (steps(("remove", "/spec/ports/1")), target("(12|13)")),
    (steps(("test", "/kind", "Service"), ("add", "/spec/ports/-", {"name": "p", "port": 3})), target(14)),
    (service(0, metadata={"labels": {"by": "selector"}}), {"kind": "Service", "labelSelector": "tier=gold"}),
    (service(0, metadata={"annotations": {"odd": "[["}}), target("1[[:digit:]]")),
    (service(99, metadata={"labels": {"of": "another"}}), target(15)),
    (json.dumps({"kind": "Any", "metadata": {"name": "any", "labels": {"kind": "any"}}}), {"kind": "Name.*"}),
    (steps(("add", "/metadata/labels", {"whole": "map"})), {"kind": "Namespace", "name": "shop"}),
    (json.dumps({"kind": "A", "metadata": {"name": "a", "annotations": {"o": "m"}}}), {"group": "apps"}),
    (steps(("replace", "/spec/sort", [3, 1.0, "2", None])), {"kind": "Odd", "namespace": "shop"}),
    (json.dumps({"kind": "A", "metadata": {"name": "a"}, "spec": {"deep": {"k10": 1, "k2": None}}}), {"kind": "Odd"}),
)


def _pods(**pod: Any) -> Entry:
    """A strategic merge patch for the Deployment of RESOURCES."""
    spec = {"template": {"spec": pod}}
    return json.dumps({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _WEB, "spec": spec}), {}


_WEB = {"name": "web", "namespace": "shop"}
LISTS: tuple[Entry, ...] = (
    _pods(containers=[{"name": "c", "env": [{"name": "A", "value": "on"}]}, {"name": "d", "image": "i:2"}]),
    _pods(**{"$setElementOrder/containers": [{"name": "d"}, {"name": "c"}], "containers": [{"name": "d"}]}),
    _pods(containers=[{"name": "c", "env": [{"name": "A", "$patch": "delete"}, {"name": "B", "value": "1e3"}]}]),
    _pods(containers=[{"name": "c", "args": ["--x", "no"], "ports": [{"containerPort": 80, "protocol": "UDP"}]}]),
    _pods(containers=[{"name": "d", "$patch": "delete"}]),
    _pods(tolerations=[{"key": "a"}], nodeSelector={"a": "1"}, volumes=[{"name": "v", "emptyDir": {}}]),
    _pods(nodeSelector=None, tolerations=[{"$patch": "replace"}]),
    (steps(("add", "/spec/template/spec/containers/0/args/-", "0x1")), {"group": "apps", "labelSelector": "tier=gold"}),
    (steps(("add", "/metadata/annotations", {"a": ""})), {"kind": "Deployment"}),
    (steps(("replace", "/metadata/annotations/a", "~")), {"annotationSelector": "a", "kind": "Dep.*"}),
    (json.dumps({"kind": "A", "metadata": {"name": "a"}, "rules": [{"verbs": ["get"]}]}), {"name": "theirs:reader"}),
)
"""Patches of lists that are merged by key, sorted, or replaced, and JSON patches of their items."""
_PREVIOUS = {
    f"internal.config.kubernetes.io/previous{key}": value
    for key, value in (("Kinds", "Service"), ("Namespaces", "shop"))
}
WHOLE: tuple[Entry, ...] = (
    (steps(("replace", "/metadata/name", "renamed")), target(1)),
    (steps(("replace", "/metadata/namespace", "default")), target(2)),
    (service(3, metadata={"annotations": {"internal.config.kubernetes.io/previousNames": "svc-4", **_PREVIOUS}}), {}),
    (steps(("add", "/metadata/annotations", {"config.kubernetes.io/local-config": "true"})), target(5)),
)
"""Patches that each make meshc build the whole overlay."""
RESOURCES = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {tier: gold}}
spec:
  selector: {matchLabels: {a: b}}
  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: "i:1"}]}}
---
apiVersion: example.com/v1
kind: Odd
metadata: {name: odd, namespace: shop}
spec: {k10: 1, k2: "on", sort: [b, a], text: "two\\nlines"}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "theirs:reader"}
rules: []
"""


def by_chance(chance: random.Random) -> list[Entry]:
    """Random patches of a cluster. Deletions come last, because a patch of a deleted object is an error."""
    found = [_one(chance, chance.randrange(SERVICES - 2)) for _ in range(chance.randint(1, 8))]
    if chance.random() < 0.3:
        found.append((service(chance.randrange(SERVICES - 2), **{"$patch": "delete"}), {}))
    return found


AT_ODDS: tuple[Entry, ...] = (
    (steps(("remove", "/spec/ports/1")), target(SERVICES - 1)),
    (service(SERVICES - 2, **{"$patch": "delete"}), {}),
)
"""Patches that always cause problems, of Services without random patches, so that the problems can be acknowledged."""


def _one(chance: random.Random, number: int) -> Entry:
    word = chance.choice(("gold", "on", "1e3", "", "a.b", "0x1"))
    key = chance.choice(("tier", "k2", "k10", "x.y/z"))
    label = {"metadata": {"labels": {key: word}}}
    targets: tuple[dict[str, str], ...] = (
        {},
        target(number),
        target(f"{number % 10}.*"),
        {"kind": "Serv.*", "labelSelector": "app.kubernetes.io/managed-by=meshc"},
        {"version": "v1", "namespace": "sho[p]"},
        target(number, labelSelector="!never,nothing!=x"),
    )
    aimed = chance.choice(targets)
    merges = (
        label,
        {"metadata": {"annotations": {key: chance.choice((word, "a\tb", " x", "{a}"))}}},
        {"spec": {"ports": [{"port": 8080, "name": f"n{number}"}]}},
        {"spec": {"ports": [{"port": 9090, "$patch": "delete"}]}},
        {"metadata": {"labels": {"$patch": "replace", key: word}}},
    )
    if not aimed or chance.random() < 0.6:
        merge = merges[0] if "version" in aimed else chance.choice(merges)
        return service(number, **merge), aimed
    return steps(("add", f"/metadata/labels/{key.replace('/', '~1')}", word)), target(number)


def write_mesh(
    folder: Path,
    patches: Sequence[Sequence[Entry]],
    resources: str | Sequence[str],
    acknowledge: Sequence[str] = (),
    components: Sequence[Sequence[str]] = (),
) -> None:
    """Writes a mesh in which each remote has its own list of these patches, one file of resources: the same for all, or
    each its own, and its own list of folders of components. A remote without a text has no resources."""
    (folder / ".git").mkdir(exist_ok=True)
    theirs = [resources] * len(patches) if isinstance(resources, str) else resources
    ports = "ports: [{name: http, port: 8080}, {name: grpc, port: 9090}]"
    apps = (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: svc-{n}, namespace: shop}}\nspec: {{{ports}}}\n"
        for n in range(SERVICES)
    )
    (folder / "apps.yaml").write_text("---\n".join(apps))
    parts = components or [()] * len(patches)
    remotes = "".join(_remote(folder, *each) for each in zip(range(len(patches)), patches, theirs, parts, strict=True))
    (folder / "mesh.yaml").write_text(
        "apiVersion: meshc/v1alpha1\nkind: Mesh\nmetadata: {name: forms}\nspec:\n  istio: {version: 1.29.6}\n"
        "  security: {ca: {type: self-signed}}\n  networks: [{name: corp}]\n"
        '  overrides: [{clusters: all, set: {kubernetesVersion: "1.34"}}]\n'
        "  namespaces: [{name: shop}]\n  services: [{name: s, manifests: apps.yaml, clusters: [hub]}]\n"
        "  clusters:\n    - {name: hub, role: primary, apiServer: 'https://hub.example.com:6443',"
        " podCIDRs: [10.0.0.0/16], controlPlane: {addresses: {istiod: 192.0.2.10}}}\n"
        + remotes
        + "".join(
            f"{'' if n else '  acknowledge:'}\n  - {{code: {one}, reason: odd}}" for n, one in enumerate(acknowledge)
        )
        + "\n"
    )


def _remote(folder: Path, number: int, patches: Sequence[Entry], resources: str, components: Sequence[str]) -> str:
    entries = [
        {"path": _file(folder, "patches", text), **({"target": aimed} if aimed else {})} for text, aimed in patches
    ]
    words = {"name": f"edge-{number}", "role": "remote", "apiServer": f"https://edge-{number}.example.com:6443"}
    more = {
        "podCIDRs": [f"10.{number + 1}.0.0/16"],
        "patches": entries,
        "resources": [_file(folder, "theirs", resources)] if resources else [],
        "components": list(components),
    }
    return f"    - {json.dumps(words | more)}\n"


def _file(folder: Path, kind: str, text: str) -> str:
    path = f"{kind}/{sha256(text.encode()).hexdigest()[:8]}.yaml"
    (folder / kind).mkdir(exist_ok=True)
    (folder / path).write_bytes(text.encode())
    return path
