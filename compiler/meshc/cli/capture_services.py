"""What `meshc capture services` does: a namespace's Services, into the folder that mesh.yaml names for them."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import TYPE_CHECKING

from meshc.capture.services import manifest, services
from meshc.cli.live import chosen, contexts_of, opened_api
from meshc.cli.progress import TERMINAL
from meshc.cli.report import count, say, tell
from meshc.commands.opened import opened_for_writing
from meshc.disk.units import Change
from meshc.errors import UsageError
from meshc.mesh.parse import parse
from meshc.pipeline import plan_mesh

if TYPE_CHECKING:
    from collections.abc import Sequence


def services_command(
    file: Path,
    name: str,
    namespace: str,
    names: Sequence[str],
    entry: str | None,
    words: Sequence[str],
    kubeconfig: Path | None,
    timeout: float,
    replace: bool,
) -> None:
    """Writes <manifests>/<namespace>.yaml, or the file that the entry names; over other content only if asked."""
    opened = opened_for_writing(file, TERMINAL)
    plan = plan_mesh(opened.source)
    contexts = contexts_of(file.parent, plan, chosen(plan, [name]), words, kubeconfig)
    mesh, _ = parse(opened.source.document)
    assert mesh is not None, "there is a plan of it"  # noqa: S101
    wanted = entry or namespace
    manifests = next((one.manifests for one in mesh.spec.services if one.name == wanted and one.manifests), None)
    target = manifests or f"apps/{wanted}"
    if not target.endswith((".yaml", ".yml")):
        target = posixpath.join(target, f"{namespace}.yaml")
    found = services(opened_api(name, contexts, kubeconfig, timeout), namespace, plan.istio_namespace, names)
    if not found:
        raise UsageError(f"{name} has no Services in namespace {namespace} that could be copied")
    before = opened.repository.read_file(target) if opened.repository.kind(target) == "file" else None
    after = manifest(found)
    if before is not None and before != after and not replace:
        raise UsageError(f"{target} is there and says something else", "--replace; Git shows what changes")
    opened.repository.change({target: Change(before, after)})
    tell(f"{target}: {count(len(found), 'Service')} of {name}{', as before' if before == after else ''}")
    if manifests is None:
        say("no entry of spec.services names it yet; add:")
        say(f"    - name: {wanted}\n      manifests: {posixpath.dirname(target)}\n      clusters: [{name}]")
