"""Checks revisions: further control planes, revision tags, and the revisions of namespaces and gateways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc import codes
from meshc.mesh.charts import AT as CHARTS
from meshc.mesh.east_west import goes_to
from meshc.mesh.revisions import AT, plane_of, planes, tags_of
from meshc.mesh.selecting import selects
from meshc.nearest import nearest, slip
from meshc.supported import ISTIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from meshc.errors import Path, Problem
    from meshc.mesh.fleet import Fleet, Member
    from meshc.mesh.source import Source

_FURTHEST = 2
"""The most minor versions between control planes of one cluster; Istio tests canary upgrades up to this distance."""


def control_planes(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Each further control plane has its own revision, and runs in the primary of each of its remotes."""
    further = fleet.mesh.spec.istio.control_planes
    if further and fleet.external:
        name = fleet.external[0].name
        what = f"{name}: an external control plane has one revision: its remotes share one kubeconfig and address"
        hint = f"remove controlPlanes, and upgrade {name} in place"
        yield source.problem(codes.WRONG_ROLE, AT, what, hint, key=True, clusters=(name,))
        return
    for number, one in enumerate(further):
        yield from _same_revision(fleet, source, number)
        for member in fleet.remotes:
            primary = fleet.primary_of(member)
            chosen = selects(one.clusters, member.cluster)
            if chosen and primary and plane_of(fleet, primary, one.revision) is None:
                what = f'{member.name}: its primary {primary.name} has no control plane of revision "{one.revision}"'
                hint = f"add {primary.name} to the selection, or remove {member.name} from it"
                path: Path = (*AT, number, "clusters" if "clusters" in one.model_fields_set else "revision")
                yield source.problem(codes.NOT_IN_PRIMARY, path, what, hint, clusters=(member.name,))


def _same_revision(fleet: Fleet, source: Source, number: int) -> Iterator[Problem]:
    """Revisions are unique, but a cluster's own revision may be a further control plane's, of the same version."""
    further = fleet.mesh.spec.istio.control_planes
    one, path = further[number], (*AT, number, "revision")
    hint = "give each control plane its own revision, such as its version with - instead of dots"
    revisions = [other.revision for other in further]
    before = revisions.index(one.revision)
    if before != number:
        what, also = f'revision "{one.revision}" has two entries', (source.document.place((*AT, before, "revision")),)
        yield source.problem(codes.SAME_REVISION, path, what, hint, also=also)
        return
    for member in fleet:
        own = fleet.revision_of(member) == one.revision and selects(one.clusters, member.cluster)
        named = member.cluster.istio.revision is not None
        if own and (not named or (one.version is not None and one.version != str(fleet.version_of(member)))):
            said: Path = member.path("istio", "revision") if named else ("spec", "istio", "revision")
            what = f'{member.name}: "{one.revision}" is the revision of its own control plane' + (
                f", of Istio {fleet.version_of(member)}" if named else ""
            )
            also = (source.document.place(said),)
            yield source.problem(codes.SAME_REVISION, path, what, hint, also=also, clusters=(member.name,))
            return


