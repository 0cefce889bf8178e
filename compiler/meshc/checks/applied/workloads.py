"""Checks pods, and objects that create pods, for values that the API server refuses.

Most faults come from merging: kustomize merges lists by a key and mappings key by key, so a patch that should replace
something leaves both.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from meshc.checks.applied.metadata import is_value
from meshc.checks.applied.view import Fault
from meshc.kube import LABEL, as_list, at

if TYPE_CHECKING:
    from meshc.checks.applied.view import Single
    from meshc.errors import Path

_APPS = ("Deployment", "DaemonSet", "StatefulSet", "ReplicaSet")
_TEMPLATES: Mapping[tuple[str, str], tuple[str, ...]] = {
    **{("apps", kind): ("spec", "template") for kind in _APPS},
    ("batch", "Job"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
    ("", "Pod"): (),
}
_NEW = "write the container's name as in overlays/; with another name, the patch adds a container"
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_UNITS: dict[str, Decimal | int] = {
    "": 1,
    "m": Decimal("0.001"),
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "P": 10**15,
    "E": 10**18,
}
_UNITS |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
_UNITS |= {"n": Decimal("1e-9"), "u": Decimal("1e-6")}
_QUANTITY = re.compile(r"([+-]?[0-9.]{1,30}(?:[eE][+-]?[0-9]{1,3})?)([KMGTPE]i|[numkMGTPE]?)")


def workloads(one: Single) -> Iterator[Fault]:
    """Checks Deployments, StatefulSets, DaemonSets, ReplicaSets, Jobs, CronJobs and Pods."""
    template = _TEMPLATES.get((one.identity.group, one.identity.kind))
    if template is None:
        return
    body = one.body
    if one.identity.kind in _APPS:
        yield from _selector(body)
        yield from _strategy(body)
    pod = at(body, *template, "spec")
    path = (*template, "spec")
    if not isinstance(pod, Mapping):
        yield Fault(path, "has no pod spec", "add it")
        return
    yield from _pod(
        pod, path, {str(at(c, "metadata", "name")) for c in as_list(at(body, "spec", "volumeClaimTemplates"))}
    )
    restart = pod.get("restartPolicy")
    if one.identity.group == "apps" and restart not in (None, "Always"):
        yield Fault(
            (*path, "restartPolicy"), f"has restartPolicy {restart}", "remove it: pods of this kind always restart"
        )
    if one.identity.group == "batch" and restart not in ("OnFailure", "Never"):
        yield Fault(path, "is a Job without restartPolicy OnFailure or Never", "write one of the two")


def _selector(body: Mapping[str, Any]) -> Iterator[Fault]:
    path = ("spec", "selector")
    wanted, labels = at(body, *path, "matchLabels"), at(body, "spec", "template", "metadata", "labels") or {}
    if not at(body, *path):
        yield Fault(path, "has no selector", "add spec.selector.matchLabels, and the same labels to the template")
    for key, value in wanted.items() if isinstance(wanted, Mapping) else ():
        if at(labels, key) != value:
            what = f"selects pods with {key}: {value}, but its pod template doesn't have that label"
            where = ("spec", "template", "metadata", "labels", key)
            yield Fault(where, what, "write the same label in both places")
    for key, value in labels.items() if isinstance(labels, Mapping) else ():
        if not isinstance(value, str) or not is_value(value):
            where = ("spec", "template", "metadata", "labels", key)
            yield Fault(where, f"gives its pods label {key} with an invalid value", "correct it")


def _strategy(body: Mapping[str, Any]) -> Iterator[Fault]:
    for field, plain in (("strategy", "Recreate"), ("updateStrategy", "OnDelete")):
        said = at(body, "spec", field)
        if at(said, "type") == plain and at(said, "rollingUpdate"):
            hint = "write rollingUpdate: null in the patch"
            yield Fault(("spec", field), f"has {field} {plain}, but also rollingUpdate", hint)
    replicas = at(body, "spec", "replicas")
    if replicas is not None and (type(replicas) is not int or replicas < 0):
        yield Fault(("spec", "replicas"), "has replicas that aren't a number", "write a number, without quotes")


def _pod(pod: Mapping[str, Any], path: Path, claims: set[str]) -> Iterator[Fault]:
    volumes = [str(at(volume, "name")) for volume in as_list(pod.get("volumes"))]
    for name in _twice(volumes):
        yield Fault((*path, "volumes"), f'has two volumes named "{name}"', "keep one of the two")
    for volume in as_list(pod.get("volumes")):
        kinds = sorted(key for key, value in volume.items() if key != "name" and value is not None)
        if len(kinds) > 1:
            what = f'has volume "{at(volume, "name")}" with several sources: {" and ".join(kinds)}'
            yield Fault((*path, "volumes"), what, f"write {kinds[0]}: null in the patch, or null for the other one")
    if not as_list(pod.get("containers")):
        yield Fault((*path, "containers"), "has no containers", "add one")
    named = [*as_list(pod.get("containers")), *as_list(pod.get("initContainers"))]
    for name in _twice([str(at(container, "name")) for container in named]):
        yield Fault((*path, "containers"), f'has two containers named "{name}"', "give each its own name")
    for field in ("containers", "initContainers"):
        for container in as_list(pod.get(field)):
            if isinstance(container, Mapping):
                yield from _container(container, (*path, field), {*volumes, *claims})


def _container(container: Mapping[str, Any], path: Path, volumes: set[str]) -> Iterator[Fault]:
    name = container.get("name")
    told = f'container "{name}"'
    if not isinstance(name, str) or not LABEL.fullmatch(name):
        yield Fault(path, f"has a container named {name}, which isn't a DNS-1123 label", "give it a name")
    if not container.get("image"):
        yield Fault(path, f"has {told} without an image", _NEW)
    mounts = as_list(container.get("volumeMounts"))
    for mount in mounts:
        if at(mount, "name") not in volumes:
            yield Fault(
                path,
                f'has volume "{at(mount, "name")}" mounted in {told}, but the pod has no such volume',
                "add the volume",
            )
    for place in _twice([str(at(mount, "mountPath")) for mount in mounts]):
        yield Fault(path, f"has two volumes mounted at {place} in {told}", "keep one of the two")
    for variable in as_list(container.get("env")):
        yield from _variable(variable, told, path)
    for variable in _twice([str(at(variable, "name")) for variable in as_list(container.get("env"))]):
        hint = "keep one of the two: Flux fails with server-side apply"
        yield Fault(path, f"has variable {variable} twice in {told}", hint)
    for port in _twice([str(at(port, "name")) for port in as_list(container.get("ports")) if at(port, "name")]):
        yield Fault(path, f'has two ports named "{port}" in {told}', "give each its own name")
    for probe in _PROBES:
        handlers = [key for key in _HANDLERS if at(container, probe, key) is not None]
        if len(handlers) > 1:
            hint = f"write {handlers[0]}: null in the patch, or null for the other one"
            yield Fault(path, f"has {probe} with both {' and '.join(handlers)} in {told}", hint)
    yield from _resources(at(container, "resources"), told, path)


def _variable(variable: Any, told: str, path: Path) -> Iterator[Fault]:
    name, value = at(variable, "name"), at(variable, "value")
    if value is not None and not isinstance(value, str):
        yield Fault(path, f"has variable {name} in {told} with a value that isn't text", "put it in quotes")
    if value and at(variable, "valueFrom") is not None:
        hint = "write valueFrom: null or value: null in the patch"
        yield Fault(path, f"has variable {name} in {told} with both value and valueFrom", hint)


def _resources(resources: Any, told: str, path: Path) -> Iterator[Fault]:
    limits = at(resources, "limits") or {}
    requests = at(resources, "requests") or {}
    for name, text in [*_items(limits), *_items(requests)]:
        if quantity(text) is None:
            yield Fault(
                path,
                f'has an invalid quantity in {told}: {name} "{text}"',
                "write a quantity such as 500m or 128Mi",
            )
    for name, text in _items(requests):
        asked, most = quantity(text), quantity(at(limits, name)) if name in limits else None
        if asked is not None and most is not None and asked > most:
            hint = "raise the limit too, or lower the request"
            yield Fault(path, f"has a request for {name} ({text}) above its limit ({at(limits, name)}) in {told}", hint)


def quantity(text: Any) -> Decimal | None:
    """A Kubernetes quantity as a number; None if the text isn't a quantity."""
    match = _QUANTITY.fullmatch(str(text)) if isinstance(text, str | int | float) and text is not True else None
    if match is None:
        return None
    try:
        return Decimal(match[1]) * _UNITS[match[2]]
    except InvalidOperation:
        return None


def _items(mapping: Any) -> Iterator[tuple[str, Any]]:
    yield from mapping.items() if isinstance(mapping, Mapping) else ()


def _twice(names: list[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
