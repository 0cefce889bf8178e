"""What breaks a mesh once it is applied is told at its line, and what lies close by and breaks nothing is silent.

Every patch is that of a cluster of its own, so that one compile tells of all.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import meshc
from meshc.checks.applied.check import AppliedChecks
from meshc.checks.applied.view import Touched, View
from meshc.errors import Place, Problem, ProblemsError
from meshc.kube import identity_of
from support.tools import find_tool

pytestmark = pytest.mark.thorough

THEIRS = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1}}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: "example.com/web:1"
        env: [{name: MODE, value: fast}]
        ports: [{name: http, containerPort: 80}]
        resources: {limits: {cpu: 500m, memory: 128Mi}, requests: {cpu: 100m}}
        readinessProbe: {httpGet: {path: /, port: 80}}
        volumeMounts: [{name: data, mountPath: /data}]
      volumes: [{name: data, emptyDir: {}}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080, protocol: TCP}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {colour: green}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: shop}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, minReplicas: 2, maxReplicas: 4}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web, namespace: shop}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: web}
webhooks:
- name: web.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  clientConfig: {service: {name: web, namespace: shop}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db, namespace: shop, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
endpoints: [{addresses: [192.0.2.7]}]
ports: [{name: tcp, port: 5432}]
"""


def merge(kind: str, name: str, api: str = "apps/v1", namespace: str | None = "shop", **more: Any) -> str:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **more.pop("metadata", {})}
    return json.dumps({"apiVersion": api, "kind": kind, "metadata": metadata, **more})


def web(**container: Any) -> str:
    return pod(containers=[{"name": "web", **container}])


def pod(**spec: Any) -> str:
    return merge("Deployment", "web", spec={"template": {"spec": spec}})


def service(**spec: Any) -> str:
    return merge("Service", "web", "v1", spec=spec)


def copy(metadata: Any = None, **spec: Any) -> str:
    more: dict[str, Any] = {"metadata": metadata or {}, **({"spec": spec} if spec else {})}
    return merge("Service", "catalog", "v1", "shop", **more)


def space(name: str, **metadata: Any) -> str:
    return merge("Namespace", name, "v1", None, metadata=metadata)


ARGO, FLUX = "argocd.argoproj.io/sync-options", "kustomize.toolkit.fluxcd.io/prune"
NETWORK, CONTROL = "topology.istio.io/network", "topology.istio.io/controlPlaneClusters"

