"""Selects clusters of a plan by the names, patterns or labels of a user."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from meshc.errors import UsageError
from meshc.plain import count, plain
from meshc.plan.unknown import no_cluster, some

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan, Plan


@dataclass(frozen=True, slots=True)
class Choice:
    """Clusters that match any of the names and patterns, and all of the selectors. Empty means all clusters."""

    names: tuple[str, ...] = ()
    selectors: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.names or self.selectors)

    @property
    def is_open(self) -> bool:
        """True if the clusters aren't named one by one: all, a pattern, or labels."""
        return bool(self.selectors) or not self.names or any(set(name) & set("*?[") for name in self.names)

    def of(self, plan: Plan) -> tuple[str, ...]:
        """The selected clusters, in the order of mesh.yaml.

        Raises UsageError for a name, a pattern or labels that match no cluster, and for an invalid selector.
        """
        known = [cluster.name for cluster in plan.clusters]
        for name in self.names:
            if not any(fnmatchcase(one, name) for one in known):
                raise no_cluster(plan, name)
        terms = [term for text in self.selectors for term in _terms(text)]
        found = tuple(
            cluster.name
            for cluster in plan.clusters
            if (not self.names or any(fnmatchcase(cluster.name, name) for name in self.names))
            and all(term.holds(cluster.labels) for term in terms)
        )
        if not found:
            labels = sorted({f"{key}={value}" for cluster in plan.clusters for key, value in cluster.labels.items()})
            what = " and ".join(f'"{plain(text)}"' for text in (*self.names, *self.selectors))
            raise UsageError(f"no cluster matches {what}", f"labels in mesh.yaml: {some(labels) if labels else 'none'}")
        return found

    def left_out(self, plan: Plan) -> str:
        """A note with the number of clusters that aren't selected; empty if all are."""
        chosen = self.of(plan) if self else ()
        left = len(plan.clusters) - len(chosen)
        return f"  note: {left} of {count(len(plan.clusters), 'cluster')} left out" if chosen and left else ""


@dataclass(frozen=True, slots=True)
class _Term:
    """One condition of a selector. As in Kubernetes, `!=` and `notin` are also true if there is no such label."""

    key: str
    values: frozenset[str] | None
    negated: bool

    def holds(self, labels: Mapping[str, str]) -> bool:
        found = self.key in labels if self.values is None else labels.get(self.key) in self.values
        return found != self.negated


_KEY = r"[A-Za-z0-9](?:[A-Za-z0-9./_-]{0,316})"
_VALUE = r"[A-Za-z0-9._-]{0,63}"
_TERM = re.compile(
    rf"(?P<not>!?)\s*(?P<key>{_KEY})(?:\s*(?P<sign>==|=|!=)\s*(?P<value>{_VALUE})"
    rf"|\s+(?P<word>in|notin)\s*\((?P<values>[A-Za-z0-9._,\s-]{{0,4000}})\))?",
    re.ASCII,
)


def _terms(text: str) -> list[_Term]:
    """The conditions of a selector, in kubectl's syntax. Raises UsageError for one that can't be read."""
    found = [_TERM.fullmatch(part.strip()) for part in _parts(text)]
    terms = []
    for match in found:
        if match is None or (match["not"] and (match["sign"] or match["word"])):
            hint = "as in kubectl: env=prod, env!=prod, env in (prod, test), env notin (dev), env, !env"
            raise UsageError(f'"{plain(text)}" is no selector of labels', hint)
        if match["sign"]:
            terms.append(_Term(match["key"], frozenset([match["value"]]), match["sign"] == "!="))
        elif match["word"]:
            values = frozenset(value.strip() for value in match["values"].split(","))
            terms.append(_Term(match["key"], values, match["word"] == "notin"))
        else:
            terms.append(_Term(match["key"], None, bool(match["not"])))
    return terms


def _parts(text: str) -> list[str]:
    """The parts of a selector: a comma in parentheses separates values."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


def chosen(plan: Plan, choice: Choice | Sequence[str]) -> list[str]:
    """The named clusters, in the order of mesh.yaml; all of them if none is named. Raises UsageError."""
    choice = choice if isinstance(choice, Choice) else Choice(tuple(choice))
    return list(choice.of(plan)) if choice else [cluster.name for cluster in plan.clusters]


def named(plan: Plan, name: str) -> ClusterPlan:
    """The cluster of that name. Raises UsageError if there is none."""
    if name not in [cluster.name for cluster in plan.clusters]:
        raise no_cluster(plan, name)
    return plan.cluster(name)
