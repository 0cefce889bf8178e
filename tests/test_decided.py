"""Helm values that mesh.yaml decides: the table in plan/decided.py, its document, and Istio's own charts.

Each value that a chart declares is set to another one. Either a compile refuses it, or nothing changes in what the
chart makes that objects of meshc's refer to. That needs the charts of MESHC_CHARTS and takes minutes for each.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshc.checks.plan.consequences import consequences
from meshc.checks.plan.contradictions import contradictions
from meshc.errors import ProblemsError
from meshc.mesh.source import load
from meshc.pipeline import fleet_of, plan_mesh
from meshc.plan.decided import RULES
from meshc.plan.fixed_settings import FIXED_SETTINGS
from meshc.plan.ir import ClusterPlan, Plan
from meshc.plan.values import charts_in, values_of
from support.charts import CLASSIC, FOLDER, ISTIOD, PLACES, kubernetes_for, need_charts
from support.paths import ROOT
from support.tools import find_tool, in_full, need_time

pytestmark = pytest.mark.thorough

MESH = """
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {name: shop}
spec:
  istio: {version: VERSION, values: {}}
  security: {mutualTLS: strict, ca: {type: self-signed}}
  networks: [{name: east, gateway: {address: 203.0.113.7}}, {name: west, gateway: {address: 203.0.113.8}}]
  clusters:
    - name: hub
      role: primary
      network: east
      kubernetesVersion: "1.34"
      podCIDRs: [10.1.0.0/16]
      controlPlane: {exposure: gateway, addresses: {istiod: 203.0.113.7}}
    - {name: edge, role: remote, network: west, kubernetesVersion: "1.34", podCIDRs: [10.2.0.0/16]}
"""
CLASSIC_MESH = """
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {name: shop}
spec:
  istio: {version: VERSION, values: {}}
  security: {mutualTLS: strict, ca: {type: plugged-in}}
  clusters:
    - name: hub
      role: primary
      kubernetesVersion: "1.13"
      podCIDRs: [10.1.0.0/16]
      controlPlane:
        exposure: load-balancer
        addresses: {pilot: 203.0.113.7, policy: 203.0.113.8, telemetry: 203.0.113.9}
    - {name: edge, role: remote, kubernetesVersion: "1.13", podCIDRs: [10.2.0.0/16]}
