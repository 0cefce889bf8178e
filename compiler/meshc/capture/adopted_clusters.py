"""Writes `networks` and `clusters` of a mesh.yaml from live clusters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from meshc.capture.adopted import given
from meshc.capture.adopted_revisions import own_tags
from meshc.capture.homes import named_after
from meshc.capture.reached import addresses_of
from meshc.kube import LABEL
from meshc.mesh.hosts import ip_version
from meshc.yamltext.edit import inline

if TYPE_CHECKING:
    from meshc.capture.adopted import Adopted
    from meshc.capture.homes import Home

_WEBHOOKS = "mutatingwebhookconfigurations.admissionregistration.k8s.io"


def networks(homes: Sequence[Home]) -> list[str]:
    """Each network, with the address of its gateway if there are several networks."""
    labels = sorted({home.network for home in homes if home.network})
    rows = []
    for label in labels:
        found = (home.gateway for home in homes if home.network == label and home.gateway)
        address = next(found, "") if len(labels) > 1 else ""
        kind = "address" if address and ip_version(address) else "hostname"
        name = network_name(label)
        parts = [f"name: {inline(name)}", *given("label", label, name)]
        parts += [f"gateway: {{{kind}: {inline(address)}}}"] if address else []
        rows.append(f"    - {{{', '.join(parts)}}}")
    return ["  networks:", *rows] if rows else []


def network_name(label: str) -> str:
    """A network's name in mesh.yaml: its label, if that is a valid name."""
    return label if LABEL.fullmatch(label) else named_after(label)


def clusters(homes: Sequence[Home], version: str, revision: str, made: Adopted) -> Iterator[str]:
    """The lines of each cluster. `version` and `revision` are those of the mesh."""
    for home in homes:
        yield f"    - name: {inline(home.name)}"
        yield from given("      clusterID", "" if home.external else home.id, home.name)
        yield f"      role: {'external-control-plane' if home.external else 'primary' if home.primary else 'remote'}"
        if home.kubernetes:
            yield f"      kubernetesVersion: {inline(home.kubernetes)}"
        else:
            made.notes.append(f"{home.name}: its Kubernetes version isn't known (no nodes): write kubernetesVersion")
        yield from _where(home, homes)
        yield from _istio(home, homes, version, revision)
        yield from (_as_control_plane if home.primary else _as_remote)(home, homes, made)
        known = {name for one in homes for name in (one.name, one.id)}
        if unknown := sorted(home.remotes.keys() - known):
            names = ", ".join(unknown)
            made.notes.append(
                f"{home.name} has credentials of {names}, but the dumps have no objects of these clusters"
            )


def _where(home: Home, homes: Sequence[Home]) -> Iterator[str]:
    servers = [server for one in homes for server in (_of(one.remotes, home),) if server]
    yield from given("      apiServer", servers[0] if servers else "", "")
    yield from given("      network", network_name(home.network) if home.network else "", "")
    if home.pods and not home.external:
        yield f"      podCIDRs: {inline(home.pods)}"
    if home.services and not home.external:
        yield f"      serviceCIDRs: {inline(home.services)}"


def _of(remotes: Mapping[str, str], home: Home) -> str:
    return remotes.get(home.id, "") or remotes.get(home.name, "")


def _holds(home: Home, other: Home) -> bool:
    """True if a cluster has credentials of another."""
    return other.id in home.remotes or other.name in home.remotes


def _istio(home: Home, homes: Sequence[Home], version: str, revision: str) -> Iterator[str]:
    """The settings of a cluster's own Istio that differ from the mesh. A remote has no version of its own."""
    runs = home if home.primary else primary_of(home, homes)
    if runs is None or runs.plane is None:
        return
    own = [*given("version", runs.plane.istio, version), *given("revision", runs.plane.revision, revision)]
    tags = own_tags(home, homes)
    own += [f"revisionTags: {inline(tags)}"] if tags else []
    if own:
        yield f"      istio: {{{', '.join(own)}}}"


def _as_control_plane(home: Home, homes: Sequence[Home], made: Adopted) -> Iterator[str]:
    """The addresses of a control plane, which its remotes need.

    The addresses that remotes use now come first, because the address of another Service would change their output.
    """
    mine = [one for one in homes if not one.primary and primary_of(one, homes) in (home, None)]
    if not mine:
        return
    addresses = _most(mine, homes) or dict(home.addresses)
    url = next((one.injection_url for one in mine if one.injection_url), "")
    if addresses:
        yield "      controlPlane:"
        yield from given("        configCluster", home.id if home.external and len(mine) > 1 else "", "")
        yield f"        addresses: {inline(addresses)}"
        yield from given("        injectionURL", url, "")
    else:
        made.notes.append(f"{home.name}: the address of its control plane isn't known: write controlPlane")
    moved = {part: one for part, one in addresses.items() if home.addresses.get(part, one) != one}
    for part, address in moved.items():
        made.notes.append(
            f"{home.name}: remotes reach {part} at {address}, but its Service now has {home.addresses[part]}"
        )


def _told(remote: Home, homes: Sequence[Home]) -> dict[str, str]:
    """The addresses that a remote uses now, by part; also by revision, if the remote uses further revisions."""
    primary = primary_of(remote, homes) or next((one for one in homes if one.primary), None)
    if primary is None or primary.plane is None or not primary.plane.generation.has_revisions:
        return dict(remote.reached)
    found = addresses_of(dict(remote.reached), primary.plane.revision, {one.revision for one in primary.planes})
    return found or ({"istiod": next(iter(remote.reached.values()))} if len(remote.reached) == 1 else {})


def _most(remotes: Sequence[Home], homes: Sequence[Home]) -> dict[str, str]:
    """The addresses that most remotes use now, part by part."""
    told = [_told(one, homes) for one in remotes]
    parts = dict.fromkeys(part for one in told for part in one)
    return {part: Counter(one[part] for one in told if part in one).most_common(1)[0][0] for part in parts}


def _as_remote(home: Home, homes: Sequence[Home], made: Adopted) -> Iterator[str]:
    planes = [one.name for one in homes if one.primary]
    found = primary_of(home, homes)
    if not any(_holds(one, home) for one in homes) and not any(one.external and one.id == home.name for one in homes):
        made.notes.append(f"{home.name}: no primary has a remote secret for it")
    if found is None and len(planes) > 1:
        made.notes.append(f"{home.name}: its primary isn't known, it can be {' or '.join(planes)}: write primary")
    yield from given("      primary", found.name if found else "", "")
    mine = [one for one in homes if not one.primary and primary_of(one, homes) in (found, None)]
    most = _most(mine, homes)
    own = {part: address for part, address in _told(home, homes).items() if most.get(part) != address}
    if own:
        yield f"      controlPlaneAddresses: {inline(own)}"
    if not home.injects and _WEBHOOKS in home.dump.known:
        yield "      sidecarInjection: manual"


def primary_of(remote: Home, homes: Sequence[Home]) -> Home | None:
    """The primary that a remote reaches; else the only one that controls it, or that has its credentials.

    Several primaries all have credentials of every remote, so credentials alone don't decide then.
    """
    primaries = [one for one in homes if one.primary]
    there = {*remote.reached.values()}
    reached = [one for one in primaries if there & {*one.addresses.values(), one.gateway}]
    told = [one for one in primaries if {one.id, one.name} & {*remote.controlled}]
    holding = [one for one in primaries if _holds(one, remote)]
    return next((found[0] for found in (reached, told, holding) if len(found) == 1), None)
