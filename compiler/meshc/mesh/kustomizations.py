"""Finds all files that a user's kustomization needs. kustomize follows folders out of the tree and clones URLs without
asking, so this module refuses every kustomization that could leave the repository, use the network, or run a program.

Fields that aren't known to be safe are refused by name.
"""

from __future__ import annotations

import json
import posixpath
import re
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.disk.files import IrregularError, OutsideError
from meshc.errors import Code, Path, Place, Problem, Rewrite
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from meshc.disk.repository import Repository
    from meshc.mesh.source import Source
    from meshc.yamltext.document import Document

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""The file names of a kustomization."""

_PLAIN = {
    "apiVersion", "kind", "metadata", "namespace", "namePrefix", "nameSuffix", "labels", "commonLabels",
    "commonAnnotations", "images", "replicas", "sortOptions", "buildMetadata", "generatorOptions",
}  # fmt: skip
_WITH_PATHS = {
    "resources", "bases", "components", "patches", "patchesStrategicMerge", "patchesJson6902",
    "configMapGenerator", "replacements",
}  # fmt: skip
_REMOTE = re.compile(
    r"^[a-z][a-z0-9+.-]*::|://|^[^/][^/@]*@[^/]+:|//|\?(ref|version|timeout|submodules)=|^gh:|^(www\.)?(github\.com|gitlab\.com|bitbucket\.org)[/:]|\.git(/|$)|/_git/",
    re.IGNORECASE,
)
_LARGEST = 5000


class Closure:
    """The files that a kustomization needs, collected folder by folder, and their problems."""

    def __init__(self, repository: Repository, source: Source, *, is_copied: bool = False) -> None:
        """`is_copied`: the files become part of the tree, and the first line of each says so."""
        self._repository = repository
        self._source = source
        self._is_copied = is_copied
        self.kinds: dict[str, str] = {}
        self.files: dict[str, bytes] = {}
        self.problems: list[Problem] = []
        self._folders: set[str] = set()

    def add_folder(self, folder: str, named: Place) -> None:
        """Adds a folder's kustomization and all files that it names. `named` is the place that names the folder."""
        if folder in self._folders:
            return
        self._folders.add(folder)
        document = self._kustomization(folder, named)
        if document is None:
            return
        self.kinds[folder] = str(document.data.get("kind", ""))
        for key in document.data:
            if key not in _PLAIN | _WITH_PATHS:
                self._refuse_field(document, key)
        for at, kind, value in _paths(document.data):
            if kind == "data" and self._is_copied:
                what = "a generator in a component can't read a file: meshc adds a first line to the copy of the file"
                hint = "write it under literals, or as a ConfigMap among the component's resources"
                self._report(codes.KUSTOMIZATION_FIELD, document.place(at), what, hint)
                continue
            self._follow(folder, value, kind, document.place(at))
        for at, text in _inline(document.data):  # kustomize parses it as separate YAML, without a limit on aliases
            place = document.place(at)
            self.problems += [
                codes.BAD_PATCH.at(place, f"the patch here: {p.what}", p.hint)
                for p in read(text.encode(), place.file)[1]
            ]

    def _kustomization(self, folder: str, named: Place) -> Document | None:
        """The kustomization of a folder; None if there is no readable one, which is reported."""
        try:
            name = kustomization_in(self._repository, folder)
        except IrregularError as error:
            self._report(codes.SYMLINK, named, str(error), "replace it with the file or folder itself")
            return None
        except OSError as error:
            what = f"{_quoted(folder)} can't be read: {error.strerror}"
            self._report(codes.FILE_UNREADABLE, named, what, "check its permissions")
            return None
        if name is None:
            hint = "a folder under resources, bases or components needs a kustomization.yaml"
            self._report(codes.FILE_MISSING, named, f'"{self._source.shown(folder)}" has no kustomization.yaml', hint)
            return None
        document = self._read_yaml(posixpath.join(folder, name), named)
        if document is not None and not isinstance(document.data, dict):
            what, hint = "a kustomization must be a mapping", "write resources: [...]"
            self._report(codes.BAD_RESOURCE, document.place(()), what, hint)
            return None
        return document

    def _follow(self, folder: str, value: str, kind: str, place: Place) -> None:
        if _REMOTE.search(value):
            what = f"{_quoted(value)} is a URL for kustomize, not a path"
            self._report(codes.REMOTE_BASE, place, what, "vendor it into the repository and name its path")
            return
        path = posixpath.normpath(posixpath.join(folder, value))
        found = self._kind(path, value, place)
        if found is None:
            what = f"{_quoted(value)} doesn't exist"
            self._report(codes.FILE_MISSING, place, what, "correct the path, or add the file")
        elif found == "folder" and kind == "resource":
            self.add_folder(path, place)
        elif found == "folder":
            self._report(codes.FILE_MISSING, place, f"{_quoted(value)} is a folder, not a file", "write the file in it")
        elif found == "file" and kind == "data":
            self._read(path, place)
        elif found == "file":
            self._read_yaml(path, place, many=True)

    def _kind(self, path: str, value: str, place: Place) -> str | None:
        """The kind of a path: file, folder, None for nothing, or refused, which is reported."""
        try:
            if value.startswith("/"):
                raise OutsideError('"" is absolute; write it relative to this file')
            return self._repository.kind(path)
        except OutsideError as error:
            why = error.what.partition('" ')[2] or error.what
            self._report(codes.OUTSIDE, place, f"{_quoted(value)} {why}", error.hint or "move it into the repository")
        except IrregularError as error:
            self._report(codes.SYMLINK, place, str(error), "replace it with the file or folder itself")
        except OSError as error:
            what = f"{_quoted(value)} can't be read: {error.strerror}"
            self._report(codes.FILE_UNREADABLE, place, what, "check its permissions")
        return "refused"

    def _refuse_field(self, document: Document, key: str) -> None:
        what = f"meshc doesn't support {_quoted(key)}: it only allows fields of kustomize that read plain files"
        hint = "run it, and commit the result as plain manifests"
        fix = None
        if key.lower() in (by_case := {known.lower(): known for known in _PLAIN | _WITH_PATHS}):
            fix = Rewrite(key, by_case[key.lower()])
            what, hint = f"unknown field {_quoted(key)}", f'did you mean "{fix.value}"?'
        if key == "secretGenerator":
            what = "secretGenerator would put a secret into the output in plain text"
            hint = "seal the Secret instead"
        self._report(codes.KUSTOMIZATION_FIELD, document.key_place((key,)), what, hint, fix)

    def _read(self, path: str, place: Place) -> bytes | None:
        if len(self.files) >= _LARGEST:
            if len(self.files) == _LARGEST:
                self._report(codes.FILE_UNREADABLE, place, f"the kustomization uses more than {_LARGEST} files")
            return None
        if path not in self.files:
            try:
                self.files[path] = self._repository.read_file(path)
            except (IrregularError, OSError) as error:
                self._report(codes.FILE_UNREADABLE, place, f'"{path}" can\'t be read: {_reason(error)}')
                return None
        return self.files[path]

    def _read_yaml(self, path: str, place: Place, *, many: bool = False) -> Document | None:
        data = self._read(path, place)
        if data is None:
            return None
        documents, problems = read(data, self._source.shown(path))
        self.problems += problems
        if not problems and not many and len(documents) != 1:
            what = "a kustomization must be one document, but this file has " + (
                str(len(documents)) if documents else "none"
            )
            self._report(
                codes.BAD_RESOURCE,
                Place(self._source.shown(path), 1, 1),
                what,
                "write resources: [...], and no --- line",
            )
        return documents[0] if documents and not problems else None

    def _report(self, code: Code, place: Place, what: str, hint: str = "", fix: Rewrite | None = None) -> None:
        self.problems.append(code.at(place, what, hint, fix=fix))


