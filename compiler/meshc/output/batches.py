"""Builds the units of many clusters with few runs of kustomize, because a start takes longer than a unit.

A batch is a kustomization with one unit in each of its folders. If kustomize refuses a batch, each of its units is
built alone, so that one cluster's fault doesn't stop the others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from meshc.errors import BuildError
from meshc.output.marked import unmarked, with_marks
from meshc.output.references import may_be_written
from meshc.output.unit import FOLDER
from meshc.overlays.kustomization import NAME, kustomization

if TYPE_CHECKING:
    from meshc.disk.repository import Repository
    from meshc.kube import Identity
    from meshc.output.kustomize import Kustomize
    from meshc.output.unit import Key, Unit
    from meshc.scanning.guard import RenderedGuard

_MOST_UNITS = 20
"""With more units, the time of a run grows faster than the number of units."""
_MOST_BYTES = 256 << 10
"""A batch of this size takes much longer than a start of kustomize."""
_BATCH = "batch"


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds units with a kustomize, `jobs` at once (0 means one for each processor), and caches what is free of
    secrets."""

    kustomize: Kustomize
    cache: Repository
    guard: RenderedGuard
    jobs: int

    def build(self, units: Sequence[Unit], pool: ThreadPoolExecutor) -> dict[Key, bytes | BuildError]:
        """The output of each distinct unit, by its key, or the error with which kustomize refuses the unit."""
        distinct = {unit.key: unit for unit in units}
        cached = {key: self.kustomize.known(unit.files, FOLDER, self.cache) for key, unit in distinct.items()}
        found: dict[Key, bytes | BuildError] = {key: built for key, built in cached.items() if built is not None}
        for built in pool.map(self._build, self._batches([unit for key, unit in distinct.items() if key not in found])):
            found |= built
        return found

    def _batches(self, units: Sequence[Unit]) -> Iterator[list[Unit]]:
        """All units, in batches for all processors."""
        most = min(_MOST_UNITS, -(-len(units) // (self.jobs or os.cpu_count() or 1)))
        batch: list[Unit] = []
        size = 0
        for unit in units:
            if batch and (len(batch) >= most or size + unit.size > _MOST_BYTES):
                yield batch
                batch, size = [], 0
            batch.append(unit)
            size += unit.size
        if batch:
            yield batch

    def _build(self, units: Sequence[Unit]) -> Mapping[Key, bytes | BuildError]:
        marks = dict(zip(_marks(units), units, strict=True)) if len(units) > 1 else {}
        marked = {mark: files for mark, unit in marks.items() if (files := with_marks(unit, mark)) is not None}
        streams = self._together(marked) if len(marked) > 1 else {}
        found: dict[Key, bytes | BuildError] = {}
        for mark, stream in streams.items():
            if marks[mark].is_followed and may_be_written(stream):
                continue
            found[marks[mark].key] = stream
            self.kustomize.keep(marks[mark].files, FOLDER, self.cache, stream, self.guard)
        return found | {unit.key: self._alone(unit) for unit in units if unit.key not in found}

    def _together(self, marked: Mapping[str, Mapping[str, bytes]]) -> Mapping[str, bytes]:
        """The output of each unit, by its mark; none if the batch can't be built or taken apart."""
        files = {f"{_BATCH}/{mark}/{name}": data for mark, each in marked.items() for name, data in each.items()}
        files[f"{_BATCH}/{NAME}"] = kustomization(marked)
        try:
            return unmarked(self.kustomize.run(files, _BATCH), marked) or {}
        except BuildError:
            return {}

    def _alone(self, unit: Unit) -> bytes | BuildError:
        try:
            return self.kustomize.build(unit.files, FOLDER, self.cache, None, self.guard)
        except BuildError as error:
            return error


class BuiltUnits:
    """The built units of one cluster together. `said` is kustomize's message if it refused one of them."""

    def __init__(self, units: Sequence[Unit], built: Mapping[Key, bytes | BuildError]) -> None:
        self._units = units
        outputs = [built[unit.key] for unit in units]
        self.said = next((str(one) for one in outputs if isinstance(one, BuildError)), None)
        self._streams = [one for one in outputs if isinstance(one, bytes)]

    @property
    def stream(self) -> bytes:
        """All objects, as one build would write them, except for the order."""
        return b"---\n".join(filter(None, self._streams))

    @property
    def texts(self) -> frozenset[bytes]:
        """The texts that the output replaces."""
        return frozenset(text for unit in self._units for text in unit.texts)

    @property
    def homes(self) -> Mapping[Identity, str]:
        """The file of each of meshc's objects."""
        return {identity: file for unit in self._units for identity, file in unit.homes.items()}

    @property
    def files(self) -> Mapping[str, bytes]:
        """The input of kustomize."""
        files = ((number, *one) for number, unit in enumerate(self._units) for one in unit.files.items())
        return {f"{number}/{path}": data for number, path, data in files}

    def made(self) -> Mapping[str, tuple[bytes, ...]] | None:
        """The objects by file, as `Unit.made` returns them."""
        found: dict[str, tuple[bytes, ...]] = {}
        for unit, stream in zip(self._units, self._streams, strict=True):
            made = unit.made(stream)
            if made is None:
                return None
            for file, texts in made.items():
                found[file] = (*found.get(file, ()), *texts)
        return found


def _marks(units: Sequence[Unit]) -> list[str]:
    """A mark for each unit. No file can contain its own mark, because the marks are made from a digest of all files."""
    digest = sha256()
    for unit in units:
        for name, data in unit.files.items():
            digest.update(f"\0{name}\0{len(data)}\0".encode() + data)
    start = digest.hexdigest()[:40]
    return [f"m{start}{number:02}-" for number in range(len(units))]
