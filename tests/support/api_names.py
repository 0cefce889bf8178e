"""Checks rules of an API server that no schema contains: for names, labels, ports and webhooks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from meshc.kube import at, identity_of

_LABEL = re.compile(r"(?=.{1,63}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SERVICE = re.compile(r"(?=.{1,63}\Z)[a-z]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_VALUE = re.compile(r"(?=.{0,63}\Z)(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_KEY = re.compile(r"([^/]*/)?(?=.{1,63}\Z)([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_NAMES = {"Namespace": _LABEL, "Service": _SERVICE}
_OF_PATHS = {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}
"""Kinds whose names must only be valid parts of a path, such as `istio:reader`."""


def refused(bodies: Sequence[Any]) -> list[str]:
    """The faults of one cluster's objects; empty if an API server accepts all of them."""
    twice = [f"{one} twice" for one, count in Counter(map(identity_of, bodies)).items() if count > 1]
    return twice + [f"{identity_of(body)}: {fault}" for body in bodies for fault in _faults(body)]


def _faults(body: Any) -> Iterator[str]:
    kind, name = body["kind"], body["metadata"]["name"]
    if not (re.fullmatch(r"[^/%]+", name) if kind in _OF_PATHS else _NAMES.get(kind, _SUBDOMAIN).fullmatch(name)):
        yield f"name {name!r}"
    yield from _labels(body)
    ports = at(body, "spec", "ports") or [] if kind == "Service" else []
    ports += [server["port"] for server in at(body, "spec", "servers") or []] if kind == "Gateway" else []
    found = Counter(port["name"] for port in ports if "name" in port)
    found += Counter((port["port"], port.get("protocol", "TCP")) for port in ports if "port" in port)
    yield from (f"port {one} twice" for one, count in found.items() if count > 1)
    for hook in body.get("webhooks") or ():
        steps = str(at(hook, "clientConfig", "service", "path") or "/x").split("/")[1:]
        yield from (f"step of a path {step!r}" for step in steps if not _SUBDOMAIN.fullmatch(step))
    yield from (
        f"key {key!r}"
        for key in {**(body.get("data") or {}), **(body.get("stringData") or {})}
        if not re.fullmatch(r"[-._A-Za-z0-9]{1,253}", key) or key.startswith("..")
    )


def _labels(node: Any) -> Iterator[str]:
    """Labels, selectors and the keys of annotations, at any depth."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        if key in ("labels", "matchLabels", "selector", "annotations") and isinstance(value, dict):
            texts = {name: text for name, text in value.items() if isinstance(text, str)}
            yield from (f"{key}: key {name!r}" for name in texts if not _KEY.fullmatch(name))
            if key != "annotations":
                yield from (f"{key}: value {text!r}" for text in texts.values() if not _VALUE.fullmatch(text))
        yield from _labels(value)
