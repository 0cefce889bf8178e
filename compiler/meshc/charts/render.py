"""Renders the needed charts: equal needs once, in parallel, and with a cache."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from meshc import codes
from meshc.charts.chance import at_another_time
from meshc.charts.rules import DUPLICATES, Prepared, cleaned, prepare
from meshc.disk.code import code_digest
from meshc.errors import BuildError, Problem
from meshc.kube import identity_of
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from meshc.charts.helm import Helm
    from meshc.disk.repository import Repository
    from meshc.kube import Body
    from meshc.plan.needs import ChartNeed


Steps = Callable[[str, int], "AbstractContextManager[Callable[[], None]]"]
"""Opens a context for a title and a number of steps. It yields the function to call after each step."""


def no_steps(what: str, total: int) -> AbstractContextManager[Callable[[], None]]:
    """Steps that aren't reported."""
    del what, total
    return nullcontext(lambda: None)


@dataclass(frozen=True, slots=True)
class Rendered:
    """The objects of each need, in the order of the needs, and a problem for each chart that helm refused."""

    objects: tuple[Sequence[Body], ...]
    problems: tuple[Problem, ...]


class Cache(NamedTuple):
    """The cache of helm's outputs, and a function that says if an object may be cached."""

    repository: Repository
    keeps: Callable[[Body], bool]


def render(
    needs: Sequence[ChartNeed],
    charts: Mapping[str, Mapping[str, bytes]],
    find: Callable[[], Helm],
    cache: Cache,
    steps: Steps = no_steps,
) -> Rendered:
    """Renders every chart, with helm if its output isn't cached. `charts` has the charts' files, by digest.

    An output is cached if all of its objects may be. `steps` is called after each chart. If a need's chart isn't in
    `charts`, the need gets no objects; the reason was reported before.

    Needs that are equal except for the cluster are rendered once and share their objects. Raises ToolError if helm is
    needed and missing.
    """
    if not any(need.digest in charts for need in needs):
        return Rendered(((),) * len(needs), ())
    helm = find()
    there = [need for need in needs if need.digest in charts]
    prepared = {(need.digest, need.version): prepare(charts[need.digest], need) for need in there}
    code = code_digest()
    keys = [_key(code, helm, need, prepared.get((need.digest, need.version))) for need in needs]
    distinct = dict(zip(keys, needs, strict=True))

    def one(key: str) -> Sequence[Body] | BuildError:
        need = distinct[key]
        chart = prepared.get((need.digest, need.version))
        try:
            return cleaned(json.loads(_known(helm, need, chart, key, cache)), need) if chart else ()
        except BuildError as error:
            return error

    with steps("rendering charts", len(distinct)) as done, ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        results = {}
        for key, result in zip(distinct, pool.map(one, distinct), strict=True):
            results[key] = result
            done()
    objects = [result if not isinstance(result := results[key], BuildError) else () for key in keys]
    return Rendered(tuple(objects), tuple(_refused(needs, keys, results)))


def _known(helm: Helm, need: ChartNeed, chart: Prepared, key: str, cache: Cache) -> bytes:
    """helm's output from the cache; otherwise from helm, and cached if all of its objects may be."""
    known = cache.repository.cache_get(key)
    if known is None:
        known = _rendered_once(helm, need, chart)
        if all(map(cache.keeps, json.loads(known))):
            cache.repository.cache_put(key, known)
    return known


def _rendered_once(helm: Helm, need: ChartNeed, chart: Prepared) -> bytes:
    """helm's output as JSON, because parsing YAML takes longer than rendering. Raises BuildError."""
    parsed = _rendered(helm, need, chart.files)
    if chart.calls:
        _refuse_chance(helm, need, chart, parsed)
    return json.dumps(parsed).encode()


class _ChanceError(BuildError):
    """The chart makes different objects each time it is rendered."""


def _refuse_chance(helm: Helm, need: ChartNeed, chart: Prepared, once: list[Any]) -> None:
    """Renders the chart once more, as if on another day. Raises _ChanceError unless the objects stay the same."""
    before = cleaned(json.loads(json.dumps(once)), need)
    after = cleaned(json.loads(json.dumps(_rendered(helm, need, at_another_time(chart.files)))), need)
    changed = [body for body in before if body not in after] or [body for body in after if body not in before]
    if changed:
        more = f" and {len(chart.calls) - _SHOWN} more" if len(chart.calls) > _SHOWN else ""
        shown = ", ".join(chart.calls[:_SHOWN]) + more
        raise _ChanceError(f"{identity_of(changed[0])} differs from one rendering to the next ({shown})")


_SHOWN = 3


def _rendered(helm: Helm, need: ChartNeed, files: Mapping[str, bytes]) -> list[Any]:
    text = helm.template(files, need.values, need.release, need.namespace, need.kubernetes)
    documents, problems = read(text, f"chart {need.chart}", last_wins=DUPLICATES.covers(need))
    if problems:
        raise BuildError(f"what it makes can't be read: {problems[0].what}")
    bodies = [document.data for document in documents if document.data is not None]
    for body in bodies:
        if not isinstance(body, dict) or not body.get("kind") or not body.get("apiVersion"):
            raise BuildError("it makes a document that is no Kubernetes object")
    return bodies


def _key(code: str, helm: Helm, need: ChartNeed, chart: Prepared | None) -> str:
    """A key of all inputs that decide helm's output, and how meshc reads it."""
    decides = [
        code,
        str(helm.version),
        need.chart,
        str(need.version),
        need.release,
        need.namespace,
        str(need.kubernetes),
    ]
    text = json.dumps([*decides, chart.digest if chart else None, need.values], sort_keys=True)
    return sha256(f"chart {text}".encode()).hexdigest()


def _refused(
    needs: Sequence[ChartNeed], keys: Sequence[str], results: Mapping[str, Sequence[Body] | BuildError]
) -> Iterable[Problem]:
    """One problem for each message, with all its clusters."""
    about: dict[tuple[str, str, bool], list[ChartNeed]] = {}
    for need, key in zip(needs, keys, strict=True):
        if isinstance(error := results[key], BuildError):
            about.setdefault((need.chart, str(error), isinstance(error, _ChanceError)), []).append(need)
    for (chart, said, is_chance), some in about.items():
        clusters = tuple(dict.fromkeys(need.cluster for need in some))
        if is_chance:
            what = f"{', '.join(clusters)}: chart {chart} uses random values or the clock: {said}"
            hint = "set its value in mesh.yaml, or meshc check calls the output stale for ever"
            yield codes.CHART_BY_CHANCE.at(some[0].place, what, hint, clusters=clusters)
            continue
        what = f"{', '.join(clusters)}: helm can't render chart {chart}: {said}"
        hint = "look at the values in mesh.yaml: meshc values prints what the chart is given"
        yield codes.HELM_REFUSED.at(some[0].place, what, hint, clusters=clusters)
