"""inputs turns paths in mesh.yaml into the bytes behind them, each read once: what is checked is placed."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.disk.files import IrregularError, OutsideError
from meshc.errors import BuildError, Code, Path, Place, Problem, Severity
from meshc.mesh.chart_files import Chart, Key, read_charts
from meshc.mesh.chart_lock import LOCK, check_lock
from meshc.mesh.charts import AT
from meshc.mesh.kustomizations import NAMES, Closure, kustomization_in
from meshc.mesh.service_files import Chosen, PassedOver, holds_object, is_template, services_alone
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from meshc.disk.repository import Repository
    from meshc.mesh.fleet import Fleet
    from meshc.mesh.source import Source
    from meshc.yamltext.document import Document

Build = Callable[[Mapping[str, bytes], str], bytes]
"""What kustomize prints for a folder of some files (paths relative to mesh.yaml). Raises BuildError."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One document of a user's file. One that kustomize made has no place but mesh.yaml's."""

    document: Document
    named: Place | None = None

    @property
    def data(self) -> Any:
        return self.document.data

    def place(self, path: Path) -> Place:
        return self.named or self.document.place(path)


@dataclass(frozen=True, slots=True)
class UserFile:
    """A file of the user's as it was read: where it is, its bytes, its documents.

    What kustomize built from a folder has the folder's path, with / at the end.
    """

    path: str
    data: bytes = field(repr=False)
    manifests: tuple[Manifest, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that mesh.yaml names. Keys are relative to the folder in the first two, else as written."""

    certificates: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    sealed: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    manifests: Mapping[Chosen, tuple[Manifest, ...]] = field(default_factory=dict, repr=False)
    patches: Mapping[str, UserFile] = field(default_factory=dict, repr=False)
    resources: Mapping[str, tuple[UserFile, ...]] = field(default_factory=dict, repr=False)
    components: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict, repr=False)
    """Of each component all files that its kustomization leads to, by path."""
    unread: frozenset[str] = frozenset()
    """Folders of certificates or sealed files that can't be read, which is told: whether something is missing isn't."""
    plain: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Every file that is read for manifests, patches and resources, to be searched for secrets."""
    charts: Mapping[Key, Chart] = field(default_factory=dict, repr=False)


def gather(fleet: Fleet, source: Source, repository: Repository, build: Build) -> tuple[Inputs, list[Problem]]:
    """Reads all inputs. What can't be read or may not be is a problem, once for each path."""
    reader = Reader(source, repository, build)
    spec = fleet.mesh.spec
    certificates: Mapping[str, bytes] = {}
    sealed: Mapping[str, bytes] = {}
    if spec.security.ca.type == "plugged-in":
        certificates = reader.folder(spec.security.ca.directory, ("spec", "security", "ca", "directory"))
    sealed = reader.folder(spec.security.secrets.directory, ("spec", "security", "secrets", "directory"), *_YAML)
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
    """The charts that clusters are rendered with. What the lock file doesn't pin is reported, and left out."""
    charts = read_charts(fleet, reader)
    if not charts:
        return charts
    lock = reader.data_of(LOCK, AT) if reader.kind(LOCK, AT) == "file" else None
    faults = list(check_lock(charts, lock, source))
    reader.problems += faults
    return {} if faults else charts


_YAML = (".yaml", ".yml", ".json")
_FILES = ("root-cert.pem", "ca-cert.pem", "cert-chain.pem", "cacerts.yaml")
"""What is looked for by name, and would be told as missing where a folder of that name stands."""


class Reader:
    """Reads by path as mesh.yaml writes it, and notes the problem at that spot of mesh.yaml."""

    def __init__(self, source: Source, repository: Repository, build: Build) -> None:
        self._source, self._repository, self._build = source, repository, build
        self.problems: list[Problem] = []
        self.plain: dict[str, bytes] = {}
        self.unread: set[str] = set()

    def folder(self, path: str, at: Path, *suffixes: str) -> Mapping[str, bytes]:
        """The files of a folder that may be missing, by path relative to it."""
        kind = self.kind(path, at)
        if kind == "file":
            self.report(
                codes.FILE_MISSING,
                at,
                f'"{path}" is a file, not a folder',
                "name the folder that holds the files",
            )
        if kind in ("file", "refused"):
            self.unread.add(path)
        if kind != "folder":
            return {}
        found: dict[str, bytes] = {}
        names = self.files_in(path, at)
        for inner in sorted({posixpath.dirname(name) for name in names}):
            if posixpath.basename(inner) in _FILES:
                self.report(codes.FILE_UNREADABLE, at, f'"{inner}" is a folder, not a file', "put a plain file there")
        for name in names:
            if (not suffixes or name.endswith(suffixes)) and (data := self.data_of(name, at)) is not None:
                found[posixpath.relpath(name, posixpath.normpath(path))] = data
        return found

    def manifests(self, path: str, at: Path) -> tuple[UserFile, ...] | None:
        """The manifests of a file, of every YAML file in a folder, or what kustomize builds from it."""
        kind = self.kind(path, at)
        if kind == "refused":
            return None
        if kind is None:
            self._missing(path, at)
            return None
        if kind == "file":
            file = self._parsed(posixpath.normpath(path), at)
            return (file,) if file else None
        try:
            if kustomization_in(self._repository, path):
                return self._built(path, at)
        except IrregularError as error:
            self._irregular(error, at)
            return None
        except OSError as error:
            self._unreadable(path, error, at)
            return None
        before = len(self.problems)
        names = [name for name in self.files_in(path, at) if name.endswith(_YAML)]
        if not names:
            what, hint = f'"{path}" holds no .yaml, .yml or .json file', "name a folder that holds manifests"
            if len(self.problems) == before:
                self.report(codes.FILE_MISSING, at, what, hint)
            return None
        return tuple(file for name in names if (file := self._parsed(name, at)) is not None) or None

    def services(self, chosen: Chosen, at: Path) -> tuple[UserFile, ...] | None:
        """The Services of a file, of the chosen files in a folder, or of what kustomize builds from folders.

        `at` is the entry. A folder below with a kustomization is built, unless one that is built takes it in.
        """
        path, named = chosen.path, (*at, "manifests")
        kind = self.kind(path, named)
        if kind == "refused":
            return None
        if kind is None:
            self._missing(path, named)
            return None
        if kind == "file":
            names: list[str] = [posixpath.normpath(path)]
        else:
            try:
                if kustomization_in(self._repository, path):
                    self._idle(chosen, [], at)
                    return self._built(path, named, services=True)
            except IrregularError as error:
                self._irregular(error, named)
                return None
            except OSError as error:
                self._unreadable(path, error, named)
                return None
            before = len(self.problems)
            there = [name for name in self.files_in(path, named) if name.endswith(_YAML) or _is_kustomization(name)]
            if not there and len(self.problems) == before:
                what, hint = f'"{path}" holds no .yaml, .yml or .json file', "name a folder that holds manifests"
                self.report(codes.FILE_MISSING, named, what, hint)
            if len(self.problems) > before:
                return None
            self._idle(chosen, there, at)
            names = chosen.files(there)
        return self._services_of(names, path, named)

    def _services_of(self, names: Sequence[str], path: str, at: Path) -> tuple[UserFile, ...] | None:
        folders = _outermost({posixpath.dirname(name) for name in names if _is_kustomization(name)})
        before, over = len(self.problems), PassedOver()
        files = [built for folder in folders for built in self._built(folder, at, services=True) or ()]
        for name in names:
            if not any(name.startswith(f"{folder}/") for folder in folders):
                files += self._services_in(name, at, over)
        self.problems += over.told(self._source, at, path)
        failed = any(problem.severity is Severity.ERROR for problem in self.problems[before:])
        return None if failed and not files else tuple(files)

    def _services_in(self, path: str, at: Path, over: PassedOver) -> Iterator[UserFile]:
        """A file with Services; what else there is in it isn't read."""
        data = self.data_of(path, at)
        if data is None:
            return
        self.plain[path] = data
        alone = services_alone(data)
        if not alone:
            if not holds_object(data):
                over.objectless.append(path)
            return
        documents, problems = read(alone, self._source.shown(path))
        if problems and is_template(alone):
            over.templates.append(path)
            return
        self.problems += problems
        if not problems:
            yield UserFile(path, data, tuple(Manifest(document) for document in documents))

    def _idle(self, chosen: Chosen, names: Sequence[str], at: Path) -> None:
        for word in chosen.idle(names):
            what = f'no file in "{chosen.path}" fits "{word}"'
            hint = "correct the pattern: it is relative to that folder, as in deploy/*.yaml"
            self.report(codes.UNKNOWN_SERVICE, (*at, "include" if word in chosen.include else "exclude"), what, hint)

    def file(self, path: str, at: Path) -> UserFile | None:
        """A file that must be there, with its documents."""
        kind = self.kind(path, at)
        if kind == "file":
            return self._parsed(path, at)
        if kind is None:
            self._missing(path, at)
        elif kind == "folder":
            self.report(codes.FILE_MISSING, at, f'"{path}" is a folder, not a file', "name the file in it")
        return None

    def inline(self, name: str, text: str, at: Path) -> UserFile | None:
        """A patch that stands in mesh.yaml. Of a literal block (`|`) every line is known there."""
        place = self._source.document.place(at)
        lines = self._source.data.decode().removeprefix("\ufeff").split("\n")
        body = lines[place.line : place.line + len(text.rstrip("\n").split("\n"))]
        indent = len(body[0]) - len(body[0].lstrip(" ")) if body else 0
        literal = [line[indent:] for line in body] == text.rstrip("\n").split("\n")
        if literal and "---" not in (line.strip() for line in body):
            shown = "\n" * place.line + "\n".join(body) + "\n"
            documents, problems = read(shown.encode(), self._source.file)
            named = None
        else:
            documents, problems = read(text.encode(), self._source.file)
            problems = tuple(replace(problem, place=place, also=()) for problem in problems)
            named = place
        self.problems += problems
        data = text if text.endswith("\n") else f"{text}\n"
        return None if problems else UserFile(name, data.encode(), tuple(Manifest(one, named) for one in documents))

    def component(self, path: str, at: Path) -> Mapping[str, bytes] | None:
        """All files of a folder with a component, which is built with the overlay, by path."""
        kind = self.kind(path, at)
        if kind == "refused":
            return None
        if kind is None:
            self._missing(path, at)
            return None
        if kind == "file":
            hint = "name the folder that holds it; a file of objects goes under resources, a patch under patches"
            self.report(codes.FILE_MISSING, at, f'"{path}" is a file, not a folder with a component', hint)
            return None
        closure = Closure(self._repository, self._source, is_copied=True)
        closure.add_folder(posixpath.normpath(path), self._source.document.place(at))
        self.plain |= closure.files
        self.problems += closure.problems
        if not closure.problems and closure.kinds.get(posixpath.normpath(path)) != "Component":
            what = f'"{path}" holds no kustomization of kind Component'
            hint = "write apiVersion: kustomize.config.k8s.io/v1alpha1, kind: Component; or name it under resources"
            self.report(codes.BAD_RESOURCE, at, what, hint)
            return None
        return None if closure.problems else closure.files

    def _parsed(self, path: str, at: Path) -> UserFile | None:
        data = self.data_of(path, at)
        if data is None:
            return None
        documents, problems = read(data, self._source.shown(path))
        self.plain[path] = data
        self.problems += problems
        return None if problems else UserFile(path, data, tuple(Manifest(document) for document in documents))

    def _built(self, path: str, at: Path, *, services: bool = False) -> tuple[UserFile, ...] | None:
        place = self._source.document.place(at)
        closure = Closure(self._repository, self._source)
        closure.add_folder(posixpath.normpath(path), place)
        self.plain |= closure.files
        self.problems += closure.problems
        if closure.problems:
            return None
        try:
            stream = self._build(closure.files, posixpath.normpath(path))
        except BuildError as error:
            self.report(
                codes.KUSTOMIZE_FAILED,
                at,
                f'kustomize can\'t build "{path}": {error}',
                "mend the file that it names",
            )
            return None
        documents, problems = read(services_alone(stream) if services else stream, self._source.shown(path))
        self.problems += problems
        built = UserFile(
            f"{posixpath.normpath(path)}/", stream, tuple(Manifest(document, place) for document in documents)
        )
        return (built,)

    def data_of(self, path: str, at: Path) -> bytes | None:
        try:
            return self._repository.read_file(path)
        except FileNotFoundError:
            self._missing(path, at)
        except IrregularError as error:
            self._irregular(error, at)
        except OSError as error:
            self._unreadable(path, error, at)
        return None

    def kind(self, path: str, at: Path) -> str | None:
        try:
            return self._repository.kind(path)
        except OutsideError as error:
            self.report(
                codes.OUTSIDE,
                at,
                str(error),
                "write a path relative to mesh.yaml, to a file inside the repository",
            )
        except IrregularError as error:
            self._irregular(error, at)
        except OSError as error:
            self._unreadable(path, error, at)
        return "refused"

    def files_in(self, path: str, at: Path) -> Iterable[str]:
        try:
            return self._repository.list_files(path)
        except IrregularError as error:
            self._irregular(error, at)
        except OSError as error:
            self._unreadable(path, error, at)
        return ()

    def _missing(self, path: str, at: Path) -> None:
        self.report(codes.FILE_MISSING, at, f'"{path}" isn\'t there', "correct the path, or add the file")

    def _unreadable(self, path: str, error: OSError, at: Path) -> None:
        what = f'"{path}" can\'t be read: {error.strerror}'
        self.report(codes.FILE_UNREADABLE, at, what, "check its permissions")

    def _irregular(self, error: IrregularError, at: Path) -> None:
        said = str(error)
        if "symbolic link" in said:
            self.report(codes.SYMLINK, at, said, "put the file or folder itself there")
        else:
            hint = "use letters, digits, -, _ and ." if "rename" in said else "put a plain file or folder there"
            hint = "split the file" if "larger" in said else hint
            hint = "in CI, check out with lfs: true" if "Git LFS" in said else hint
            self.report(codes.FILE_UNREADABLE, at, said, hint)

    def report(self, code: Code, at: Path, what: str, hint: str = "") -> None:
        self.problems.append(self._source.problem(code, at, what, hint))


def _is_kustomization(name: str) -> bool:
    return posixpath.basename(name) in NAMES


def _outermost(folders: Iterable[str]) -> list[str]:
    """The folders that lie in none of the others."""
    found: list[str] = []
    for folder in sorted(folders):
        if not any(folder.startswith(f"{other}/") for other in found):
            found.append(folder)
    return found


def objects_in(manifests: Iterable[Manifest]) -> Iterator[tuple[Manifest, Path, Any]]:
    """Every object of some manifests, Lists taken apart: its manifest, its path in there, its data."""
    for manifest in manifests:
        yield from _unwrapped(manifest, (), manifest.data)


def _unwrapped(manifest: Manifest, path: Path, data: Any) -> Iterator[tuple[Manifest, Path, Any]]:
    if isinstance(data, dict) and str(data.get("kind", "")).endswith("List") and isinstance(data.get("items"), tuple):
        for number, item in enumerate(data["items"]):
            yield from _unwrapped(manifest, (*path, "items", number), item)
    else:
        yield manifest, path, data