"""
NAMED = {*FIXED_SETTINGS, "JWT_POLICY"}
HARMLESS = {
    "global.defaultPodDisruptionBudget.enabled": "how many istiods may be away",
    "autoscaleEnabled": "how many istiods there are",
    "autoscaleMin": "how many istiods there are",
    "base.validationCABundle": "istiod fills it in itself",
    "experimental.stableValidationPolicy": "a policy of its own about what users write",
    "extraContainerArgs": "other options than those in the table",
    "global.configValidation": "whether istiod checks what users write",
    "global.logAsJson": "logs",
    "global.logging.level": "logs",
    "global.multiCluster.enabled": "nothing reads it",
    "global.networkPolicy.enabled": "it allows the ports of istiod",
    "istiodRemote.injectionCABundle": "the user's certificate before an injectionURL",
    "jwksResolverExtraRootCA": "roots for key sets of tokens",
    "keepaliveMaxServerConnectionAge": "how long a connection lasts",
    "ownerName": "a label that only the operator reads",
    "revisionTags": "further webhooks for other labels",
    "taint.namespace": "where a taint is taken away",
    "trustedZtunnelName": "which ztunnel may ask, where another one is installed",
    "trustedZtunnelNamespace": "which ztunnel may ask, where another one is installed",
    "certmanager.enabled": "an add-on of classic Istio",
    "galley.enabled": "whether classic Istio checks what users write",
    "gateways.enabled": "gateways for users' traffic",
    "gateways.istio-egressgateway.enabled": "gateways for users' traffic",
    "gateways.istio-egressgateway.labels.app": "gateways for users' traffic",
    "gateways.istio-egressgateway.labels.istio": "gateways for users' traffic",
    "gateways.istio-egressgateway.type": "gateways for users' traffic",
    "gateways.istio-ilbgateway.enabled": "gateways for users' traffic",
    "gateways.istio-ingressgateway.enabled": "gateways for users' traffic",
    "gateways.istio-ingressgateway.labels.app": "gateways for users' traffic",
    "gateways.istio-ingressgateway.labels.istio": "gateways for users' traffic",
    "gateways.istio-ingressgateway.type": "gateways for users' traffic",
    "global.meshExpansion": "routes for virtual machines beside those of remotes",
    "global.meshExpansionILB": "routes for virtual machines beside those of remotes",
    "global.proxy.envoyStatsd.enabled": "the chart then prints settings that are no YAML, unless it has an address",
    "grafana.enabled": "an add-on of classic Istio",
    "ingress.enabled": "gateways for users' traffic",
    "kiali.enabled": "an add-on of classic Istio",
    "mixer.istio-policy.autoscaleEnabled": "how many programs there are",
    "mixer.istio-telemetry.autoscaleEnabled": "how many programs there are",
    "pilot.sidecar": "Pilot then serves the same port itself",
    "prometheus.enabled": "an add-on of classic Istio",
    "prometheus.service.nodePort.enabled": "an add-on of classic Istio",
    "servicegraph.enabled": "an add-on of classic Istio",
    "telemetry-gateway.grafanaEnabled": "an add-on of classic Istio",
    "telemetry-gateway.prometheusEnabled": "an add-on of classic Istio",
}


def test_the_document_has_every_value_of_the_table() -> None:
    text = (ROOT / "docs/charts.md").read_text()

    assert [".".join(rule.path) for rule in RULES if f"| `{'.'.join(rule.path)}` |" not in text] == []


ODD: tuple[Any, ...] = (None, True, -1, "", "x" * 5000, [], [{"name": {"a": 1}}], [5], {"a": {"b": [1]}})


def test_values_of_any_type_are_told_or_harmless() -> None:
    for rule in RULES:
        for end in range(1, len(rule.path) + 1):
            for odd in ODD if in_full() else ODD[::3]:
                told_of("1.29.6", nested(rule.path[:end], odd))
    for odd in ODD:
        told_of("1.29.6", {"meshConfig": {"discoverySelectors": odd}, "sidecarInjectorWebhook": odd})


CHARTS = [(version, chart) for version in ISTIOD for chart in ("base", "istiod")]
CHARTS += [(version, chart) for version in CLASSIC for chart in ("istio", "istio-remote")]


@pytest.mark.skipif(not CHARTS, reason="MESHC_CHARTS names no charts")
@pytest.mark.parametrize(("version", "chart"), CHARTS)
def test_a_value_is_in_the_table_or_changes_nothing_that_is_referred_to(version: str, chart: str) -> None:
    need_time("a chart rendered for each of its values")
    need_charts(version, chart)
    _, told = planned(version, {})
    assert told == 0
    right = {cluster.name: facts(rendered(version, chart, values)) for cluster, values in each(version, chart, {})}
    wrong = []
    for path, value in declared(version, chart):
        given = nested(path, value)
        if told_of(version, given) == 0:
            made = ((cluster, rendered(version, chart, values)) for cluster, values in each(version, chart, given))
            if any(objects is not None and facts(objects) != right[cluster.name] for cluster, objects in made):
                wrong.append(".".join(path))

    assert set(wrong) - HARMLESS.keys() == set()


def planned(version: str, values: Mapping[str, Any]) -> tuple[Plan, int]:
    """The plan, and how many problems these values are."""
    mesh = yaml.safe_load((CLASSIC_MESH if version in CLASSIC else MESH).replace("VERSION", version))
    mesh["spec"]["istio"]["values"] = values
    source = load(yaml.safe_dump(mesh).encode(), "mesh.yaml")
    plan, fleet = plan_mesh(source), fleet_of(source)
    return plan, len([*contradictions(plan, fleet, source), *consequences(plan, fleet, source)])


def told_of(version: str, values: Mapping[str, Any]) -> int:
    try:
        return planned(version, values)[1]
    except ProblemsError as error:  # a key that YAML reads as true or false
        return len(error.problems)


def each(version: str, chart: str, values: Mapping[str, Any]) -> Iterator[tuple[ClusterPlan, Mapping[str, Any]]]:
    plan, _ = planned(version, values)
    for cluster in plan.clusters:
        if chart in {one for one, *_ in charts_in(plan, cluster)}:
            yield cluster, values_of(plan, cluster, chart, "x", {})


def declared(version: str, chart: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each value that the chart declares, and another one of its kind."""
    values = yaml.safe_load((Path(FOLDER) / version / PLACES[chart] / "values.yaml").read_text())
    for key in ("_internal_defaults_do_not_set", "defaults"):
        values = values.get(key) or values
    yield from ((path, other) for path, value in leaves(values) for other in others(value))


