"""Builds the user's folders that have a kustomization, many of them in one run of kustomize."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from meshc.errors import BuildError
from meshc.output.batches import Builder
from meshc.output.native import is_tested
from meshc.output.unit import FOLDER, Unit, files_of
from meshc.output.units import NOTES_IN_FILE, moves_heads
from meshc.overlays.layers import Layer, of_folder
from meshc.scanning.guard import RenderedGuard

if TYPE_CHECKING:
    from meshc.disk.repository import Repository
    from meshc.output.kustomize import Kustomize


def build_folders(
    kustomize: Kustomize, cache: Repository, folders: Mapping[str, Mapping[str, bytes]]
) -> dict[str, bytes | BuildError]:
    """What kustomize makes of each folder, or the error with which it refuses the folder.

    `folders` has, by folder, all files that its kustomization needs, with paths relative to mesh.yaml.
    """

    def alone(folder: str) -> bytes | BuildError:
        try:
            return kustomize.build(folders[folder], folder, cache)
        except BuildError as error:
            return error

    found: dict[str, bytes | BuildError] = {}
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        if len(folders) > 1 and is_tested(kustomize.version) and not kustomize.alone:
            units = {folder: unit for folder, files in folders.items() if (unit := _unit(folder, files)) is not None}
            streams = Builder(kustomize, cache, RenderedGuard(), 0).build([*units.values()], pool)
            built = {folder: streams[unit.key] for folder, unit in units.items()}
            found |= {folder: one for folder, one in built.items() if isinstance(one, bytes)}
        left = [folder for folder in folders if folder not in found]  # an error needs the names of the user's files
        return found | dict(zip(left, pool.map(alone, left), strict=True))


def _unit(folder: str, files: Mapping[str, bytes]) -> Unit | None:
    """A folder as a unit; None if it has more than fields that change objects one by one."""
    layer = of_folder(folder, files)
    if layer is None or any(map(NOTES_IN_FILE.search, _texts(layer))):
        return None
    if any(moves_heads(one.body) for patch in layer.patches for one in patch.file.objects):
        return None
    layers = (Layer(), layer)
    inside = {f"{FOLDER}/{name}": data for name, data in files_of((), layers).items()}
    return Unit(inside, (), layers, {}, frozenset())


def _texts(layer: Layer) -> Iterator[bytes]:
    """Everything that a user wrote in a layer."""
    yield from (file.data for file in layer.resources)
    for patch in layer.patches:
        yield patch.file.data
        yield str(patch.target).encode()
    yield str(layer.for_all).encode()
