"""What istiod takes its trust from comes from sealed files: every other door is tried, and each has a neighbour."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from typer.testing import CliRunner

from meshc.cli.main import app
from support.tools import find_tool
from support.user_objects import ENCRYPTED, external, other, sealed, sops

MESH = """\
apiVersion: meshc/v1alpha1
kind: Mesh
metadata: {{name: shop}}
spec:
  istio: {{version: 1.29.6}}
  security: {{mutualTLS: strict, ca: {{type: {ca}}}}}
  clusters:
    - name: hub
      role: primary
      kubernetesVersion: "1.34"
      resources: [extra.yaml]
      patches: {patches}
"""


def istiod(volume: str, env: str = "[]") -> str:
    pod = f"""{{containers: [{{name: discovery, image: pilot, env: {env},
            volumeMounts: [{{name: v, mountPath: /etc/cacerts}}]}}], volumes: [{volume}]}}"""
    return f"""
        apiVersion: apps/v1
        kind: Deployment
        metadata: {{name: istiod-2, namespace: istio-system}}
        spec: {{selector: {{matchLabels: {{a: b}}}}, template: {{metadata: {{labels: {{a: b}}}}, spec: {pod}}}}}
    """


LABELLED = '{istio/multiCluster: "true"}'
COPIED = '{annotations: {reflector.v1.k8s.emberstack.com/reflection-auto-enabled: "true"}}'
POLICY = "{{rules: [{{name: a, generate: {{kind: Secret, name: {name}, namespace: {where}, clone: {{name: a}}}}}}]}}"
REFUSED = {
    "SealedSecret cacerts": sealed("cacerts"),
    "SealedSecret of another name": sealed("harmless", template="{name: cacerts}"),
    "SealedSecret with the label": sealed("harmless", template=f"{{labels: {LABELLED}}}"),
    "SealedSecret of istio-ca-secret": sealed("istio-ca-secret"),
    "SealedSecret of istio-kubeconfig": sealed("istio-kubeconfig"),
    "SealedSecret of istiod-tls": sealed("istiod-tls"),
    "SealedSecret elsewhere, copied by a reflector": sealed("cacerts", "billing", COPIED),
    "Secret by sops": sops("cacerts"),
    "Secret by sops with the label": sops("harmless", labels=LABELLED),
    "Secret by sops in stringData": sops("cacerts", values="stringData"),
    "ExternalSecret cacerts": external("cacerts"),
    "ExternalSecret of another name": external("harmless", "{name: cacerts}"),
    "ExternalSecret with the label": external("harmless", f"{{template: {{metadata: {{labels: {LABELLED}}}}}}}"),
    "ExternalSecret whose own label is copied": external("harmless", metadata=f", labels: {LABELLED}"),
    "ExternalSecret with labels from elsewhere": external(
        "harmless", "{template: {templateFrom: [{target: Labels, configMap: {name: a}}]}}"
    ),
    "ExternalSecret that makes a ConfigMap": external(
        "harmless", "{name: istio-ca-root-cert, manifest: {apiVersion: v1, kind: ConfigMap}}"
    ),
    "ClusterExternalSecret": external("harmless", "{name: cacerts}", "ClusterExternalSecret"),
    "Certificate": other("cert-manager.io/v1", "Certificate", "{secretName: cacerts, issuerRef: {name: a}}"),
    "Certificate with the label": other(
        "cert-manager.io/v1", "Certificate", f"{{secretName: a, secretTemplate: {{labels: {LABELLED}}}}}"
    ),
    "Bundle of trust-manager": other(
        "trust.cert-manager.io/v1alpha1", "Bundle", "{target: {configMap: {key: a}}}", "", "istio-ca-root-cert"
    ),
    "ConfigMap of the root": """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: istio-ca-root-cert, namespace: billing}
        data: {root-cert.pem: a}
    """,
    "VaultStaticSecret": other(
        "secrets.hashicorp.com/v1beta1", "VaultStaticSecret", "{destination: {name: cacerts, create: true}}"
    ),
    "a Secret made by Kyverno": other(
        "kyverno.io/v1", "ClusterPolicy", POLICY.format(name="cacerts", where="istio-system"), ""
    ),
    "an object of Crossplane": other(
        "kubernetes.crossplane.io/v1alpha2",
        "Object",
        "{forProvider: {manifest: {apiVersion: v1, kind: Secret, metadata: {name: cacerts, namespace: istio-system}}}}",
        "",
    ),
    "a SopsSecret": other("isindir.github.com/v1alpha3", "SopsSecret", "{secretTemplates: [{name: cacerts}]}"),
    "an unknown kind with the label": other("example.com/v1", "Thing", f"{{labels: {LABELLED}}}"),
    "a Secrets Store class": other(
        "secrets-store.csi.x-k8s.io/v1", "SecretProviderClass", "{secretObjects: [{secretName: cacerts}]}"
    ),
    "another volume for istiod's CA": istiod("{name: v, secret: {secretName: other}}"),
    "kubeconfigs from files": istiod(
        "{name: v, secret: {secretName: cacerts}}", "[{name: PILOT_MULTICLUSTER_KUBECONFIG_PATH, value: /x}]"
    ),
    "istiod's CA by a part of its folder": istiod("{name: v, secret: {secretName: other}}").replace(
        "mountPath: /etc/cacerts", "mountPath: /etc/cacerts/ca-key.pem, subPath: a"
    ),
    "a Secret whose namespace is encrypted": sops("cacerts").replace("istio-system", f"'{ENCRYPTED}'"),
    "an object that is encrypted": sops("x").replace("kind: Secret", f"kind: '{ENCRYPTED}'"),
    "an ExternalSecret that is encrypted": external("x", f"{{name: '{ENCRYPTED}'}}"),
    "an ExternalSecret that a reflector copies": external(
        "cacerts", metadata=", annotations: {reflector.v1.k8s.emberstack.com/reflection-auto-enabled: 'true'}"
    ).replace("namespace: istio-system", "namespace: billing"),
    "Secrets that Kyverno copies": other(
        "kyverno.io/v1", "ClusterPolicy", "{rules: [{generate: {namespace: istio-system, cloneList: {}}}]}", ""
    ),
}
FINE = {
    "SealedSecret of an application": sealed("harmless"),
    "SealedSecret cacerts in another namespace": sealed("cacerts", "billing"),
    "SealedSecret with the label in another namespace": sealed("a", "billing", f"{{labels: {LABELLED}}}"),
    "SealedSecret of the root in a Secret": sealed("istio-ca-root-cert"),
    "SealedSecret with a certificate's name in its values": sealed("harmless", data="{a: '{{ .cacerts }}'}"),
    "Secret by sops in stringData": sops("harmless", values="stringData"),
    "ExternalSecret that reads a key of that name": external("harmless"),
    "Certificate": other("cert-manager.io/v1", "Certificate", "{secretName: my-cacerts, issuerRef: {name: a}}"),
    "Bundle": other("trust.cert-manager.io/v1alpha1", "Bundle", "{target: {configMap: {key: a}}}", "", "roots"),
    "a Secret made by Kyverno elsewhere": other(
        "kyverno.io/v1", "ClusterPolicy", POLICY.format(name="cacerts", where="billing"), "kyverno"
    ),
    "an unknown kind elsewhere": other("example.com/v1", "Thing", "{secretName: cacerts}", "billing"),
    "a workload that mounts the CA": istiod("{name: v, secret: {secretName: cacerts}}"),
    "a policy that protects the Secret": other(
        "kyverno.io/v1",
        "ClusterPolicy",
        "{rules: [{match: {any: [{resources: {names: [cacerts]}}]}, validate: {}}]}",
        "",
    ),
    "an alert about the Secret": other(
        "monitoring.coreos.com/v1", "PrometheusRule", "{groups: [{rules: [{expr: cacerts}]}]}"
    ),
    "another program with a volume there": istiod("{name: v, secret: {secretName: other}}")
    .replace("name: discovery", "name: app")
    .replace("image: pilot", "image: app"),
    "a Role that reads the Secret": """
        apiVersion: rbac.authorization.k8s.io/v1
        kind: Role
        metadata: {name: a, namespace: istio-system}
        rules: [{apiGroups: [""], resources: [secrets], resourceNames: [cacerts], verbs: [get]}]
    """,
}


@pytest.fixture
def mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    find_tool("kubectl")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


def meshc(command: str, mesh: Path, extra: str, ca: str = "self-signed", patch: str = "") -> tuple[int, str]:
    (mesh / ".git").mkdir(exist_ok=True)
    (mesh / "extra.yaml").write_text(textwrap.dedent(extra))
    (mesh / "patch.yaml").write_text(textwrap.dedent(patch))
    (mesh / "mesh.yaml").write_text(MESH.format(ca=ca, patches="[patch.yaml]" if patch else "[]"))
    result = CliRunner().invoke(app, command.split(), catch_exceptions=False)
    return result.exit_code, result.stdout + result.stderr


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("ca", ["self-signed", "external"])
def test_a_second_source_is_refused(mesh: Path, name: str, ca: str) -> None:
    code, said = meshc("compile", mesh, REFUSED[name], ca)

    allowed = ca == "external" and "as " not in name and name in ALLOWED
    assert (code, "MESH430" in said) == ((0, False) if allowed else (5, True)), said
    assert (mesh / "overlays").exists() is allowed


ALLOWED = {
    "SealedSecret cacerts",
    "SealedSecret of another name",
    "SealedSecret of istiod-tls",
    "Secret by sops",
    "Secret by sops in stringData",
    "ExternalSecret cacerts",
    "ExternalSecret of another name",
    "Certificate",
    "VaultStaticSecret",
}
"""What may stand where the CA is made elsewhere: one source, in Istio's namespace, of a kind whose fields are known."""