def leaves(values: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not isinstance(values, dict) or not values:
        yield path, values
        return
    for key, value in values.items():
        yield from leaves(value, (*path, str(key)))


def others(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int | float):
        return [value + 1]
    if isinstance(value, list):
        return [["x"]]
    return [{"x": "y"}] if isinstance(value, dict) else ["other"] if value else ["other", True]


def nested(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    for step in reversed(path):
        value = {step: value}
    return dict(value)


def rendered(version: str, chart: str, values: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """What helm makes of it; None where the chart refuses the value."""
    folder = Path(FOLDER) / version / PLACES[chart]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(dict(values), file)
        file.flush()
        argv = [find_tool("helm"), "template", "x", str(folder), "-n", "istio-system", "-f", file.name]
        done = subprocess.run(
            [*argv, "--kube-version", kubernetes_for(version)], capture_output=True, text=True, check=False
        )
    try:
        return [one for one in yaml.load_all(done.stdout, yaml.CSafeLoader) if one] if not done.returncode else None
    except yaml.YAMLError:
        return None


def facts(objects: list[dict[str, Any]] | None) -> dict[str, Any]:
    """What objects of meshc's, and clusters beside this one, refer to."""
    found: dict[str, Any] = {}
    for one in objects or ():
        kind, metadata = one["kind"], one["metadata"]
        about = found[f"{kind} {metadata.get('namespace')}/{metadata['name']}"] = {}
        if kind == "Service":
            about.update({key: one["spec"].get(key) for key in ("ports", "selector", "type", "clusterIP")})
        about.update({key: one[key] for key in ("subjects",) if key in one})
        about.update({key: [facts_of_webhook(each) for each in one[key]] for key in ("webhooks",) if key in one})
        about.update(facts_of_deployment(one) if kind == "Deployment" else {})
        about.update(facts_of_settings(one["data"]) if kind == "ConfigMap" and one.get("data") else {})
    return found


def facts_of_webhook(webhook: Mapping[str, Any]) -> list[Any]:
    return [webhook.get(key) for key in ("name", "clientConfig", "namespaceSelector", "objectSelector")]


def facts_of_deployment(body: Mapping[str, Any]) -> dict[str, Any]:
    pod = body["spec"]["template"]["spec"]
    container = pod["containers"][0]
    settings = [one for one in container.get("env", []) if isinstance(one, dict) and one.get("name") in NAMED]
    volumes = [one for one in pod.get("volumes", []) if "secret" in one]
    return {
        "env": settings,
        "args": container.get("args"),
        "account": pod.get("serviceAccountName"),
        "volumes": volumes,
    }


def settings_in(text: str) -> dict[str, Any]:
    """A ConfigMap's mesh; the text itself where a chart prints what is no YAML."""
    try:
        return yaml.safe_load(text) or {}
    except yaml.YAMLError:
        return {"mixerCheckServer": text}


def facts_of_settings(data: Mapping[str, str]) -> dict[str, Any]:
    mesh = settings_in(data.get("mesh", ""))
    proxies = mesh.get("defaultConfig") or {}
    injected = json.loads(data["values"]).get("global", {}) if "config" in data and "values" in data else {}
    template = str(data.get("config")).splitlines()
    of_mesh = (
        "authPolicy",
        "mixerCheckServer",
        "mixerReportServer",
        "trustDomain",
        "rootNamespace",
        "enableAutoMtls",
        "ca",
        "discoverySelectors",
    )
    of_proxies = ("controlPlaneAuthPolicy", "discoveryAddress", "meshId", "proxyMetadata")
    of_injector = (
        "multiCluster",
        "network",
        "meshID",
        "istioNamespace",
        "pilotCertProvider",
        "caAddress",
        "trustDomain",
    )
    return {
        **{key: mesh.get(key) for key in of_mesh},
        **{key: proxies.get(key) for key in of_proxies},
        **{f"injected {key}": injected.get(key) for key in of_injector},
        "addresses": [line.strip() for line in template if "--discoveryAddress" in line or "controlPlaneAuth" in line],
        "networks": data.get("meshNetworks"),
        "domain": (injected.get("proxy") or {}).get("clusterDomain"),
    }
