"""Groups a difference for readers: equal entries are shown once, with escaped text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from meshc.review.compare import Edit
from meshc.review.diff import Action, Difference, Entry

_NAMES, _CLUSTERS = 12, 6
_WHOLE = "cluster"


@dataclass(frozen=True, slots=True)
class Block:
    """Objects of one kind and namespace with the same change in the same clusters."""

    action: Action
    kind: str
    namespace: str
    names: tuple[str, ...]
    clusters: tuple[str, ...]
    edits: tuple[Edit, ...] = ()
    origin: str = ""
    stays: bool = False

    @property
    def title(self) -> str:
        """`change 3 objects of kind Service in shop: cart, stock, till`, or the name of a single object or of a
        cluster."""
        if self.kind == _WHOLE:
            return f"{self.action} cluster {self.clusters[0]}: {some(self.names, _NAMES)}"
        action = "leave" if self.stays else self.action
        if len(self.names) == 1:
            name = f"{self.namespace}/{self.names[0]}" if self.namespace else self.names[0]
            return f"{action} {self.kind} {name}"
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{action} {len(self.names)} objects of kind {self.kind}{where}: {some(self.names, _NAMES)}"

    @property
    def where(self) -> str:
        """The clusters: `edge-1, edge-2 and 97 more (99 clusters)`."""
        if self.origin:
            return f"from {self.origin} to {', '.join(self.clusters)}"
        more = f" ({len(self.clusters)} clusters)" if len(self.clusters) > _CLUSTERS else ""
        return f"{some(self.clusters, _CLUSTERS)}{more}"


def blocks(difference: Difference) -> list[Block]:
    """A difference in the order of its presentation: first clusters that are added or removed, then its entries."""
    come, gone = ({*difference.after} - {*difference.before}), ({*difference.before} - {*difference.after})
    whole = {Action.ADD: come, Action.DELETE: gone}
    kinds: dict[tuple[Action, str], Counter[str]] = {}
    groups: dict[tuple[object, ...], list[Entry]] = {}
    for entry in difference.entries:
        folded = whole.get(entry.action, set())
        for name in sorted(folded.intersection(entry.clusters)):
            kinds.setdefault((entry.action, name), Counter())[entry.identity.kind] += 1
        entry = replace(entry, clusters=tuple(name for name in entry.clusters if name not in folded))
        if not entry.clusters:
            continue
        kind = (entry.identity.group, entry.identity.kind, entry.identity.namespace)
        groups.setdefault((entry.action, *kind, entry.clusters, entry.edits, entry.origin, entry.stays), []).append(
            entry
        )
    clusters = [
        Block(action, _WHOLE, "", tuple(f"{number} {kind}" for kind, number in sorted(counts.items())), (name,))
        for (action, name), counts in sorted(kinds.items(), key=lambda item: item[0][1])
    ]
    return clusters + [_block(members) for members in groups.values()]


def _block(members: list[Entry]) -> Block:
    first = members[0]
    names = tuple(member.identity.name for member in members)
    kind, namespace = first.identity.kind, first.identity.namespace
    return Block(first.action, kind, namespace, names, first.clusters, first.edits, first.origin, first.stays)


def some(names: Iterable[str], many: int) -> str:
    """The first names, and the number of further ones."""
    listed = list(names)
    more = len(listed) - many
    return ", ".join(listed[:many]) + (f" and {more} more" if more > 0 else "")
