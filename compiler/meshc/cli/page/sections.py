"""Makes the texts and numbers of the page's sections from a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from meshc.cli.alike import alike as together
from meshc.cli.alike import files
from meshc.cli.explain import page
from meshc.cli.trusted import of_all
from meshc.errors import Severity
from meshc.review.blocks import blocks, some
from meshc.review.change import leaving
from meshc.review.danger import LEAVING
from meshc.review.touched import alike, kinds
from meshc.version import __version__

if TYPE_CHECKING:
    from markupsafe import Markup

    from meshc.commands.ca_tree import Authority
    from meshc.commands.report import Broken, Report, Sealed
    from meshc.commands.secrets_status import Standing
    from meshc.errors import Code, Problem
    from meshc.plan.ir import ClusterPlan, Plan
    from meshc.plan.steps import Step

_BLOCKS, _LINES = 200, 40
"""The maximum number of changes that are shown, and of lines for each."""

_NAMED = 6
_FEW = 40
"""A table with at most this number of rows is shown open."""

_MOST_FILES = 500
"""With more sealed files, the page doesn't name each of them."""

_DONE = "sync"
_SETTLED = ("sealed", "optional")


def sections_of(found: Report, file: str, html: Callable[[str], Markup]) -> dict[str, Any]:
    """The values of the template, by name. `html` converts the page of a problem to HTML."""
    plan = found.compiled.plan
    steps = {step.cluster: step for step in found.next.steps}
    problems = [*found.compiled.problems, *(found.change.dangers if found.change else ())]
    return {
        "mesh": plan.mesh,
        "few": _FEW,
        "plan": plan,
        "file": file,
        "version": __version__,
        "made": f"{found.now:%Y-%m-%d %H:%M} UTC",
        "networks": list(_networks(plan, steps)),
        "roles": list(dict.fromkeys(cluster.role for cluster in plan.clusters)),
        "labels": sorted({f"{key}={value}" for one in plan.clusters for key, value in one.labels.items()}),
        "kinds_of_steps": Counter(step.step for step in found.next.steps),
        "left_over": [step for step in found.next.steps if step.cluster not in {one.name for one in plan.clusters}],
        "notes": list(_notes(found)),
        "pending": sum(step.step != _DONE for step in found.next.steps),
        "authorities": [_authority(one, found.now) for one in found.authorities],
        "ending": sum(one.row.expiring or one.row.broken for one in _every(found.authorities)),
        "exporters": list(_exporters(found)),
        "services": len(found.compiled.exports),
        "losses": bool(found.routes.losses) or not any(route.ends for route in found.routes.found),
        "sealed": list(_rows(found.sealed)),
        "states": Counter(one.state for one, _ in found.sealed),
        "openers": _openers(found.sealed),
        "settled": _SETTLED,
        "problems": found.compiled.problems,
        "severities": Counter(str(problem.severity) for problem in problems),
        "Severity": Severity,
        "pages": _pages(problems, html),
        "change": _change(found),
    }


def sections_of_broken(found: Broken, file: str, html: Callable[[str], Markup]) -> dict[str, Any]:
    """The values of the template of a mesh that doesn't compile."""
    plan = found.plan
    return {
        "mesh": plan.mesh if plan else "",
        "few": _FEW,
        "plan": plan,
        "file": file,
        "version": __version__,
        "made": f"{found.now:%Y-%m-%d %H:%M} UTC",
        "networks": list(_networks(plan, {})) if plan else [],
        "left_over": [],
        "notes": [],
        "authorities": [_authority(one, found.now) for one in found.authorities],
        "sealed": list(_rows(found.sealed)),
        "states": Counter(one.state for one, _ in found.sealed),
        "openers": _openers(found.sealed),
        "settled": _SETTLED,
        "problems": found.problems,
        "severities": Counter(str(problem.severity) for problem in found.problems),
        "pages": _pages(found.problems, html),
    }


def _pages(problems: Sequence[Problem], html: Callable[[str], Markup]) -> list[tuple[Code, Markup]]:
    """The page of each code in the problems."""
    codes = {problem.code.id: problem.code for problem in sorted(problems, key=lambda one: one.code.id)}
    return [(code, html(page(code).partition("\n")[2])) for code in codes.values()]


