"""applied turns what kustomize built of a cluster into its view after patches: what they touched, and took away."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from meshc.applied.causes import of_patches
from meshc.applied.laid_out import is_reached
from meshc.applied.view import Touched, View
from meshc.kube import identity_of
from meshc.output.split import identity_in
from meshc.overlays.patches import is_object
from meshc.tree import HEADER
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from meshc.kube import Identity, KubeObject
    from meshc.plan.ir import ClusterPlan, Plan, ServiceCopy
    from meshc.tree import FileTree

_BETWEEN = b"\n---\n"


def view_built(
    plan: Plan,
    cluster: ClusterPlan,
    ours: Iterable[KubeObject],
    laid_out: Iterable[bytes],
    built: FileTree,
    offered: Mapping[tuple[str, str], ServiceCopy],
    given: Collection[Identity] | None = None,
) -> View:
    """`ours` are the cluster's objects, `given` those of them that kustomize got, `laid_out` the files that it got.

    An object whose text is as it was laid out isn't read.
    """
    all_of_ours = list(ours)
    before = {one.identity: one.body for one in all_of_ours if given is None or one.identity in given}
    objects = [one for file in cluster.resources for one in file.objects if is_object(one.body)]
    theirs = {identity_of(one.body): one for one in objects}
    untouched = {text for data in laid_out for text in _texts(data)}
    there: set[Identity] = set()
    touched: list[Touched] = []
    for name, data in built.items():
        changed = []
        for text in _texts(data):
            there.add(identity_in(text.decode()))
            changed += [] if text in untouched else [text]
        for document in read(_BETWEEN.join(changed), name)[0] if changed else ():
            body = document.data
            if not is_object(body):
                continue
            identity = identity_of(body)
            known = theirs.get(identity)
            if body == before.get(identity) or (known and body == known.body and not is_reached(cluster, body)):
                continue
            origin = before.get(identity, known.body if known else body)
            causes = of_patches(cluster, origin, known)
            touched.append(Touched(body, before.get(identity), causes, patched=True))
    gone = [
        Touched(body, body, of_patches(cluster, body), patched=False)
        for identity, body in before.items()
        if identity not in there
    ]
    return View(
        plan,
        cluster,
        touched,
        lambda: [*(one.body for one in all_of_ours), *(one.body for one in objects)],
        offered,
        gone,
        frozenset(theirs),
    )


def _texts(data: bytes) -> Iterable[bytes]:
    return [text.rstrip(b"\n") for text in data.removeprefix(HEADER).split(_BETWEEN) if text.strip()]
