"""Checks the names of control planes' Services: they contain revisions and tags, and Kubernetes limits their length."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from meshc import codes
from meshc.mesh.east_west import exposure_kind
from meshc.mesh.revisions import DEFAULT, FIRST_WITH_SERVICES_OF_TAGS, plane_of, planes, tags_of
from meshc.plain import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from meshc.errors import Path, Problem
    from meshc.mesh.fleet import Fleet, Member
    from meshc.mesh.source import Source

_LONGEST = 63


class _Named(NamedTuple):
    """A Service, its use, and the path in mesh.yaml of the revision or tag in its name."""

    name: str
    use: str
    path: Path
    key: bool = False


def names(fleet: Fleet, source: Source) -> Iterable[Problem]:
    """The Services of a primary's control planes have unique names, and no name is too long."""
    told: set[_Named] = set()
    for member in (*fleet.primaries, *fleet.external):
        first: dict[str, _Named] = {}
        for one in _services(fleet, member):
            other = first.setdefault(one.name, one)
            fault = _equal(one, other) if other is not one else _too_long(one)
            if fault and one not in told:
                told.add(one)
                what, hint = fault
                also = () if other is one else (source.document.place(other.path),)
                what, clusters = f"{member.name}: {what}", (member.name,)
                yield source.problem(
                    codes.SERVICE_NAME, one.path, what, hint, key=one.key, also=also, clusters=clusters
                )


def _equal(one: _Named, other: _Named) -> tuple[str, str]:
    return f'{other.use} and {one.use} have the same name, "{one.name}"', "give one of them another name"


def _too_long(one: _Named) -> tuple[str, str] | None:
    more = len(one.name) - _LONGEST
    if more <= 0:
        return None
    what = f'{one.use} is named "{one.name}", {len(one.name)} characters; a Service\'s name can have at most {_LONGEST}'
    return what, f"shorten the name of the revision by {count(more, 'character')}"


def _services(fleet: Fleet, member: Member) -> Iterator[_Named]:
    """The Services of istiod, its load balancers and its tags, no matter who installs istiod."""
    kind = exposure_kind(fleet, member)
    path = member.path("controlPlane", "exposure")
    if kind == "gateway" and member not in fleet.external:
        yield _Named("istiod-exposed", "the load balancer of the gateway", path)
    for plane in planes(fleet, member):
        revision = fleet.revision_of(plane)
        said: Path = plane.path("istio", "revision")
        if plane.cluster.istio.revision is None:
            said = ("spec", "istio", "revision")
        name = "istiod" if revision == DEFAULT else f"istiod-{revision}"
        yield _Named(name, f'the istiod of revision "{revision}"', said)
        if kind == "load-balancer":
            yield _Named(f"{name}-exposed", f'the load balancer of revision "{revision}"', said)
    for tag, (revision, said) in tags_of(fleet, member).items():
        plane_led_to = plane_of(fleet, member, revision)
        if plane_led_to and fleet.version_of(plane_led_to) >= FIRST_WITH_SERVICES_OF_TAGS:
            yield _Named(f"istiod-revision-tag-{tag}", f'tag "{tag}"', said, key=True)