BREAK: dict[str, tuple[str, str]] = {
    "a container of a misspelt name": (pod(containers=[{"name": "wbe", "env": []}]), "without an image"),
    "a variable by both": (
        web(env=[{"name": "MODE", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]),
        "both value and valueFrom",
    ),
    "a variable that is a number": (web(env=[{"name": "N", "value": 1}]), "isn't text"),
    "a probe by two": (
        web(readinessProbe={"tcpSocket": {"port": 80}}),
        "readinessProbe with both httpGet and tcpSocket",
    ),
    "a request above its limit": (web(resources={"requests": {"cpu": "2"}}), "request for cpu"),
    "a quantity that is none": (web(resources={"limits": {"memory": "128MB"}}), "invalid quantity"),
    "a mount of nothing": (web(volumeMounts=[{"name": "date", "mountPath": "/x"}]), 'volume "date"'),
    "a volume of two kinds": (
        pod(volumes=[{"name": "data", "configMap": {"name": "settings"}}]),
        "several sources: configMap and empty",
    ),
    "another restart policy": (pod(restartPolicy="Never"), "restartPolicy Never"),
    "recreation beside rolling": (merge("Deployment", "web", spec={"strategy": {"type": "Recreate"}}), "rollingUpdate"),
    "another label of pods": (
        merge("Deployment", "web", spec={"template": {"metadata": {"labels": {"app": "web2"}}}}),
        "pod template doesn't have",
    ),
    "replicas in quotes": (merge("Deployment", "web", spec={"replicas": "3"}), "aren't a number"),
    "a long label": (merge("Deployment", "web", metadata={"labels": {"a": "x" * 64}}), "with an invalid value"),
    "a label of words": (
        merge("Deployment", "web", metadata={"labels": {"owner": "team shop"}}),
        "with an invalid value",
    ),
    "a key with two slashes": (
        merge("Deployment", "web", metadata={"annotations": {"a/b/c": "d"}}),
        "has the invalid key",
    ),
    "two ports of one name": (service(ports=[{"name": "http", "port": 81, "protocol": "TCP"}]), "two ports named"),
    "a port without a name": (service(ports=[{"port": 81, "protocol": "TCP"}]), "no name"),
    "an application protocol": (
        service(ports=[{"name": "grpc", "port": 81, "protocol": "GRPC"}]),
        'protocol "GRPC"',
    ),
    "a target with capitals": (
        service(ports=[{"name": "http", "port": 80, "protocol": "TCP", "targetPort": "HTTP"}]),
        "targetPort",
    ),
    "a node port of no node": (
        service(ports=[{"name": "http", "port": 80, "protocol": "TCP", "nodePort": 30080}]),
        "nodePort",
    ),
    "an ExternalName of none": (service(type="ExternalName"), "without externalName"),
    "a type of none": (service(type="Loadbalancer"), 'type "Loadbalancer"'),
    "headless and outside": (service(type="LoadBalancer", clusterIP="None"), "headless but has type"),
    "a number in a ConfigMap": (merge("ConfigMap", "settings", "v1", data={"n": 1}), "isn't text"),
    "a key of a ConfigMap": (merge("ConfigMap", "settings", "v1", data={"a b": "c"}), 'the invalid key "a b"'),
    "scaling upside down": (
        merge("HorizontalPodAutoscaler", "web", "autoscaling/v2", spec={"minReplicas": 6}),
        "above maxReplicas",
    ),
    "a budget of both": (
        merge("PodDisruptionBudget", "web", "policy/v1", spec={"maxUnavailable": 1}),
        "both minAvailable and maxUnavailable",
    ),
    "a webhook of both": (
        merge(
            "ValidatingWebhookConfiguration",
            "web",
            "admissionregistration.k8s.io/v1",
            None,
            webhooks=[{"name": "web.example.com", "clientConfig": {"url": "https://192.0.2.1/v"}}],
        ),
        "with both url and service",
    ),
    "a slice of another family": (
        merge("EndpointSlice", "db", "discovery.k8s.io/v1", endpoints=[{"addresses": ["2001:db8::1"]}]),
        "but addressType IPv4",
    ),
    "a slice of the loopback": (
        merge("EndpointSlice", "db", "discovery.k8s.io/v1", endpoints=[{"addresses": ["127.0.0.1"]}]),
        "invalid for an endpoint",
    ),
    "a copy with a selector": (copy(selector={"app": "catalog"}), "has a selector"),
    "a copy outside": (copy(type="LoadBalancer"), "type LoadBalancer instead of ClusterIP"),
    "a headless copy": (copy(clusterIP="None"), "headless only in this cluster"),
    "a copy with another port": (copy(ports=[{"name": "admin", "port": 81, "protocol": "TCP"}]), "81/TCP"),
    "a copy with a port less": (copy(ports=[{"port": 8080, "protocol": "TCP", "$patch": "delete"}]), "has no ports"),
    "a copy that is gone": (merge("Service", "catalog", "v1", **{"$patch": "delete"}), "is removed by a patch"),
    "another network": (space("istio-system", labels={NETWORK: "lab"}), 'instead of "corp"'),
    "no network": (space("istio-system", labels={NETWORK: None}), f"loses label {NETWORK}"),
    "no control plane": (space("istio-system", annotations={CONTROL: None}), f"loses annotation {CONTROL}"),
    "no protection under Flux": (space("shop", annotations={FLUX: "enabled"}), "may be pruned"),
    "no protection under Argo CD": (space("shop", annotations={ARGO: "Prune=true"}), "may be pruned"),
    "no injection": (space("shop", labels={"istio-injection": "disabled"}), "no label that puts"),
    "both labels of injection": (space("shop", labels={"istio.io/rev": "a"}), "both istio-injection and"),
    "every label replaced": (space("shop", labels={"$patch": "replace", "team": "a"}), "no label that puts"),
}
"""What a patch says, and a word of what is told."""

FINE: dict[str, str] = {
    "a container more": pod(containers=[{"name": "log", "image": "example.com/log:1"}]),
    "a variable by another way": web(
        env=[{"name": "MODE", "value": None, "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]
    ),
    "a variable more": web(env=[{"name": "N", "value": "1"}]),
    "a probe by another": web(readinessProbe={"httpGet": None, "tcpSocket": {"port": 80}}),
    "a request at its limit": web(resources={"requests": {"cpu": "0.5", "memory": "134217728"}}),
    "a quantity in other words": web(resources={"limits": {"memory": "1e9", "cpu": 1}}),
    "a mount of a new volume": pod(
        containers=[{"name": "web", "volumeMounts": [{"name": "new", "mountPath": "/new"}]}],
        volumes=[{"name": "new", "emptyDir": {}}],
    ),
    "another kind of volume": pod(volumes=[{"name": "data", "emptyDir": None, "configMap": {"name": "settings"}}]),
    "recreation alone": merge("Deployment", "web", spec={"strategy": {"type": "Recreate", "rollingUpdate": None}}),
    "a label more of pods": merge("Deployment", "web", spec={"template": {"metadata": {"labels": {"v": "1"}}}}),
    "a label of 63 characters": merge("Deployment", "web", metadata={"labels": {"a": "x" * 63}}),
    "words in an annotation": merge("Deployment", "web", metadata={"annotations": {"example.com/owner": "team shop"}}),
    "a port more": service(ports=[{"name": "admin", "port": 81, "protocol": "TCP"}]),
    "an application protocol": service(ports=[{"name": "http", "port": 80, "protocol": "TCP", "appProtocol": "http"}]),
    "a target by name": service(ports=[{"name": "http", "port": 80, "protocol": "TCP", "targetPort": "http-web"}]),
    "a node port": service(type="NodePort", ports=[{"name": "http", "port": 80, "protocol": "TCP", "nodePort": 30080}]),
    "an ExternalName": service(type="ExternalName", externalName="example.com"),
    "headless": service(clusterIP="None"),
    "text in a ConfigMap": merge("ConfigMap", "settings", "v1", data={"n": "1", "a.b_c-d": ""}),
    "scaling to one size": merge("HorizontalPodAutoscaler", "web", "autoscaling/v2", spec={"minReplicas": 4}),
    "a budget of the other": merge(
        "PodDisruptionBudget", "web", "policy/v1", spec={"minAvailable": None, "maxUnavailable": 1}
    ),
    "another address in a slice": merge(
        "EndpointSlice", "db", "discovery.k8s.io/v1", endpoints=[{"addresses": ["192.0.2.8"]}]
    ),
    "a copy with affinity": copy(sessionAffinity="ClientIP"),
    "a copy with a label": copy({"labels": {"team": "shop"}, "annotations": {"a": "b"}}),
    "a copy near its callers": copy(trafficDistribution="PreferClose"),
    "a team of a Namespace": space("istio-system", labels={"team": "a"}, annotations={"b": "c"}),
    "more options of Argo CD": space("shop", annotations={ARGO: "Prune=false, Delete=false,ServerSideApply=true"}),
    "another revision": space("shop", labels={"istio-injection": None, "istio.io/rev": "canary"}),
    "ambient in place of sidecars": space(
        "shop", labels={"istio-injection": None, "istio.io/dataplane-mode": "ambient"}
    ),
}


def compiled(folder: Path, patches: list[str], resources: list[str]) -> dict[str, list[Problem]]:
    """What is told of each cluster, whose resources and patches these are."""
    find_tool("kubectl")
    (folder / ".git").mkdir()
    clusters = ""
    for number, (patch, resource) in enumerate(zip(patches, resources, strict=True)):
        (folder / f"r{number}.yaml").write_text(resource)
        more: dict[str, Any] = {"resources": [f"r{number}.yaml"]}
        if patch:
            more["patches"] = [{"patch": patch}]
        words = {"name": f"c-{number}", "role": "remote", "apiServer": f"https://c-{number}.example.com:6443", **more}
        clusters += f"    - {json.dumps(words)}\n"
    (folder / "mesh.yaml").write_text(
        "apiVersion: meshc/v1alpha1\nkind: Mesh\nmetadata: {name: small}\nspec:\n  istio: {version: 1.30.3}\n"
        "  security: {ca: {type: self-signed}}\n  networks: [{name: corp}]\n"
        '  overrides: [{clusters: all, set: {kubernetesVersion: "1.34"}}]\n'
        "  namespaces: [{name: shop}]\n"
        "  services: [{name: catalog, namespace: shop, clusters: [hub], ports: [{name: http, port: 8080}]}]\n"
        "  acknowledge: [{code: MESH218, reason: not known}]\n"
        "  clusters:\n    - {name: hub, role: primary, apiServer: 'https://hub.example.com:6443',"
        " controlPlane: {addresses: {istiod: 192.0.2.10}}}\n" + clusters
    )
    try:
        found = list(meshc.compile(folder / "mesh.yaml").problems)
    except ProblemsError as error:
        found = list(error.problems)
    told: dict[str, list[Problem]] = {}
    for problem in found:
        for name in problem.clusters:
            told.setdefault(name, []).append(problem)
    return told


def test_patches_that_break_and_that_do_not(tmp_path: Path) -> None:
    texts = [patch for patch, _ in BREAK.values()] + list(FINE.values())
    told = compiled(tmp_path, texts, [THEIRS] * len(texts))

    words = [word for _, word in BREAK.values()] + [""] * len(FINE)
    for number, (name, word) in enumerate(zip([*BREAK, *FINE], words, strict=True)):
        said = [problem.what for problem in told.get(f"c-{number}", ())]
        assert bool(said) == bool(word), (name, said)
        assert not word or any(word in one for one in said), (name, said)
        assert all(problem.place.file.endswith("mesh.yaml") for problem in told.get(f"c-{number}", ())), name


RESOURCES: dict[str, tuple[str, str]] = {
    "a Deployment without labels": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: shop}\n"
        "spec: {selector: {matchLabels: {a: b}}, template: {spec: {containers: [{name: a, image: a}]}}}",
        "pod template doesn't have",
    ),
    "a Service of underscores": (
        "apiVersion: v1\nkind: Service\nmetadata: {name: my_app, namespace: shop}\nspec: {ports: [{port: 80}]}",
        "invalid for a Service",
    ),
    "a Service that begins with a digit": (
        "apiVersion: v1\nkind: Service\nmetadata: {name: 1app, namespace: shop}\nspec: {ports: [{port: 80}]}",
        "begin with a letter",
    ),
    "a ConfigMap with capitals": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Settings, namespace: shop}",
        "subdomain",
    ),
    "a Job that restarts": (
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a, namespace: shop}\n"
        "spec: {template: {spec: {containers: [{name: a, image: a}]}}}",
        "restartPolicy",
    ),
    "a Namespace with both labels": (
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: b, labels: {istio-injection: enabled, istio.io/rev: c}}",
        "both istio-injection",
    ),
    "a binding of no role": (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: a, namespace: shop}\n"
        "subjects: []",
        "has no roleRef",
    ),
    "an object in no namespace that is made": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: nowhere}",
        "nothing makes that namespace",
    ),
    "an object without its CRD": (
        "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a, namespace: shop}",
        "CRD (Thing, example.com)",
    ),
    "a CRD in a later wave": (
        "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a, namespace: shop}\n---\n"
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
        'metadata: {name: things.example.com, annotations: {argocd.argoproj.io/sync-wave: "3"}}\n'
        "spec: {group: example.com, names: {kind: Thing, plural: things}}",
        "sync-wave",
    ),
    "a CRD of another name": (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: thing.example.com}\n"
        "spec: {group: example.com, names: {kind: Thing, plural: things}}",
        "must be named things.example.com",
    ),
}


