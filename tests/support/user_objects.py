"""Makes objects that a user may have in the resources: sealed Secrets of every form, and others by kind and spec."""

from __future__ import annotations

SEALED = "AgB" + "A" * 721
"""A text with the form of a sealed value: its first two bytes mean a wrapped key of 512 bytes."""
ENCRYPTED = f"ENC[AES256_GCM,data:7w==,iv:{'/' * 42}8=,tag:{'/' * 21}w==,type:str]"
MAC = f"ENC[AES256_GCM,data:{'/' * 170}8=,iv:{'/' * 42}8=,tag:{'/' * 21}w==,type:str]"
AGE = (
    "-----BEGIN AGE ENCRYPTED FILE-----\\nYWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOQo=\\n"
    "-----END AGE ENCRYPTED FILE-----\\n"
)


def sops(name: str, namespace: str = "istio-system", labels: str = "{}", values: str = "data") -> str:
    block = f'{{age: [{{recipient: age1x, enc: "{AGE}"}}], mac: "{MAC}", lastmodified: "2026-01-01T00:00:00Z"}}'
    return f"""
        apiVersion: v1
        kind: Secret
        metadata: {{name: {name}, namespace: {namespace}, labels: {labels}}}
        {values}: {{a: "{ENCRYPTED}", empty: ""}}
        sops: {block}
    """


def sealed(name: str, namespace: str = "istio-system", template: str = "{}", data: str = "{}") -> str:
    return f"""
        apiVersion: bitnami.com/v1alpha1
        kind: SealedSecret
        metadata: {{name: {name}, namespace: {namespace}}}
        spec: {{encryptedData: {{a: {SEALED}}}, template: {{metadata: {template}, data: {data}}}}}
    """


def external(name: str, target: str = "{}", kind: str = "ExternalSecret", metadata: str = "") -> str:
    spec = (
        f"{{secretStoreRef: {{name: vault}}, target: {target}, data: [{{secretKey: a, remoteRef: {{key: cacerts}}}}]}}"
    )
    if kind == "ClusterExternalSecret":
        spec = f"{{externalSecretSpec: {spec}, namespaces: [istio-system]}}"
    where = "" if kind == "ClusterExternalSecret" else ", namespace: istio-system"
    return f"""
        apiVersion: external-secrets.io/v1
        kind: {kind}
        metadata: {{name: {name}{where}{metadata}}}
        spec: {spec}
    """


def other(version: str, kind: str, spec: str, namespace: str = "istio-system", name: str = "x") -> str:
    where = f", namespace: {namespace}" if namespace else ""
    return f"""
        apiVersion: {version}
        kind: {kind}
        metadata: {{name: {name}{where}}}
        spec: {spec}
    """
