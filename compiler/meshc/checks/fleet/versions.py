"""Checks versions of Istio: supported, without known bugs, and compatible with one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from meshc import codes
from meshc.generation import Generation
from meshc.kube import Version
from meshc.mesh.revisions import AT as FURTHER
from meshc.mesh.revisions import plane_of, planes
from meshc.supported import CLASSIC_LAST_PATCH, CLASSIC_LINE, ISTIO

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshc.errors import Path, Problem
    from meshc.mesh.fleet import Fleet, Member
    from meshc.mesh.source import Source

_KNOWN = {CLASSIC_LINE, *ISTIO}
_FIRST_LOSING, _FIRST_MENDED = Version(1, 30, 0), Version(1, 30, 4)
_SEVERAL = 2
"""The number of clusters from which a mesh has remote secrets."""


def istio(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """meshc supports every Istio version in mesh.yaml, and all are of one generation."""
    mesh, at_mesh = fleet.mesh.spec.istio.version, ("spec", "istio", "version")
    if fault := _istio_fault(mesh):
        yield source.problem(codes.ISTIO_UNSUPPORTED, at_mesh, *fault)
        return
    yield from _newer(source, mesh, at_mesh, tuple(one.name for one in fleet if not one.cluster.istio.version))
    for number, plane in enumerate(fleet.mesh.spec.istio.control_planes):
        if plane.version is not None:
            yield from _of_plane(fleet, source, plane.version, (*FURTHER, number, "version"))
    for member in fleet:
        own = member.cluster.istio.version
        if own is None:
            continue
        path = member.path("istio", "version")
        yield from _newer(source, own, path, (member.name,))
        if fault := _istio_fault(own):
            what, hint = f"{member.name}: {fault[0]}", fault[1]
            yield source.problem(codes.ISTIO_UNSUPPORTED, path, what, hint, clusters=(member.name,))
        elif Generation.of(own) is not fleet.generation:
            what = (
                f"{member.name}: Istio {own} in a mesh of Istio {mesh}: a mesh can't have both classic Istio and istiod"
            )
            also = (source.document.place(("spec", "istio", "version")),)
            hint = "use classic Istio in every cluster, or istiod in every cluster"
            yield source.problem(
                codes.MIXED_GENERATIONS,
                member.path("istio", "version"),
                what,
                hint,
                also=also,
                clusters=(member.name,),
            )


def _of_plane(fleet: Fleet, source: Source, version: str, path: Path) -> Iterable[Problem]:
    yield from _newer(source, version, path, tuple(one.name for one in fleet))
    if fault := _istio_fault(version):
        yield source.problem(codes.ISTIO_UNSUPPORTED, path, *fault)
    elif Generation.of(version) is not fleet.generation:
        what = f"a control plane of Istio {version} beside istiod: a mesh can't have both classic Istio and istiod"
        also = (source.document.place(("spec", "istio", "version")),)
        hint = "use istiod for every control plane"
        yield source.problem(codes.MIXED_GENERATIONS, path, what, hint, also=also)


def _istio_fault(text: str) -> tuple[str, str] | None:
    version = Version.parse(text)
    assert version is not None, "the model takes full versions only"  # noqa: S101
    known = "use 1.0.0 to 1.0.9 (classic) or 1.24 and later (istiod)"
    if version.line == CLASSIC_LINE and version.patch > CLASSIC_LAST_PATCH:
        return f"there is no Istio {text}: the last release of 1.0 is 1.0.{CLASSIC_LAST_PATCH}", known
    if version.line in _KNOWN or _is_newer(version):
        return None
    if version.line > max(_KNOWN):
        return f"this version of meshc doesn't know Istio {text} yet", known
    if version.line < (1, 0):
        return f"Istio {text} is too old: it has no istio-remote chart", known
    reason = (
        "has the components Mixer and Galley" if version.line < (1, 5) else "changed its remote component before 1.24"
    )
    return f"meshc doesn't compile for Istio {text}: this line {reason}", known


def _is_newer(version: Version) -> bool:
    newest = max(ISTIO)
    return version.major == newest[0] and version.line > newest


def _newer(source: Source, text: str, path: Path, clusters: tuple[str, ...]) -> Iterable[Problem]:
    version, newest = Version.parse(text), max(ISTIO)
    if version and _is_newer(version) and clusters:
        line = f"{newest[0]}.{newest[1]}"
        what = f"meshc knows Istio up to {line}, so it compiles Istio {text} like {line}"
        hint = "install a newer meshc; or read the release notes of this Istio version, and acknowledge it"
        yield source.problem(codes.ISTIO_NEWER, path, what, hint, clusters=clusters)


def lost_endpoints(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """istiod 1.30.0 to 1.30.3 wipes endpoints and gateways of a cluster whose remote secret changes.

    istio/istio#61043 and #60920: UpdateRegistry of 1.30.0 has both bugs, fixed after 1.30.3. 1.29 has neither.
    """
    if len(fleet.mesh.spec.clusters) < _SEVERAL:
        return
    told: dict[Path, list[Member]] = {}
    for member in (plane for primary in fleet.primaries for plane in planes(fleet, primary)):
        if _FIRST_LOSING <= fleet.version_of(member)._replace(suffix="") < _FIRST_MENDED:
            own = member.cluster.istio.version
            path = member.path("istio", "version") if own else ("spec", "istio", "version")
            told.setdefault(path, []).append(member)
    for path, members in told.items():
        names = tuple(dict.fromkeys(member.name for member in members))
        what = f"istiod {fleet.version_of(members[0])} of {', '.join(names[:3])}{' and others' if names[3:] else ''} "
        what += "loses endpoints or gateways of a cluster whose remote secret changes, until it is restarted"
        hint = (
            "use 1.30.4 or later, or 1.29; or acknowledge it, and restart istiod after each change of a remote secret"
        )
        yield source.problem(codes.LOSES_ENDPOINTS, path, what, hint, clusters=names)


def tags(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """An image tag without {version} is used for one Istio version only."""
    yield from _tags_of_clusters(fleet, source)
    tag = fleet.mesh.spec.istio.images.tag
    every = [plane for member in fleet for plane in planes(fleet, member)]
    using = [member for member in every if member.cluster.istio.images.tag is None]
    versions = sorted({fleet.version_of(member) for member in using})
    if tag and "{version}" not in tag and len(versions) > 1:
        what = f"clusters of Istio {versions[0]} and {versions[-1]} use the same image tag, {tag}"
        hint = "write {version} in the tag, or give the clusters their own tags: istio: {images: {tag: ...}}"
        path, names = ("spec", "istio", "images", "tag"), tuple(dict.fromkeys(member.name for member in using))
        yield source.problem(codes.ONE_TAG_FOR_ALL, path, what, hint, clusters=names)


def _tags_of_clusters(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Reports a cluster's own image tag that a further control plane of another version uses too."""
    for member in fleet:
        own, tag = fleet.version_of(member), member.cluster.istio.images.tag
        for plane in planes(fleet, member)[1:]:
            other = fleet.version_of(plane)
            if tag and "{version}" not in tag and other != own and plane.cluster.istio.images.tag == tag:
                what = f"{member.name}: control planes of Istio {own} and {other} use the same image tag, {tag}"
                hint = "write {version} in the tag, or give the control plane its own tag: images: {tag: ...}"
                path = member.path("istio", "images", "tag")
                yield source.problem(codes.ONE_TAG_FOR_ALL, path, what, hint, clusters=(member.name,))