def test_resources_that_break(tmp_path: Path) -> None:
    told = compiled(tmp_path, [""] * (len(RESOURCES) + 1), [text for text, _ in RESOURCES.values()] + [THEIRS])

    for number, (name, (_, word)) in enumerate(RESOURCES.items()):
        said = [problem.what for problem in told.get(f"c-{number}", ())]
        assert any(word in one for one in said), (name, said)
        assert all(problem.place.file.endswith(f"r{number}.yaml") for problem in told[f"c-{number}"]), name
    assert f"c-{len(RESOURCES)}" not in told


MESH = """\
trustDomain: example.com
defaultConfig: {discoveryAddress: istiod.istio-system.svc:15012, meshId: small}
"""
ISTIOD: Any = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "istiod", "namespace": "istio-system"},
    "spec": {
        "replicas": 1,
        "template": {
            "metadata": {"labels": {"app": "istiod"}},
            "spec": {
                "containers": (
                    {
                        "name": "discovery",
                        "image": "docker.io/istio/pilot:1.30.3",
                        "env": ({"name": "CLUSTER_ID", "value": "hub"}, {"name": "LOG", "value": "info"}),
                    },
                )
            },
        },
    },
}
GATEWAY: Any = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "istio-eastwestgateway", "namespace": "istio-system"},
    "spec": {
        "type": "LoadBalancer",
        "ports": ({"name": "tls", "port": 15443}, {"name": "status-port", "port": 15021}),
        "selector": {"istio": "eastwestgateway"},
    },
}
CONFIG: Any = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "istio", "namespace": "istio-system"},
    "data": {"mesh": MESH},
}
HOOK: Any = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "MutatingWebhookConfiguration",
    "metadata": {"name": "istio-sidecar-injector"},
    "webhooks": ({"name": "a.istio.io", "clientConfig": {"service": {"name": "istiod", "namespace": "istio-system"}}},),
}


