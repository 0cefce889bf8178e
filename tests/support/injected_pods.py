"""Renders what classic Istio's injection template adds to pods. Go itself renders the template."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from typing import Any

import yaml

from support.paths import TESTS
from support.tools import find_tool

Pod = dict[str, Any]


DEFAULTS = {"DiscoveryRefreshDelay": "1s", "InterceptionMode": "REDIRECT", "ZipkinAddress": "", "Concurrency": 0}
"""The defaults of Istio 1.0.6 for keys that the mesh configuration doesn't have (pilot/pkg/model
DefaultProxyConfig)."""


def config_maps(data: bytes) -> tuple[Any, Any]:
    """The injector's configuration and the mesh configuration of a remote cluster."""
    objects = list(yaml.load_all(data, Loader=yaml.CSafeLoader))
    maps = {one["metadata"]["name"]: one["data"] for one in objects if one["kind"] == "ConfigMap"}
    return yaml.safe_load(maps["istio-sidecar-injector"]["config"]), yaml.safe_load(maps["istio"]["mesh"])


def render(data: bytes, pods: list[Pod], settings: Pod | None = None) -> list[Any]:
    """What the template adds to each of the pods. `settings` are added to the mesh's proxy configuration."""
    config, mesh = config_maps(data)
    proxy = {**mesh["defaultConfig"], **(settings or {})}
    asked = [
        {
            "ObjectMeta": {"Annotations": pod.get("annotations"), "Labels": pod.get("labels")},
            "Spec": {"ServiceAccountName": pod.get("account", ""), "Containers": pod.get("containers", [])},
            "ProxyConfig": {**DEFAULTS, **{key[0].upper() + key[1:]: value for key, value in proxy.items()}},
            "MeshConfig": {"ProxyListenPort": 15001},
        }
        for pod in pods
    ]
    for one in asked:
        one["ProxyConfig"].pop("ServiceCluster")
    process = subprocess.run(
        [find_tool("go"), "run", str(TESTS / "injector/main.go")],
        input=json.dumps({"Template": config["template"], "Pods": asked}),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GOCACHE": f"{sys.prefix}/share/go", "GOPATH": f"{sys.prefix}/share/go"},
    )

    assert process.returncode == 0, process.stderr

    return [yaml.safe_load(text) for text in json.loads(process.stdout)]


def ports(*numbers: int) -> Pod:
    return {"Ports": [{"ContainerPort": number} for number in numbers]}


def field(path: str) -> Pod:
    return {"fieldRef": {"fieldPath": path}}


BARE: Any = {
    "initContainers": [
        {
            "name": "istio-init",
            "image": "registry.example.com/istio/proxy_init:1.0.6-hardened",
            "imagePullPolicy": "IfNotPresent",
            "args": ["-p", "15001", "-u", "1337", "-m", "REDIRECT", "-i", "*", "-x", "", "-b", "", "-d", ""],
            "securityContext": {"capabilities": {"add": ["NET_ADMIN"]}},
            "restartPolicy": "Always",
        }
    ],
    "containers": [
        {
            "name": "istio-proxy",
            "image": "registry.example.com/istio/proxyv2:1.0.6-hardened",
            "imagePullPolicy": "IfNotPresent",
            "args": [
                "proxy",
                "sidecar",
                *("--configPath", "/etc/istio/proxy"),
                *("--binaryPath", "/usr/local/bin/envoy"),
                *("--serviceCluster", "istio-proxy"),
                *("--drainDuration", "45s"),
                *("--parentShutdownDuration", "1m0s"),
                *("--discoveryAddress", "10.0.5.20:15007"),
                *("--discoveryRefreshDelay", "1s"),
                *("--connectTimeout", "10s"),
                *("--proxyAdminPort", "15000"),
                *("--controlPlaneAuthPolicy", "NONE"),
            ],
            "env": [
                {"name": "POD_NAME", "valueFrom": field("metadata.name")},
                {"name": "POD_NAMESPACE", "valueFrom": field("metadata.namespace")},
                {"name": "INSTANCE_IP", "valueFrom": field("status.podIP")},
                {"name": "ISTIO_META_POD_NAME", "valueFrom": field("metadata.name")},
                {"name": "ISTIO_META_INTERCEPTION_MODE", "value": "REDIRECT"},
            ],
            "securityContext": {"readOnlyRootFilesystem": True, "runAsUser": 1337},
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
            "volumeMounts": [
                {"name": "istio-envoy", "mountPath": "/etc/istio/proxy"},
                {"name": "istio-certs", "mountPath": "/etc/certs/", "readOnly": True},
            ],
        }
    ],
    "volumes": [
        {"name": "istio-envoy", "emptyDir": {"medium": "Memory"}},
        {"name": "istio-certs", "secret": {"secretName": "istio.default", "optional": True}},
    ],
}
"""What a pod without annotations gets."""


