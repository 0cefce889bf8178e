"""Finds recipients that would be new, from mesh.yaml and the files committed so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from meshc.errors import RefusedError
from meshc.issuing.rewrapping import sealed_body
from meshc.plan.istiod_values import mounts_kubeconfigs
from meshc.sealing.contract import SealError
from meshc.sealing.file import backend_of
from meshc.sealing.registry import BY_KIND
from meshc.sealing.sops_rules import KUBECONFIG, KUBECONFIGS, MADE, recipients_in, rules

if TYPE_CHECKING:
    from meshc.issuing.work import Work
    from meshc.kube import Body
    from meshc.plan.ir import ClusterPlan
    from meshc.plan.needs import SecretNeed

RULES = ".sops.yaml"
_RENDERED = "output"


def stop_on_new(work: Work, needs: Iterable[SecretNeed], clusters: Iterable[ClusterPlan], accepted: bool) -> None:
    """Raises RefusedError if a recipient is new for this cluster.

    Otherwise a recipient that a change of mesh.yaml adds, or another certificate of a sealed-secrets controller, would
    get the next key. The known recipients of a cluster are those of its sealed files and of output/, or else of
    .sops.yaml. For a new cluster, they are the recipients of the whole mesh. For the first files of a mesh, there is no
    check. All these files are in Git, where `meshc diff` reports a new recipient.
    """
    known: dict[str, set[str]] = {}
    sealed = False
    for need in needs:
        for path in (work.sealed(need.file), f"{_RENDERED}/{need.file}"):
            data = work.committed(path)
            sealed = sealed or data is not None
            known.setdefault(need.cluster, set()).update(_readers(sealed_body(data)))
    for name, readers in _by_rules(work).items():
        sealed = True
        if not known.get(name):
            known[name] = readers
    everyone = {one for readers in known.values() for one in readers}
    added = [
        (one, cluster.name)
        for cluster in clusters
        for one in sorted(_wanted(work, cluster) - (known.get(cluster.name) or everyone))
    ]
    if added and sealed and not accepted:
        listed = "\n".join(f"  {one[:80]} (in {cluster})" for one, cluster in added)
        raise RefusedError(f"these recipients are new for their clusters:\n{listed}", "--accept-recipients")


def update_rules(work: Work, clusters: Iterable[ClusterPlan]) -> None:
    """Updates the rules of these clusters in .sops.yaml, so that a person's sops seals as meshc does.

    `stop_on_new` has checked these clusters; the rules of other clusters stay. A .sops.yaml that meshc didn't write
    isn't changed.
    """
    existing = work.read(RULES)
    if existing is not None and not existing.startswith(MADE):
        return
    before = _by_rules(work)
    now = {cluster.name for cluster in clusters}
    wanted = {
        cluster.name: cluster.sealing.recipients if cluster.name in now else tuple(before.get(cluster.name, ()))
        for cluster in work.plan.clusters
    }
    if any(wanted.values()):
        more = {
            cluster.name: [*([KUBECONFIG] * cluster.is_external), *([KUBECONFIGS] * mounts_kubeconfigs(cluster))]
            for cluster in work.plan.clusters
        }
        readers = {name: keys for name, keys in wanted.items() if keys}
        try:
            text = rules(readers, work.plan.sealed, more)
        except SealError as error:  # mesh.yaml's recipients were checked before
            raise SealError(f"{RULES}: {error}", "restore it from Git") from None
        work.write(RULES, text)


def left_to_sops(work: Work, clusters: Iterable[ClusterPlan]) -> list[str]:
    """What you must do with sops after meshc has sealed for these clusters: meshc can use only age keys."""
    todo = [backend_of(cluster).left_to_do(cluster, work.sealed(f"{cluster.name}/*.yaml")) for cluster in clusters]
    return [one for one in todo if one]


def _by_rules(work: Work) -> Mapping[str, set[str]]:
    data = work.committed(RULES)
    return recipients_in(data) if data is not None and data.startswith(MADE) else {}


def _wanted(work: Work, cluster: ClusterPlan) -> set[str]:
    return backend_of(cluster).wanted_readers(cluster.sealing, work.sealing_certificate(cluster))


def _readers(body: Body | None) -> set[str]:
    """The recipients of a sealed object, or the certificate of its controller."""
    backend = BY_KIND.get(str(body.get("kind"))) if body else None
    return backend.readers(body) if body and backend else set()
