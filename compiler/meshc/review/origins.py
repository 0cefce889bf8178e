"""Finds the changed line behind a difference, in mesh.yaml or in a file of the user.

A code host shows an annotation only at a line that a pull request touches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from meshc.errors import Place
from meshc.kube import SECRETS, Identity, identity_of
from meshc.review.differing import differing
from meshc.review.lines import TAGS, Block, blocks_of, sections_of, tags_of

if TYPE_CHECKING:
    from meshc.mesh.source import Source
    from meshc.plan.ir import Plan
    from meshc.plan.needs import SecretNeed

Entry = tuple[str, str]
"""A key of mesh.yaml, and the name of an entry below it."""
_OF_TAGS = ("istio-revision-tag-", "istiod-revision-tag-")


@dataclass(frozen=True)
class Origins:
    """The changed lines of each changed file, and the place of each object. Everything is empty by default."""

    changed: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)
    """The place of each changed line, by the path of the file in messages."""
    mesh: Sequence[str] = ()
    """mesh.yaml and its parts, with their paths in messages."""
    blocks: Mapping[str, Block] = field(default_factory=dict)
    """The lines of the mesh that are about one cluster."""
    entries: Mapping[Entry, Block] = field(default_factory=dict)
    """The lines of the mesh that are about one network, one namespace, or one revision tag."""
    sections: Mapping[str, Sequence[Block]] = field(default_factory=dict)
    """The lines of the mesh below each key of spec."""
    objects: Mapping[tuple[str, Identity], tuple[Place, int]] = field(default_factory=dict)
    """The place of each object in a cluster's resources, and the line after the object."""
    sealed: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    """The files of a cluster's Secret, by cluster and by the name of the Secret or of a part of cacerts."""
    services: Mapping[tuple[str, str], Place] = field(default_factory=dict)
    """The place of each Service that is copied, by namespace and name."""
    patches: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def of(
        self,
        default: Place,
        clusters: Sequence[str],
        identity: Identity | None = None,
        section: str = "",
        entry: Entry | None = None,
    ) -> Place:
        """The place of the change behind a changed object in some clusters; `default` if no changed line is known for
        it.

        `section` is the key of spec that has probably changed, and `entry` the entry that has changed for certain.
        Without an object, `default` is exact.
        """
        return next(self._likely(default, clusters, identity, section, entry), default)

    def _likely(
        self, default: Place, clusters: Sequence[str], identity: Identity | None, section: str, entry: Entry | None
    ) -> Iterator[Place]:
        """The places that `of` chooses from, the likeliest first."""
        block = self.entries.get(entry) if entry else None
        own = [default] if self._at(default.file, default.line, default.line + 1) else []
        yield from (place for place in self._lines if block and block.holds(place))
        yield from self._at_object(clusters, identity) if identity else own
        yield from (place for place in self._lines if any(one.holds(place) for one in self.sections.get(section, ())))
        yield from own
        yield from self._in_mesh(clusters)
        yield from (place for _, places in sorted(self.changed.items()) for place in places)

    def _at_object(self, clusters: Sequence[str], identity: Identity) -> Iterator[Place]:
        for cluster in clusters:
            for place, end in self._objects(cluster, identity):
                yield from self._at(place.file, place.line, end)
                yield from self._at(place.file)
            for file in self.sealed.get((cluster, identity.name), ()):
                yield from self._at(file)
        if identity.kind == "Service" and (stands := self.services.get((identity.namespace, identity.name))):
            yield from self._at(stands.file, stands.line)
        for cluster in clusters:
            for file in self.patches.get(cluster, ()):
                yield from self._at(file)

    def _objects(self, cluster: str, identity: Identity) -> Iterator[tuple[Place, int]]:
        """The places of an object. In a difference, every sealed form has the kind Secret."""
        kinds = SECRETS if identity.kind == "Secret" else (identity.kind,)
        for (name, one), value in self.objects.items():
            if name == cluster and one.kind in kinds and one[2:] == identity[2:]:
                yield value

    def _in_mesh(self, clusters: Sequence[str]) -> Iterator[Place]:
        """The changed lines of mesh.yaml: first those of the clusters, then those of no cluster, then all."""
        yield from (place for name in clusters for place in self._of_clusters.get(name, ()))
        about_clusters = {place for places in self._of_clusters.values() for place in places}
        yield from (place for place in self._lines if place not in about_clusters)
        yield from self._lines

    @cached_property
    def _of_clusters(self) -> Mapping[str, Sequence[Place]]:
        """The changed lines that are about each cluster."""
        return {name: [place for place in self._lines if block.holds(place)] for name, block in self.blocks.items()}

    @cached_property
    def _lines(self) -> list[Place]:
        """The changed lines of the mesh."""
        return [place for file in self.mesh for place in self._at(file)]

    def _at(self, file: str, start: int = 1, end: int | None = None) -> list[Place]:
        places = self.changed.get(file, ())
        return [place for place in places if start <= place.line and (end is None or place.line < end)]


