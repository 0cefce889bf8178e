"""What a hostile contributor could add: each is told as a danger by its kind of power, at the line that brings it."""

from __future__ import annotations

import json
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from meshc.cli.main import app
from meshc.kube import Identity
from meshc.review import openings, powers
from meshc.review.diff import Action, Difference, Entry
from meshc.review.objects import Parser, Sides
from meshc.review.risks_of_powers import new_powers
from meshc.sealing import sources
from meshc.tree import FileTree
from meshc.yamltext.read import read
from support.throwaway import NEVER_CRITICAL, make_root
from support.tools import find_tool
from support.user_objects import external, other

pytestmark = pytest.mark.thorough

MESH = """\
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {name: shop}
spec:
  istio: {version: 1.29.6}
  security: {mutualTLS: strict, ca: {type: self-signed}}
  clusters:
    - name: hub
      role: primary
      kubernetesVersion: "1.34"
      resources: [extra.yaml]
      patches: [{path: patch.yaml, target: {kind: Namespace, name: shop}}]
  namespaces: [{name: shop}]
"""
HARMLESS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {colour: blue}
"""
NOTHING = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: shop}}\n"


def pod(spec: str = "{}", container: str = "{}", kind: str = "Deployment") -> str:
    """A workload whose pod has the fields of `spec`, and one container with those of `container`."""
    container = container if "image:" in container else merged("{image: a}", container)
    whole = merged(f"{{containers: [{merged('{name: a}', container)}]}}", spec)
    return f"""
        apiVersion: apps/v1
        kind: {kind}
        metadata: {{name: x, namespace: shop}}
        spec: {{selector: {{matchLabels: {{app: x}}}}, template: {{metadata: {{labels: {{app: x}}}}, spec: {whole}}}}}
    """


def merged(first: str, second: str) -> str:
    return "{" + ", ".join(part for part in (first[1:-1], second[1:-1]) if part) + "}"


def istio(kind: str, spec: str, group: str = "networking.istio.io/v1", namespace: str = "shop") -> str:
    return other(group, kind, spec, namespace)


def role(resources: str, verbs: str = "[get]", names: str = "", kind: str = "ClusterRole") -> str:
    named = f", resourceNames: {names}" if names else ""
    where = ", namespace: istio-system" if kind == "Role" else ""
    return f"""
        apiVersion: rbac.authorization.k8s.io/v1
        kind: {kind}
        metadata: {{name: x{where}}}
        rules: [{{apiGroups: [""], resources: {resources}, verbs: {verbs}{named}}}]
    """


def hook(client: str, kind: str = "MutatingWebhookConfiguration") -> str:
    return f"""
        apiVersion: admissionregistration.k8s.io/v1
        kind: {kind}
        metadata: {{name: x}}
        webhooks: [{{name: a.example.com, clientConfig: {client}, admissionReviewVersions: [v1], sideEffects: None}}]
    """


def flat(kind: str, more: str, version: str = "v1", metadata: str = "{name: x, namespace: shop}") -> str:
    return f"apiVersion: {version}\nkind: {kind}\nmetadata: {metadata}\n{more}\n"


PEM = make_root().cert_pem.decode()
REFUSED_BY_GO = textwrap.indent(make_root(extra=(NEVER_CRITICAL,)).cert_pem.decode(), "    ")
CA = textwrap.indent(PEM, "    ")
BINDING = (
    "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: NAME}\nsubjects: [{kind: User, name: eve}]"
)
RBAC = "rbac.authorization.k8s.io/v1"
FLUX = "kustomize.toolkit.fluxcd.io/v1"
HOSTILE = {
    "MESH821": {
        "a CA in a ConfigMap": flat("ConfigMap", f"data:\n  ca.pem: |\n{CA}"),
        "a CA that Go doesn't read, but Envoy may": flat("ConfigMap", f"data:\n  ca.pem: |\n{REFUSED_BY_GO}"),
        "a CA in a bundle": flat("ClusterTrustBundle", f"spec:\n  trustBundle: |\n{CA}", "certificates.k8s.io/v1beta1"),
        "an issuer of tokens": istio(
            "RequestAuthentication", "{jwtRules: [{issuer: eve, jwksUri: 'https://e.example'}]}", "security.istio.io/v1"
        ),
        "an issuer of certificates": other("cert-manager.io/v1", "ClusterIssuer", "{selfSigned: {}}", ""),
    },
    "MESH822": {
        "a privileged container": pod(container="{image: a, securityContext: {privileged: true}}"),
        "the node's processes": pod("{hostPID: true}"),
        "the node's network": pod("{hostNetwork: true}"),
        "the node's files": pod("{volumes: [{name: a, hostPath: {path: /}}]}"),
        "a capability": pod(container="{securityContext: {capabilities: {add: [SYS_ADMIN]}}}"),
        "an image": pod(container="{image: 'registry.example.com/eve:1'}", kind="DaemonSet"),
        "a pod inside a custom resource": other("example.com/v1", "Runner", "{template: {containers: [{image: eve}]}}"),
        "an EnvoyFilter": istio("EnvoyFilter", "{configPatches: []}", "networking.istio.io/v1alpha3"),
        "a Wasm module": istio("WasmPlugin", "{url: 'oci://e.example/x'}", "extensions.istio.io/v1alpha1"),
        "a webhook to a URL": hook("{url: 'https://e.example'}"),
        "a validating webhook": hook("{service: {namespace: a, name: b}}", "ValidatingWebhookConfiguration"),
        "an API service": other(
            "apiregistration.k8s.io/v1", "APIService", "{group: a, service: {namespace: a, name: b}}", "", "v1.a"
        ),
        "an admission policy": other(
            "admissionregistration.k8s.io/v1", "MutatingAdmissionPolicy", "{mutations: []}", ""
        ),
        "commands in pods": role("[pods/exec]", "[create]"),
        "acting as another": role("[users]", "[impersonate]"),
        "tokens of accounts": role("[serviceaccounts/token]", "[create]"),
    },
    "MESH823": {
        "a role for Secrets": role("[secrets]"),
        "a role for everything": role("['*']", "['*']"),
        "a Role in Istio's namespace": role("[secrets]", "[list]", kind="Role"),
        "cluster-admin": flat("ClusterRoleBinding", BINDING.replace("NAME", "cluster-admin"), RBAC, "{name: x}"),
        "edit in a namespace": flat("RoleBinding", BINDING.replace("NAME", "edit"), RBAC),
        "a store of secrets": other("external-secrets.io/v1", "ClusterSecretStore", "{provider: {}}", ""),
        "a value out of a store": external("harmless"),
        "a value that is pushed": other("external-secrets.io/v1alpha1", "PushSecret", "{selector: {}}"),
        "a copy elsewhere": flat(
            "ConfigMap",
            "data: {a: b}",
            metadata="{name: x, namespace: shop, annotations: {replicator.v1.mittwald.de/replicate-to: a}}",
        ),
        "a pod with the CA": pod("{volumes: [{name: a, secret: {secretName: cacerts}}]}"),
        "a pod with the CA, projected": pod(
            "{volumes: [{name: a, projected: {sources: [{secret: {name: cacerts}}]}}]}"
        ),
    },
    "MESH824": {
        "a ServiceEntry for a host of the mesh": istio(
            "ServiceEntry", "{hosts: [cart.shop.svc.cluster.local], endpoints: [{address: 203.0.113.9}]}"
        ),
        "a VirtualService": istio("VirtualService", "{hosts: [cart], http: [{route: [{destination: {host: eve}}]}]}"),
        "a DestinationRule": istio("DestinationRule", "{host: cart}"),
        "a WorkloadEntry": istio("WorkloadEntry", "{address: 203.0.113.9, labels: {app: cart}}"),
        "a Gateway": istio("Gateway", "{selector: {}, servers: []}"),
        "a Sidecar": istio("Sidecar", "{egress: []}"),
        "a route of the Gateway API": other("gateway.networking.k8s.io/v1", "HTTPRoute", "{hostnames: [a.example]}"),
        "an Ingress": other("networking.k8s.io/v1", "Ingress", "{rules: []}"),
        "an EndpointSlice": flat(
            "EndpointSlice", "addressType: IPv4\nendpoints: [{addresses: [203.0.113.9]}]", "discovery.k8s.io/v1"
        ).replace("name: x", "name: x, labels: {kubernetes.io/service-name: x}"),
        "Endpoints": flat("Endpoints", "subsets: [{addresses: [{ip: 203.0.113.9}]}]"),
        "a Service for a name": flat("Service", "spec: {type: ExternalName, externalName: eve.example.com}"),
        "a Service that takes an address": flat("Service", "spec: {externalIPs: [10.0.0.1], ports: [{port: 80}]}"),
    },
    "MESH825": {
        "a Kustomization of Flux": other(
            FLUX, "Kustomization", "{sourceRef: {kind: GitRepository, name: eve}, path: ./}"
        ),
        "a repository of Flux": other("source.toolkit.fluxcd.io/v1", "GitRepository", "{url: 'https://e.example'}"),
        "a bucket of Flux": other("source.toolkit.fluxcd.io/v1", "Bucket", "{endpoint: e.example}"),
        "a release of Flux": other(
            "helm.toolkit.fluxcd.io/v2",
            "HelmRelease",
            "{chart: {spec: {sourceRef: {kind: HelmRepository, name: eve}}}}",
        ),
        "an Application": other("argoproj.io/v1alpha1", "Application", "{source: {repoURL: 'https://e.example'}}"),
        "an Application with several sources": other(
            "argoproj.io/v1alpha1", "Application", "{sources: [{repoURL: 'https://e.example'}]}"
        ),
        "an ApplicationSet": other(
            "argoproj.io/v1alpha1", "ApplicationSet", "{template: {spec: {source: {repoURL: 'https://e.example'}}}}"
        ),
        "a repository of Fleet": other("fleet.cattle.io/v1alpha1", "GitRepo", "{repo: 'https://e.example'}"),
    },
    "MESH826": {
        "a policy that allows everything": istio("AuthorizationPolicy", "{rules: [{}]}", "security.istio.io/v1"),
        "a rule without a condition": istio(
            "AuthorizationPolicy", "{action: ALLOW, rules: [{from: [{source: {}}]}, {}]}", "security.istio.io/v1"
        ),
        "a network policy that allows everything": other(
            "networking.k8s.io/v1", "NetworkPolicy", "{podSelector: {}, ingress: [{}]}", "shop"
        ),
        "a policy for every caller": istio(
            "AuthorizationPolicy", "{rules: [{from: [{source: {principals: ['*']}}]}]}", "security.istio.io/v1"
        ),
        "a network policy for every address": other(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}",
            "shop",
        ),
        "an object that Flux leaves alone": flat(
            "ConfigMap",
            "data: {a: b}",
            metadata="{name: x, namespace: shop, annotations: {kustomize.toolkit.fluxcd.io/reconcile: disabled}}",
        ),
        "a network policy that lets everything out": other(
            "networking.k8s.io/v1", "NetworkPolicy", "{podSelector: {}, egress: [{}]}", "shop"
        ),
    },
    "MESH805": {
        "no mutual TLS": istio("PeerAuthentication", "{mtls: {mode: DISABLE}}", "security.istio.io/v1"),
        "no TLS towards a host": istio("DestinationRule", "{host: cart, trafficPolicy: {tls: {mode: DISABLE}}}"),
    },
}
FINE = {
    "a ConfigMap": HARMLESS.replace("settings", "x"),
    "a Service": flat("Service", "spec: {selector: {app: a}, ports: [{name: http, port: 80}]}"),
    "a ServiceAccount": flat("ServiceAccount", "automountServiceAccountToken: false"),
    "a policy with a source": istio(
        "AuthorizationPolicy", "{rules: [{from: [{source: {principals: [a]}}]}]}", "security.istio.io/v1"
    ),
    "a policy that denies": istio("AuthorizationPolicy", "{action: DENY, rules: [{}]}", "security.istio.io/v1"),
    "strict mutual TLS": istio("PeerAuthentication", "{mtls: {mode: STRICT}}", "security.istio.io/v1"),
    "a network policy with a peer": other(
        "networking.k8s.io/v1", "NetworkPolicy", "{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}", "shop"
    ),
    "a Telemetry": istio("Telemetry", "{accessLogging: []}", "telemetry.istio.io/v1"),
}
NAMES = [(code, name) for code, several in HOSTILE.items() for name in several]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mesh in a repository, compiled and committed."""
    find_tool("kubectl")
    folder = tmp_path_factory.mktemp("powers")
    for name, text in {"mesh.yaml": MESH, "extra.yaml": HARMLESS, "patch.yaml": NOTHING}.items():
        (folder / name).write_text(text)
    git(folder, "init", "-q", "-b", "main")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert CliRunner().invoke(app, ["compile"]).exit_code == 0
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "base")
    return folder


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *words], cwd=folder, check=True)


