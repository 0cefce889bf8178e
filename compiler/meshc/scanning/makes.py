"""Finds which Secrets and ConfigMaps an object creates in a cluster, whatever its kind in Git is.

The result of the operator decides, not the object's own kind and name: a SealedSecret called `a` may yield the Secret
`b`. Kinds whose fields are known are read field by field. In every other custom resource, each text may be such a name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from meshc.kube import Body, as_list, at, identity_of


@dataclass(frozen=True, slots=True)
class Made:
    """A Secret or ConfigMap that an object creates in a cluster.

    `namespace` is None if there are several or it is unknown; `name` and `labels` are None if unknown. `by` is the
    field that decides; empty for the object itself.
    """

    kind: str
    namespace: str | None
    name: str | None
    labels: frozenset[str] | None
    by: str


def made_by(body: Body) -> Iterator[Made]:
    """Everything that an object creates. Nothing for kinds of Kubernetes that only read Secrets."""
    identity = identity_of(body)
    kind = (identity.group, identity.kind)
    if kind in (("", "Secret"), ("", "ConfigMap")):
        yield from _itself(body)
    elif kind in _MAKERS:
        yield from _MAKERS[kind](body)


def is_custom(body: Body) -> bool:
    """True for a custom resource whose fields meshc doesn't know: its operator may do anything."""
    identity = identity_of(body)
    group = identity.group
    known = (group, identity.kind) in _MAKERS or "." not in group or group.endswith((".k8s.io", ".istio.io"))
    return not known


_COPIES = re.compile(r"(?i)reflect|replicat|kubed|syncer|copy|copie|clone|mirror|propagat")
"""Annotations of operators that copy Secrets into other namespaces."""


def copies(annotation: str) -> bool:
    """True for an annotation that makes an operator copy an object into other namespaces."""
    return _COPIES.search(annotation) is not None


def _itself(body: Body) -> Iterator[Made]:
    identity = identity_of(body)
    metadata = body.get("metadata")
    yield Made(identity.kind, identity.namespace or "default", identity.name, _labels(metadata), "")
    yield from _copied(identity.kind, identity.name, metadata)


def _copied(kind: str, name: str | None, metadata: Any) -> Iterator[Made]:
    """The copies in other namespaces, if an annotation asks an operator for them."""
    annotations = at(metadata, "annotations")
    for key in annotations if isinstance(annotations, dict) else ():
        if isinstance(key, str) and copies(key):
            yield Made(kind, None, name, _labels(metadata), f"the annotation {key}")


def _labels(metadata: Any) -> frozenset[str]:
    labels = at(metadata, "labels")
    return frozenset(key for key in labels if isinstance(key, str)) if isinstance(labels, dict) else frozenset()


def _sealed_secret(body: Body) -> Iterator[Made]:
    identity, template = identity_of(body), at(body, "spec", "template", "metadata")
    name = _text(at(template, "name")) or identity.name
    namespace = _text(at(template, "namespace")) or identity.namespace or "default"
    yield Made("Secret", namespace, name, _labels(template), "spec.template.metadata")
    yield from _copied("Secret", name, template)


def _external_secret(body: Body) -> Iterator[Made]:
    namespace = identity_of(body).namespace or "default"
    yield from _of_external(body.get("spec"), body.get("metadata"), namespace, identity_of(body).name)


def _cluster_external_secret(body: Body) -> Iterator[Made]:
    name = _text(at(body, "spec", "externalSecretName")) or identity_of(body).name
    metadata = at(body, "spec", "externalSecretMetadata")
    yield from _of_external(at(body, "spec", "externalSecretSpec"), metadata, None, name)


def _of_external(spec: Any, metadata: Any, namespace: str | None, name: str) -> Iterator[Made]:
    """Without a template the Secret gets the labels of the ExternalSecret."""
    target = at(spec, "target")
    template = at(target, "template")
    kind = _text(at(target, "manifest", "kind")) or "Secret"
    labels: frozenset[str] | None = _labels(at(template, "metadata") if template else metadata)
    if any(at(one, "target") in ("Labels", "Annotations") for one in as_list(at(template, "templateFrom"))):
        labels = None
    name = _text(at(target, "name")) or name
    yield Made(kind, namespace, name, labels, "spec.target")
    yield from _copied(kind, name, at(template, "metadata") if template else metadata)


def _certificate(body: Body) -> Iterator[Made]:
    """cert-manager's Certificate: `secretTemplate` has labels and annotations."""
    namespace, template = identity_of(body).namespace or "default", at(body, "spec", "secretTemplate")
    name = _text(at(body, "spec", "secretName"))
    yield Made("Secret", namespace, name, _labels(template), "spec.secretName")
    yield from _copied("Secret", name, template)


def _bundle(body: Body) -> Iterator[Made]:
    """trust-manager's Bundle: an object with the Bundle's name in each namespace that it selects."""
    for field, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
        if target := at(body, "spec", "target", field):
            yield Made(kind, None, identity_of(body).name, _labels(at(target, "metadata")), f"spec.target.{field}")


def _password_like(*path: str) -> Callable[[Body], Iterator[Made]]:
    """Kinds with the name of the resulting Secret at one path; its namespace, if any, is next to it."""

    def made(body: Body) -> Iterator[Made]:
        around = at(body, *path[:-1])
        namespace = _text(at(around, "secretNamespace")) or _text(at(around, "namespace"))
        namespace = namespace or identity_of(body).namespace or "default"
        yield Made("Secret", namespace, _text(at(around, path[-1])), _labels(around), ".".join(path))

    return made


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


_MAKERS: Mapping[tuple[str, str], Callable[[Body], Iterator[Made]]] = {
    ("bitnami.com", "SealedSecret"): _sealed_secret,
    ("external-secrets.io", "ExternalSecret"): _external_secret,
    ("external-secrets.io", "ClusterExternalSecret"): _cluster_external_secret,
    ("cert-manager.io", "Certificate"): _certificate,
    ("trust.cert-manager.io", "Bundle"): _bundle,
    ("secrets.hashicorp.com", "VaultStaticSecret"): _password_like("spec", "destination", "name"),
    ("secrets.hashicorp.com", "VaultDynamicSecret"): _password_like("spec", "destination", "name"),
    ("secrets.hashicorp.com", "VaultPKISecret"): _password_like("spec", "destination", "name"),
}