def kustomization_in(repository: Repository, folder: str) -> str | None:
    """The name of the folder's kustomization, None without one. Raises IrregularError for a link."""
    return next((name for name in NAMES if repository.kind(posixpath.join(folder, name)) == "file"), None)


def _paths(data: Mapping[str, Any]) -> Iterator[tuple[Path, str, str]]:
    """Every path in a kustomization: its place, its possible kinds (resource, manifest, data), and the path."""
    for field in ("resources", "bases", "components"):
        for number, value in _texts(data.get(field)):
            yield (field, number), "resource", value
    for number, value in _texts(data.get("patchesStrategicMerge")):
        if "\n" not in value:
            yield ("patchesStrategicMerge", number), "manifest", value
    for field in ("patches", "patchesJson6902", "replacements"):
        for number, value in enumerate(_list(data.get(field))):
            if isinstance(value, dict) and isinstance(value.get("path"), str):
                yield (field, number, "path"), "manifest", value["path"]
    for number, generator in enumerate(_list(data.get("configMapGenerator"))):
        if not isinstance(generator, dict):
            continue
        if isinstance(generator.get("env"), str):
            yield ("configMapGenerator", number, "env"), "data", generator["env"]
        for field in ("files", "envs"):
            for place, value in _texts(generator.get(field)):
                name, equals, path = value.partition("=")
                yield (
                    ("configMapGenerator", number, field, place),
                    "data",
                    path if equals and field == "files" else name,
                )


def _inline(data: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Every inline patch of the kustomization."""
    for number, value in _texts(data.get("patchesStrategicMerge")):
        if "\n" in value:
            yield ("patchesStrategicMerge", number), value
    for field in ("patches", "patchesJson6902"):
        for number, value in enumerate(_list(data.get(field))):
            if isinstance(value, dict) and isinstance(value.get("patch"), str):
                yield (field, number, "patch"), value["patch"]


def _list(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else ()


def _texts(value: Any) -> Iterator[tuple[int, str]]:
    return ((number, item) for number, item in enumerate(_list(value)) if isinstance(item, str))


def _quoted(text: str) -> str:
    return json.dumps(text if len(text) <= 120 else f"{text[:120]}...", ensure_ascii=False)


def _reason(error: Exception) -> str:
    return error.strerror or "unknown" if isinstance(error, OSError) else str(error)