def origins_of(
    source: Source,
    plan: Plan,
    needs: Sequence[SecretNeed],
    services: Mapping[tuple[str, str], Place],
    files: Mapping[str, tuple[bytes | None, bytes]],
) -> Origins:
    """The origins of a change. `files` are the changed files by path from mesh.yaml, each with its old and new
    content."""
    changed = {source.shown(path): tuple(_places(source.shown(path), *both)) for path, both in files.items()}
    objects: dict[tuple[str, Identity], tuple[Place, int]] = {}
    for cluster in plan.clusters:
        for file in cluster.resources:
            starts = [one.place.line for one in file.objects]
            for one in file.objects:
                if isinstance(one.body, dict):
                    end = min((line for line in starts if line > one.place.line), default=1 << 30)
                    objects[cluster.name, identity_of(one.body)] = (one.place, end)
    sealed: dict[tuple[str, str], list[str]] = {}
    for need in needs:
        root = source.shown(f"{plan.certificates}/root-cert.pem")
        secret = source.shown(f"{plan.sealed}/{need.file}")
        sealed[need.cluster, need.name] = [secret]
        if need.name == "cacerts":
            own = [f"{plan.certificates}/{need.cluster}/{name}" for name in ("ca-cert.pem", "cert-chain.pem")]
            sealed[need.cluster, "ca-cert.pem"] = [*map(source.shown, own), secret, root]
            sealed[need.cluster, "root-cert.pem"] = [root, secret, *map(source.shown, own)]
    patches = {
        cluster.name: [
            *(source.shown(patch.file.source) for patch in cluster.patches),
            *(path for path in changed for one in cluster.components if path.startswith(source.shown(one.source))),
        ]
        for cluster in plan.clusters
    }
    mesh = tuple(map(source.shown, source.files))
    blocks = blocks_of(source, "clusters")
    return Origins(changed, mesh, blocks, _entries(source), sections_of(source), objects, sealed, services, patches)


def _entries(source: Source) -> dict[Entry, Block]:
    listed = {key: blocks_of(source, key) for key in ("networks", "namespaces")} | {TAGS: tags_of(source)}
    return {(key, name): block for key, blocks in listed.items() for name, block in blocks.items()}


def entry_of(identity: Identity) -> Entry | None:
    """The entry of mesh.yaml from which one of meshc's objects is made, if that entry makes only this object."""
    if identity.kind == "Namespace":
        return "namespaces", identity.name
    tag = next((identity.name.removeprefix(one) for one in _OF_TAGS if identity.name.startswith(one)), "")
    return (TAGS, tag) if tag else None


def _places(shown: str, before: bytes | None, after: bytes) -> Iterator[Place]:
    """Each line that is new or changed. If lines were removed, the lines around them."""
    old, new = ((data or b"").decode(errors="replace").split("\n") for data in (before, after))
    lines: set[int] = set()
    for _, _, first, end in differing(old, new):
        lines |= {*range(first + 1, end + 1)} or {first, first + 1}
    for line in sorted(lines):
        if 0 < line <= len(new) and (text := new[line - 1]).strip():
            yield Place(shown, line, len(text) - len(text.lstrip()) + 1)