@pytest.mark.parametrize("name", FINE)
def test_its_neighbour_is_just_fine(mesh: Path, name: str) -> None:
    code, said = meshc("compile", mesh, FINE[name])

    assert (code, "MESH4" in said) == (0, False), said


def test_two_sources_of_an_external_ca_are_refused(mesh: Path) -> None:
    both = textwrap.dedent(REFUSED["Certificate"]) + "---" + textwrap.dedent(REFUSED["ExternalSecret of another name"])
    code, said = meshc("compile", mesh, both, "external")

    assert (code, said.count("MESH430: hub:")) == (5, 2)
    assert "hint: keep one source for each cluster" in said


def test_plan_shows_where_an_external_ca_comes_from(mesh: Path) -> None:
    code, said = meshc("plan", mesh, REFUSED["Certificate"], "external")

    assert code == 0
    assert "\n  cacerts    by Certificate istio-system/x in extra.yaml\n" in said


HARMLESS = sealed("harmless")
NAMED = "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: harmless, namespace: istio-system"
PATCHES = {
    "the label": f"{NAMED}}}\nspec: {{template: {{metadata: {{labels: {LABELLED}}}}}}}\n",
    "the name in the template": f"{NAMED}}}\nspec: {{template: {{metadata: {{name: cacerts}}}}}}\n",
    "the label of a Secret of sops": (
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: harmless, namespace: istio-system, labels: {LABELLED}}}\n"
    ),
}


@pytest.mark.parametrize("name", PATCHES)
def test_a_patch_makes_no_second_source(mesh: Path, name: str) -> None:
    extra = sops("harmless") if "sops" in name else HARMLESS
    code, said = meshc("compile", mesh, extra, patch=PATCHES[name])

    assert code == 5, said
    assert "MESH431" in said or "MESH417" in said
    assert not (mesh / "overlays").exists()


def test_a_patch_may_label_a_secret_otherwise(mesh: Path) -> None:
    patch = f"{NAMED}, labels: {{team: shop}}}}\n"

    assert meshc("compile", mesh, HARMLESS, patch=patch)[0] == 0


def test_a_volume_whose_name_is_no_text_is_no_bug(mesh: Path) -> None:
    code, said = meshc("validate", mesh, istiod("{name: {a: b}, secret: {secretName: other}}"))

    assert code == 5
    assert "MESH430" in said
