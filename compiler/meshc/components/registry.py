"""The only list of components, in the order of their files in kustomization.yaml."""

from __future__ import annotations

from meshc.components import (
    ambient,
    cacerts,
    control_plane,
    east_west,
    exposure,
    istio_remote,
    mutual_tls,
    namespaces,
    reader_token,
    remote_secrets,
    revision_tags,
    services,
)
from meshc.components.contract import Component

COMPONENTS: dict[str, Component] = {
    "namespaces": namespaces,
    "control-plane": control_plane,
    "istio-remote": istio_remote,
    "revision-tags": revision_tags,
    "reader-token": reader_token,
    "mutual-tls": mutual_tls,
    "exposure": exposure,
    "east-west": east_west,
    "ambient": ambient,
    "cacerts": cacerts,
    "remote-secrets": remote_secrets,
    "services": services,
}