def versions_apart(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Control planes of one cluster are at most two minor versions apart."""
    told: set[Path] = set()
    for member in fleet.primaries:
        every = [one for one in planes(fleet, member) if fleet.version_of(one).line in ISTIO]
        if not every:
            continue
        oldest, newest = min(every, key=fleet.version_of), max(every, key=fleet.version_of)
        was, now = fleet.version_of(oldest), fleet.version_of(newest)
        path = (newest if newest is not member else oldest).path("istio", "version")
        if now.minor - was.minor > _FURTHEST and path not in told:
            told.add(path)
            apart = f"{now.minor - was.minor} minor versions apart"
            what = f"{member.name}: control planes of Istio {was} and {now} are {apart}"
            hint = "upgrade by at most two minor versions, then by the next"
            yield source.problem(codes.PLANES_APART, path, what, hint, clusters=(member.name,))


def tags(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """A tag points to a control plane in every cluster that has it, and isn't the name of a revision."""
    lost: dict[tuple[Path, str, str], list[Member]] = {}
    shadows: dict[tuple[Path, str], list[str]] = {}
    for member in fleet:
        known = [fleet.revision_of(one) for one in planes(fleet, member)]
        for tag, (revision, path) in tags_of(fleet, member).items():
            if tag in known:
                shadows.setdefault((path, tag), []).append(member.name)
            elif revision not in known:
                lost.setdefault((path, tag, revision), []).append(member)
    for (path, tag), names in shadows.items():
        what = f'tag "{tag}" is also a revision in {_few(names)}: both would inject into its namespaces'
        hint = "name the tag after its use, such as prod, and the control plane after its version"
        yield source.problem(codes.TAG_IS_REVISION, path, what, hint, key=True, clusters=tuple(names))
    for (path, tag, revision), members in lost.items():
        what = f'tag "{tag}" points to revision "{revision}", which has no control plane in '
        what += _few([member.name for member in members])
        names2 = tuple(member.name for member in members)
        yield source.problem(codes.UNKNOWN_REVISION, path, what, _known(fleet, members[0]), clusters=names2)


def namespaces(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """A namespace names a revision or a tag that its clusters have."""
    for number, namespace in enumerate(fleet.mesh.spec.namespaces):
        path: Path = ("spec", "namespaces", number, "revision")
        if namespace.revision is None:
            continue
        here = [fleet.by_name[name] for name in fleet.choose_workloads(namespace.clusters)]
        lost = [one for one in here if namespace.revision not in _names(fleet, one)]
        if lost:
            names = [one.name for one in lost]
            what = f'{namespace.name}: there is no revision or tag "{namespace.revision}" in {_few(names)}'
            hint = _nearest(fleet, lost[0], namespace.revision)
            fix = slip(namespace.revision, _names(fleet, lost[0]))
            yield source.problem(codes.UNKNOWN_REVISION, path, what, hint, clusters=tuple(names), fix=fix)


def gateways(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """A gateway of chart `gateway` names a revision or a tag that its clusters have."""
    charts = fleet.mesh.spec.istio.charts
    for number, extra in enumerate(charts.also if charts else ()):
        here = [member for member in fleet if extra.revision and goes_to(fleet, extra, member)]
        lost = [one for one in here if extra.revision not in _names(fleet, one)]
        if extra.revision and lost:
            names = [one.name for one in lost]
            what = f'chart gateway: there is no revision or tag "{extra.revision}" in {_few(names)}'
            hint = _nearest(fleet, lost[0], extra.revision)
            fix = slip(extra.revision, _names(fleet, lost[0]))
            path: Path = (*CHARTS, "also", number, "revision")
            yield source.problem(codes.UNKNOWN_REVISION, path, what, hint, clusters=tuple(names), fix=fix)


def addresses(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """An address `istiod-<revision>` names the revision of a further control plane."""
    for member in fleet:
        primary = fleet.primary_of(member) if member.cluster.role == "remote" else member
        plane = member.cluster.control_plane
        if plane and plane.exposure == "load-balancer":
            yield from _shared(source, member, {str(part): address for part, address in plane.addresses.items()})
        given: list[Path] = [("controlPlane", "addresses", part) for part in (plane.addresses if plane else {})]
        given += [("controlPlaneAddresses", part) for part in member.cluster.control_plane_addresses]
        for steps in given:
            part = str(steps[-1])
            revision = part.removeprefix("istiod-")
            if primary is None or revision == part or plane_of(fleet, primary, revision) is not None:
                continue
            what = f'{member.name}: {part}: {primary.name} has no control plane of revision "{revision}"'
            path, hint = member.path(*steps), _known(fleet, primary)
            yield source.problem(codes.UNKNOWN_REVISION, path, what, hint, key=True, clusters=(member.name,))


def _shared(source: Source, member: Member, given: Mapping[str, str]) -> Iterator[Problem]:
    """Each istiod's load balancer needs its own address, as all of them have the same ports."""
    first: dict[str, str] = {}
    for part, address in given.items():
        if (other := first.setdefault(address, part)) == part:
            continue
        path, also = (member.path("controlPlane", "addresses", one) for one in (part, other))
        what = f"{member.name}: {part}: {address} is also that of {other}, but each istiod has its own load balancer"
        hint, places = "write the address of this istiod's load balancer", (source.document.place(also),)
        yield source.problem(codes.BAD_ADDRESS, path, what, hint, also=places, clusters=(member.name,))


def _names(fleet: Fleet, member: Member) -> list[str]:
    return [*(fleet.revision_of(one) for one in planes(fleet, member)), *tags_of(fleet, member)]


def _nearest(fleet: Fleet, member: Member, revision: str) -> str:
    """A hint for an unknown revision: the nearest name, or all known names."""
    names = sorted(_names(fleet, member))
    if close := nearest(revision, names):
        return f'did you mean "{close}"?'
    return _of_external(fleet, member) or f"known: {', '.join(names)}"


def _known(fleet: Fleet, member: Member) -> str:
    known = ", ".join(f'"{fleet.revision_of(one)}"' for one in planes(fleet, member))
    return _of_external(fleet, member) or f"{member.name} has {known}; add another under istio.controlPlanes"


def _of_external(fleet: Fleet, member: Member) -> str:
    """The hint for clusters of an external control plane; empty for other clusters."""
    home = fleet.primary_of(member) if member.cluster.role == "remote" else member
    if home is None or home not in fleet.external:
        return ""
    return f'write "{fleet.revision_of(home)}": {home.name} is an external control plane, which has one revision'


def _few(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5} more" if len(listed) > 5 else "")
