"""Copies the Services of a namespace into the folder that mesh.yaml names for them."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshc.capture.services import manifest, services
from meshc.commands.clusters import chosen
from meshc.commands.live_clusters import Reach, live_clusters
from meshc.commands.opened import opened_for_writing
from meshc.disk.units import Change
from meshc.errors import UsageError
from meshc.pipeline import mesh_and_plan

if TYPE_CHECKING:
    from pathlib import Path

    from meshc.commands.listener import Listener


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which Services to copy: all of a namespace, or the named ones; and the entry of `spec.services` for them.

    With `replace`, a different file is overwritten.
    """

    namespace: str
    names: Sequence[str]
    entry: str | None
    replace: bool

    @property
    def entry_name(self) -> str:
        """The entry's name; by default that of the namespace."""
        return self.entry or self.namespace


@dataclass(frozen=True, slots=True)
class CapturedServices:
    """The file, the number of its Services, whether mesh.yaml names the file, and whether the file changed."""

    target: str
    services: int
    is_named: bool
    changed: bool


def captured_services(file: Path, name: str, wanted: Wanted, reach: Reach, listener: Listener) -> CapturedServices:
    """Writes <manifests>/<namespace>.yaml, or the file that the entry names. Overwrites other content only with
    `replace`."""
    opened = opened_for_writing(file, listener)
    mesh, plan = mesh_and_plan(opened.source)
    clusters = live_clusters(file.parent, plan, chosen(plan, [name]), reach)
    named = {one.name: one.manifests for one in reversed(mesh.spec.services) if one.manifests}
    manifests = named.get(wanted.entry_name)
    target = manifests or f"apps/{wanted.entry_name}"
    if not target.endswith((".yaml", ".yml")):
        target = posixpath.join(target, f"{wanted.namespace}.yaml")
    found = services(clusters.api(name), wanted.namespace, plan.istio_namespace, wanted.names)
    if not found:
        raise UsageError(f"{name} has no Services in namespace {wanted.namespace} that could be copied", "-n NAMESPACE")
    before = opened.repository.read_file(target) if opened.repository.kind(target) == "file" else None
    after = manifest(found)
    if before is not None and before != after and not wanted.replace:
        raise UsageError(f"{target} exists with other content", "overwrite it with --replace; Git shows what changes")
    opened.repository.change({target: Change(before, after)})
    return CapturedServices(target, len(found), manifests is not None, before != after)
