"""The components, in the order in which their files stand in kustomization.yaml. The only list of them."""

from __future__ import annotations

from meshc.components import cacerts, control_plane, istio_remote, mutual_tls, namespaces, remote_secrets, services
from meshc.components.contract import Component

COMPONENTS: dict[str, Component] = {
    "namespaces": namespaces,
    "control-plane": control_plane,
    "istio-remote": istio_remote,
    "mutual-tls": mutual_tls,
    "cacerts": cacerts,
    "remote-secrets": remote_secrets,
    "services": services,
}
