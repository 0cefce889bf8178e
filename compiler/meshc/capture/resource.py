"""Describes a resource of an API server: its URL path, and the RBAC rule that allows the request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of object in an API server, or one object of it. Without a namespace, it is cluster-scoped or means all
    namespaces."""

    plural: str
    namespace: str = ""
    name: str = ""
    group: str = ""
    version: str = "v1"
    sub: str = ""

    def named(self, name: str, sub: str = "") -> Resource:
        """One object of this kind."""
        return replace(self, name=name, sub=sub)

    @property
    def path(self) -> str:
        """The path of its URL."""
        parts = ["apis", self.group] if self.group else ["api"]
        parts.append(self.version)
        parts += ["namespaces", self.namespace] if self.namespace else []
        parts += [part for part in (self.plural, self.name, *self.sub.split("/")) if part]
        return "/" + "/".join(quote(part, safe=":") for part in parts)

    def rule(self, verb: str) -> str:
        """The rule that a Role or ClusterRole needs for this request: one line of YAML."""
        resource = f"{self.plural}/{self.sub.partition('/')[0]}" if self.sub else self.plural
        names = f", resourceNames: [{self.name}]" if self.name and verb != "create" else ""
        rule = f'{{apiGroups: ["{self.group}"], resources: ["{resource}"], verbs: ["{verb}"]{names}}}'
        return f"{rule} in a Role of namespace {self.namespace}" if self.namespace else f"{rule} in a ClusterRole"


def core(plural: str, namespace: str = "", name: str = "") -> Resource:
    """A resource of Kubernetes' core API: pods, services, secrets, namespaces, nodes."""
    return Resource(plural, namespace, name)
