"""Writes `security` of a mesh.yaml from the policies and CAs of live clusters. Nothing is guessed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from meshc.capture.dump import CACERTS
from meshc.generation import Generation
from meshc.kube import as_list, at
from meshc.trust import tls_form

if TYPE_CHECKING:
    from meshc.capture.adopted import Adopted
    from meshc.capture.homes import Home
    from meshc.kube import Body

_MODES = {
    "STRICT": "strict",
    "PERMISSIVE": "permissive",
    "DISABLE": "disabled",
    "UNSET": "permissive",
    "": "permissive",
}
_POLICIES, _CLASSIC = "peerauthentications.security.istio.io", "meshpolicies.authentication.istio.io"


def security(homes: Sequence[Home], namespace: str, made: Adopted) -> list[str]:
    """The lines of `security`, and the public certificates as files."""
    optional = any(home.plane and not home.plane.generation.always_uses_tls for home in homes)
    sealing = (
        "    # secrets: {recipients: [age1...]}   # the age keys that can decrypt sealed files, of Argo CD or Flux"
    )
    return [
        "  security:",
        _mutual_tls(homes, namespace, made),
        *_control_plane(homes, optional),
        *_ca(homes, namespace, made),
        sealing,
    ]


def _mutual_tls(homes: Sequence[Home], namespace: str, made: Adopted) -> str:
    """The mutual TLS of the clusters where istiod reads configuration: primaries, and config clusters of external
    control planes."""
    indent, path = "    ", "security.mutualTLS"
    holders = [home for home in homes if home.plane and not home.external]
    holders += [home for home in homes if any(one.external and home.name == one.id for one in homes)]
    found = {home.name: _mode(home, namespace) for home in holders}
    unknown = [name for name, mode in found.items() if not mode]
    if not holders:
        return made.ask(
            indent, path, "strict, permissive or disabled? meshc found no control plane that reads policies"
        )
    if unknown:
        kind = next((home.plane.generation.policy for home in holders if home.plane), Generation.ISTIOD.policy)
        return made.ask(
            indent, path, f"strict, permissive or disabled? {kind} isn't in the dump of {', '.join(unknown)}"
        )
    if len(set(found.values())) > 1:
        every = ", ".join(f"{name} {mode}" for name, mode in found.items())
        return made.ask(indent, path, f"strict, permissive or disabled? the clusters differ: {every}")
    return f"{indent}mutualTLS: {next(iter(found.values()))}"


def _mode(home: Home, namespace: str) -> str:
    """The mesh-wide mutual TLS of a control plane's proxies; empty if it isn't known."""
    if home.plane and home.plane.generation is Generation.CLASSIC:
        policies = home.dump.all("MeshPolicy", None, "default")
        return _classic(policies[0]) if policies else "disabled" if _CLASSIC in home.dump.known else ""
    root = str(home.mesh_config.get("rootNamespace") or namespace)
    policies = [
        one for one in home.dump.all("PeerAuthentication", root) if not at(one, "spec", "selector", "matchLabels")
    ]
    policies.sort(key=lambda one: str(at(one, "metadata", "creationTimestamp") or ""))  # istiod uses the oldest
    if policies:
        return _MODES.get(str(at(policies[0], "spec", "mtls", "mode") or ""), "")
    return "permissive" if _POLICIES in home.dump.known else ""


def _classic(policy: Body) -> str:
    """`mtls: {}`, and `mtls` with nothing below it, is strict."""
    for peer in as_list(at(policy, "spec", "peers")):
        if isinstance(peer, dict) and "mtls" in peer:
            return "permissive" if at(peer, "mtls", "mode") == "PERMISSIVE" else "strict"
    return "disabled"


def _control_plane(homes: Sequence[Home], optional: bool) -> list[str]:
    """Classic: whether sidecars use TLS to the control plane, which is meshc's default."""
    told = [at(home.mesh_config, "defaultConfig", "controlPlaneAuthPolicy") for home in homes]
    return ["    controlPlaneTLS: false"] if optional and "NONE" in told else []


def _ca(homes: Sequence[Home], namespace: str, made: Adopted) -> list[str]:
    plugged = [home.name for home in homes if _certificates(home, namespace, made)]
    signer = next((home.plane.ca for home in homes if home.plane and home.plane.ca), "")
    unknown = [home.dump.cluster for home in homes if home.primary and CACERTS not in home.dump.known]
    lines = ["    ca:"]
    if plugged:
        made.notes.append(
            "meshc doesn't read the keys of the CAs: run kubectl get secret cacerts -o yaml | "
            "meshc secrets seal - --cluster CLUSTER"
        )
        return [*lines, "      type: plugged-in"]
    if signer:
        made.notes.append(f"istiod has certificates signed by {signer}")
        return [*lines, "      type: external"]
    if unknown or not any(home.primary for home in homes):
        where = f"Secret cacerts isn't in the dump of {', '.join(unknown)}" if unknown else "no control plane was found"
        return [*lines, made.ask("      ", "security.ca.type", f"plugged-in, self-signed or external? {where}")]
    return [*lines, "      type: self-signed"]


def _certificates(home: Home, namespace: str, made: Adopted) -> bool:
    """The public part of a cacerts, as files."""
    for secret in home.dump.all("Secret", namespace, "cacerts"):
        parts = {key: text for key, text in secret["public"].items() if key.endswith(".pem") and text}
        if certificate := secret["public"].get(tls_form.CERTIFICATE):  # as cert-manager makes it
            roots = secret["public"].get(tls_form.ROOTS, "")
            made_of = tls_form.certificates_of(certificate.encode(), roots.encode())
            parts = {key: data.decode() for key, data in made_of.items() if data}
        root = parts.get("root-cert.pem", "").encode()
        if root and made.files.setdefault("certificates/root-cert.pem", root) != root:
            made.notes.append(
                f"{home.name} has another root-cert.pem than the clusters before it, so they don't trust each other"
            )
        if root and "ca-cert.pem" in parts:
            kept = [key for key in ("ca-cert.pem", "cert-chain.pem") if key in parts]
            made.files |= {f"certificates/{home.name}/{key}": parts[key].encode() for key in kept}
            return True
    return False
