"""Checks, for clusters whose overlays and output both differ, whether the output is the result of the overlays.

kustomize doesn't change the objects of an overlay without user files, so these are compared with output/ as text. In an
overlay with patches, objects that changed and that no patch affects are compared in the same way. Only the remaining
overlays have to be built, which takes long if there are many.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from itertools import chain

from meshc.errors import BuildError
from meshc.output.trees import OUTPUT, OVERLAYS
from meshc.overlays.kustomization import NAME, kustomization
from meshc.overlays.layout import BASES
from meshc.review.objects import documents, texts
from meshc.tree import FileTree

BUILT = 5
"""The number of overlays that kustomize builds without --explain."""
_RESOURCE = re.compile(rb"(?m)^- ([^\n]+)$")

Build = Callable[[Mapping[str, bytes], str], bytes]
Bar = Callable[[int], AbstractContextManager[Callable[[], None]]]


class Honest:
    """The state of one check. `found` are both trees on disk, `expected` the trees that a compile would write.

    `skipped` is the number of clusters that weren't built.
    """

    def __init__(
        self, found: FileTree, expected: FileTree, build: Build, bar: Bar, jobs: int | None, *, explain: bool
    ) -> None:
        self._overlays, self._output = found.under(OVERLAYS), found.under(OUTPUT)
        self._folders = _by_folder(self._overlays)
        self._wanted, self._wanted_folders = expected, _by_folder(expected.under(OVERLAYS))
        every = {*self._folders, *self._wanted_folders}
        self._changed = {name for name in every if self._folders.get(name) != self._wanted_folders.get(name)}
        self._build, self._bar, self._jobs, self._explain = build, bar, jobs, explain
        self._texts: dict[bytes, tuple[bytes, ...]] = {}
        self._bases: dict[str, tuple[bytes, ...] | None] = {}
        self.skipped = 0

    def told(self, clusters: Sequence[str]) -> dict[str, bool]:
        """For each cluster, true if its output is the result of its overlay. Clusters that weren't built are left
        out."""
        linked = {cluster: self._linked(cluster) for cluster in clusters}
        known = {name: made == self._standing(name) for name, made in linked.items() if made is not None}
        known |= {name: True for name in clusters if name not in known and self._changed_alike(name)}
        left = [cluster for cluster in clusters if cluster not in known]
        asked = left if self._explain else left[:BUILT]
        self.skipped = len(left) - len(asked)
        with self._bar(len(asked)) as done, ThreadPoolExecutor(self._jobs or os.cpu_count() or 1) as pool:

            def one(cluster: str) -> bool:
                try:
                    return self._is_built(cluster)
                finally:
                    done()

            return known | dict(zip(asked, pool.map(one, asked), strict=True))

    def follows(self, path: str) -> bool:
        """True if a file of output/ differs only in objects that differ in the same way in the overlay."""
        cluster = path.removeprefix(f"{OUTPUT}/").partition("/")[0]
        changes = self._changes_of_overlay(cluster)
        if changes is None:
            return False
        gone, come = self._between(self._wanted.get(path, b""), self._output.get(path.removeprefix(f"{OUTPUT}/"), b""))
        return gone <= changes[0] and come <= changes[1]

    def _changed_alike(self, cluster: str) -> bool:
        """True if the same objects differ in output/ and in the overlay, so that no patch affects them."""
        changes = self._changes_of_overlay(cluster)
        if changes is None:
            return False
        wanted, standing = self._wanted.under(f"{OUTPUT}/{cluster}"), self._output.under(cluster)
        differing = [path for path in {*wanted, *standing} if wanted.get(path) != standing.get(path) and path != NAME]
        both = [self._between(wanted.get(path, b""), standing.get(path, b"")) for path in differing]
        gone, come = (sum((each[side] for each in both), Counter()) for side in (0, 1))
        return (gone - come, come - gone) == (changes[0] - changes[1], changes[1] - changes[0])

    def _changes_of_overlay(self, cluster: str) -> tuple[Counter[bytes], Counter[bytes]] | None:
        """The objects that the overlay and its bases should have and don't, and the objects that they have instead.

        None if anything other than files with objects differs: a kustomization, a patch, a component.
        """
        gone: Counter[bytes] = Counter()
        come: Counter[bytes] = Counter()
        listed = _named(self._folders.get(cluster, {}).get(NAME, b""))
        bases = (name.removeprefix("../") for name in listed if name.startswith(f"../{BASES}/"))
        for folder in (cluster, *(name for name in bases if name in self._changed)):
            now, then = self._folders.get(folder, {}), self._wanted_folders.get(folder, {})
            named = {*_named(now.get(NAME, b""))}
            for path in {*now, *then}:
                if now.get(path) == then.get(path):
                    continue
                if path not in named or path not in now or path not in then:
                    return None
                lost, new = self._between(then[path], now[path])
                gone, come = gone + lost, come + new
        return gone, come

    def _between(self, wanted: bytes, standing: bytes) -> tuple[Counter[bytes], Counter[bytes]]:
        """The objects that only the first has, and those that only the second has."""
        old, new = (Counter(self._split(data)) if data else Counter[bytes]() for data in (wanted, standing))
        return old - new, new - old

    def _standing(self, cluster: str) -> Counter[bytes]:
        return Counter(text for _, text in documents(self._output.under(cluster)).elements())

    def _is_built(self, cluster: str) -> bool:
        """True if kustomize builds exactly the cluster's output from its overlay."""
        files = {p: data for p, data in self._overlays.items() if p.startswith((f"{cluster}/", f"{BASES}/"))}
        try:
            stream = self._build(files, cluster)
        except BuildError:
            return False
        return Counter(texts(stream)) == self._standing(cluster)

    def _linked(self, cluster: str) -> Counter[bytes] | None:
        """The objects of an overlay that only lists files with objects, its own and those of bases; None for any other
        overlay."""
        parts = [self._of_resource(cluster, name) for name in self._only_resources(cluster) or ("",)]
        known = [part for part in parts if part is not None]
        return Counter(chain.from_iterable(known)) if len(known) == len(parts) else None

    def _of_resource(self, folder: str, name: str) -> tuple[bytes, ...] | None:
        """The objects of a file in a folder, or of a base; None for anything else."""
        if name.startswith(f"../{BASES}/"):
            return self._of_base(name.removeprefix("../"))
        files = self._folders.get(folder, {})
        return self._split(files[name]) if name in files and "/" not in name else None

    def _of_base(self, base: str) -> tuple[bytes, ...] | None:
        """The objects of a base that only lists its own files; None for any other base."""
        if base not in self._bases:
            files, named = self._folders.get(base, {}), self._only_resources(base)
            plain = named is not None and all(name in files and "/" not in name for name in named)
            split = (self._split(files[name]) for name in named or ()) if plain else None
            self._bases[base] = tuple(chain.from_iterable(split)) if split else None
        return self._bases[base]

    def _only_resources(self, folder: str) -> list[str] | None:
        """The resources of a folder's kustomization; None if it has anything else, or if there is none."""
        data = self._folders.get(folder, {}).get(NAME, b"")
        named = _named(data)
        return named if kustomization(named) == data else None

    def _split(self, data: bytes) -> tuple[bytes, ...]:
        if data not in self._texts:
            self._texts[data] = tuple(texts(data))
        return self._texts[data]


def _named(kustomization_yaml: bytes) -> list[str]:
    return [name.decode(errors="replace") for name in _RESOURCE.findall(kustomization_yaml)]


def _by_folder(overlays: FileTree) -> Mapping[str, Mapping[str, bytes]]:
    folders: dict[str, dict[str, bytes]] = {}
    for path, data in overlays.items():
        for folder, rest in _splits(path):
            folders.setdefault(folder, {})[rest] = data
    return folders


def _splits(path: str) -> Iterator[tuple[str, str]]:
    """The folder of a cluster or base, with the rest of the path."""
    parts = path.split("/")
    for depth in (1, 2):
        if len(parts) > depth:
            yield "/".join(parts[:depth]), "/".join(parts[depth:])
