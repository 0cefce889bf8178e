"""Finds the Services that clusters export to one another, from `services` and their manifests."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.errors import Problem
from meshc.mesh.claims import not_copied
from meshc.mesh.copied import ExportPort, NotCopiedError, Traits, read_service
from meshc.mesh.mesh_config import scope_labels
from meshc.mesh.service_files import Chosen, is_pattern
from meshc.mesh.user_files import objects_in
from meshc.mesh.variants import twice
from meshc.nearest import nearest, slip

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from meshc.errors import Code, Path, Place
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.inputs import Inputs
    from meshc.mesh.model import Service
    from meshc.mesh.source import Source
    from meshc.mesh.user_files import Manifest


GLOBAL = "istio.io/global"
"""The label of ambient services that other clusters may call, from `serviceScopeConfigs` in the charts' profile
ambient."""

Key = tuple[str, str]
"""The namespace and name of a Service."""


@dataclass(frozen=True, slots=True)
class Export:
    """One Service: the content of its copies, where it runs (`homes`), and which clusters get a copy (`clients`).

    In the clients under `occupied`, another Service has its name.
    """

    entry: int
    namespace: str
    name: str
    ports: tuple[ExportPort, ...]
    traits: Traits
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    homes: tuple[str, ...]
    clients: tuple[str, ...]
    place: Place
    occupied: frozenset[str] = frozenset()

    @property
    def key(self) -> Key:
        return (self.namespace, self.name)


@dataclass(frozen=True, slots=True)
class _Mesh:
    """Settings of the mesh that matter for every Service: Istio's namespace, the domain, labels that Istio reads."""

    istio: str
    domain: str
    labels: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of `services` with its clusters."""

    index: int
    service: Service
    homes: tuple[str, ...]
    clients: tuple[str, ...]
    mesh: _Mesh

    @property
    def included(self) -> frozenset[str]:
        """The Service names under include; patterns there select files."""
        return frozenset(word for word in self.service.include or () if not is_pattern(word))

    def leaves_out(self, name: str) -> bool:
        return bool(self.included and name not in self.included) or name in self.service.exclude


@dataclass
class _Found:
    """What is collected from the entries; `runs` has the clusters of every Service, exported or not."""

    exports: list[Export] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    runs: dict[Key, set[str]] = field(default_factory=dict)


def read_exports(fleet: Fleet, source: Source, inputs: Inputs) -> tuple[tuple[Export, ...], list[Problem]]:
    """Every exported Service in the order of mesh.yaml, and every fault of the entries and manifests."""
    found = _Found()
    mesh = _Mesh(fleet.mesh.spec.istio.namespace, fleet.mesh.spec.istio.cluster_domain, scope_labels(fleet))
    others: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[str, ...]] = {}
    for index, entry in enumerate(fleet.mesh.spec.services):
        homes, clients = fleet.choose_workloads(entry.clusters), fleet.choose_workloads(entry.copy_to)
        if (homes, clients) not in others:  # most entries of a fleet are equal
            at_home = set(homes)
            # It isn't known where it runs, so a copy could overwrite the Service itself.
            others[homes, clients] = tuple(name for name in clients if homes and name not in at_home)
        one = _Entry(index, entry, homes, others[homes, clients], mesh)
        if entry.manifests is None:
            found.exports.append(_inline(one, source))
        elif (chosen := Chosen.of(entry)) in inputs.manifests:
            _from_manifests(found, one, source, inputs.manifests[chosen])
    return tuple(_unoccupied(export, found.runs) for export in found.exports), found.problems


def _unoccupied(export: Export, runs: Mapping[Key, set[str]]) -> Export:
    """The export, with the clients in which another entry has a Service of the same name."""
    occupied = runs.get(export.key, set()).intersection(export.clients)
    return replace(export, occupied=frozenset(occupied)) if occupied else export


def _inline(one: _Entry, source: Source) -> Export:
    entry = one.service
    ports = tuple(ExportPort(p.port, p.name or "", p.protocol, p.app_protocol or "") for p in entry.ports)
    place = source.document.place(("spec", "services", one.index, "ports"))
    traits = Traits(headless=entry.headless)
    return Export(one.index, entry.namespace or "", entry.name, ports, traits, {}, {}, one.homes, one.clients, place)


def _from_manifests(found: _Found, one: _Entry, source: Source, manifests: Sequence[Manifest]) -> None:
    services = [item for item in objects_in(manifests) if _is_service(item[2])]
    names = [_name_of(body) for _, _, body in services]
    problems = list(_unknown_names(one, source, names))
    own: dict[Key, Export] = {}
    twins: dict[Key, list[Place]] = {}
    differing: set[Key] = set()
    for (manifest, path, body), name in zip(services, names, strict=True):
        if namespace := _namespace_of(body) or one.service.namespace or "":
            found.runs.setdefault((namespace, name), set()).update(one.homes)
        if one.leaves_out(name):
            continue
        export = _read(one, source, (manifest, path, body))
        if isinstance(export, Problem):
            problems.append(export)
        elif twin := own.get(export.key):
            twins.setdefault(export.key, []).append(export.place)  # variants of one application are in one folder
            if replace(export, place=twin.place) != twin:
                differing.add(export.key)
        else:
            own[export.key] = export
    problems += twice(
        source, one.service, {key: [own[key].place, *twins[key]] for key in twins if key in differing}, own
    )
    if not (services and (own or problems)):
        problems.append(_none_left(one, source, names))
    found.exports += own.values()
    found.problems += problems


def _read(one: _Entry, source: Source, item: tuple[Manifest, Path, Mapping[str, Any]]) -> Export | Problem:
    """The export of a Service in a manifest, or why there is none."""
    manifest, path, body = item
    name, place = _name_of(body), manifest.place((*path, "metadata", "name"))
    try:
        export = _export(one, body, place)
    except NotCopiedError as fault:
        what = f'Service "{name}": {fault}' if name else f"a Service without a name: {fault}"
        hint = f"fix the manifest, or exclude the Service, or add exclude: [{name or '...'}] to the entry"
        return fault.code.at(manifest.place((*path, *fault.path)), what, fault.hint or hint, clusters=one.homes)
    if export.namespace:
        return export
    entry = source.document.place(_at(one))
    hint = f"add namespace: to entry {one.service.name} in {entry.file}, or to the manifest"
    return codes.NAMESPACE_UNKNOWN.at(place, f'Service "{name}" has no namespace', hint, also=(entry,))


def _at(one: _Entry) -> Path:
    return ("spec", "services", one.index)


def _unknown_names(one: _Entry, source: Source, names: Sequence[str]) -> Iterator[Problem]:
    """Names under include and exclude that aren't in the manifests."""
    present = set(names)
    for key, listed in (("include", one.service.include or ()), ("exclude", one.service.exclude)):
        for number, name in enumerate(listed):
            if name not in present and not is_pattern(name):
                close = nearest(name, names)
                hint = f'did you mean "{close}"?' if close else f"Services there: {', '.join(names) or 'none'}"
                what = f'"{one.service.manifests}" has no Service "{name}"'
                fix = slip(name, names)
                yield source.problem(codes.UNKNOWN_SERVICE, (*_at(one), key, number), what, hint, fix=fix)


