"""Checks that an API server would accept an object, by Kubernetes' own schemas, and the CRDs of Istio and the Gateway
API."""

from __future__ import annotations

import json
import os
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

CURRENT = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
OLD = Path(sys.prefix) / "share/kubernetes-validate-1.16.0/src/kubernetes_validate/kubernetes-json-schema"


CRDS = Path(os.environ.get("MESHC_CRDS") or "/nonexistent")
"""A folder of CustomResourceDefinitions outside of the repository. Without this folder, check_crd checks nothing."""


SEALED = {"SealedSecret": "sealed-secrets.yaml", "ExternalSecret": "external-secrets-externalsecrets.yaml"}


GATEWAY = {
    "properties": {
        "apiVersion": {"const": "gateway.networking.k8s.io/v1"},
        "kind": {"const": "Gateway"},
        "metadata": {"required": ["name", "namespace"]},
        "spec": {
            "properties": {
                "gatewayClassName": {"type": "string", "minLength": 1, "maxLength": 253},
                "addresses": {"items": {"properties": {"type": {"const": "IPAddress"}, "value": {"format": "ipv4"}}}},
                "listeners": {
                    "minItems": 1,
                    "items": {
                        "properties": {
                            "name": {"pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},
                            "port": {"type": "integer", "minimum": 1, "maximum": 65535},
                            "protocol": {"pattern": "^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$", "maxLength": 255},
                            "tls": {
                                "properties": {
                                    "mode": {"enum": ["Terminate", "Passthrough"]},
                                    "options": {"maxProperties": 16, "additionalProperties": {"type": "string"}},
                                },
                                "additionalProperties": False,
                            },
                        },
                        "required": ["name", "port", "protocol"],
                        "additionalProperties": False,
                    },
                },
            },
            "required": ["gatewayClassName", "listeners"],
            "additionalProperties": False,
        },
    },
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "additionalProperties": False,
}
"""The part of the Gateway API's Gateway (v1) that meshc writes."""


OF_USERS = ("cert-manager.io",)
"""Groups of custom resources that only users add. Their schemas aren't checked."""


KINDS_OF_USERS = ("ServiceEntry", "WorkloadEntry")
"""Kinds of Istio that meshc never makes."""


def check(body: dict[str, Any], version: str) -> None:
    group = body["apiVersion"].rpartition("/")[0]
    if group in OF_USERS or body["kind"] in KINDS_OF_USERS:
        return
    if group.endswith("istio.io"):
        check_istio(body)
    elif group == "gateway.networking.k8s.io":
        jsonschema.Draft202012Validator(GATEWAY).validate(body)
    elif body["kind"] in SEALED:
        check_crd(body, CRDS / SEALED[body["kind"]])
    elif int(version.split(".")[1]) >= 25:
        check_current(body, version)
    elif int(version.split(".")[1]) <= 16:
        check_old(body, version)
    elif body["apiVersion"] == "v1" and int(version.split(".")[1]) >= 19:  # appProtocol came with 1.18
        check_current(body, "1.25")
    else:  # between the two sets of schemas: the nearest set has the same apps/v1, rbac v1 and core v1
        check_old(body, "1.16")


def check_current(body: dict[str, Any], version: str) -> None:
    """Kubernetes 1.25 and later."""
    (folder,) = CURRENT.glob(f"v{version}.*-local-strict")
    jsonschema.Draft202012Validator(_schema(folder, body), registry=_registry(folder)).validate(body)


def check_old(body: dict[str, Any], version: str) -> None:
    """Kubernetes 1.10 to 1.16; 1.9 is checked as 1.10."""
    if not OLD.exists():
        if os.environ.get("CI"):
            pytest.fail("the schemas of Kubernetes 1.16 are missing, and this is CI")
        pytest.skip("the schemas of Kubernetes 1.16 are missing: make test brings them")
    folder = next(OLD.glob(f"v{max(version, '1.10', key=lambda v: int(v.split('.')[1]))}.*-local-strict"))
    jsonschema.Draft4Validator(_schema(folder, body), registry=_registry(folder)).validate(body)


def _schema(folder: Path, body: dict[str, Any]) -> Any:
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", body["apiVersion"])
    return json.loads((folder / f"{body['kind'].lower()}-{group}.json").read_text())


@cache
def _registry(folder: Path) -> Registry[Any]:
    """The definitions that all schemas of a version use, by their own name or by a path relative to the schema."""
    contents = json.loads((folder / "_definitions.json").read_text())
    definitions = Resource.from_contents(contents, default_specification=DRAFT4)
    empty: Registry[Any] = Registry()
    filled: Registry[Any] = empty.with_resource(definitions.id() or "_definitions.json", definitions)
    return filled


def check_istio(body: dict[str, Any]) -> None:
    """Checks current kinds by cloudcoil's models and the CRDs. MeshPolicy and v1alpha3 are older than both."""
    if body["apiVersion"] == "authentication.istio.io/v1alpha1":
        assert body["kind"] == "MeshPolicy"
        assert "namespace" not in body["metadata"], "MeshPolicy is cluster-scoped"
        assert body["spec"]["peers"][0].keys() == {"mtls"}
        return
    if body["kind"] == "PeerAuthentication":
        from cloudcoil.models.istio.security.v1 import PeerAuthentication

        PeerAuthentication.model_validate(body)
    else:
        from cloudcoil.models.istio.networking import v1

        getattr(v1, body["kind"]).model_validate({**body, "apiVersion": "networking.istio.io/v1"})
    for version in ("1.24.6", "1.28.4", "1.29.6"):
        check_crd(body, CRDS / f"istio-{version}.yaml")


def check_crd(body: dict[str, Any], file: Path) -> None:
    """Checks an object by its CustomResourceDefinition, if MESHC_CRDS has it."""
    if not file.exists():
        return
    group, _, version = body["apiVersion"].rpartition("/")
    for crd in _crds(file):
        if crd["spec"]["group"] == group and crd["spec"]["names"]["kind"] == body["kind"]:
            schema = next(v["schema"]["openAPIV3Schema"] for v in crd["spec"]["versions"] if v["name"] == version)
            known: dict[str, Any] = {"apiVersion": {}, "kind": {}, "metadata": {}}
            whole = {**schema, "properties": {**known, **schema["properties"]}}
            jsonschema.Draft202012Validator(_closed(whole)).validate(body)
            return
    raise AssertionError(f"{file.name} has no {body['kind']}")


@cache
def _crds(path: Path) -> list[Any]:
    return [crd for crd in yaml.load_all(path.read_text(), Loader=yaml.CSafeLoader) if crd]


def _closed(schema: Any) -> Any:
    """The schema, changed to refuse unknown fields, because an API server would remove them with a warning."""
    if isinstance(schema, dict):
        closed = {key: _closed(value) for key, value in schema.items()}
        if (
            "properties" in schema
            and "additionalProperties" not in schema
            and not schema.get("x-kubernetes-preserve-unknown-fields")
        ):
            closed["additionalProperties"] = False
        return closed
    return [_closed(item) for item in schema] if isinstance(schema, list) else schema
