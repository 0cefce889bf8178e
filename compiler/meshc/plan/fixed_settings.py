"""Settings of istiod and of proxies that carry what mesh.yaml decides: environment variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from meshc.plan import may
from meshc.plan.istiod_values import READS_FILES

if TYPE_CHECKING:
    from meshc.plan.ir import ClusterPlan, Plan


FIXED_SETTINGS: Mapping[str, tuple[str, Callable[[Plan, ClusterPlan, Any], bool]]] = {
    "CLUSTER_ID": ("clusters[].clusterID", may.is_id),
    "TRUST_DOMAIN": ("istio.trustDomain", may.is_trust_domain),
    "REVISION": ("istio.revision", may.no_revision),
    "EXTERNAL_ISTIOD": ("clusters[].role", lambda _p, c, v: bool(c.remotes) or c.is_external or may.is_off(v)),
    "ISTIOD_CUSTOM_HOST": ("clusters[].controlPlane.injectionURL", may.external_only),
    "LOCAL_CLUSTER_SECRET_WATCHER": ("clusters[].role", may.external_only),
    "SHARED_MESH_CONFIG": ("clusters[].role", may.external_only),
    READS_FILES: ("istio.remoteSecrets (with this variable, istiod reads no remote secrets)", may.never),
    "ENABLE_CA_SERVER": ("security.ca.type: external", may.signs),
    "EXTERNAL_CA": ("security.ca.type: external", may.external_ca),
    "PILOT_CERT_PROVIDER": ("security.ca.type: external", may.of_istiod),
    "ROOT_CA_DIR": ("security.ca.type", may.never),
    "INJECT_ENABLED": ("clusters[].sidecarInjection", may.on),
    "PILOT_ENABLE_AMBIENT": ("namespaces[].dataplane", may.ambient_only),
    "POD_NAMESPACE": ("istio.namespace", may.root_namespace),
}
"""Environment variables of istiod that mesh.yaml decides."""


def no_fixed_names(_plan: Plan, _cluster: ClusterPlan, value: Any) -> bool:
    """True if a list of environment variables has none of the fixed ones."""
    names = (
        {str(one.get("name")) for one in value if isinstance(one, Mapping)}
        if isinstance(value, list | tuple)
        else set()
    )
    return not names & FIXED_SETTINGS.keys()


PROXY_SETTINGS: Mapping[str, tuple[str, Callable[[Plan, ClusterPlan, Any], bool]]] = {
    "ISTIO_META_CLUSTER_ID": ("clusters[].clusterID", may.is_id),
    "ISTIO_META_NETWORK": ("clusters[].network", may.is_network),
    "ISTIO_META_MESH_ID": ("istio.meshID", may.is_mesh),
    "TRUST_DOMAIN": ("istio.trustDomain", may.is_trust_domain),
    "CA_ADDR": ("security.ca.type: external", may.external_ca),
    "ISTIO_META_ENABLE_HBONE": ("namespaces[].dataplane", may.ambient_only),
}
"""Environment variables of proxies that mesh.yaml decides."""
