"""Reports problems of the user's patches and resources: patches that match nothing, duplicate objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.checks.overlay.namespaces import homeless
from meshc.kube import Body, Identity, KubeObject, identity_of, is_object
from meshc.overlays.layers import of_component
from meshc.overlays.marks import UNKNOWN
from meshc.overlays.matched import Matched, effective
from meshc.overlays.targets import read_target
from meshc.scanning.plain_values import is_secret
from meshc.sealing.sealed import switches_off

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from meshc.errors import Problem
    from meshc.overlays.layers import Layer
    from meshc.plan.files import PatchPlan, UserObject
    from meshc.plan.ir import ClusterPlan


def check_overlay(cluster: ClusterPlan, ours: Sequence[KubeObject]) -> Iterable[Problem]:
    """Reports what kustomize refuses without naming a line, or accepts silently."""
    if not (cluster.resources or cluster.patches):
        return
    theirs = [one for file in cluster.resources for one in file.objects if is_object(one.body)]
    yield from _duplicates(cluster, ours, theirs)
    yield from homeless(cluster, theirs)
    layers = [of_component(one) for one in cluster.components]
    added = [one for layer in layers if layer for one in layer.objects if is_object(one.body)]
    there = Matched([*ours, *(KubeObject(one.body, "") for one in (*theirs, *added))])
    for layer in layers:
        _apply(layer, there)
    for patch in cluster.patches:
        for problem in _patch(cluster, patch, there):
            if problem.code is not codes.PATCH_MATCHES_NOTHING or None not in layers:
                yield problem


def _apply(layer: Layer | None, there: Matched) -> None:
    """Writes what a component does to labels and annotations into `there`. kustomize applies components first."""
    if layer is None:
        there.change_all(UNKNOWN)
        return
    for patch in layer.patches:
        target = read_target(patch.target) if patch.target else None
        for one in patch.file.objects:
            if _misshapen(one.body, bool(patch.target)) is None:  # kustomize refuses the others
                for number in there.named(one.body) if target is None else there.fitting(target):
                    there.change(number, one.body)
    labels = [layer.for_all.get("commonLabels", {}), *(one["pairs"] for one in layer.for_all.get("labels", ()))]
    for words in filter(None, labels):
        there.change_all({"metadata": {"labels": words}})
    if words := layer.for_all.get("commonAnnotations"):
        there.change_all({"metadata": {"annotations": words}})


def _duplicates(cluster: ClusterPlan, ours: Iterable[KubeObject], theirs: Iterable[UserObject]) -> Iterator[Problem]:
    wanted = {effective(identity_of(one.body)) for one in theirs}
    made = {key: one.origin for one in ours if (key := effective(one.identity)) in wanted} if wanted else {}
    first: dict[Identity, UserObject] = {}
    for one in theirs:
        key = effective(identity_of(one.body))
        if key in made:
            what = f"{cluster.name}: meshc already makes {key} (component {made[key]})"
            hint = "remove the object from the file; use a patch to change meshc's object"
            yield codes.DUPLICATE_OBJECT.at(one.place, what, hint, clusters=(cluster.name,))
        elif key in first and key.name:
            what, also = f"{cluster.name}: {key} is defined twice", (first[key].place,)
            yield codes.DUPLICATE_OBJECT.at(
                one.place, what, "remove one of the two", also=also, clusters=(cluster.name,)
            )
        first.setdefault(key, one)


def _patch(cluster: ClusterPlan, patch: PatchPlan, there: Matched) -> Iterator[Problem]:
    """The problems of a patch. Writes its changes of labels and annotations into `there`, for the patches after it."""
    about = (cluster.name,)
    if not patch.file.objects:
        what, hint = f'"{patch.file.source}" is empty', "write a patch, or remove the entry"
        yield codes.BAD_PATCH.at(patch.place, what, hint, clusters=about)
    try:
        target = read_target(patch.target) if patch.target else None
    except ValueError as error:
        what = f"the target can't be read: {error}"
        hint = "write names as regular expressions of Go, and selectors as Kubernetes label selectors"
        yield codes.BAD_PATCH.at(patch.place, what, hint, clusters=about)
        return
    for one in patch.file.objects:
        fault = _misshapen(one.body, bool(patch.target))
        if fault:
            yield codes.BAD_PATCH.at(one.place, *fault, also=(patch.place,), clusters=about)
            continue
        met = there.named(one.body) if target is None else there.fitting(target)
        if not met:
            yield _idle(cluster, patch, one, there.bodies)
        for number in met:
            if is_secret(there.bodies[number]):
                yield from _on_secret(cluster, one, there.bodies[number])
            there.change(number, one.body)


_MISSING = "add apiVersion, kind and metadata.name, or a target in mesh.yaml"


def _misshapen(body: Any, has_target: bool) -> tuple[str, str] | None:
    """Why a document isn't a valid patch, and what to do; None if it is."""
    if isinstance(body, tuple):
        if not all(isinstance(step, dict) and "op" in step and isinstance(step.get("path"), str) for step in body):
            return (
                "each operation of a JSON patch must be a mapping with op and path",
                "write - {op: add, path: /..., value: ...}",
            )
        if not has_target:
            return (
                "a JSON patch needs a target",
                "add target: {kind: ..., name: ...} to the patch in mesh.yaml",
            )
        return None
    if isinstance(body, dict) and not is_object(body):
        return "metadata and its labels and annotations must be mappings", "write metadata: {name: ...}"
    if not isinstance(body, dict):
        return (
            "the patch is neither a mapping nor a list of operations",
            "write a strategic merge patch, or a JSON patch with a target",
        )
    if body.get("kind") and identity_of(body).name:
        return None
    if has_target:
        return (
            "kustomize requires kind and metadata.name in this patch",
            "add them with any value, as the target chooses the objects",
        )
    return "this patch doesn't say which object it is for", _MISSING


