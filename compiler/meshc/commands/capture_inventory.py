"""Updates an inventory of `spec.clustersFrom` from its live source, without credentials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from meshc.capture.connect import connect, servers
from meshc.capture.facts import facts
from meshc.capture.inventory import ASKED, objects, of_contexts, of_facts, rights_for, text_of
from meshc.capture.rbac import account
from meshc.capture.trouble import AskError
from meshc.commands.edit import Edit
from meshc.commands.live_clusters import LiveClusters
from meshc.commands.opened import opened_for
from meshc.disk.units import Change
from meshc.errors import MeshcError, RefusedError, UsageError, stop_on
from meshc.generation import Generation
from meshc.kube import as_list, at
from meshc.mesh.inventories import inventory_of
from meshc.mesh.inventory_formats import FORMATS
from meshc.mesh.model import FromInventory
from meshc.mesh.parse import entries_of
from meshc.plain import plain
from meshc.scanning.inventory_guard import credentials_in

if TYPE_CHECKING:
    from meshc.commands.listener import Listener
    from meshc.commands.live_clusters import Reach
    from meshc.commands.opened import Opened
    from meshc.kube import Body
    from meshc.mesh.inventories import Inventory


@dataclass(frozen=True, slots=True)
class Wanted:
    """The file, its format and the namespace of Argo CD, as far as the user names them."""

    file: str | None
    form: str | None
    namespace: str | None


@dataclass(frozen=True, slots=True)
class CapturedInventory:
    """The current and the new file, the names of its clusters, the change of each cluster, and the lines that mesh.yaml
    still needs."""

    edit: Edit
    clusters: tuple[str, ...]
    changes: Mapping[str, Sequence[str]]
    missing: str


def captured_inventory(
    file: Path, wanted: Wanted, reach: Reach, listener: Listener, *, write: bool
) -> CapturedInventory:
    """Reads the whole inventory, or none, and writes it if `wanted` says so.

    Raises UsageError, AskError, ProblemsError for entries that can't become clusters, and RefusedError for a
    credential.
    """
    opened = opened_for(file, listener, writes=write)
    entry, known = _entry(opened, wanted)
    namespace = wanted.namespace or str(at(opened.source.document.data, "spec", "delivery", "namespace") or "argocd")
    bodies = _bodies(opened, entry, namespace, reach)
    data = text_of(bodies, entry.format)
    inventory, problems = inventory_of(opened.source.document, entry, data, opened.source.shown(entry.file))
    stop_on(problems)
    if inventory is None or any(True for _ in credentials_in(inventory, entry.file)):
        raise RefusedError(f'what was read for "{entry.file}" holds a credential, so nothing is written')
    before = opened.repository.read_file(entry.file) if opened.repository.kind(entry.file) == "file" else b""
    edit = Edit(entry.file, before, data)
    if write and edit.changes:
        opened.repository.change({entry.file: Change(before or None, data)})
    then = inventory_of(opened.source.document, entry, before, entry.file)[0] if before else None
    there, now = _clusters(then), _clusters(inventory)
    changes = {
        "joins": [name for name in now if name not in there],
        "leaves": [name for name in there if name not in now],
        "changes": [name for name in now if name in there and now[name] != there[name]],
    }
    missing = "" if known else f"- {{file: {entry.file}, format: {entry.format}}}"
    return CapturedInventory(edit, tuple(now), changes, missing)


def _clusters(inventory: Inventory | None) -> dict[str, Any]:
    """The data of each cluster in an inventory."""
    listed = as_list(at(inventory.document.data, "spec", "clusters")) if inventory else ()
    return {str(at(one, "name")): one for one in listed}


def rights_of(wanted: Wanted) -> str:
    """The manifests of an account that may read what a format needs. Raises UsageError."""
    if wanted.form not in ASKED:
        raise UsageError("these rights are for objects of a management cluster", f"--format {' or '.join(ASKED)}")
    namespace = wanted.namespace or "argocd"
    return account(
        "meshc-inventory",
        namespace if wanted.form == "argocd-secrets" else "default",
        rights_for(wanted.form, namespace),
    )


def _entry(opened: Opened, wanted: Wanted) -> tuple[FromInventory, bool]:
    """The entry of mesh.yaml for the file, or one from the user's options, and whether mesh.yaml has it.

    Raises UsageError.
    """
    document = opened.source.document
    listed = as_list(at(document.data, "spec", "clustersFrom"))
    known, problems = entries_of(document, ("spec", "clustersFrom"), listed, FromInventory)
    stop_on(problems)
    found = [one for one in known if wanted.file in (None, one.file)]
    if len(found) > 1:
        raise UsageError("which inventory?", f"name one of: {', '.join(one.file for one in found)}")
    if found:
        if not found[0].file.endswith((".yaml", ".yml")):
            raise UsageError(
                f'meshc writes YAML, and "{found[0].file}" is none by its name', "call it .yaml in mesh.yaml"
            )
        if wanted.form not in (None, found[0].format):
            raise UsageError(
                f'mesh.yaml says that "{found[0].file}" has the format {found[0].format}', "leave --format out"
            )
        return found[0], True
    if wanted.file is None or wanted.form is None:
        raise UsageError(
            "the file or its format is missing", f"meshc capture inventory FILE --format {' | '.join(FORMATS)}"
        )
    path = PurePosixPath(wanted.file)
    if path.is_absolute() or ".." in path.parts or path.suffix not in (".yaml", ".yml"):
        raise UsageError(f'"{plain(wanted.file)}" is no YAML file below mesh.yaml', "such as inventory/clusters.yaml")
    if opened.repository.kind(wanted.file) is not None:
        raise UsageError(
            f'"{plain(wanted.file)}" exists, but isn\'t an inventory in mesh.yaml',
            "name another, or add it to spec.clustersFrom",
        )
    return FromInventory.model_validate({"file": wanted.file, "format": wanted.form}), False


def _bodies(opened: Opened, entry: FromInventory, namespace: str, reach: Reach) -> Sequence[Body]:
    named = dict(_named(word) for word in reach.contexts)
    if entry.format in ASKED:
        if len(named) != 1:
            raise UsageError("the cluster with these objects isn't named", "--context CONTEXT")
        ((name, context),) = named.items()
        api = connect(name, context, reach.kubeconfig, reach.seconds)
        found = objects(api, entry.format, namespace, entry.fields.values())
        if not found:
            raise MeshcError(
                f"{name} has no objects that describe clusters, so nothing is written",
                "is it the right context, or --namespace?",
            )
        return found
    if entry.fields:
        raise UsageError(
            f'"{entry.file}" has its own keys, which the setting fields translates',
            "update the file with the program that writes it, or remove fields",
        )
    if entry.format == "kubeconfig":
        return [of_contexts(_servers(named, reach))]
    return [_nested(_asked(opened, named, reach), entry.at or "")]


def _named(word: str) -> tuple[str, str]:
    """Splits `CLUSTER=CONTEXT`. A word without = is both the cluster and the context."""
    name, told, context = word.partition("=")
    return (name, context) if told else (word, word)


def _servers(named: Mapping[str, str], reach: Reach) -> dict[str, str]:
    there = servers(reach.kubeconfig)
    wanted = named or {context: context for context in there}
    if lost := [context for context in wanted.values() if not there.get(context)]:
        raise UsageError(
            f'the kubeconfig has no context "{plain(lost[0])}" with a server', "kubectl config get-contexts lists them"
        )
    if not wanted:
        raise UsageError("the kubeconfig has no contexts", "--kubeconfig FILE")
    return {name: there[context] for name, context in wanted.items()}


def _asked(opened: Opened, named: Mapping[str, str], reach: Reach) -> dict[str, Any]:
    """The facts of each cluster. Raises AskError if one doesn't answer, so that nothing is written then."""
    if not named:
        raise UsageError("which clusters?", "--context CLUSTER=CONTEXT, as often as there are clusters")
    namespace = str(at(opened.source.document.data, "spec", "istio", "namespace") or "istio-system")
    clusters = LiveClusters(named, reach)
    answers = clusters.ask(
        list(named), lambda api: of_facts(api.server, facts(api, namespace, Generation.ISTIOD)), opened.listener
    )
    for answer in answers:
        if isinstance(answer, AskError):
            raise answer
    return dict(zip(named, answers, strict=True))


def _nested(found: Mapping[str, Any], way: str) -> Body:
    body: Any = dict(found)
    for step in reversed(way.split(".") if way else []):
        body = {step: body}
    return dict(body)
