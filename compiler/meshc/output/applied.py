"""applied turns what kustomize built of a cluster into its view after patches: what they touched, and took away."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

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
    given: Collection[Identity] | None,
    known: dict[bytes, Any],
) -> View:
    """`ours` are the cluster's objects, `given` those of them that kustomize got, `laid_out` the files that it got.

    An object whose text is as it was laid out isn't read, and none of a text that is `known` from another cluster.
    """
    all_of_ours = list(ours)
    before = {one.identity: one.body for one in all_of_ours if given is None or one.identity in given}
    objects = [one for file in cluster.resources for one in file.objects if is_object(one.body)]
    theirs = {identity_of(one.body): one for one in objects}
    untouched = {text for data in laid_out for text in _texts(data)}
    there: set[Identity] = set()
    touched: list[Touched] = []
    for name, data in built.items():
        for text in _texts(data):
            there.add(identity_in(text.decode()))
            if text in untouched:
                continue
            if text not in known:
                known[text] = next((document.data for document in read(text, name)[0]), None)
            body = known[text]
            if not is_object(body):
                continue
            identity = identity_of(body)
            own = theirs.get(identity)
            if body == before.get(identity) or (own and body == own.body and not is_reached(cluster, body)):
                continue
            origin = before.get(identity, own.body if own else body)
            causes = of_patches(cluster, origin, own)
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
