"""Reads every file that mesh.yaml names, each once, so that the checked bytes are the used ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from meshc.errors import Problem
from meshc.mesh.chart_files import Chart, Key, read_charts
from meshc.mesh.chart_lock import LOCK, check_lock
from meshc.mesh.charts import AT
from meshc.mesh.folder_builds import Build, FolderBuilds
from meshc.mesh.service_files import Chosen
from meshc.mesh.user_files import Manifest, UserFile
from meshc.mesh.user_reader import UserReader

if TYPE_CHECKING:
    from meshc.disk.repository import Repository
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.reader import Reader
    from meshc.mesh.source import Source

_SEALED = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class Inputs:
    """The files that mesh.yaml names. Keys are relative to the folder in the first two, else as written."""

    certificates: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    sealed: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    manifests: Mapping[Chosen, tuple[Manifest, ...]] = field(default_factory=dict, repr=False)
    patches: Mapping[str, UserFile] = field(default_factory=dict, repr=False)
    resources: Mapping[str, tuple[UserFile, ...]] = field(default_factory=dict, repr=False)
    components: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict, repr=False)
    """For each component, all files that its kustomization uses, by path."""
    unread: frozenset[str] = frozenset()
    """Unreadable folders of certificates or sealed files. This is reported, but missing files in them aren't."""
    plain: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Every file that is read for manifests, patches and resources, to be searched for secrets."""
    charts: Mapping[Key, Chart] = field(default_factory=dict, repr=False)


def gather(fleet: Fleet, source: Source, repository: Repository, build: Build) -> tuple[Inputs, list[Problem]]:
    """Reads all inputs. Reports each path that can't or must not be read once."""
    reader = UserReader(source, repository, FolderBuilds(fleet, source, repository, build))
    spec = fleet.mesh.spec
    certificates: Mapping[str, bytes] = {}
    sealed: Mapping[str, bytes] = {}
    if spec.security.ca.type == "plugged-in":
        certificates = reader.folder(spec.security.ca.directory, ("spec", "security", "ca", "directory"))
    sealed = reader.folder(spec.security.secrets.directory, ("spec", "security", "secrets", "directory"), *_SEALED)
    manifests: dict[Chosen, tuple[Manifest, ...]] = {}
    for index, entry in enumerate(spec.services):
        if entry.manifests is not None and (chosen := Chosen.of(entry)) not in manifests:
            files = reader.services(chosen, ("spec", "services", index))
            if files is not None:
                manifests[chosen] = tuple(m for file in files for m in file.manifests)
    patches: dict[str, UserFile] = {}
    resources: dict[str, tuple[UserFile, ...]] = {}
    components: dict[str, Mapping[str, bytes]] = {}
    tried: set[str] = set()
    for member in fleet:
        for number, patch in enumerate(member.cluster.patches):
            path = patch if isinstance(patch, str) else patch.key
            if path not in tried:
                tried.add(path)
                inline = "" if isinstance(patch, str) else patch.patch
                field = () if isinstance(patch, str) else ("patch",) if inline else ("path",)
                at = member.path("patches", number, *field)
                if file := reader.inline(path, inline, at) if inline else reader.file(path, at):
                    patches[path] = file
        for number, path in enumerate(member.cluster.resources):
            if path not in resources:
                resources[path] = reader.manifests(path, member.path("resources", number)) or ()
        for number, path in enumerate(member.cluster.components):
            if path not in components and (taken := reader.component(path, member.path("components", number))):
                components[path] = taken
    charts = pinned_charts(fleet, source, reader)
    unread = frozenset(reader.unread)
    found = Inputs(certificates, sealed, manifests, patches, resources, components, unread, reader.plain, charts)
    return found, reader.problems


def pinned_charts(fleet: Fleet, source: Source, reader: Reader) -> Mapping[Key, Chart]:
    """The charts of all clusters. Charts that the lock file doesn't pin are reported and left out."""
    charts = read_charts(fleet, reader)
    if not charts:
        return charts
    lock = reader.data_of(LOCK, AT) if reader.kind(LOCK, AT) == "file" else None
    faults = list(check_lock(charts, lock, source))
    reader.problems += faults
    return {} if faults else charts
