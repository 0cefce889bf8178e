"""deliver turns a plan and the objects of its clusters into output/_delivery/, and what speaks against it."""

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
    from meshc.plan.ir import Delivery, Plan


def delivery_tree(plan: Plan, applied: Applied, engines: Mapping[str, Engine]) -> FileTree:
    """The files that tell the engine what to apply, with paths below output/; none without `spec.delivery`."""
    if plan.delivery is None:
        return FileTree({})
    files = engines[plan.delivery.engine].lay_out(plan, plan.delivery, applied)
    return FileTree(files).at(f"{DELIVERY}/{plan.delivery.engine}")


def check_delivery(
    plan: Plan, applied: Applied, engines: Mapping[str, Engine], from_top: str | None
) -> Iterable[Problem]:
    """What the engine couldn't apply. `from_top`: where mesh.yaml lies in its Git repository, if any."""
    if plan.delivery is None:
        return
    yield from _path(plan.delivery, from_top)
    yield from _names(plan, plan.delivery)
    yield from engines[plan.delivery.engine].check(plan, plan.delivery, applied)


def _path(delivery: Delivery, from_top: str | None) -> Iterable[Problem]:
    """A path that leads elsewhere finds nothing, or the output of another mesh."""
    if from_top is None:
        return
    lies = "output" if from_top == "." else f"{from_top}/output"
    if lies != delivery.path:
        what = f'output/ lies at "{lies}" from the top of this repository, and delivery.path is "{delivery.path}"'
        hint = f"write path: {lies}, or acknowledge it where the engine reads another repository"
        yield codes.DELIVERY_PATH.at(delivery.path_place, what, hint, path="spec.delivery.path")


def _names(plan: Plan, delivery: Delivery) -> Iterable[Problem]:
    for cluster in plan.clusters:
        name = name_of(plan, cluster.name)
        if len(name) > LONGEST:
            what = f'{cluster.name}: the name "{name}" is {len(name)} characters long, and labels hold {LONGEST}'
            hint = "shorten the name of the cluster or of the mesh"
            yield codes.ENGINE_NAME.at(cluster.place, what, hint, clusters=(cluster.name,))
