"""Reads clusters from the inventories that `spec.clustersFrom` names, and merges them with the clusters of
mesh.yaml."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.disk.files import IrregularError, OutsideError
from meshc.errors import Code, Path, Problem
from meshc.kube import LABEL
from meshc.mesh.inventory_formats import Entry, entries, form_of
from meshc.mesh.model import Cluster, FromInventory
from meshc.mesh.parse import entries_of
from meshc.mesh.selecting import selects
from meshc.yamltext.document import Document, Mark
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from meshc.mesh.including import Files

_AT: Path = ("spec", "clustersFrom")
_CLUSTERS: Path = ("spec", "clusters")
MOST_CLUSTERS = 16_000
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Inventory:
    """A file that lists clusters. `document` has the clusters in the form of mesh.yaml, and the place of each value in
    the file."""

    path: str
    number: int
    format: str
    role: str
    """The role of clusters that only the inventory names."""
    data: bytes = field(repr=False)
    document: Document


def read_inventories(
    root: Document, files: Files | None, shown: Callable[[str], str]
) -> tuple[tuple[Inventory, ...], tuple[Problem, ...]]:
    """The inventories in the order of mesh.yaml. None is read unless all of `spec.clustersFrom` is valid."""
    spec = root.data.get("spec") if isinstance(root.data, dict) else None
    listed = spec.get("clustersFrom") if isinstance(spec, dict) else None
    if not isinstance(listed, tuple):
        return (), ()
    wanted, faults = entries_of(root, _AT, listed, FromInventory)
    found: list[Inventory] = []
    for number, one in enumerate(() if faults else wanted):
        reading = _Reading(root, number, one, files, shown)
        if inventory := reading.inventory():
            found.append(inventory)
        faults += reading.problems
    return tuple(found), tuple(faults)


def inventory_of(
    root: Document, wanted: FromInventory, data: bytes, shown: str
) -> tuple[Inventory | None, list[Problem]]:
    """The inventory in some bytes, and its problems."""
    reading = _Reading(root, 0, wanted, None, lambda _: shown)
    return reading.of_bytes(data), reading.problems


@dataclass
class _Reading:
    root: Document
    number: int
    wanted: FromInventory
    files: Files | None
    shown: Callable[[str], str]
    problems: list[Problem] = field(default_factory=list)

    def inventory(self) -> Inventory | None:
        """The file with its clusters; None if it isn't a valid inventory, which is reported."""
        data = self._bytes(self.wanted.file)
        return None if data is None else self.of_bytes(data)

    def of_bytes(self, data: bytes) -> Inventory | None:
        """The inventory in these bytes; None if it isn't a valid one, which is reported."""
        path, wanted = self.wanted.file, self.wanted
        documents, problems = read(data, self.shown(path))
        self.problems += problems
        if problems:
            return None
        ways = {str(key): way for key, way in wanted.fields.items()}
        told = list(entries(wanted.format, documents, ways, wanted.at or ""))
        chosen = [one for one in told if selects(wanted.select, _bare(one))]
        good = [one for one in chosen if _is_name(one.name)]
        self._nameless([one for one in chosen if not _is_name(one.name)], documents)
        self._twice(good)
        if not good and not self.problems:
            self._empty(documents, told)
        if len(good) > MOST_CLUSTERS:
            self._report(codes.INVENTORY_EMPTY, f'"{path}" has more than {MOST_CLUSTERS} clusters', "select fewer")
            return None
        return Inventory(path, self.number, wanted.format, wanted.role, data, _document(good, self.shown(path)))

    def _empty(self, documents: Sequence[Document], told: Sequence[Entry]) -> None:
        """Reports an inventory without clusters: `select` matches none, the format is wrong, or the file has none."""
        path, wanted = self.wanted.file, self.wanted
        if told:
            names = [str(one.name) for one in told]
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            what = f'select matches none of the clusters in "{path}": {", ".join(names[:_NAMED])}{more}'
            self._report(codes.INVENTORY_EMPTY, what, "correct select; it compares names and labels in that file")
            return
        where = f' at "{wanted.at}"' if wanted.at else ""
        form = form_of(documents)
        other = form and form != wanted.format
        hint = f"write format: {form}" if other else "correct format, at or select, or remove the entry"
        what = f'"{path}" has no cluster of format {wanted.format}{where}{f", but some of {form}" if other else ""}'
        self._report(codes.INVENTORY_EMPTY, what, hint)

    def _nameless(self, others: Sequence[Entry], documents: Sequence[Document]) -> None:
        """One problem for all entries without a valid cluster name."""
        if others:
            names = [f'"{one.name[:60]}"' for one in others if isinstance(one.name, str)]
            nameless = len(others) - len(names)
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            told = [f"these names are invalid for a cluster: {', '.join(names[:_NAMED])}{more}"] if names else []
            told += [f"{nameless} of its entries {'has' if nameless == 1 else 'have'} no name"] if nameless else []
            what = f'"{self.wanted.file}": {", and ".join(told)}'
            form = form_of(documents)
            other = f"write format: {form}, or " if form and form != self.wanted.format else ""
            hint = (
                f"{other}write the path of the name, as fields: {{name: metadata.labels.site}}; a name is a DNS label"
            )
            also = tuple(one.document.place(one.at) for one in others[:_NAMED])
            self.problems.append(self._problem(codes.INVENTORY_NAMES, what, hint, also))

    def _twice(self, good: Sequence[Entry]) -> None:
        first: dict[str, Entry] = {}
        for one in good:
            other = first.setdefault(one.name, one)
            if other is not one:
                what = f'"{self.wanted.file}": two entries are named "{one.name}"'
                also = tuple(entry.document.place(entry.at) for entry in (other, one))
                hint = "remove one of the two, or set the field that has the name, under fields"
                self.problems.append(self._problem(codes.INVENTORY_NAMES, what, hint, also))

    def _bytes(self, path: str) -> bytes | None:
        try:
            if self.files and self.files.match_files(path):
                return self.files.read_file(path)
            self._report(codes.FILE_MISSING, f'"{path}" doesn\'t exist', "correct the path, or add the file")
        except OutsideError as error:
            hint = "write a path relative to mesh.yaml, to a file inside the repository"
            self._report(codes.OUTSIDE, str(error), hint)
        except IrregularError as error:
            link = "symbolic link" in str(error)
            self._report(codes.SYMLINK if link else codes.FILE_UNREADABLE, str(error), "replace it with a plain file")
        except OSError as error:
            what = f'"{path}" can\'t be read: {error.strerror}'
            self._report(codes.FILE_UNREADABLE, what, "check its permissions")
        return None

    def _report(self, code: Code, what: str, hint: str) -> None:
        self.problems.append(self._problem(code, what, hint))

    def _problem(self, code: Code, what: str, hint: str, also: Sequence[Any] = ()) -> Problem:
        at = (*_AT, self.number, "file")
        return code.at(self.root.place(at), what, hint, path=self.root.name(at), also=also)


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and len(name) <= _LONGEST and bool(LABEL.fullmatch(name))