def diff(base: Path, monkeypatch: pytest.MonkeyPatch, **files: str) -> tuple[int, list[dict[str, object]]]:
    """The exit code and the dangers of a change of some files, without their ending."""
    monkeypatch.chdir(base)
    for name, text in {"mesh": MESH, "extra": HARMLESS, "patch": NOTHING, **files}.items():
        (base / f"{name}.yaml").write_text(text)
    words = ["diff", "--base", "main", "--format", "json", "--fail-on", "danger"]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code in (0, 1), result.output
    return result.exit_code, json.loads(result.stdout)["dangers"]


@pytest.mark.parametrize(("code", "name"), NAMES, ids=[name for _, name in NAMES])
def test_a_power_is_a_danger_at_the_line_that_brings_it(
    base: Path, monkeypatch: pytest.MonkeyPatch, code: str, name: str
) -> None:
    added = HARMLESS + "---\n" + textwrap.dedent(HOSTILE[code][name])
    exit_code, found = diff(base, monkeypatch, extra=added)

    places = {danger["code"]: (danger["file"], danger["line"]) for danger in found}
    assert exit_code == 1
    assert code in places
    file, line = places[code]
    assert file == "extra.yaml"
    assert isinstance(line, int)
    assert line > HARMLESS.count("\n")


@pytest.mark.parametrize("name", FINE)
def test_what_gives_no_power_is_no_danger(base: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    exit_code, found = diff(base, monkeypatch, extra=HARMLESS + "---\n" + textwrap.dedent(FINE[name]))

    assert (exit_code, found) == (0, [])


def test_a_power_that_a_patch_brings_stands_in_the_patch(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    label = "pod-security.kubernetes.io/enforce: privileged"
    _, found = diff(base, monkeypatch, patch=NOTHING.replace("{team: shop}", f"{{team: shop, {label}}}"))

    assert [(one["code"], one["file"], one["line"]) for one in found] == [("MESH826", "patch.yaml", 3)]


def test_a_danger_of_mesh_yaml_stands_at_the_line_that_changed(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, found = diff(base, monkeypatch, mesh=MESH.replace("mutualTLS: strict", "mutualTLS: permissive"))

    assert [(one["code"], one["file"], one["line"]) for one in found] == [("MESH805", "mesh.yaml", 6)]


def test_the_same_name_in_two_clusters_hides_nothing() -> None:
    """The first of the clusters has a harmless object of the name."""
    identity = Identity("networking.k8s.io", "NetworkPolicy", "shop", "x")
    closed, everyone = ({"kind": "NetworkPolicy", "spec": {"ingress": tuple({} for _ in range(n))}} for n in (0, 1))
    sides = {name: Sides({}, {identity: body}) for name, body in (("a", closed), ("b", everyone))}
    for action, origin in ((Action.ADD, ""), (Action.MOVE, "a")):
        clusters = ("b",) if origin else ("a", "b")
        entry = Entry(action, identity, clusters, origin=origin)
        difference = Difference((entry,), ("a", "b"), ("a", "b"), {}, sides)

        found = [(risk.code.id, risk.clusters) for risk in new_powers(difference, frozenset(), {}, "istio-system")]

        assert found == [("MESH826", ("b",))]


def test_a_list_hides_nothing() -> None:
    rule = "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: x}, rules: []}"
    objects = Parser().objects(FileTree({"a.yaml": f"apiVersion: v1\nkind: List\nitems: [{rule}]\n".encode()}))

    assert [identity.kind for identity in objects] == ["ClusterRole"]


def test_a_binding_that_is_no_longer_required_is_a_danger(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    strict = MESH.replace("ca: {type: self-signed}}", "ca: {type: self-signed}, secrets: {requireBinding: true}}")
    (base / "mesh.yaml").write_text(strict)
    git(base, "commit", "-qam", "strict")
    try:
        _, found = diff(base, monkeypatch)
    finally:
        git(base, "reset", "-q", "--hard", "HEAD~1")

    assert [(one["code"], one["line"]) for one in found] == [("MESH826", 6)]


def test_another_version_of_an_image_is_no_danger(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, found = diff(base, monkeypatch, extra=HARMLESS.replace("blue", "green"))

    assert found == []


@pytest.mark.parametrize("odd", [None, 5, "x", {"a": {"b": ("c",)}}, ({"a": "b"},)], ids=str)
def test_a_field_of_another_type_is_no_bug(odd: object) -> None:
    """A hostile object must not take away the other messages of a pull request by a traceback."""
    texts = [textwrap.dedent(text) for several in HOSTILE.values() for text in several.values()]
    bodies = [document.data for text in texts for document in read(text.encode(), "x.yaml")[0]]
    rules = (powers.trusted, powers.runs, powers.reads_secrets, powers.syncs, openings.opens, openings.guards)
    for body in bodies:
        for path in paths(body):
            other_body = put(body, path, odd)
            for rule in rules:
                rule(other_body)
            powers.routes(other_body, frozenset())
            sources.reasons(other_body, "istio-system")


def paths(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where each value below `spec`, `data`, `rules` and the like stands."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, tuple) else ()
    for key, item in items:
        if path or key not in ("apiVersion", "kind", "metadata"):
            yield (*path, key)
            yield from paths(item, (*path, key))


def put(value: Any, path: tuple[str | int, ...], new: object) -> Any:
    """The value with another one at a path."""
    if not path:
        return new
    if isinstance(value, tuple):
        return tuple(put(item, path[1:], new) if at == path[0] else item for at, item in enumerate(value))
    return {key: put(item, path[1:], new) if key == path[0] else item for key, item in value.items()}