def _none_left(one: _Entry, source: Source, names: Sequence[str]) -> Problem:
    if not names:
        what, hint = (
            f'"{one.service.manifests}" has no Service',
            "write a folder or file that contains an object of kind: Service",
        )
        return source.problem(codes.NO_SERVICES, (*_at(one), "manifests"), what, hint)
    what = f'include and exclude of entry "{one.service.name}" select no Service'
    return source.problem(codes.NO_SERVICES, _at(one), what, f"Services there: {', '.join(names)}")


def _name_of(body: Mapping[str, Any]) -> str:
    metadata = body.get("metadata")
    return str(metadata.get("name") or "") if isinstance(metadata, dict) else ""


def _namespace_of(body: Mapping[str, Any]) -> str:
    metadata = body.get("metadata")
    return str(metadata.get("namespace") or "") if isinstance(metadata, dict) else ""


def _is_service(data: Any) -> bool:
    return isinstance(data, dict) and data.get("kind") == "Service" and data.get("apiVersion") == "v1"


def _export(one: _Entry, body: Mapping[str, Any], place: Place) -> Export:
    read = read_service(body, one.service.namespace or "", one.mesh.labels)
    exclude = f"add exclude: [{read.name}] to the entry"
    if why := not_copied(read.namespace, read.name, one.mesh.istio, body):
        named = read.name in one.included
        code: Code = codes.BAD_SERVICE if named else codes.OWN_SERVICE
        hint = f"remove {read.name} from include" if named else f"nothing to do, or {exclude}"
        raise NotCopiedError(("metadata", "name"), why, hint, code)
    host = read.traits.external_name.rstrip(".")
    if host.endswith(".svc") or f".{host}".endswith(f".{one.mesh.domain}"):
        why = f"its externalName {host} only resolves in its own cluster, so meshc makes no copies"
        raise NotCopiedError(("spec", "externalName"), why, exclude, codes.EXTERNAL_NAME)
    return Export(
        one.index,
        read.namespace,
        read.name,
        read.ports,
        read.traits,
        read.labels,
        read.annotations,
        one.homes,
        one.clients,
        place,
    )


def described(port: ExportPort) -> str:
    """A port as text, for messages."""
    name = json.dumps(port.name) if port.name else "without a name"
    return f"{port.port}/{port.protocol} {name}" + (f" ({port.app_protocol})" if port.app_protocol else "")
