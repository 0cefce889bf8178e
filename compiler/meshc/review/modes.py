"""Reads the mutual TLS mode that an object requires."""

from __future__ import annotations

from collections.abc import Mapping

from meshc.kube import Body, at

_STRENGTH = {"DISABLE": 0, "PERMISSIVE": 1, "SIMPLE": 1, "STRICT": 2, "MUTUAL": 2, "ISTIO_MUTUAL": 2}
"""The modes of PeerAuthentication, MeshPolicy and a DestinationRule's TLS settings. A missing mode is permissive."""


def mode_of(body: Body) -> str | None:
    """The mode of an object that sets mutual TLS; None for any other object."""
    match body.get("kind"):
        case "PeerAuthentication":
            return _weakest(str(at(body, "spec", "mtls", "mode") or "PERMISSIVE"), at(body, "spec", "portLevelMtls"))
        case "MeshPolicy" | "Policy":
            peers = at(body, "spec", "peers")
            first = peers[0] if isinstance(peers, tuple) and peers else None
            return str(at(first, "mtls", "mode") or "STRICT") if isinstance(first, Mapping) else "DISABLE"
        case "DestinationRule":
            mode = at(body, "spec", "trafficPolicy", "tls", "mode")
            return str(mode) if mode else None
    return None


def _weakest(mode: str, ports: object) -> str:
    """The mode, or the weaker mode of a port."""
    listed = [str(at(port, "mode")) for port in ports.values()] if isinstance(ports, Mapping) else []
    return min([mode, *(one for one in listed if one in _STRENGTH)], key=lambda one: _STRENGTH.get(one, 1))
