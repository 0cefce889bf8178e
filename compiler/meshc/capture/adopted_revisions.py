"""Writes revisions and tags of a mesh.yaml for clusters with several control planes, and the revision of each
namespace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from meshc.capture.adopted import given
from meshc.yamltext.edit import inline

if TYPE_CHECKING:
    from meshc.capture.adopted import Adopted
    from meshc.capture.homes import Home


def tags_of(homes: Sequence[Home]) -> dict[str, str]:
    """The revision of each tag in the mesh, from the first cluster that has the tag."""
    found: dict[str, str] = {}
    for home in homes:
        for tag, revision in home.tags.items():
            found.setdefault(tag, revision)
    return found


def own_tags(home: Home, homes: Sequence[Home]) -> dict[str, str]:
    """The tags that point to another revision in one cluster only."""
    everywhere = tags_of(homes)
    return {tag: revision for tag, revision in home.tags.items() if everywhere[tag] != revision}


def revisions(homes: Sequence[Home], version: str) -> list[str]:
    """The lines of further control planes and of tags. `version` is that of the mesh."""
    found: dict[str, dict[str, str]] = {}
    for home in homes:
        for plane in home.planes if home.plane and not home.external else ():
            if home.plane and plane.revision != home.plane.revision:
                found.setdefault(plane.revision, {})[home.name] = plane.istio
    for home in homes:
        for word in home.revisions.values() if not home.primary else ():
            revision = home.tags.get(word, word)
            if revision in found:
                found[revision].setdefault(home.name, "")
    lines = []
    for revision, where in sorted(found.items()):
        told = next((one for one in where.values() if one), "")
        parts = [*given("revision", revision, ""), *given("version", told, version)]
        parts += [] if len(where) == len(homes) else [f"clusters: {inline(list(where))}"]
        lines.append(f"      - {{{', '.join(parts)}}}")
    tags = tags_of(homes)
    return [
        *(["    controlPlanes:", *lines] if lines else []),
        *([f"    revisionTags: {inline(dict(sorted(tags.items())))}"] if tags else []),
    ]


def revision_of_namespace(name: str, homes: Sequence[Home]) -> str:
    """The revision that a namespace names, if it isn't that of its cluster; else empty."""
    for home in homes:
        word = home.revisions.get(name, "")
        if word and (word in home.tags or word in _further(home, homes)):
            return word
    return ""


def tell_namespaces(homes: Sequence[Home], made: Adopted) -> None:
    """Notes on namespaces whose clusters disagree on the revision, because mesh.yaml has one for all clusters."""
    inside = [home for home in homes if not home.external]
    for name in sorted({name for home in inside for name in home.revisions}):
        said = {home.name: home.tags.get(word, word) for home in inside if (word := home.revisions.get(name))}
        if len(set(said.values())) > 1:
            every = ", ".join(f"{revision} in {cluster}" for cluster, revision in said.items())
            chosen = revision_of_namespace(name, inside) or "that of each cluster"
            made.notes.append(
                f"namespace {name} has different revisions ({every}), but mesh.yaml can only have one: {chosen}"
            )


def _further(home: Home, homes: Sequence[Home]) -> set[str]:
    """The revisions besides the one that a cluster uses, wherever they run."""
    every = {plane.revision for one in homes for plane in one.planes}
    own = home.plane or next((one.plane for one in homes if one.plane), None)
    return every - ({own.revision} if own else set())


def tell_revisions(home: Home, made: Adopted) -> None:
    """Notes on clusters with several control planes, and on namespaces whose revision has none."""
    if home.plane is None:
        return
    if len(home.planes) > 1:
        every = ", ".join(one.described for one in home.planes)
        made.notes.append(
            f"{home.name} runs {len(home.planes)} control planes ({every}): mesh.yaml uses "
            f"{home.plane.revision}, which most namespaces use"
        )
    known = {one.revision for one in home.planes}
    for name, word in sorted(home.revisions.items()):
        revision = home.tags.get(word, word)
        if revision not in known:
            made.notes.append(
                f"{home.name}: namespace {name} uses revision {revision}, which has no control plane in the cluster: "
                f"it will use {home.plane.revision}"
            )
