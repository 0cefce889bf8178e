"""Argo CD: an Application for each cluster, and a root Application over them that a person applies once.

If commits must be signed, there is also an AppProject, which a person applies before the root.

When a cluster leaves the mesh, the next sync of the root prunes its Application, and the Application's finalizer
deletes the objects that it applied, except those with an annotation against it. The root has no finalizer, so its
deletion deletes no other object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.components.contract import OURS, thing
from meshc.delivery.contract import ENGINE, Applied, folder, folder_of, name_of, sealed_by_sops
from meshc.delivery.exclusions import LEFT_OUT, entry, patch
from meshc.kube import Version, identity_of
from meshc.output.trees import DELIVERY
from meshc.overlays.layout import Printer
from meshc.sealing.registry import BACKENDS

if TYPE_CHECKING:
    from meshc.errors import Problem
    from meshc.kube import Body
    from meshc.plan.delivered import Delivery
    from meshc.plan.ir import ClusterPlan, Plan

_HERE = {"server": "https://kubernetes.default.svc"}  # works for any name of Argo CD's own cluster
_SERVER_SIDE = Version(1, 22)  # where Kubernetes calls it stable; classic Istio also runs on what never had it
_FILLED_IN_BY_ISTIO = (
    ("MutatingWebhookConfiguration", (".webhooks[]?.clientConfig.caBundle",)),
    ("ValidatingWebhookConfiguration", (".webhooks[]?.clientConfig.caBundle", ".webhooks[]?.failurePolicy")),
)


def lay_out(plan: Plan, delivery: Delivery, applied: Applied) -> Mapping[str, bytes]:
    """The Applications, the root, and a text about the necessary change of Argo CD's settings."""
    parts = {f"clusters/{cluster.name}.yaml": _cluster(plan, delivery, cluster) for cluster in plan.clusters}
    files = folder([_root(plan, delivery)], parts)
    if delivery.signature_keys:
        files["project.yaml"] = Printer().text([_project(plan, delivery)])
    if kinds := _left_out(body for bodies in applied.values() for body in bodies):
        files["resource-exclusions.txt"] = patch(kinds, delivery.namespace)
    return files


def _project(plan: Plan, delivery: Delivery) -> Body:
    """The project whose Applications need signed commits. A person applies it, like the root, so that no commit can
    change it."""
    named = sorted({cluster.delivered_by for cluster in plan.clusters} - {""})
    spec = {
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
        "description": f"What meshc compiles for mesh {plan.mesh}; commits must be signed",
        "destinations": [{**_HERE, "namespace": "*"}, *({"name": name, "namespace": "*"} for name in named)],
        "signatureKeys": [{"keyID": key} for key in delivery.signature_keys],
        "sourceRepos": [delivery.repo_url],
    }
    name = delivery.project or ""
    return thing("argoproj.io/v1alpha1", "AppProject", name, delivery.namespace, labels=OURS, spec=spec)


def _root(plan: Plan, delivery: Delivery) -> Body:
    path = folder_of(delivery, DELIVERY, delivery.engine)
    return _application(
        delivery,
        plan.mesh,
        path,
        {**_HERE, "namespace": delivery.namespace},
        {},
        syncPolicy={"automated": {"prune": True, "selfHeal": True}},
    )


def _cluster(plan: Plan, delivery: Delivery, cluster: ClusterPlan) -> Body:
    # a CRD that comes later, such as that of SealedSecret, holds up its own objects only
    options = ["PruneLast=true", "RespectIgnoreDifferences=true", "SkipDryRunOnMissingResource=true"]
    if cluster.kubernetes >= _SERVER_SIDE:
        options.append("ServerSideApply=true")
    return _application(
        delivery,
        name_of(plan, cluster.name),
        folder_of(delivery, cluster.name),
        {"name": cluster.delivered_by} if cluster.delivered_by else _HERE,
        {
            "annotations": {"argocd.argoproj.io/sync-wave": _wave(cluster)},
            "finalizers": ["resources-finalizer.argocd.argoproj.io"],
        },
        syncPolicy={
            "automated": {"prune": True, "selfHeal": True},
            "retry": {"backoff": {"duration": "30s", "factor": 2, "maxDuration": "10m"}, "limit": 5},
            "syncOptions": options,
        },
        ignoreDifferences=[
            {"group": "admissionregistration.k8s.io", "jqPathExpressions": list(paths), "kind": kind}
            for kind, paths in _FILLED_IN_BY_ISTIO
        ],
    )


