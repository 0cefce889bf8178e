"""Decides which folders, of dumps or of a GitOps tree, are clusters, and joins the folders of one cluster."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from meshc.capture.dump import Dump, dump_of
from meshc.capture.placeholders import is_filled_in
from meshc.capture.tree import Build, read_tree
from meshc.capture.valued import merged
from meshc.kube import Body, at, identity_of

if TYPE_CHECKING:
    from meshc.capture.installations import Told
    from meshc.disk.repository import Repository

_TELLING = {"istio-reader-service-account", "istio-multi", "istio-sidecar-injector", "cacerts", "istiod"}
"""Names of objects that only a cluster of a mesh has."""
_OF_KUBERNETES = {"", "apps", "discovery.k8s.io", "rbac.authorization.k8s.io", "admissionregistration.k8s.io"}
"""The API groups of these objects. Objects of engines and issuers have the same names, but aren't what runs."""


def dumps(folder: Repository, build: Build) -> tuple[list[Dump], list[str]]:
    """One dump for each folder with objects or settings of Istio, and notes on the others.

    `build` builds kustomizations.
    """
    tree = read_tree(folder, build)
    found = {name: dump_of(name, one) for name, one in tree.folders.items()}
    elsewhere = [told for one in tree.folders.values() for told in one.said if told.cluster]
    for name in dict.fromkeys(told.cluster for told in elsewhere):
        mine = tuple(told for told in elsewhere if told.cluster == name)
        before = found.get(name) or Dump(name, (), 0)
        found[name] = replace(before, said=(*before.said, *mine))
    apart = [part for _, one in sorted(found.items()) for part in _apart(one, tree.notes)]
    made = [one for one in _joined(apart) if one.bodies or one.said or one.unread]
    telling = [one for one in made if one.known or one.said or any(map(_tells_of_istio, one.bodies))]
    for one in made:
        if one not in telling:
            tree.notes.append(f"{one.cluster} has no objects of Istio, so it isn't read as a cluster")
            tree.notes += [f"not read: {why}" for why in one.unread]
    return telling, tree.notes


def _apart(one: Dump, notes: list[str]) -> list[Dump]:
    """Splits a folder that describes Istio in several clusters into one dump for each.

    A file below a folder of one of these clusters counts for this cluster only.
    """
    names = dict.fromkeys(name for told in one.said if (name := told.cluster_name))
    if len(names) < 2:
        return [one]
    notes.append(f"{one.cluster} describes {', '.join(names)}, so each is read as a cluster")
    said = [(told.cluster_name, told.where) for told in one.said if told.cluster_name]
    words = {name: {word for owner, where in said if owner == name for word in where.split("/")} for name in names}
    shared = {word for word in set().union(*words.values()) if all(word in each for each in words.values())}

    def owners(where: str) -> list[str]:
        """The clusters that a path names; none for a path that names no cluster of its own."""
        return [name for name in names if (words[name] - shared) & {*where.split("/")}]

    placed = list(zip(one.bodies, map(owners, one.places), one.places, strict=True))
    parts = []
    for name in names:
        mine = [(body, where) for body, found, where in placed if name in (found or names)]
        common = [told for told in one.said if not told.cluster_name and not owners(told.where)]
        own = [t for t in one.said if (t.cluster_name == name if t.cluster_name else name in owners(t.where))]
        told = tuple(_layered(common, each) for each in own)
        bodies, places = tuple(body for body, _ in mine), tuple(where for _, where in mine)
        parts.append(replace(one, cluster=name, bodies=bodies, places=places, said=told))
    return parts


def _joined(parts: Sequence[Dump]) -> list[Dump]:
    """Joins the dumps of the same cluster, because several folders can describe its installation of Istio."""
    found: dict[str, Dump] = {}
    for one in parts:
        found[one.cluster] = _both(found[one.cluster], one) if one.cluster in found else one
    for one in [*found.values()]:
        names = {told.cluster_name for told in one.said if told.cluster_name}
        name = names.pop() if len(names) == 1 and not any(map(_tells_of_istio, one.bodies)) else one.cluster
        if name != one.cluster and name in found:  # a folder of values for a cluster that has a folder of its own
            found[name] = _both(found[name], found.pop(one.cluster))
    return list(found.values())


def _both(there: Dump, more: Dump) -> Dump:
    known = {identity_of(body) for body in there.bodies}
    new = [index for index, body in enumerate(more.bodies) if identity_of(body) not in known]
    return replace(
        there,
        bodies=(*there.bodies, *(more.bodies[index] for index in new)),
        places=(*there.places, *(more.places[index] for index in new)),
        passed_over=there.passed_over + more.passed_over,
        unread=(*there.unread, *more.unread),
        known=there.known | more.known,
        said=(*there.said, *more.said),
    )


def _tells_of_istio(body: Body) -> bool:
    """True if an object belongs to a control plane, to the access of one, or says which network a cluster is in.

    Namespaces of applications, and an empty namespace for Istio, don't count: demonstrations have them, too.
    """
    metadata = at(body, "metadata")
    labels, notes = metadata.get("labels") or {}, metadata.get("annotations") or {}
    if body["kind"] == "Namespace":
        said = [labels.get("topology.istio.io/network"), notes.get("topology.istio.io/controlPlaneClusters")]
        return any(text and not is_filled_in(text) for text in said)
    return identity_of(body).group in _OF_KUBERNETES and (
        metadata["name"] in _TELLING
        or labels.get("app") in ("istiod", "sidecar-injector", "istio-reader")
        or labels.get("istio") in ("pilot", "eastwestgateway")
    )


def _layered(common: Sequence[Told], own: Told) -> Told:
    """The values of one cluster, over the files of the same form beside or above them that name no cluster.

    A file with another revision, or of a gateway only, is no layer.
    """
    values: dict[str, Any] = {}
    version = own.version
    for base in common:
        revision, profile = base.values.get("revision"), base.values.get("profile")
        above = posixpath.dirname(base.where)
        beneath = not above or posixpath.dirname(own.where) == above or own.where.startswith(f"{above}/")
        if beneath and revision in (None, own.values.get("revision")) and profile != "empty":
            values, version = merged(values, base.values), version or base.version
    return replace(own, values=merged(values, own.values), version=version)
