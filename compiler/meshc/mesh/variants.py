"""Reports Services that are in several files of one folder, with the files to choose from.

Some applications have several variants in one folder, of which you apply one: Bookinfo has eight.
"""

from __future__ import annotations

import json
import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from meshc import codes

if TYPE_CHECKING:
    from meshc.errors import Place, Problem
    from meshc.mesh.model import Service
    from meshc.mesh.source import Source

_Key = tuple[str, str]
_SHOWN = 4


def twice(
    source: Source, entry: Service, twins: Mapping[_Key, Sequence[Place]], every: Iterable[_Key]
) -> Iterator[Problem]:
    """Problems for Services that are in several places and differ: one problem for all Services of the same files."""
    apart = {key: places for key, places in twins.items() if len({place.file for place in places}) > 1}
    for key, places in twins.items():
        if key not in apart:
            what = f'Service "{"/".join(key)}" is defined twice in "{entry.manifests}", with different content'
            yield codes.DUPLICATE_SERVICE.at(places[1], what, "remove one of the two", also=(places[0],))
    if not apart:
        return
    names = [f'"{"/".join(key)}"' for key in apart]
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    verb = "are" if len(names) > 1 else "is"
    what = f'{shown} {verb} in several files of "{entry.manifests}", with different content: choose one of the variants'
    first = next(iter(apart.values()))
    others = [places[1] for places in apart.values()][1:]
    also = (first[0], *first[2:], *others)[:_SHOWN]
    hint = _choice(source.shown(entry.manifests or ""), apart, set(every))
    yield codes.DUPLICATE_SERVICE.at(first[1], what, hint, also=also)


def _choice(folder: str, apart: Mapping[_Key, Sequence[Place]], every: set[_Key]) -> str:
    """The include for the variant with the most Services; among equal ones, the one with the shortest name."""
    held = Counter(file for places in apart.values() for file in {place.file for place in places})
    best = min(held, key=lambda file: (-held[file], len(file), file))
    below = {file: posixpath.relpath(file, folder) for file in held}
    if any(path.startswith("..") for path in below.values()):
        return "keep one definition of each"
    if held[best] == len(every):
        return f"write include: {json.dumps([below[best]])} for that variant"
    rest = sorted(path for file, path in below.items() if file != best)
    return f"write exclude: {json.dumps(rest)} to get {below[best]}, or choose with include"