def _notes(found: Report) -> Iterator[str]:
    """Notes for the whole mesh: its next steps, and why some of them aren't known."""
    told = found.next
    yield from filter(None, (told.unknown, *told.roots))
    yield from told.domains.lines(found.now) if told.domains else ()
    yield from of_all(found.trust)
    if told.uncommitted is None:
        yield "this is no Git repository, or there is no git: what is committed isn't known"
    elif told.uncommitted:
        yield f"to be committed as well: {some(told.uncommitted, _NAMED)}"


def _networks(plan: Plan, steps: dict[str, Step]) -> Iterator[dict[str, Any]]:
    """Each network with a row for each of its clusters. Clusters without a network come last."""
    hosts = {one.name: one.hosts for one in plan.networks}
    names = sorted({one.network for one in plan.clusters}, key=lambda name: (name is None, name or ""))
    for name in names:
        members = [one for one in plan.clusters if one.network == name]
        rows = [{"cluster": one, "step": steps.get(one.name), "primary": _primary(one)} for one in members]
        yield {
            "name": name,
            "hosts": hosts.get(name or "", ()),
            "rows": rows,
            "roles": Counter(one.role for one in members),
            "versions": Counter(str(one.istio) for one in members),
            "steps": Counter(steps[one.name].step for one in members if one.name in steps),
        }


def _primary(cluster: ClusterPlan) -> str:
    """A text that says where the control planes of a cluster run."""
    if cluster.attachment is None:
        return f"configuration in {cluster.config_cluster}" if cluster.is_external else "its own"
    return ", ".join(dict.fromkeys(plane.attachment.primary for plane in cluster.planes if plane.attachment))


def _every(authorities: Sequence[Authority]) -> Iterator[Authority]:
    for one in authorities:
        yield one
        yield from _every(one.below)


def _authority(one: Authority, now: datetime) -> dict[str, Any]:
    """A CA, with the part of its lifetime that has passed, in percent."""
    about = one.row.about
    passed = 0
    if about:
        whole = (about.not_after - about.not_before).total_seconds()
        passed = round(100 * min(1, max(0, (now - about.not_before).total_seconds() / (whole or 1))))
    below = [_authority(authority, now) for authority in one.below]
    days = (about.not_after - now).days if about else 0
    state = "bad" if one.row.broken else "soon" if one.row.expiring else "good"
    return {"row": one.row, "one": one, "passed": passed, "days": days, "state": state, "below": below}


def _exporters(found: Report) -> Iterator[dict[str, Any]]:
    """Each cluster that runs exported Services, with these Services and the number of clusters that have a copy of
    one."""
    services: dict[str, list[str]] = {}
    clients: dict[str, set[str]] = {}
    for export in found.compiled.exports:
        for home in export.homes:
            services.setdefault(home, []).append(f"{export.namespace}/{export.name}")
            clients.setdefault(home, set()).update(set(export.clients) - {home})
    for cluster in found.compiled.plan.clusters:
        if names := services.get(cluster.name):
            yield {"cluster": cluster.name, "services": sorted(names), "clients": len(clients[cluster.name])}


def _rows(sealed: Sealed) -> Iterator[tuple[str, Standing, str]]:
    """The name of each file, its state, and who can open it. In a long table, files that are alike share a row."""
    if len(sealed) <= _MOST_FILES:
        yield from ((one.file, one, whose) for one, whose in sealed)
        return
    for same in together(sealed, lambda row: row[0].group):
        yield files([one for one, _ in same]), *same[0]


def _openers(sealed: Sealed) -> list[tuple[str, int, str]]:
    """Each key, store or controller, with the number of files that it opens, and their names."""
    opened: dict[str, list[str]] = {}
    for one, _ in sealed:
        for reader in one.opened_by:
            opened.setdefault(reader, []).append(one.file)
    long = len(sealed) > _MOST_FILES
    return [
        (key, len(names), some(names, _NAMED) if long else ", ".join(names)) for key, names in sorted(opened.items())
    ]


def _change(found: Report) -> dict[str, Any] | None:
    """The difference from the base; None if no base was named."""
    change = found.change
    if change is None:
        return None
    difference = change.difference
    every = blocks(difference)
    return {
        "base": change.base,
        "difference": difference,
        "kinds": kinds(difference),
        "dangers": sorted(change.dangers, key=_by_code),
        "leaving": LEAVING if leaving(difference) else (),
        "settings": change.settings,
        "rows": alike(found.touched),
        "blocks": every[:_BLOCKS],
        "more": max(0, len(every) - _BLOCKS),
        "lines": _LINES,
    }


def _by_code(problem: Problem) -> tuple[str, str]:
    return problem.code.id, problem.what
