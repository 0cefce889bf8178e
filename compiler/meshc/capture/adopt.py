"""Writes a first mesh.yaml, and the files that it names, from the objects of clusters that already run a mesh.

For a value that the objects don't show, it writes a placeholder that no compile accepts, because a guess would change
what runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from meshc.capture.adopted import Adopted, agreed, given
from meshc.capture.adopted_clusters import clusters, networks
from meshc.capture.adopted_revisions import revisions, tell_namespaces, tell_revisions
from meshc.capture.adopted_security import security
from meshc.capture.adopted_services import namespaces, services
from meshc.capture.homes import homes_of
from meshc.capture.owners import owner_of
from meshc.kube import LABEL, as_list, at
from meshc.plain import count
from meshc.plan.istiod_values import MOUNTED
from meshc.yamltext.edit import inline

if TYPE_CHECKING:
    from meshc.capture.dump import Dump
    from meshc.capture.homes import Home
    from meshc.capture.planes import Plane


def adopt(dumps: Sequence[Dump]) -> Adopted:
    """Writes the mesh.yaml. Never raises because of the objects: for a value that they don't show, it writes a note."""
    made = Adopted()
    homes = homes_of(dumps)
    planes = [home.plane for home in homes if home.plane]
    namespace = next((plane.namespace for plane in planes), "istio-system")
    if not planes:
        _no_control_plane(homes, made)
    for home in homes:
        _names(home, made)
        tell_revisions(home, made)
        _owners(home, namespace, made)
    tell_namespaces(homes, made)
    made.mesh = "\n".join(_lines(homes, planes, namespace, made)) + "\n"
    return made


def _lines(homes: Sequence[Home], planes: Sequence[Plane], namespace: str, made: Adopted) -> list[str]:
    """The lines of mesh.yaml."""
    primaries = [home for home in homes if home.plane]
    version = next((plane.istio for plane in planes if plane.istio), "")
    mesh_ids = {home.name: str(at(home.mesh_config, "defaultConfig", "meshId") or "") for home in primaries}
    mesh_id = agreed(mesh_ids, "the mesh's ID", made)
    name = mesh_id if LABEL.fullmatch(mesh_id) else "mesh"
    trust = agreed(
        {home.name: str(home.mesh_config.get("trustDomain") or "") for home in primaries}, "a trust domain", made
    )
    revision = next((plane.revision for plane in planes), "default")
    return [
        "# yaml-language-server: $schema=mesh.schema.json",
        "# What was found in clusters that run already. Look at each line, then: meshc compile, meshc adopt --diff",
        "apiVersion: meshc/v1alpha1",
        "kind: Mesh",
        "metadata:",
        f"  name: {inline(name)}",
        "spec:",
        "  istio:",
        f"    version: {inline(version)}"
        if version
        else made.ask("    ", "istio.version", "Istio's version isn't in the tag of any image"),
        *given("    namespace", namespace, "istio-system"),
        *given("    trustDomain", trust, "cluster.local"),
        *given("    meshID", mesh_id, name if mesh_id else ""),
        *_domains(primaries),
        *given("    revision", revision, "default"),
        *revisions(homes, version),
        *_mounted(primaries, made),
        *_images(homes),
        *security(homes, namespace, made),
        *networks(homes),
        "  clusters:",
        *clusters(homes, version, revision, made),
        *namespaces(homes),
        *services(homes, namespace, made),
    ]


def _no_control_plane(homes: Sequence[Home], made: Adopted) -> None:
    unknown = [home.dump.cluster for home in homes if "deployments.apps" not in home.dump.known]
    why = f"; Deployments aren't in the dump of {', '.join(unknown)}" if unknown else ""
    made.notes.append(f"no cluster has a Deployment of istiod or Pilot, so the primary isn't known{why}")


def _names(home: Home, made: Adopted) -> None:
    """Notes on clusters whose name in mesh.yaml differs from the name in the dump."""
    if home.external:
        told = f"its istiod uses the name of its config cluster, {home.id}" if home.id else "its istiod is external"
        made.notes.append(f"{home.dump.cluster}: {told}, so mesh.yaml names it {home.name}")
    elif home.name == home.id and home.name != home.dump.cluster:
        made.notes.append(f"{home.dump.cluster} has the ID {home.name} (CLUSTER_ID), so mesh.yaml uses this name")
    elif home.id and home.name != home.id:
        made.notes.append(
            f"{home.dump.cluster} has the ID {home.id} (CLUSTER_ID), which is invalid as a name or already used: "
            f"mesh.yaml names it {home.name}, with this clusterID"
        )
    elif home.name != home.dump.cluster:
        made.notes.append(
            f"mesh.yaml names {home.dump.cluster} {home.name}, as names have only lower case letters, digits and -"
        )


def _domains(primaries: Sequence[Home]) -> list[str]:
    """Aliases of the trust domain, and a domain of Services that isn't the default."""
    aliases = next((one for home in primaries if (one := as_list(home.mesh_config.get("trustDomainAliases")))), ())
    domain = next((home.plane.domain for home in primaries if home.plane), "")
    return [
        *([f"    trustDomainAliases: {inline([str(one) for one in aliases])}"] if aliases else []),
        *given("    clusterDomain", domain, "cluster.local"),
    ]


def _mounted(primaries: Sequence[Home], made: Adopted) -> list[str]:
    """The line for a control plane that reads the credentials of other clusters from one mounted Secret."""
    names = [home.name for home in primaries if home.plane and home.plane.mounts]
    if not names:
        return []
    made.notes.append(
        f"{', '.join(names)}: istiod reads mounted kubeconfigs, which adopt can't read: the Secret is named {MOUNTED} "
        "by mesh.yaml; seal the credentials again: meshc capture credentials --all"
    )
    if len(names) == len(primaries):
        return ["    remoteSecrets: mounted"]
    made.notes.append(
        f"other primaries have labelled remote secrets: write istio: {{remoteSecrets: mounted}} in {', '.join(names)}"
    )
    return []


def _owners(home: Home, namespace: str, made: Adopted) -> None:
    """Notes on tools that apply objects in Istio's namespace."""
    mine = [one for one in home.dump.bodies if at(one, "metadata", "namespace") == namespace]
    owners = Counter(str(found) for body in mine if (found := owner_of(body)))
    for owner, number in sorted(owners.items()):
        made.notes.append(
            f"{home.name}: {owner} applies {count(number, 'object')} in {namespace}: those that meshc also applies "
            "must be handed over (--diff shows which)"
        )


def _images(homes: Sequence[Home]) -> list[str]:
    """The registry of images, if it isn't Istio's own."""
    plane = next((home.plane for home in homes if home.plane and home.plane.hub), None)
    if plane is None:
        return []
    variant = next((one for one in ("distroless", "debug") if plane.tag == f"{plane.istio}-{one}"), "")
    own = plane.tag not in ("", plane.istio, f"{plane.istio}-{variant}")
    lines = [
        *given("      hub", plane.hub, "docker.io/istio"),
        *given("      tag", plane.tag if own else "", ""),
        *given("      variant", variant if plane.generation.has_variants else "", ""),
    ]
    return ["    images:", *lines] if lines else []
