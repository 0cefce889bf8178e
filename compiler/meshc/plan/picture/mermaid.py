"""Writes a bundled picture as a Mermaid flowchart. Names are escaped, so that they can't act as markup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from meshc.plan.picture.bundles import Bundled, Limits, bundled

if TYPE_CHECKING:
    from meshc.plan.picture.bundles import Arrow
    from meshc.plan.picture.parts import Picture, Thing
    from meshc.plan.ways import NetworkPlan

_NAMES = 3

_COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "primary": "fill:#dbeafe,stroke:#1d4ed8",
        "remote": "fill:#dcfce7,stroke:#15803d",
        "external": "fill:#f3e8ff,stroke:#7e22ce",
        "root": "fill:#fef3c7,stroke:#b45309",
        "engine": "fill:#fee2e2,stroke:#b91c1c",
        "repository": "fill:#e5e7eb,stroke:#374151",
        "added": "fill:#dcfce7,stroke:#15803d",
        "changed": "fill:#fef3c7,stroke:#b45309",
        "removed": "fill:#fee2e2,stroke:#b91c1c,stroke-dasharray:5",
        "unchanged": "fill:#f3f4f6,stroke:#6b7280",
    }
)
"""Colours by role, or by mark in the picture of a change. Dark text is readable on each, even on a dark page."""

_BOX = '["{}"]'
_SHAPES = {
    "primary": '[["{}"]]',
    "external-control-plane": '[["{}"]]',
    "root": '{{{{"{}"}}}}',
    "repository": '[("{}")]',
}
_LINES = {"calls": "-->", "calls through a gateway": "==>", "signs the CA": "-->", "signs for": "-->"}
_PLURALS = {"remote": "remotes", "primary": "primaries", "external-control-plane": "external control planes"}
_COUNTED = "a number in brackets counts single arrows"


def mermaid(picture: Picture, networks: Sequence[NetworkPlan], limits: Limits | None = None) -> str:
    """The text of the flowchart, within Mermaid's limits and readable for people."""
    return "".join(f"{line}\n" for line in _lines(picture, bundled(picture, limits or Limits()), networks))


def _lines(picture: Picture, found: Bundled, networks: Sequence[NetworkPlan]) -> Iterator[str]:
    yield "flowchart LR"
    places: dict[str | None, list[int]] = {}
    for number, bundle in enumerate(found.bundles):
        places.setdefault(_network(bundle), []).append(number)
    for number, (network, members) in enumerate(places.items()):
        if network is not None:
            yield f'  subgraph n{number}["{_escaped(_told(network, networks))}"]'
        for member in members:
            yield f"{'  ' if network is None else '    '}{_node(member, found.bundles[member])}"
        if network is not None:
            yield "  end"
    yield from (f"  {line}" for line in _arrows(found.arrows))
    if picture.note:
        yield f'  note["{_escaped(picture.note)}"]'
    yield from _legend(picture, found)


def _network(bundle: Sequence[Thing]) -> str | None:
    """The common network of all clusters in a bundle, if there is one."""
    found = {thing.network for thing in bundle}
    return found.pop() if len(found) == 1 else None


def _told(name: str, networks: Sequence[NetworkPlan]) -> str:
    hosts = next((one.hosts for one in networks if one.name == name), ())
    several = f" and {len(hosts) - 1} more" if hosts[1:] else ""
    return f"network {name}" + (f", gateway {hosts[0].rpartition(':')[0]}{several}" if hosts else "")


def _node(number: int, bundle: Sequence[Thing]) -> str:
    first = bundle[0]
    about = list(dict.fromkeys(thing.about for thing in bundle if thing.about))
    role = first.role if len(bundle) == 1 else f"{len(bundle)} {_PLURALS.get(first.role, first.role)}"
    told = [_listed([thing.name for thing in bundle], ""), ", ".join([role, *about[:1]])]
    told[1] += f" and {len(about) - 1} other versions" if about[1:] else ""
    told += [] if _network(bundle) or first.network is None else [f"in {len({t.network for t in bundle})} networks"]
    told = told if first.role in _PLURALS else [first.name, *about]
    told += [first.mark] if first.mark else []
    text = "<br/>".join(_escaped(line) for line in told)
    return f"c{number}{_SHAPES.get(first.role, _BOX).format(text)}:::{_class(first)}"


def _class(thing: Thing) -> str:
    return thing.mark or ("external" if thing.role == "external-control-plane" else thing.role)


def _arrows(arrows: Sequence[Arrow]) -> Iterator[str]:
    """A line for each arrow. Two equal arrows in opposite directions become one arrow with two heads."""
    left = set(arrows)
    for arrow in arrows:
        back = replace(arrow, source=arrow.target, target=arrow.source)
        if arrow in left:
            both = back != arrow and back in left
            left -= {arrow, back}
            yield _arrow(arrow, both=both)


def _arrow(arrow: Arrow, *, both: bool) -> str:
    line = _LINES.get(arrow.kind, "-.->")
    many = arrow.links > 1 and len(arrow.names) > _NAMES
    told = f"{len(arrow.names)} services" if many else _listed(arrow.names, " services") or arrow.kind
    told += " by gateway" if arrow.names and arrow.kind.endswith("gateway") else ""
    told += f" ({arrow.links})" if arrow.links > 1 else ""
    return f'c{arrow.source} {"<" if both else ""}{line}|"{_escaped(told)}"| c{arrow.target}'


def _legend(picture: Picture, found: Bundled) -> Iterator[str]:
    """The legend of the used colours, and the definition of each."""
    classes = dict.fromkeys(_class(bundle[0]) for bundle in found.bundles)
    counted = any(arrow.links > 1 for arrow in found.arrows)
    yield '  subgraph legend["legend"]'
    for number, name in enumerate(classes):
        yield f'    l{number}["{_escaped(_meaning(name))}"]:::{name}'
    if counted:
        yield f'    l{len(classes)}["{_escaped(_COUNTED)}"]'
    yield "  end"
    for name in classes:
        yield f"  classDef {name} {_COLOURS[name]},color:#111827"


def _meaning(name: str) -> str:
    return "external control plane" if name == "external" else "not changed" if name == "unchanged" else name


def _listed(names: Sequence[str], noun: str) -> str:
    """`a, b`, or `a, b, c and 4 more services`."""
    if len(names) <= _NAMES + 1:
        return ", ".join(names)
    return f"{', '.join(names[:_NAMES])} and {len(names) - _NAMES} more{noun}"


_ODD = re.compile(r"[^A-Za-z0-9 .,/-]")


def _escaped(text: str) -> str:
    """The text of a label, with every character escaped that is special in Mermaid, Markdown or HTML."""
    return _ODD.sub(lambda found: f"#{ord(found[0])};", text)