_LONGEST = 63


def _bare(entry: Entry) -> Cluster:
    """The name and labels that a selection compares."""
    labels = entry.found.get("labels", ({}, ()))[0]
    return Cluster.model_construct(
        name=str(entry.name), role="remote", labels=labels if isinstance(labels, dict) else {}
    )


def _document(found: Sequence[Entry], file: str) -> Document:
    """The clusters in the form of mesh.yaml, each name once."""
    by_name: dict[str, Entry] = {}
    for one in found:
        by_name.setdefault(one.name, one)
    values: dict[Path, Mark] = {}
    for number, one in enumerate(by_name.values()):
        at: Path = (*_CLUSTERS, number)
        values[at] = _mark(one.document, one.at)
        for key, (value, path) in one.found.items():
            values[*at, key] = _mark(one.document, path)
            steps = value if isinstance(value, dict) else range(len(value)) if isinstance(value, tuple) else ()
            values |= {(*at, key, step): _mark(one.document, (*path, step)) for step in steps}
    clusters = tuple({key: value for key, (value, _) in one.found.items()} for one in by_name.values())
    return Document({"spec": {"clusters": clusters}}, file, values, {}, {})


def _mark(document: Document, path: Path) -> Mark:
    while path and path not in document.values:
        path = path[:-1]
    return document.values.get(path, (1, 1))


@dataclass(frozen=True, slots=True)
class Completed(Document):
    """The document of a mesh with inventories.

    A cluster that mesh.yaml doesn't name has its place at the entry of its inventory. Problems about a missing key are
    also reported there, once for all clusters without it.
    """

    own: Document
    sources: Mapping[int, Sequence[tuple[Inventory, int]]]
    """By the number of a cluster in the mesh: the inventories that list it, and its number there."""
    said: int
    """The number of clusters in mesh.yaml and its parts; only inventories name the rest."""

    def at(self, path: Path) -> tuple[Document, Path]:
        match path:
            case ("spec", "clusters", int(number), *below) if number in self.sources:
                own = self.own.at(path) if number < self.said else None
                if own and own[1] in own[0].values:
                    return own
                for inventory, index in self.sources[number]:
                    there: Path = (*_CLUSTERS, index, *below)
                    if below not in ([], ["name"]) and there in inventory.document.values:
                        return inventory.document, there
                return own or self.own.at((*_AT, self.sources[number][0][0].number, "file"))
        return self.own.at(path)


def complete(document: Document, inventories: Sequence[Inventory]) -> Document:
    """The mesh with the clusters of inventories after its own.

    Keys and labels in mesh.yaml win over those in an inventory. If several inventories have a key, the first wins.
    """
    spec = document.data.get("spec") if isinstance(document.data, dict) else None
    clusters = spec.get("clusters", ()) if isinstance(spec, dict) else None
    if not inventories or not isinstance(spec, dict) or not isinstance(clusters, tuple):
        return document
    merged: list[Any] = list(clusters)
    numbers = {one["name"]: n for n, one in reversed([*enumerate(clusters)]) if _is_named(one)}
    sources: dict[int, list[tuple[Inventory, int]]] = {}
    for inventory in inventories:
        for index, told in enumerate(inventory.document.data["spec"]["clusters"]):
            number = numbers.setdefault(told["name"], len(merged))
            if number == len(merged):
                merged.append({"name": told["name"]})
            sources.setdefault(number, []).append((inventory, index))
            merged[number] = _over(merged[number], told)
    for number in range(len(clusters), len(merged)):
        merged[number].setdefault("role", sources[number][0][0].role)
    data = {**document.data, "spec": {**spec, "clusters": tuple(merged)}}
    return Completed(
        data, document.file, document.values, document.keys, document.texts, document, sources, len(clusters)
    )


def _is_named(cluster: Any) -> bool:
    return isinstance(cluster, dict) and isinstance(cluster.get("name"), str)


def _over(own: dict[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """Merges a cluster's own settings over those of an inventory, and labels one by one."""
    theirs, ours = told.get("labels"), own.get("labels")
    labels = {**theirs, **ours} if isinstance(theirs, dict) and isinstance(ours, dict) else None
    return {**told, **own, **({"labels": labels} if labels else {})}
