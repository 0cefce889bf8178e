"""Makes output/_delivery/ from a plan and the objects of its clusters, and reports what the engine couldn't apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshc import codes
from meshc.delivery.contract import LONGEST, name_of
from meshc.output.trees import DELIVERY
from meshc.tree import FileTree

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from meshc.delivery.contract import Applied, Engine
    from meshc.errors import Problem
    from meshc.plan.delivered import Delivery, PublishPlan
    from meshc.plan.ir import Plan


def delivery_tree(plan: Plan, applied: Applied, engines: Mapping[str, Engine]) -> FileTree:
    """The files with the objects for the engine, with paths below output/; none without `spec.delivery`."""
    if plan.delivery is None:
        return FileTree({})
    files = engines[plan.delivery.engine].lay_out(plan, plan.delivery, applied)
    return FileTree(files).at(f"{DELIVERY}/{plan.delivery.engine}")


def check_delivery(
    plan: Plan, applied: Applied, engines: Mapping[str, Engine], from_top: str | None
) -> Iterable[Problem]:
    """Reports what the engine couldn't apply. `from_top` is the path of mesh.yaml's folder in its Git repository, if
    any."""
    if plan.delivery is None:
        return
    yield from _path(plan.delivery, from_top)
    yield from _target(plan.delivery)
    yield from _names(plan, plan.delivery)
    yield from engines[plan.delivery.engine].check(plan, plan.delivery, applied)


def _path(delivery: Delivery, from_top: str | None) -> Iterable[Problem]:
    """Checks delivery.path: with another path, the engine would find nothing, or the output of another mesh."""
    target = delivery.publish
    named = target.path if target else None
    above = named if named is not None else "." if target and target.repo else from_top
    if above is None:
        return
    lies = "output" if above == "." else f"{above}/output"
    if lies != delivery.path:
        where = f"{_where(target)}, " if target else "this repository, "
        what = f'output/ is at "{lies}" from the top of {where}and delivery.path is "{delivery.path}"'
        hint = f"write path: {lies}"
        hint += "" if target else ", or set delivery.publish if it is published to another place"
        yield codes.DELIVERY_PATH.at(delivery.path_place, what, hint, path="spec.delivery.path")


def _where(target: PublishPlan) -> str:
    return f"branch {target.branch}" + (f" of {target.repo}" if target.repo else "")


def _target(delivery: Delivery) -> Iterable[Problem]:
    """Checks that the engine reads the branch and the repository to which output/ is published."""
    target = delivery.publish
    if target is None or delivery.repo_url is None:
        return
    branch = delivery.revision.removeprefix("refs/heads/")
    if target.branch != branch:
        what = f'output/ is published to branch "{target.branch}", but the engine reads "{delivery.revision}"'
        hint = f"write revision: {target.branch}, or publish: {{branch: {branch}}}"
        yield codes.DELIVERY_PATH.at(target.place, what, hint, path="spec.delivery.publish")
    if target.repo and _plain(target.repo) != _plain(delivery.repo_url):
        what = f"output/ is published to {target.repo}, but the engine reads {delivery.repo_url}"
        hint = "name the same repository in both; acknowledge it if one is a mirror of the other"
        yield codes.DELIVERY_PATH.at(target.place, what, hint, path="spec.delivery.publish")


def _plain(url: str) -> str:
    """Host and path of a repository, independent of the protocol."""
    rest = url.partition("://")[2] or url.replace(":", "/", 1)
    host, _, path = rest.partition("/")
    return f"{host.rpartition('@')[2].partition(':')[0].lower()}/{path.rstrip('/').removesuffix('.git')}"


def _names(plan: Plan, delivery: Delivery) -> Iterable[Problem]:
    for cluster in plan.clusters:
        name = name_of(plan, cluster.name)
        if len(name) > LONGEST:
            what = (
                f'{cluster.name}: the name "{name}" is {len(name)} characters long, but labels can have only {LONGEST}'
            )
            hint = "shorten the name of the cluster or of the mesh"
            yield codes.ENGINE_NAME.at(cluster.place, what, hint, clusters=(cluster.name,))
