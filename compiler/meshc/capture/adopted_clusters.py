"""adopted_clusters turns clusters that run into `networks` and `clusters` of a mesh.yaml."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from meshc.capture.adopted import given
from meshc.mesh.hosts import ip_version
from meshc.yamltext.edit import inline

if TYPE_CHECKING:
    from meshc.capture.adopted import Adopted
    from meshc.capture.living import Home

_WEBHOOKS = "mutatingwebhookconfigurations.admissionregistration.k8s.io"


def networks(homes: Sequence[Home]) -> list[str]:
    """Each network, with the address of its gateway where there are several."""
    names = sorted({home.network for home in homes if home.network})
    rows = []
    for name in names:
        found = (home.gateway for home in homes if home.network == name and home.gateway)
        address = next(found, "") if len(names) > 1 else ""
        kind = "address" if address and ip_version(address) else "hostname"
        rows.append(f"    - {{name: {inline(name)}{f', gateway: {{{kind}: {inline(address)}}}' if address else ''}}}")
    return ["  networks:", *rows] if rows else []


def clusters(homes: Sequence[Home], version: str, revision: str, made: Adopted) -> Iterator[str]:
    """The lines of each cluster. `version` and `revision` are those of the mesh."""
    for home in homes:
        yield f"    - name: {inline(home.name)}"
        yield f"      role: {'external-control-plane' if home.external else 'primary' if home.primary else 'remote'}"
        if home.kubernetes:
            yield f"      kubernetesVersion: {inline(home.kubernetes)}"
        else:
            made.notes.append(f"{home.name}: its Kubernetes version isn't told (nodes): write kubernetesVersion")
        yield from _where(home, homes)
        yield from _istio(home, homes, version, revision)
        yield from (_as_control_plane if home.primary else _as_remote)(home, homes, made)
        known = {name for one in homes for name in (one.name, one.id)}
        if unknown := sorted(home.remotes.keys() - known):
            names = ", ".join(unknown)
            made.notes.append(f"{home.name} holds credentials of {names}, of which there are no objects here")


def _where(home: Home, homes: Sequence[Home]) -> Iterator[str]:
    servers = [server for one in homes for server in (_of(one.remotes, home),) if server]
    yield from given("      apiServer", servers[0] if servers else "", "")
    yield from given("      network", home.network, "")
    if home.pods and not home.external:
        yield f"      podCIDRs: {inline(home.pods)}"
    if home.services and not home.external:
        yield f"      serviceCIDRs: {inline(home.services)}"


def _of(remotes: Mapping[str, str], home: Home) -> str:
    return remotes.get(home.id, "") or remotes.get(home.name, "")


def _holds(home: Home, other: Home) -> bool:
    """Whether a cluster holds credentials of another."""
    return other.id in home.remotes or other.name in home.remotes


def _istio(home: Home, homes: Sequence[Home], version: str, revision: str) -> Iterator[str]:
    """Where a cluster's own Istio differs; a remote tells no version of its own."""
    runs = home if home.primary else primary_of(home, homes)
    if runs is None or runs.plane is None:
        return
    own = [*given("version", runs.plane.istio, version), *given("revision", runs.plane.revision, revision)]
    if own:
        yield f"      istio: {{{', '.join(own)}}}"


def _as_control_plane(home: Home, homes: Sequence[Home], made: Adopted) -> Iterator[str]:
    """Where it is reached; needed by those that are no primaries themselves, and told where it is known.

    What remotes go by now comes first: an address of another Service would change what they are told.
    """
    mine = [one for one in homes if not one.primary and primary_of(one, homes) in (home, None)]
    if not mine:
        return
    addresses = _most(mine) or dict(home.addresses)
    url = next((one.injection_url for one in mine if one.injection_url), "")
    if addresses:
        yield "      controlPlane:"
        yield from given("        configCluster", home.id if home.external and len(mine) > 1 else "", "")
        yield f"        addresses: {inline(addresses)}"
        yield from given("        injectionURL", url, "")
    else:
        made.notes.append(f"{home.name}: where remotes reach its control plane isn't told: write controlPlane")
    moved = {part: one for part, one in addresses.items() if home.addresses.get(part, one) != one}
    for part, address in moved.items():
        made.notes.append(f"{home.name}: remotes reach {part} at {address}; its Service has {home.addresses[part]} now")


def _most(remotes: Sequence[Home]) -> dict[str, str]:
    """The addresses that most remotes have been told, part by part."""
    found: dict[str, str] = {}
    for part in dict.fromkeys(part for one in remotes for part in one.reached):
        found[part] = Counter(one.reached[part] for one in remotes if part in one.reached).most_common(1)[0][0]
    return found


def _as_remote(home: Home, homes: Sequence[Home], made: Adopted) -> Iterator[str]:
    planes = [one.name for one in homes if one.primary]
    found = primary_of(home, homes)
    if not any(_holds(one, home) for one in homes) and not any(one.external and one.id == home.name for one in homes):
        made.notes.append(f"{home.name}: no primary has a remote secret for it")
    if found is None and len(planes) > 1:
        made.notes.append(f"{home.name}: it isn't told which is its primary, of {', '.join(planes)}: write primary")
    yield from given("      primary", found.name if found else "", "")
    mine = [one for one in homes if not one.primary and primary_of(one, homes) in (found, None)]
    own = {part: address for part, address in home.reached.items() if _most(mine).get(part) != address}
    if own:
        yield f"      controlPlaneAddresses: {inline(own)}"
    if not home.injects and _WEBHOOKS in home.dump.known:
        yield "      sidecarInjection: manual"


def primary_of(remote: Home, homes: Sequence[Home]) -> Home | None:
    """The one that it reaches; else the only one that it is controlled by, or that holds credentials of it.

    Of several primaries each holds credentials of every remote, so that alone tells nothing then.
    """
    primaries = [one for one in homes if one.primary]
    there = {*remote.reached.values()}
    reached = [one for one in primaries if there & {*one.addresses.values(), one.gateway}]
    told = [one for one in primaries if {one.id, one.name} & {*remote.controlled}]
    holding = [one for one in primaries if _holds(one, remote)]
    return next((found[0] for found in (reached, told, holding) if len(found) == 1), None)
