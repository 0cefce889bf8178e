"""Checks the user's files: each object for an overlay is a complete Kubernetes object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.kube import at
from meshc.mesh.user_files import objects_in
from meshc.yamltext.scalars import is_rewritten

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from meshc.errors import Path, Problem
    from meshc.mesh.inputs import Inputs
    from meshc.mesh.source import Source

_KUSTOMIZES = "kustomize.config.k8s.io"


def resources(source: Source, inputs: Inputs) -> Iterable[Problem]:
    """Every object under `resources`, and every Service under `manifests`, has apiVersion, kind and name.

    Otherwise kustomize fails without naming the line, or a Service with a typo is silently ignored. A file that has
    only comments counts as empty.
    """
    for manifests in inputs.manifests.values():
        for manifest, path, data in objects_in(manifests):
            if _says_service(data):
                for below, what, hint in _faults(data):
                    yield codes.BAD_RESOURCE.at(manifest.place((*path, *below)), what, hint)
            for key, what, hint, better in _nearly_service(data):
                fix = manifest.fix(data[key], better)
                yield codes.BAD_RESOURCE.at(manifest.place((*path, key)), what, hint, fix=fix)
    files = {file.path: file for several in inputs.resources.values() for file in several}
    for file in files.values():
        for manifest, path, data in objects_in(file.manifests):
            for below, what, hint in _faults(data):
                yield codes.BAD_RESOURCE.at(manifest.place((*path, *below)), what, hint)


def changed_on_the_way(inputs: Inputs) -> Iterable[Problem]:
    """Warns of text that kustomize writes as another text, and of Helm hooks, which are applied as plain objects."""
    files = {file.path: file for several in inputs.resources.values() for file in several} | dict(inputs.patches)
    for file in files.values():
        for manifest in file.manifests:
            for path, text in manifest.document.texts.items():
                if is_rewritten(text, _value_at(manifest.data, path)):
                    what = f"kustomize reads {text} without quotes as a date or number, and writes it differently"
                    fix = manifest.fix(text, text)
                    yield codes.CHANGED_ON_THE_WAY.at(
                        manifest.place(path), what, f'write "{text}", with quotes', fix=fix
                    )
        for manifest, path, data in objects_in(file.manifests):
            annotations = at(data, "metadata", "annotations")
            if isinstance(annotations, dict) and _HOOK in annotations:
                what = f"{data.get('kind')} is a Helm hook ({annotations[_HOOK]}), but Helm isn't used here"
                hint = (
                    "remove the annotation or the file: Flux applies a hook like any object, and Argo CD at each sync"
                )
                yield codes.CHANGED_ON_THE_WAY.at(manifest.place((*path, "metadata", "annotations", _HOOK)), what, hint)


_HOOK = "helm.sh/hook"


def _value_at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data


def _says_service(data: Any) -> bool:
    return isinstance(data, dict) and data.get("kind") == "Service"


def _nearly_service(data: Any) -> Iterable[tuple[str, str, str, str]]:
    """Misspelled Services: a kind in the wrong case, or a wrong apiVersion. The last item is the right value."""
    if not isinstance(data, dict) or not isinstance(data.get("kind"), str):
        return
    kind, version = data["kind"], data.get("apiVersion")
    if kind.strip().lower() in ("service", "services") and kind != "Service":
        yield "kind", f'kind "{kind}" doesn\'t exist', 'did you mean "Service"?', "Service"
    elif kind == "Service" and version in ("V1", "v1beta1", "core/v1", "apps/v1"):
        yield "apiVersion", f'"{version}" isn\'t the apiVersion of a Service', "write apiVersion: v1", "v1"


def _faults(data: Any) -> Iterable[tuple[Path, str, str]]:
    if not isinstance(data, dict):
        what = "this isn't a Kubernetes object: it isn't a mapping"
        yield (), what, "write apiVersion, kind and metadata.name"
        return
    if str(data.get("apiVersion", "")).startswith(_KUSTOMIZES):
        hint = "write its folder under resources, so that kustomize builds it"
        yield ("kind",), "a kustomization is among plain manifests", hint
        return
    metadata = data.get("metadata") or {}
    if not isinstance(metadata, dict):
        yield ("metadata",), "metadata must be a mapping", "write metadata: {name: ...}"
        return
    yield from _of_identity(data, metadata)
    if "config.kubernetes.io/local-config" in (metadata.get("annotations") or ()):
        what = "kustomize drops objects with the annotation config.kubernetes.io/local-config from its output"
        yield ("metadata", "annotations"), what, "remove the annotation or the object"
    for key in ("labels", "annotations"):
        value = metadata.get(key) or {}
        if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
            what, hint = f"metadata.{key} must be a mapping of texts", "put numbers, true and false in quotes"
            yield ("metadata", key), what, hint


def _of_identity(data: Mapping[str, Any], metadata: Mapping[str, Any]) -> Iterable[tuple[Path, str, str]]:
    """What is wrong with apiVersion, kind and name."""
    name, version = metadata.get("name"), data.get("apiVersion")
    named = {"apiVersion": version, "kind": data.get("kind"), "metadata.name": name}
    if missing := [key for key, value in named.items() if value in (None, "")]:
        verb = "are" if len(missing) > 1 else "is"
        what = f"this isn't a Kubernetes object: {', '.join(missing)} {verb} missing"
        yield (), what, "add what is missing, or remove the file"
    for key, value in named.items():
        if key not in missing and not isinstance(value, str):
            yield tuple(key.split(".")), f"{key} must be text", "put it in quotes"
    if isinstance(name, str) and (not name.isprintable() or "/" in name or "%" in name or len(name) > 253):
        yield ("metadata", "name"), "every API server refuses this metadata.name", "write a DNS-1123 subdomain"
    if isinstance(version, str) and version.startswith("meshc/"):
        yield ("apiVersion",), "this is an input of meshc, not an object for a cluster", "remove the file"
