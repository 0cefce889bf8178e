"""Makes the Applications of an Argo CD ApplicationSet, as far as the tree contains the data of its generators.

It evaluates lists, and the files and folders of Git generators. Only Argo CD knows the clusters of a cluster generator.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from meshc.kube import as_list, at
from meshc.plain import short

if TYPE_CHECKING:
    from meshc.kube import Body

_MOST = 200
"""The maximum number of Applications of one set."""
_READ = ("list", "git", "matrix")


class Files(Protocol):
    """Access to the files of the tree, by their paths from its top."""

    def matching(self, pattern: str) -> Sequence[str]: ...

    def folders(self, pattern: str) -> Sequence[str]: ...

    def mapping(self, path: str) -> Mapping[str, Any] | None: ...


def applications(body: Body, files: Files) -> Iterator[Body]:
    """The Applications that an ApplicationSet makes from data in the tree."""
    for generator in as_list(at(body, "spec", "generators")):
        for element in itertools.islice(_elements(generator, files), _MOST):
            yield filled(at(body, "spec", "template"), element)


def asked_for(body: Body) -> str:
    """The data that an ApplicationSet needs and the tree doesn't contain, in words; empty if nothing is missing."""
    asked = [_asked(one) for one in _inner(as_list(at(body, "spec", "generators")))]
    return ", and ".join(dict.fromkeys(one for one in asked if one))


def _inner(generators: Sequence[Any]) -> Iterator[Any]:
    for one in generators:
        inner = as_list(at(one, "matrix", "generators")) or as_list(at(one, "merge", "generators"))
        yield from inner or (one,)


def _asked(generator: Any) -> str:
    if not isinstance(generator, dict):
        return ""
    if "clusters" in generator:
        labels = at(generator, "clusters", "selector", "matchLabels") or {}
        wanted = ",".join(f"{key}={value}" for key, value in labels.items()) if isinstance(labels, dict) else ""
        more = " and more conditions" if at(generator, "clusters", "selector", "matchExpressions") else ""
        return f"every cluster that Argo CD knows{f' with labels {short(wanted, 80)}' if wanted else ''}{more}"
    return ", ".join(
        f"the results of {short(word, 40)}" for word in generator if word not in (*_READ, "merge", "selector")
    )


def _elements(generator: Any, files: Files) -> Iterator[dict[str, str]]:
    yield from (flat(one) for one in as_list(at(generator, "list", "elements")))
    for one in as_list(at(generator, "git", "files")):
        for path in files.matching(str(at(one, "path"))):
            yield {**flat(files.mapping(path) or {}), **_of_path(posixpath.dirname(path))}
    for one in as_list(at(generator, "git", "directories")):
        for path in files.folders(str(at(one, "path"))) if at(one, "exclude") is not True else ():
            yield _of_path(path)
    inner = as_list(at(generator, "matrix", "generators"))
    if len(inner) == 2:  # the second generator may use values of the first
        for first in itertools.islice(_elements(inner[0], files), _MOST):
            for second in _elements(filled(inner[1], first), files):
                yield {**first, **second}


def _of_path(folder: str) -> dict[str, str]:
    found = {"path": folder, "path.path": folder, "path.basename": posixpath.basename(folder)}
    return {**found, **{f"path[{index}]": part for index, part in enumerate(folder.split("/"))}}


def flat(element: Any, above: str = "") -> dict[str, str]:
    """The values of an element, by the names that a template uses for them."""
    found: dict[str, str] = {}
    for key, one in element.items() if isinstance(element, dict) else ():
        found |= flat(one, f"{above}{key}.") if isinstance(one, dict) else {f"{above}{key}": str(one)}
    return found


_WORD = re.compile(r"\{\{-? {0,9}\.?([\w.\[\]-]{1,200}) {0,9}-?\}\}")


def filled(value: Any, element: Mapping[str, str]) -> Any:
    """A template with the values of one element. Other expressions stay as they are."""
    if isinstance(value, dict):
        return {key: filled(one, element) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return tuple(filled(one, element) for one in value)
    return _WORD.sub(lambda match: element.get(match[1], match[0]), value) if isinstance(value, str) else value