def changed(**parts: Any) -> Any:
    """BARE with other flags of the init container (`b`, `m`) or of the proxy (`serviceCluster`), or with other
    fields."""
    pod = copy.deepcopy(BARE)
    init, proxy = pod["initContainers"][0], pod["containers"][0]
    for name, value in parts.items():
        if f"-{name}" in init["args"]:
            init["args"][init["args"].index(f"-{name}") + 1] = value
        elif f"--{name}" in proxy["args"]:
            proxy["args"][proxy["args"].index(f"--{name}") + 1] = value
        elif name == "account":
            pod["volumes"][1]["secret"]["secretName"] = f"istio.{value}"
        elif name == "mode":
            proxy["env"][4]["value"] = value
        else:
            proxy[name] = value
    return pod


TRAFFIC, SIDECAR = "traffic.sidecar.istio.io", "sidecar.istio.io"


TPROXY = {"readOnlyRootFilesystem": True, "runAsGroup": 1337, "capabilities": {"add": ["NET_ADMIN"]}}


PODS: dict[str, tuple[Pod, Any]] = {
    "nothing said": ({}, BARE),
    "app label": ({"labels": {"app": "ratings", "version": "v1"}}, changed(serviceCluster="ratings")),
    "empty app label": ({"labels": {"app": ""}}, BARE),
    "ports of every container": (
        {"containers": [ports(), ports(8080, 9090), ports(15020)]},
        changed(b="8080,9090,15020,"),
    ),
    "service account": ({"account": "bookinfo-reviews"}, changed(account="bookinfo-reviews")),
    "traffic annotations": (
        {
            "containers": [ports(8080)],
            "annotations": {
                f"{TRAFFIC}/includeOutboundIPRanges": "10.0.0.0/8",
                f"{TRAFFIC}/excludeOutboundIPRanges": "10.1.0.0/16",
                f"{TRAFFIC}/includeInboundPorts": "80,443",
                f"{TRAFFIC}/excludeInboundPorts": "22",
            },
        },
        changed(i="10.0.0.0/8", x="10.1.0.0/16", b="80,443", d="22"),
    ),
    "empty traffic annotations": (
        {
            "containers": [ports(8080)],
            "annotations": {f"{TRAFFIC}/includeOutboundIPRanges": "", f"{TRAFFIC}/includeInboundPorts": ""},
        },
        changed(i="", b=""),
    ),
    "sidecar annotations": (
        {
            "annotations": {
                f"{SIDECAR}/proxyImage": "example.com/proxy:1",
                f"{SIDECAR}/discoveryAddress": "istio-pilot.other:15010",
                f"{SIDECAR}/controlPlaneAuthPolicy": "MUTUAL_TLS",
                f"{SIDECAR}/proxyCPU": "250m",
                f"{SIDECAR}/proxyMemory": "64Mi",
            }
        },
        changed(
            image="example.com/proxy:1",
            discoveryAddress="istio-pilot.other:15010",
            controlPlaneAuthPolicy="MUTUAL_TLS",
            resources={"requests": {"cpu": "250m", "memory": "64Mi"}},
        ),
    ),
    "processor alone": (
        {"annotations": {f"{SIDECAR}/proxyCPU": "250m"}},
        changed(resources={"requests": {"cpu": "250m", "memory": "128Mi"}}),
    ),
    "TPROXY": (
        {"annotations": {f"{SIDECAR}/interceptionMode": "TPROXY"}},
        changed(m="TPROXY", mode="TPROXY", securityContext=TPROXY),
    ),
}
