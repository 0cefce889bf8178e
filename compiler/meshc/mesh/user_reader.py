"""Reads the manifests, patches, resources and components that mesh.yaml names, as files with documents."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from meshc import codes
from meshc.disk.files import IrregularError
from meshc.errors import BuildError, Path, Severity
from meshc.mesh.folder_builds import folders_of, is_below, is_kustomization
from meshc.mesh.kustomizations import Closure, kustomization_in
from meshc.mesh.reader import Reader
from meshc.mesh.service_files import Chosen, PassedOver, holds_object, is_template, services_alone
from meshc.mesh.user_files import Manifest, UserFile
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from meshc.disk.repository import Repository
    from meshc.mesh.folder_builds import FolderBuilds
    from meshc.mesh.source import Source

_YAML = (".yaml", ".yml", ".json")


class UserReader(Reader):
    """Reads files that a person wrote for Kubernetes or kustomize."""

    def __init__(self, source: Source, repository: Repository, builds: FolderBuilds) -> None:
        super().__init__(source, repository)
        self._builds = builds
        self.plain: dict[str, bytes] = {}

    def manifests(self, path: str, at: Path) -> tuple[UserFile, ...] | None:
        """The manifests of a file, of every YAML file in a folder, or from kustomize if the folder has a
        kustomization."""
        kind = self.kind(path, at)
        if kind == "refused":
            return None
        if kind is None:
            self.missing(path, at)
            return None
        if kind == "file":
            file = self._parsed(posixpath.normpath(path), at)
            return (file,) if file else None
        has_one = self._has_kustomization(path, at)
        if has_one is None:
            return None
        if has_one:
            return self._built(path, at)
        before = len(self.problems)
        names = [name for name in self.files_in(path, at) if name.endswith(_YAML)]
        if not names:
            what, hint = f'"{path}" has no .yaml, .yml or .json file', "write a folder that contains manifests"
            if len(self.problems) == before:
                self.report(codes.FILE_MISSING, at, what, hint)
            return None
        return tuple(file for name in names if (file := self._parsed(name, at)) is not None) or None

    def _has_kustomization(self, path: str, at: Path) -> bool | None:
        """Whether a folder has a kustomization; None if it can't be read, which is reported."""
        try:
            return bool(kustomization_in(self.repository, path))
        except IrregularError as error:
            self.irregular(error, at)
        except OSError as error:
            self.unreadable(path, error, at)
        return None

    def services(self, chosen: Chosen, at: Path) -> tuple[UserFile, ...] | None:
        """The Services of a file, of the selected files in a folder, or from kustomize.

        `at` is the entry. kustomize builds each folder with a kustomization below, unless another built kustomization
        includes it.
        """
        path, named = chosen.path, (*at, "manifests")
        kind = self.kind(path, named)
        if kind == "refused":
            return None
        if kind is None:
            self.missing(path, named)
            return None
        if kind == "file":
            names: list[str] = [posixpath.normpath(path)]
        else:
            has_one = self._has_kustomization(path, named)
            if has_one is None:
                return None
            if has_one:
                self._idle(chosen, [], at)
                return self._built(path, named, services=True)
            before = len(self.problems)
            there = [name for name in self.files_in(path, named) if name.endswith(_YAML) or is_kustomization(name)]
            if not there and len(self.problems) == before:
                what, hint = f'"{path}" has no .yaml, .yml or .json file', "write a folder that contains manifests"
                self.report(codes.FILE_MISSING, named, what, hint)
            if len(self.problems) > before:
                return None
            self._idle(chosen, there, at)
            names = chosen.files(there)
        return self._services_of(names, path, named)

    def _services_of(self, names: Sequence[str], path: str, at: Path) -> tuple[UserFile, ...] | None:
        folders = folders_of(names)
        before, over = len(self.problems), PassedOver()
        files = [built for folder in folders for built in self._built(folder, at, services=True) or ()]
        built = frozenset(folders)
        for name in names:
            if not is_below(name, built):
                files += self._services_in(name, at, over)
        self.problems += over.told(self.source, at, path)
        failed = any(problem.severity is Severity.ERROR for problem in self.problems[before:])
        return None if failed and not files else tuple(files)

    def _services_in(self, path: str, at: Path, over: PassedOver) -> Iterator[UserFile]:
        """A file with Services; other documents in it aren't read."""
        data = self.data_of(path, at)
        if data is None:
            return
        self.plain[path] = data
        alone = services_alone(data)
        if not alone:
            if not holds_object(data):
                over.objectless.append(path)
            return
        documents, problems = read(alone, self.source.shown(path))
        if problems and is_template(alone):
            over.templates.append(path)
            return
        self.problems += problems
        if not problems:
            yield UserFile(path, data, tuple(Manifest(document) for document in documents))

    def _idle(self, chosen: Chosen, names: Sequence[str], at: Path) -> None:
        for word in chosen.idle(names):
            what = f'no file in "{chosen.path}" matches "{word}"'
            hint = "correct the pattern; it is relative to that folder, such as deploy/*.yaml"
            self.report(codes.UNKNOWN_SERVICE, (*at, "include" if word in chosen.include else "exclude"), what, hint)

    def file(self, path: str, at: Path) -> UserFile | None:
        """A file that must exist, with its documents."""
        kind = self.kind(path, at)
        if kind == "file":
            return self._parsed(path, at)
        if kind is None:
            self.missing(path, at)
        elif kind == "folder":
            self.report(codes.FILE_MISSING, at, f'"{path}" is a folder, not a file', "write the file in it")
        return None

    def inline(self, name: str, text: str, at: Path) -> UserFile | None:
        """An inline patch in mesh.yaml. In a literal block (`|`) the place of every line is known."""
        place = self.source.document.place(at)
        lines = self.source.text_of(place.file).decode().removeprefix("\ufeff").split("\n")
        body = lines[place.line : place.line + len(text.rstrip("\n").split("\n"))]
        indent = len(body[0]) - len(body[0].lstrip(" ")) if body else 0
        literal = [line[indent:] for line in body] == text.rstrip("\n").split("\n")
        if literal and "---" not in (line.strip() for line in body):
            shown = "\n" * place.line + "\n".join(body) + "\n"
            documents, problems = read(shown.encode(), place.file)
            named = None
        else:
            documents, problems = read(text.encode(), place.file)
            problems = tuple(replace(problem, place=place, also=()) for problem in problems)
            named = place
        self.problems += problems
        data = text if text.endswith("\n") else f"{text}\n"
        return None if problems else UserFile(name, data.encode(), tuple(Manifest(one, named) for one in documents))

    def component(self, path: str, at: Path) -> Mapping[str, bytes] | None:
        """All files of a component's folder, by path. The component is built with the overlay."""
        kind = self.kind(path, at)
        if kind == "refused":
            return None
        if kind is None:
            self.missing(path, at)
            return None
        if kind == "file":
            hint = (
                "write the folder of the component; write a file of objects under resources, and a patch under patches"
            )
            self.report(codes.FILE_MISSING, at, f'"{path}" is a file, not a folder with a component', hint)
            return None
        closure = Closure(self.repository, self.source, is_copied=True)
        closure.add_folder(posixpath.normpath(path), self.source.document.place(at))
        self.plain |= closure.files
        self.problems += closure.problems
        if not closure.problems and closure.kinds.get(posixpath.normpath(path)) != "Component":
            what = f'"{path}" has no kustomization of kind Component'
            hint = "write apiVersion: kustomize.config.k8s.io/v1alpha1, kind: Component; or move the entry to resources"
            self.report(codes.BAD_RESOURCE, at, what, hint)
            return None
        return None if closure.problems else closure.files

    def _parsed(self, path: str, at: Path) -> UserFile | None:
        data = self.data_of(path, at)
        if data is None:
            return None
        documents, problems = read(data, self.source.shown(path))
        self.plain[path] = data
        self.problems += problems
        return None if problems else UserFile(path, data, tuple(Manifest(document) for document in documents))

    def _built(self, path: str, at: Path, *, services: bool = False) -> tuple[UserFile, ...] | None:
        place = self.source.document.place(at)
        folder = posixpath.normpath(path)
        closure = self._builds.closure(folder, place)
        self.plain |= closure.files
        self.problems += closure.problems
        if closure.problems:
            return None
        try:
            stream = self._builds.output(folder, closure.files)
        except BuildError as error:
            self.report(
                codes.KUSTOMIZE_FAILED,
                at,
                f'kustomize can\'t build "{path}": {error}',
                "fix the file in the message",
            )
            return None
        documents, problems = read(services_alone(stream) if services else stream, self.source.shown(path))
        self.problems += problems
        return (UserFile(f"{folder}/", stream, tuple(Manifest(document, place) for document in documents)),)