def changed(body: Any, value: Any, *path: str | int) -> Any:
    """A copy of an object with another value at a path; None takes the part away."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(body, tuple):
        return tuple(changed(one, value, *rest) if n == step else one for n, one in enumerate(body))
    kept = {key: one for key, one in body.items() if key != step}
    below = changed(body.get(step, {}), value, *rest)
    return kept if below is None else {**kept, step: below}


CONTAINER = ("spec", "template", "spec", "containers", 0)
RELIED: dict[str, tuple[Any, Any, str]] = {
    "another cluster ID": (ISTIOD, changed(ISTIOD, "edge", *CONTAINER, "env", 0, "value"), "variable CLUSTER_ID"),
    "another log level": (ISTIOD, changed(ISTIOD, "debug", *CONTAINER, "env", 1, "value"), ""),
    "another Istio": (
        ISTIOD,
        changed(ISTIOD, "docker.io/istio/pilot:1.29.0", *CONTAINER, "image"),
        "runs Istio 1.29.0",
    ),
    "another registry": (ISTIOD, changed(ISTIOD, "example.com/pilot:1.30.3-distroless", *CONTAINER, "image"), ""),
    "no replicas": (ISTIOD, changed(ISTIOD, 0, "spec", "replicas"), "0 replicas"),
    "more replicas": (ISTIOD, changed(ISTIOD, 3, "spec", "replicas"), ""),
    "a port of the mesh less": (GATEWAY, changed(GATEWAY, GATEWAY["spec"]["ports"][1:], "spec", "ports"), "port 15443"),
    "another port less": (GATEWAY, changed(GATEWAY, GATEWAY["spec"]["ports"][:1], "spec", "ports"), ""),
    "a gateway inside": (GATEWAY, changed(GATEWAY, "ClusterIP", "spec", "type"), "nothing outside"),
    "a gateway of nodes": (GATEWAY, changed(GATEWAY, "NodePort", "spec", "type"), ""),
    "a cloud's annotation": (GATEWAY, changed(GATEWAY, {"example.com/lb": "nlb"}, "metadata", "annotations"), ""),
    "one setting for all": (CONFIG, changed(CONFIG, "accessLogFile: /dev/stdout\n", "data", "mesh"), "trustDomain"),
    "a setting that is none": (CONFIG, changed(CONFIG, "a: [", "data", "mesh"), "can't read"),
    "a setting more": (CONFIG, changed(CONFIG, MESH + "accessLogFile: /dev/stdout\n", "data", "mesh"), ""),
    "another webhook": (
        HOOK,
        changed(HOOK, {"url": "https://a.example.com"}, "webhooks", 0, "clientConfig"),
        "another address",
    ),
    "a webhook that may fail": (HOOK, changed(HOOK, "Ignore", "webhooks", 0, "failurePolicy"), ""),
}


@pytest.mark.parametrize("name", RELIED)
def test_what_the_mesh_relies_on_of_charts(name: str, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "mesh.yaml").write_text(
        "apiVersion: meshc/v1alpha1\nkind: Mesh\nmetadata: {name: small}\nspec: {istio: {version: 1.30.3}, "
        'security: {ca: {type: self-signed}}, clusters: [{name: hub, role: primary, kubernetesVersion: "1.34"}]}\n'
    )
    plan = meshc.compile(tmp_path / "mesh.yaml").plan
    before, after, word = RELIED[name]
    one = Touched(identity_of(after), after, before, lambda _: [Place("patch.yaml")], patched=True)
    view = View(plan, plan.clusters[0], [one], lambda: [before], {})

    said = [problem.what for problem in AppliedChecks().check(view)]

    assert bool(said) == bool(word), said
    assert not word or word in said[0], said
