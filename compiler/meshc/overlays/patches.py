"""patches turns the user's patches and resources, beside the objects they meet, into problems: what matches nothing, what stands twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.errors import Problem
from meshc.kube import Body, Identity, identity_of

if TYPE_CHECKING:
    from meshc.kube import KubeObject
    from meshc.plan.ir import ClusterPlan, PatchPlan, UserObject


def check_overlay(cluster: ClusterPlan, ours: Sequence[KubeObject]) -> Iterable[Problem]:
    """What kustomize would refuse without a place, or let pass in silence."""
    yield from _duplicates(cluster, ours)
    bodies = [one.body for one in ours] + [one.body for file in cluster.resources for one in file.objects]
    for patch in cluster.patches:
        yield from _patch(cluster, patch, bodies)


def _duplicates(cluster: ClusterPlan, ours: Iterable[KubeObject]) -> Iterator[Problem]:
    made = {_effective(one.identity): one for one in ours}
    theirs: dict[Identity, UserObject] = {}
    for file in cluster.resources:
        for one in file.objects:
            key = _effective(identity_of(one.body))
            if key in made:
                what = f"{cluster.name}: {key} is meshc's own (component {made[key].origin})"
                hint = "take it out of the file; to change meshc's, use patches"
                yield codes.DUPLICATE_OBJECT.at(one.place, what, hint, clusters=(cluster.name,))
            elif key in theirs:
                what = f"{cluster.name}: {key} stands twice"
                yield codes.DUPLICATE_OBJECT.at(one.place, what, "keep one", also=(theirs[key].place,), clusters=(cluster.name,))
            theirs.setdefault(key, one)


def _effective(identity: Identity) -> Identity:
    """kustomize takes a missing namespace for `default`."""
    return identity._replace(namespace="") if identity.namespace == "default" else identity


def _patch(cluster: ClusterPlan, patch: PatchPlan, bodies: Sequence[Body]) -> Iterator[Problem]:
    about = (cluster.name,)
    if not patch.file.objects:
        yield codes.BAD_PATCH.at(patch.place, f'"{patch.file.source}" is empty', "write a patch, or take it out", clusters=about)
    for one in patch.file.objects:
        is_list = isinstance(one.body, tuple)
        if not is_list and not isinstance(one.body, dict):
            yield codes.BAD_PATCH.at(one.place, "neither a mapping nor a list of operations", clusters=about)
        elif is_list and not patch.target:
            hint = "add target: {kind: ..., name: ...} to the patch in mesh.yaml"
            yield codes.BAD_PATCH.at(patch.place, "a JSON patch needs a target", hint, also=(one.place,), clusters=about)
        elif patch.target:
            try:
                if not any(_is_target(patch.target, body) for body in bodies):
                    shown = ", ".join(f"{key} {value}" for key, value in patch.target.items())
                    what = f"{cluster.name}: no object has {shown}, so this patch changes nothing"
                    yield codes.PATCH_MATCHES_NOTHING.at(patch.place, what, _near(patch.target, bodies), clusters=about)
            except (re.error, ValueError) as error:
                yield codes.BAD_PATCH.at(patch.place, f"the target can't be read: {error}", "names are regular expressions", clusters=about)
        elif not any(_named_by(one.body, body) for body in bodies):
            what = f"{cluster.name}: there is no {identity_of(one.body)} here, so this patch changes nothing"
            target = {"kind": str(one.body.get("kind")), "name": identity_of(one.body).name}
            yield codes.PATCH_MATCHES_NOTHING.at(patch.place, what, _near(target, bodies), also=(one.place,), clusters=about)


def _named_by(patch: Mapping[str, Any], body: Body) -> bool:
    named = _effective(identity_of(patch))
    return named == _effective(identity_of(body))


def _is_target(target: Mapping[str, str], body: Body) -> bool:
    identity = identity_of(body)
    metadata = body.get("metadata") or {}
    _, _, version = str(body.get("apiVersion", "")).rpartition("/")
    facts = {"group": identity.group, "version": version, "kind": identity.kind, "name": identity.name}
    facts["namespace"] = identity.namespace or "default"
    for field, value in facts.items():
        wanted = target.get(field)
        if wanted and not re.fullmatch(wanted, value):
            return False
    return _selected(target.get("labelSelector"), metadata.get("labels") or {}) and _selected(
        target.get("annotationSelector"), metadata.get("annotations") or {}
    )


_REQUIREMENT = re.compile(r"\s*(?:(!)?\s*([\w./-]+)\s*(?:(==|=|!=)\s*([\w.-]*)|\s(in|notin)\s*\(([^)]*)\))?)\s*(?:,|$)")


def _selected(selector: str | None, labels: Mapping[str, str]) -> bool:
    """A Kubernetes label selector in text. Raises ValueError where it is none."""
    position = 0
    while selector and position < len(selector):
        match = _REQUIREMENT.match(selector, position)
        if match is None:
            raise ValueError(f'"{selector}" is no selector')
        position = match.end()
        absent, key, operator, value, listed, values = match.groups()
        found = labels.get(key)
        if operator:
            holds = (found == value) == (operator != "!=")
        elif listed:
            holds = (found in [item.strip() for item in values.split(",")]) == (listed == "in")
        else:
            holds = (found is None) == bool(absent)
        if not holds:
            return False
    return True


def _near(target: Mapping[str, str], bodies: Iterable[Body]) -> str:
    """What there is of the kind that a patch is for."""
    there = sorted({str(identity_of(body)) for body in bodies if body.get("kind") == target.get("kind")})
    if there:
        return f"of that kind there is: {', '.join(there[:8])}{', ...' if len(there) > 8 else ''}"
    kinds = sorted({str(body.get("kind")) for body in bodies})
    return f"kinds here: {', '.join(kinds)}"