def _wave(cluster: ClusterPlan) -> str:
    """The sync wave: control planes come before their remotes, and a config cluster before the external istiod that
    reads it."""
    if cluster.attachment is None:
        return "1" if cluster.is_external else "0"
    if cluster.config_cluster is None:
        return "1"
    return "0" if cluster.holds_config else "2"


def _application(
    delivery: Delivery,
    name: str,
    path: str,
    destination: Mapping[str, str],
    metadata: Mapping[str, Any],
    **spec: Any,
) -> Body:
    source = {"path": path, "repoURL": delivery.repo_url, "targetRevision": delivery.revision}
    spec |= {"destination": dict(destination), "project": delivery.project, "source": source}
    body = thing("argoproj.io/v1alpha1", "Application", name, delivery.namespace, labels=OURS, spec=spec)
    return {**body, "metadata": {**body["metadata"], **metadata}}


def check(plan: Plan, delivery: Delivery, applied: Applied) -> Iterable[Problem]:
    """Reports secrets that Argo CD can't open, and objects that it leaves out."""
    kinds = _left_out(body for bodies in applied.values() for body in bodies)
    yield from _sops_to_come(plan, delivery, applied)
    for cluster in plan.clusters:
        bodies = applied[cluster.name]
        if sealed_by_sops(bodies):
            what = f"{cluster.name}: Argo CD can't open secrets that are sealed by sops, so they would never sync"
            hint = "seal as SealedSecret or ExternalSecret, deliver with Flux, or acknowledge it if a plugin opens them"
            yield codes.SOPS_UNDER_ARGO_CD.at(delivery.place, what, hint, path=ENGINE, clusters=(cluster.name,))
        if lost := [body for body in bodies if _left_out([body])]:
            names = ", ".join(str(identity_of(body)) for body in lost)
            what = f"{cluster.name}: Argo CD leaves out {names} unless resource.exclusions of argocd-cm is changed"
            yield codes.ENDPOINTS_LEFT_OUT.at(
                delivery.place, what, _change(kinds), path=ENGINE, clusters=(cluster.name,)
            )


def _change(kinds: tuple[str, ...]) -> str:
    now, then = entry(()), entry(kinds)
    change = f"replace {now} there by {then}" if then else f"remove {now} from it"
    return f"{change} (the whole text: output/{DELIVERY}/argo-cd/resource-exclusions.txt), then acknowledge this"


def _left_out(bodies: Iterable[Body]) -> tuple[str, ...]:
    """The given kinds that Argo CD doesn't apply by default."""
    found = {identity_of(body).kind for body in bodies if identity_of(body).group in ("", "discovery.k8s.io")}
    return tuple(kind for kind in LEFT_OUT if kind in found)


def _sops_to_come(plan: Plan, delivery: Delivery, applied: Applied) -> Iterable[Problem]:
    """Reports clusters whose secrets the commands would seal with sops, before the first secret is sealed."""
    if any(sealed_by_sops(bodies) for bodies in applied.values()):
        return  # reported for each, or acknowledged
    opened = {backend.KIND for backend in BACKENDS.values() if backend.OPERATOR}
    names = [
        cluster.name
        for cluster in plan.clusters
        if not BACKENDS[cluster.sealing.backend].OPERATOR
        and (cluster.cacerts == "required" or cluster.watched)
        and not any(body.get("kind") in opened for body in applied[cluster.name])
    ]
    if names:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        what = f"secrets of {', '.join(names[:_NAMED])}{more} will be sealed by sops, which Argo CD can't open"
        hint = (
            "before anything is sealed, write security.secrets.backend: sealed-secrets or external-secrets, or engine: "
            "flux; acknowledge it if a plugin opens them"
        )
        yield codes.SOPS_TO_COME.at(delivery.place, what, hint, path=ENGINE, clusters=names)


_NAMED = 5
