"""The injection template of classic Istio: the containers that its injector, and `istioctl kube-inject`, add to a pod.

The text is a Go text/template with `[[ ]]`, with the fields `.MeshConfig`, `.ProxyConfig`, `.ObjectMeta` and `.Spec`.
It is rendered to YAML for each pod. `printf "%q"` quotes texts from a pod's annotations with escapes that are valid in
YAML, so no text can break out of its field. The template only uses functions that every 1.0.x injector has: those of Go
1.10, `isset` and `formatDuration`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from meshc.kube import Version

if TYPE_CHECKING:
    from meshc.plan.ir import Images

_FIRST_WITH_CONCURRENCY = Version(1, 0, 2)
_PROXY_USER = 1337  # pilot-agent's user, whose packets iptables doesn't redirect


def template(images: Images, version: Version, tracing: bool) -> str:
    """The template for images and an Istio version. With `tracing`, Envoy gets the address in the mesh configuration.

    Istio's own chart does this only if an undocumented value (`global.zipkinAddress`) is set too. Without that value,
    remotes send no traces.
    """
    mode = '[[ $mode := or (index .ObjectMeta.Annotations "sidecar.istio.io/interceptionMode") '
    init, proxy = f'"{images.hub}/proxy_init:{images.full_tag}"', f'"{images.hub}/proxyv2:{images.full_tag}"'
    return f"""\
{mode}.ProxyConfig.InterceptionMode.String -]]
initContainers:
- name: istio-init
  image: {init}
  imagePullPolicy: IfNotPresent
  args:
  - "-p"
  - "[[ .MeshConfig.ProxyListenPort ]]"
  - "-u"
  - "{_PROXY_USER}"
  - "-m"
  - [[ printf "%q" $mode ]]
  - "-i"
  - {_annotated("traffic.sidecar.istio.io/includeOutboundIPRanges", '"*"')}
  - "-x"
  - {_annotated("traffic.sidecar.istio.io/excludeOutboundIPRanges", '""')}
  - "-b"
  - {_annotated("traffic.sidecar.istio.io/includeInboundPorts", _EVERY_PORT)}
  - "-d"
  - {_annotated("traffic.sidecar.istio.io/excludeInboundPorts", '""')}
  securityContext:
    capabilities:
      add: ["NET_ADMIN"]
  restartPolicy: Always
containers:
- name: istio-proxy
  image: {_annotated("sidecar.istio.io/proxyImage", proxy)}
  imagePullPolicy: IfNotPresent
  args:
  - proxy
  - sidecar
{_arguments(version, tracing)}
  env:
  - name: POD_NAME
    valueFrom: {{fieldRef: {{fieldPath: metadata.name}}}}
  - name: POD_NAMESPACE
    valueFrom: {{fieldRef: {{fieldPath: metadata.namespace}}}}
  - name: INSTANCE_IP
    valueFrom: {{fieldRef: {{fieldPath: status.podIP}}}}
  - name: ISTIO_META_POD_NAME
    valueFrom: {{fieldRef: {{fieldPath: metadata.name}}}}
  - name: ISTIO_META_INTERCEPTION_MODE
    value: [[ printf "%q" $mode ]]
  securityContext:
    readOnlyRootFilesystem: true
    [[ if eq $mode "TPROXY" -]]
    capabilities:
      add: ["NET_ADMIN"]
    runAsGroup: {_PROXY_USER}
    [[- else -]]
    runAsUser: {_PROXY_USER}
    [[- end ]]
  resources:
    requests:
      cpu: {_annotated("sidecar.istio.io/proxyCPU", '"100m"')}
      memory: {_annotated("sidecar.istio.io/proxyMemory", '"128Mi"')}
  volumeMounts:
  - name: istio-envoy
    mountPath: /etc/istio/proxy
  - name: istio-certs
    mountPath: /etc/certs/
    readOnly: true
volumes:
- name: istio-envoy
  emptyDir: {{medium: Memory}}
- name: istio-certs
  secret:
    secretName: [[ printf "istio.%s" (or .Spec.ServiceAccountName "default") ]]
    optional: true
"""


# Every port ends with a comma: Go 1.10's templates can't detect the last one, and istio-iptables accepts the comma.
_EVERY_PORT = '"[[ range .Spec.Containers ]][[ range .Ports ]][[ .ContainerPort ]],[[ end ]][[ end ]]"'


def _annotated(annotation: str, otherwise: str) -> str:
    """The text of a pod's annotation, even an empty one; `otherwise` if the pod doesn't have the annotation."""
    value = _quoted(f'(index .ObjectMeta.Annotations "{annotation}")')
    return f'[[ if isset .ObjectMeta.Annotations "{annotation}" ]]{value}[[ else ]]{otherwise}[[ end ]]'


def _quoted(expression: str) -> str:
    return f'[[ printf "%q" {expression} ]]'


def _arguments(version: Version, tracing: bool) -> str:
    """The flags of pilot-agent, in the order of the chart."""
    discovery = '(index .ObjectMeta.Annotations "sidecar.istio.io/discoveryAddress")'
    policy = '(index .ObjectMeta.Annotations "sidecar.istio.io/controlPlaneAuthPolicy")'
    flags: Mapping[str, str] = {
        "configPath": _quoted(".ProxyConfig.ConfigPath"),
        "binaryPath": _quoted(".ProxyConfig.BinaryPath"),
        "serviceCluster": _quoted('(or (index .ObjectMeta.Labels "app") "istio-proxy")'),
        "drainDuration": '"[[ formatDuration .ProxyConfig.DrainDuration ]]"',
        "parentShutdownDuration": '"[[ formatDuration .ProxyConfig.ParentShutdownDuration ]]"',
        "discoveryAddress": _quoted(f"(or {discovery} .ProxyConfig.DiscoveryAddress)"),
        "discoveryRefreshDelay": '"[[ formatDuration .ProxyConfig.DiscoveryRefreshDelay ]]"',
        **({"zipkinAddress": _quoted(".ProxyConfig.ZipkinAddress")} if tracing else {}),
        "connectTimeout": '"[[ formatDuration .ProxyConfig.ConnectTimeout ]]"',
        "proxyAdminPort": '"[[ .ProxyConfig.ProxyAdminPort ]]"',
        "concurrency": '"[[ .ProxyConfig.Concurrency ]]"',
        "controlPlaneAuthPolicy": _quoted(f"(or {policy} .ProxyConfig.ControlPlaneAuthPolicy.String)"),
    }
    pairs = {flag: f"  - --{flag}\n  - {value}" for flag, value in flags.items()}
    if version < _FIRST_WITH_CONCURRENCY:
        del pairs["concurrency"]
    else:
        pairs["concurrency"] = f"  [[- if gt .ProxyConfig.Concurrency 0 ]]\n{pairs['concurrency']}\n  [[- end ]]"
    return "\n".join(pairs.values())
