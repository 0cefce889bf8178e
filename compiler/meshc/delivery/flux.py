"""Flux: a Kustomization for each cluster, and a root Kustomization over them that a person applies once.

A cluster with Istio's configuration or gateways has a second Kustomization for these objects, which waits for istiod:
without Istio's CRDs, Flux could apply nothing of the Kustomization, and a gateway's pods need the webhook when they are
created. Both build the same folder, and each drops the objects of the other.

In mode hub, one Flux applies to every cluster and there is one root; in mode each, every cluster has its own Flux, and
its own folder with a root. If a root is deleted, the objects stay; if a cluster's Kustomization is deleted, Flux
deletes the objects that it applied.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from meshc import codes
from meshc.components.contract import OURS, thing
from meshc.delivery.contract import ENGINE, LONGEST, Applied, folder, folder_of, name_of, sealed_by_sops
from meshc.delivery.stages import LATER, STAGE, is_later
from meshc.kube import SUBDOMAIN, Version
from meshc.output.trees import DELIVERY

if TYPE_CHECKING:
    from meshc.errors import Problem
    from meshc.kube import Body
    from meshc.plan.delivered import Delivery, FluxPlan
    from meshc.plan.ir import ClusterPlan, Plan

_UNKNOWN = Version(0, 0)  # a missing version is reported elsewhere
_SERVER_SIDE = Version(1, 16)  # the first that has server-side apply without being asked


def lay_out(plan: Plan, delivery: Delivery, applied: Applied) -> Mapping[str, bytes]:
    """One folder in mode hub, else one folder for each cluster."""
    clusters = {cluster.name: dict(_cluster(plan, delivery, cluster, applied)) for cluster in plan.clusters}
    if _flux(delivery).mode == "hub":
        parts = {f"clusters/{name}{part}.yaml": body for name, both in clusters.items() for part, body in both.items()}
        return folder(_root(plan, delivery), parts)
    return {
        f"{name}/{path}": data
        for name, both in clusters.items()
        for path, data in folder(
            _root(plan, delivery, name), {f"cluster{part}.yaml": body for part, body in both.items()}
        ).items()
    }


def _root(plan: Plan, delivery: Delivery, *folders: str) -> Iterator[Body]:
    """The source, unless it exists already, and the Kustomization over the folder."""
    flux = _flux(delivery)
    if delivery.repo_url:
        spec: dict[str, Any] = {"interval": flux.interval, "ref": _ref(delivery.revision), "url": delivery.repo_url}
        if flux.source_secret:
            spec["secretRef"] = {"name": flux.source_secret}
        if flux.verify_secret:
            spec["verify"] = {"mode": "HEAD", "secretRef": {"name": flux.verify_secret}}
        yield thing(
            "source.toolkit.fluxcd.io/v1", "GitRepository", flux.source, delivery.namespace, labels=OURS, spec=spec
        )
    path = folder_of(delivery, DELIVERY, delivery.engine, *folders)
    yield _kustomization(delivery, plan.mesh, path, deletionPolicy="Orphan")


def _ref(revision: str) -> Mapping[str, str]:
    if re.fullmatch(r"[0-9a-f]{40}", revision):
        return {"commit": revision}
    return {"name" if revision.startswith("refs/") else "branch": revision}


def _cluster(plan: Plan, delivery: Delivery, cluster: ClusterPlan, applied: Applied) -> Iterator[tuple[str, Body]]:
    """The Kustomization of a cluster and, if objects come later, the second one; each with the suffix of its name."""
    flux = _flux(delivery)
    name, path = name_of(plan, cluster.name), folder_of(delivery, cluster.name)
    more: dict[str, Any] = {"timeout": "5m", "wait": True}  # without wait, dependsOn would mean applied, not healthy
    if cluster.delivered_by:
        more["kubeConfig"] = {"secretRef": {"name": cluster.delivered_by}}
    first = dict(more)
    if flux.mode == "hub" and (before := _before(cluster)):
        first["dependsOn"] = [{"name": name_of(plan, before)}]
    if sealed_by_sops(applied[cluster.name]):
        first["decryption"] = {"provider": "sops", "secretRef": {"name": _filled(flux.decryption_secret, cluster)}}
    comes_later = any(is_later(body) for body in applied[cluster.name])
    if comes_later:
        first["patches"] = [_drop(STAGE)]
    yield "", _kustomization(delivery, name, path, **first)
    if comes_later:
        after = [{"name": name}]
        if flux.mode == "hub" and cluster.attachment and cluster.config_cluster == cluster.name:
            after.append({"name": name_of(plan, cluster.attachment.primary)})  # the istiod that checks configuration
        more |= {"dependsOn": after, "patches": [_drop(f"!{STAGE}")]}
        yield LATER, _kustomization(delivery, name + LATER, path, **more)


def _drop(selector: str) -> Mapping[str, Any]:
    """A patch that removes objects with an annotation. Its own kind and name match any object."""
    every = "$patch: delete\napiVersion: v1\nkind: Every\nmetadata:\n  name: every\n"
    return {"patch": every, "target": {"annotationSelector": selector}}


def _before(cluster: ClusterPlan) -> str | None:
    """The cluster that Flux must apply first: for a remote its control plane, for an external control plane its config
    cluster."""
    if cluster.config_cluster == cluster.name:
        return None
    return cluster.attachment.primary if cluster.attachment else cluster.config_cluster


def _kustomization(delivery: Delivery, name: str, path: str, **more: Any) -> Body:
    flux = _flux(delivery)
    spec = {
        "interval": flux.interval,
        "path": f"./{path}",
        "prune": True,
        "retryInterval": "2m",
        "sourceRef": {"kind": "GitRepository", "name": flux.source},
        **more,
    }
    return thing("kustomize.toolkit.fluxcd.io/v1", "Kustomization", name, delivery.namespace, labels=OURS, spec=spec)


def check(plan: Plan, delivery: Delivery, applied: Applied) -> Iterable[Problem]:
    """Reports invalid names of Secrets, and clusters that are too old for Flux."""
    flux = _flux(delivery)
    for cluster in plan.clusters:
        name = name_of(plan, cluster.name) + LATER
        if len(name.removesuffix(LATER)) <= LONGEST < len(name) and any(map(is_later, applied[cluster.name])):
            what = (
                f'{cluster.name}: the name "{name}" is {len(name)} characters long, but labels can have only {LONGEST}'
            )
            hint = "shorten the name of the cluster or of the mesh"
            yield codes.ENGINE_NAME.at(cluster.place, what, hint, clusters=(cluster.name,))
        secrets = (
            (cluster.delivered_by, flux.kube_config_secret),
            (_filled(flux.decryption_secret, cluster), flux.decryption_secret),
        )
        for name, pattern in secrets:
            if name and not SUBDOMAIN.fullmatch(name):
                what = f'{cluster.name}: "{name}" isn\'t a valid name of a Secret'
                hint = f'change the pattern "{pattern}" under delivery.flux: DNS-1123 labels, joined by dots'
                yield codes.ENGINE_NAME.at(delivery.place, what, hint, path=ENGINE, clusters=(cluster.name,))
        if _UNKNOWN < cluster.kubernetes < _SERVER_SIDE:
            version = f"{cluster.kubernetes.major}.{cluster.kubernetes.minor}"
            what = f"{cluster.name}: Flux needs server-side apply, which Kubernetes {version} doesn't have"
            hint = "write engine: argo-cd, or upgrade the cluster to 1.16 or later"
            yield codes.TOO_OLD_FOR_FLUX.at(delivery.place, what, hint, path=ENGINE, clusters=(cluster.name,))


def _filled(pattern: str, cluster: ClusterPlan) -> str:
    return pattern.replace("{cluster}", cluster.name)


def _flux(delivery: Delivery) -> FluxPlan:
    assert delivery.flux is not None, "the plan settles it where Flux is the engine"  # noqa: S101
    return delivery.flux
