"""Who applies an object that meshc would apply too is told, with the section of the page on how to hand it over."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from support.dumping import adopted, istiod
from support.paths import ROOT
from support.processes import said
from support.running_meshes import SYSTEM, policy, system

pytestmark = pytest.mark.thorough

HELM = {"annotations": {"meta.helm.sh/release-name": "istiod", "meta.helm.sh/release-namespace": SYSTEM}}
OWNED: dict[str, Any] = {
    "Helm istio-system/istiod": HELM,
    "Flux HelmRelease flux/istiod": {
        **HELM,
        "labels": {"helm.toolkit.fluxcd.io/name": "istiod", "helm.toolkit.fluxcd.io/namespace": "flux"},
    },
    "Flux Kustomization flux-system/mesh": {"labels": {"kustomize.toolkit.fluxcd.io/name": "mesh"}},
    "Argo CD mesh": {"annotations": {"argocd.argoproj.io/tracking-id": "mesh:/ServiceAccount:istio-system/x"}},
    "Argo CD edge": {"labels": {"argocd.argoproj.io/instance": "edge"}},
    "IstioOperator installed-state": {
        "labels": {
            "install.operator.istio.io/owning-resource": "installed-state",
            "operator.istio.io/managed": "Reconcile",
        }
    },
    "IstioOperator of istioctl install": {
        "labels": {
            "install.operator.istio.io/owning-resource": "unknown",
            "operator.istio.io/component": "Pilot",
            "operator.istio.io/managed": "Reconcile",
            "operator.istio.io/version": "1.31.0",
        }
    },
    "Sail IstioRevision default": {
        "ownerReferences": [{"apiVersion": "sailoperator.io/v1", "kind": "IstioRevision", "name": "default"}],
        **HELM,
    },
    "Helm": {"managedFields": [{"manager": "kubectl"}, {"manager": "helm"}]},
}
NOBODYS: dict[str, Any] = {
    "rendered by helm template": {"labels": {"app.kubernetes.io/managed-by": "Helm", "release": "istiod"}},
    "of a chart without an operator": {"labels": {"install.operator.istio.io/owning-resource": "unknown"}},
    "ours already": {"labels": {"app.kubernetes.io/managed-by": "meshc", "argocd.argoproj.io/instance": "shop.hub"}},
}


@pytest.mark.parametrize("owner", OWNED)
def test_whoever_applies_an_object_is_told_with_the_way_out(tmp_path: Path, owner: str) -> None:
    mine = policy("STRICT")
    mine["metadata"] |= OWNED[owner]
    both, _ = adopted(tmp_path, istiod(), system(), mine)
    difference = said("adopt", "--from", "dumps", "--diff", cwd=tmp_path)
    page = (ROOT / "docs/hand-over.md").read_text()

    assert f"hub: {owner} applies 1 object in istio-system" in both
    assert (
        f"{owner} applies what meshc will, so hand it over:\n  hub: PeerAuthentication istio-system/default"
        in difference
    )
    assert "docs/hand-over.md" in difference
    assert any(owner.startswith(title) for title in re.findall(r"(?m)^## (.*)$", page))


@pytest.mark.parametrize("how", NOBODYS)
def test_what_nobody_goes_on_applying_is_not_told(tmp_path: Path, how: str) -> None:
    mine = policy("STRICT")
    mine["metadata"] |= NOBODYS[how]
    both, _ = adopted(tmp_path, istiod(), system(), mine)

    assert "applies" not in both
    assert "hand it over" not in said("adopt", "--from", "dumps", "--diff", cwd=tmp_path)