def skew(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """A remote's Istio is at most one minor version older than its primary's, never newer, and of the same revision."""
    for member in fleet.remotes:
        primary = fleet.primary_of(member)
        if primary is None:
            continue
        same = plane_of(fleet, primary, fleet.revision_of(member))
        primary = same or primary
        mine, theirs = fleet.version_of(member), fleet.version_of(primary)
        if (
            mine.line not in _KNOWN
            or theirs.line not in _KNOWN
            or Generation.of(str(mine)) is not Generation.of(str(theirs))
        ):
            continue  # another check reports this
        path, other = _said(member, primary, "version")
        also = (source.document.place(other),)
        if mine.line > theirs.line:
            what = f"{member.name}: Istio {mine} is newer than primary {primary.name} ({theirs})"
            yield source.problem(
                codes.AHEAD_OF_PRIMARY,
                path,
                what,
                f"upgrade {primary.name} first",
                also=also,
                clusters=(member.name,),
            )
        elif mine.minor < theirs.minor - 1:
            behind = f"{theirs.minor - mine.minor} minor versions behind"
            what = f"{member.name}: Istio {mine} is {behind} primary {primary.name} ({theirs})"
            hint = "Istio supports one; upgrade the remote, or acknowledge it during the upgrade"
            yield source.problem(codes.BEHIND_PRIMARY, path, what, hint, also=also, clusters=(member.name,))
        if fleet.generation.has_revisions and same is None:
            yield _revision(fleet, source, member, primary)


def primaries(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """Primaries are at most one minor version apart, as their control planes describe the same services."""
    known = [member for member in fleet.primaries if fleet.version_of(member).line in ISTIO]
    if not known:
        return
    newest = max(known, key=fleet.version_of)
    for member in known:
        mine, theirs = fleet.version_of(member), fleet.version_of(newest)
        if mine.minor < theirs.minor - 1:
            path, other = _said(member, newest, "version")
            what = f"{member.name}: Istio {mine} is {theirs.minor - mine.minor} minor versions behind primary "
            what += f"{newest.name} ({theirs})"
            hint = "upgrade all primaries to the next minor version before you continue"
            also = (source.document.place(other),)
            yield source.problem(codes.PRIMARIES_APART, path, what, hint, also=also, clusters=(member.name,))


def _revision(fleet: Fleet, source: Source, member: Member, primary: Member) -> Problem:
    mine, theirs = fleet.revision_of(member), fleet.revision_of(primary)
    path, other = _said(member, primary, "revision")
    also = (source.document.place(other),)
    what = f'{member.name}: revision "{mine}" differs from that of primary {primary.name}, "{theirs}"'
    hint = f'acknowledge it if {primary.name} also runs an istiod of revision "{mine}"; else sidecars find no istiod'
    return source.problem(codes.REVISION_DIFFERS, path, what, hint, also=also, clusters=(member.name,))


def _said(member: Member, primary: Member, field: Literal["version", "revision"]) -> tuple[Path, Path]:
    """The paths of a remote's and its primary's version or revision in mesh.yaml, or that of the whole mesh."""
    of_mesh: Path = ("spec", "istio", field)
    own = [one.path("istio", field) for one in (member, primary) if getattr(one.cluster.istio, field)]
    return (*own, of_mesh, of_mesh)[0], (*own, of_mesh, of_mesh)[1]