def _idle(cluster: ClusterPlan, patch: PatchPlan, one: UserObject, bodies: Sequence[Body]) -> Problem:
    """A patch that matches no object. If it has a target, kustomize ignores it silently."""
    about = (cluster.name,)
    if patch.target:
        shown = ", ".join(f"{key} {value[:200]}" for key, value in patch.target.items())
        what = f"{cluster.name}: no object has {shown}, so this patch changes nothing"
        return codes.PATCH_MATCHES_NOTHING.at(patch.place, what, _near(patch.target, bodies), clusters=about)
    named = identity_of(one.body)
    same = (body.get("apiVersion") for body in bodies if effective(identity_of(body)) == effective(named))
    if there := next(same, None):
        what = f"{cluster.name}: {named} has apiVersion {there}, but this patch has another one, so it changes nothing"
        return codes.PATCH_MATCHES_NOTHING.at(
            one.place, what, f"write apiVersion: {there}", also=(patch.place,), clusters=about
        )
    what = f"{cluster.name}: there is no {named} here, so this patch changes nothing"
    hint = _near({"kind": named.kind, "name": named.name}, bodies)
    return codes.PATCH_MATCHES_NOTHING.at(one.place, what, hint, also=(patch.place,), clusters=about)


_HARMLESS = {"apiVersion", "kind", "metadata"}


def _on_secret(cluster: ClusterPlan, one: UserObject, body: Body) -> Iterator[Problem]:
    """A patch may only change the metadata of a sealed object, because everybody can read what a patch writes."""
    about, named = (cluster.name,), identity_of(body)
    for path in _changed(one.body):
        if path[:1] != ("metadata",):
            what = f"{cluster.name}: this patch changes {'.'.join(path)} of the sealed {named}"
            hint = (
                "remove the change, and seal the Secret again instead; if it contained a key or token, replace that too"
            )
            yield codes.PLAINTEXT_SECRET.at(one.place, what, hint, clusters=about)
        elif path[:2] == ("metadata", "annotations") and switches_off(path[-1]):
            what = f"{cluster.name}: this patch sets {path[-1]}, which decides how {named} is protected"
            yield codes.UNSAFE_ANNOTATION.at(one.place, what, "remove it from the patch", clusters=about)


def _changed(change: Any) -> Iterator[tuple[str, ...]]:
    """The paths that a patch writes to: top-level keys other than metadata, and each annotation."""
    if isinstance(change, dict):
        yield from ((key,) for key in change if key not in _HARMLESS and not key.startswith("$"))
        annotations = (change.get("metadata") or {}).get("annotations")
        yield from (("metadata", "annotations", key) for key in (annotations if isinstance(annotations, dict) else ()))
        return
    for step in change:
        parts = tuple(part.replace("~1", "/").replace("~0", "~") for part in step["path"].split("/")[1:])
        whole: Any = step.get("value")
        for part in reversed(parts):
            whole = {part: whole}
        if step["op"] != "test":
            yield from _changed(whole if isinstance(whole, dict) else {})


def _near(target: Mapping[str, str], bodies: Iterable[Body]) -> str:
    """A hint with the objects of the patch's kind, or else with the kinds of the cluster."""
    there = sorted({str(identity_of(body)) for body in bodies if body.get("kind") == target.get("kind")})
    if there:
        return f"objects of this kind: {', '.join(there[:8])}{', ...' if len(there) > 8 else ''}"
    kinds = sorted({str(body.get("kind")) for body in bodies})
    return f"kinds here: {', '.join(kinds)}"
