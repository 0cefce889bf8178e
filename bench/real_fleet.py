"""Times meshc on a realistic fleet of a platform team: python bench/real_fleet.py [--size 100x500] [--write]

Services come from manifests with Deployments beside them, each cluster has a plugged-in CA, the primary a sealed secret
for every remote, Flux delivers. The fleet is timed in the variants of docs/performance.md, which have different patches
and resources. For comparison, the same overlays are built with `kubectl kustomize`, in parallel on all processors, and
the fleet of fleet.py is timed. All objects are compared with kustomize's. --write writes the table between its marks in
docs/performance.md.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pyrage
import yaml

from fleet import fleet
from measuring import MESHC, Run, in_those_of, measure, measure_all, median
from rivals import KUSTOMIZE, refuse_other_objects

PAGE = Path(__file__).parent.parent / "docs/performance.md"
_MARKS = re.compile("(?<=<!-- real fleet -->\n).*(?=<!-- /real fleet -->)", re.DOTALL)
_TEAMS = 10
_PATCH = "apiVersion: v1\nkind: Namespace\nmetadata: {name: istio-system, labels: {example.com/owner: platform}}\n"
_POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny-all, namespace: istio-system}
spec: {podSelector: {}, policyTypes: [Ingress]}
"""
_HOOK = "[{op: replace, path: /webhooks/0/failurePolicy, value: Ignore}]\n"
_OF_HOOKS = "{path: hook.yaml, target: {kind: MutatingWebhookConfiguration}}"
_LABEL = "apiVersion: v1\nkind: Any\nmetadata: {name: any, labels: {example.com/team: mesh}}\n"
_OF_ALL = '{path: label.yaml, target: {kind: ".*"}}'
_TEAM = """\
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources: [policy.yaml]
patches: [{path: patch.yaml}]
"""
_SITE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: site}}\ndata: {{site: {0}}}\n"
_OWN = "apiVersion: v1\nkind: Namespace\nmetadata: {{name: istio-system, labels: {{example.com/site: {0}}}}}\n"


def variants(names: Sequence[str]) -> dict[str, Sequence[str]]:
    """The overrides of each variant, by its name in the table. `names` are the clusters."""
    return {
        "no patches, no resources": [],
        "a patch for all": ["{clusters: all, set: {patches: [patch.yaml]}}"],
        "a resource for all": ["{clusters: all, set: {resources: [policy.yaml]}}"],
        "a megabyte of CRDs for all": ["{clusters: all, set: {resources: [crds.yaml]}}"],
        "both": ["{clusters: all, set: {patches: [patch.yaml], resources: [policy.yaml]}}"],
        "a patch of an object that differs by cluster": [
            f"{{clusters: {{matchLabels: {{tier: site}}}}, set: {{patches: [{_OF_HOOKS}]}}}}"
        ],
        "a label on every object": [f"{{clusters: all, set: {{patches: [{_OF_ALL}]}}}}"],
        "a patch for each cluster": [
            f"{{clusters: [{name}], set: {{patches: [patches/{name}.yaml]}}}}" for name in names
        ],
        "a component for all": ["{clusters: all, set: {components: [team]}}"],
        "a kustomization for each cluster": [
            f"{{clusters: [{name}], set: {{resources: [sites/{name}]}}}}" for name in names
        ],
    }


_APP = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: service-{0}, namespace: shop, labels: {{app: service-{0}}}}}
spec:
  replicas: 3
  selector: {{matchLabels: {{app: service-{0}}}}}
  template:
    metadata: {{labels: {{app: service-{0}, version: v1}}, annotations: {{prometheus.io/scrape: "true"}}}}
    spec:
      serviceAccountName: service-{0}
      containers:
        - name: app
          image: registry.example.com/shop/service-{0}:1.{0}.0
          ports: [{{name: http, containerPort: 8080}}, {{name: grpc, containerPort: 9090}}]
          env:
            - {{name: LOG_LEVEL, value: info}}
            - {{name: DATABASE, valueFrom: {{secretKeyRef: {{name: service-{0}, key: url}}}}}}
          resources:
            requests: {{cpu: 100m, memory: 128Mi}}
            limits: {{memory: 256Mi}}
          readinessProbe:
            httpGet: {{path: /healthz, port: http}}
            periodSeconds: 5
          volumeMounts:
            - {{name: config, mountPath: /etc/app}}
      volumes:
        - {{name: config, configMap: {{name: service-{0}}}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: service-{0}, namespace: shop}}
data:
  app.yaml: |
    listen: 0.0.0.0:8080
    upstream: [service-1, service-2]
---
apiVersion: v1
kind: Service
metadata:
  name: service-{0}
  namespace: shop
  labels: {{app: service-{0}}}
spec:
  selector: {{app: service-{0}}}
  ports:
    - {{name: http, port: 8080, targetPort: http}}
    - {{name: grpc, port: 9090, targetPort: grpc, appProtocol: grpc}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: service-{0}, namespace: shop}}
"""


def _crd(number: int) -> str:
    """A CustomResourceDefinition of 81 kB, as large as those of Istio."""
    words = {"type": "object", "description": "What this field sets, in a sentence of a common length."}
    fields = {f"field{n}": {**words, "properties": {f"inner{m}": words for m in range(8)}} for n in range(60)}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": fields}}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    spec = {
        "group": "example.com",
        "names": {"kind": f"Kind{number}", "plural": f"kind{number}s"},
        "scope": "Namespaced",
    }
    body = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"kind{number}s.example.com"},
        "spec": {**spec, "versions": [version]},
    }
    return str(yaml.safe_dump(json.loads(json.dumps(body))))  # without anchors


def mesh_text(clusters: int, services: int, recipient: str, overrides: Sequence[str] = ()) -> str:
    """The mesh.yaml, with more overrides."""
    security = f"{{ca: {{type: plugged-in}}, secrets: {{recipients: [{recipient}]}}}}"
    head, _, _ = fleet(clusters, services).replace("{ca: {type: self-signed}}", security).partition("  services:\n")
    more = "".join(f"    - {one}\n" for one in overrides)
    head = head.replace("  overrides:\n", f"  overrides:\n{more}", 1)
    entries = "".join(
        f"    - {{name: team-{team}, manifests: apps/team-{team}, clusters: [{'hub' if team else 'eu-3'}]}}\n"
        for team in range(min(_TEAMS, services))
    )
    flux = "{engine: flux, repoURL: https://git.example.com/mesh.git, runsIn: hub}"
    return f"{head}  services:\n{entries}  delivery: {flux}\n"


def make_fleet(folder: Path, clusters: int, services: int) -> tuple[str, list[str]]:
    """Writes the fleet into its own Git repository, and returns the recipient of secrets and the clusters' names."""
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    subprocess.run(["git", "init", "-q", folder], check=True)
    text = mesh_text(clusters, services, recipient)
    (folder / "mesh.yaml").write_text(text)
    (folder / "patch.yaml").write_text(_PATCH)
    (folder / "policy.yaml").write_text(_POLICY)
    (folder / "crds.yaml").write_text("---\n".join(map(_crd, range(14))))
    (folder / "hook.yaml").write_text(_HOOK)
    (folder / "label.yaml").write_text(_LABEL)
    (folder / "patches").mkdir()
    (folder / "team").mkdir()
    for name, part in (("kustomization", _TEAM), ("policy", _POLICY), ("patch", _PATCH)):
        (folder / f"team/{name}.yaml").write_text(part)
    for number in range(services):
        path = folder / f"apps/team-{number % _TEAMS}/service-{number}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_APP.format(number))
    names = {cluster["name"]: cluster["apiServer"] for cluster in yaml.safe_load(text)["spec"]["clusters"]}
    for name in names:
        (folder / f"patches/{name}.yaml").write_text(_OWN.format(name))
        (folder / f"sites/{name}").mkdir(parents=True)
        (folder / f"sites/{name}/site.yaml").write_text(_SITE.format(name))
        (folder / f"sites/{name}/kustomization.yaml").write_text("namespace: shop\nresources: [site.yaml]\n")
    with tempfile.TemporaryDirectory() as keys:
        measure(*MESHC, "ca", "init", "--key-out", f"{keys}/root.key", cwd=folder)
        measure(*MESHC, "ca", "issue", *names, "--root-key", f"{keys}/root.key", cwd=folder)
        authority = (folder / "certificates/root-cert.pem").read_bytes()
        for name in [name for name in names if name != "hub"]:
            config = Path(keys) / name
            config.write_text(json.dumps(_kubeconfig(name, names[name], authority)))
            measure(*MESHC, "secrets", "seal", str(config), "--remote", name, "--accept-recipients", cwd=folder)
    return recipient, list(names)


def _kubeconfig(name: str, server: str, authority: bytes) -> dict[str, object]:
    cluster = {"server": server, "certificate-authority-data": base64.b64encode(authority).decode()}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": cluster}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "users": [{"name": name, "user": {"token": "not.a.token"}}],
    }


def row(folder: Path, rivals: Path, repeats: int, loop: bool) -> dict[str, Run]:
    """The figures of one variant. The output of kustomize is compared with meshc's output, object by object."""
    changes = iter(range(1, 250))
    text = (folder / "mesh.yaml").read_text()
    measure(*MESHC, "compile", cwd=folder)
    found = {"compile": median(lambda: measure(*MESHC, "compile", "--no-cache", cwd=folder), repeats)}

    def stale() -> Run:
        address = f"192.0.2.{next(changes) + 10}"
        (folder / "mesh.yaml").write_text(text.replace("istiod: 192.0.2.10}", f"istiod: {address}}}"))
        return measure(*MESHC, "check", "--no-cache", cwd=folder, codes=(1,))

    found["check, one address changed"] = median(stale, repeats)
    (folder / "mesh.yaml").write_text(text)
    if loop:
        names = [path.name for path in sorted((folder / "overlays").iterdir()) if path.name[0] != "_"]
        built = [([*KUSTOMIZE, f"overlays/{name}"], rivals / f"{name}.kustomize") for name in names]
        found["kustomize over the same overlays"] = measure_all(built, folder)
        refuse_other_objects(folder, rivals)
    return found


_LOOPED = ("no patches, no resources", "both", "a patch for each cluster")


def table(rows: dict[str, dict[str, Run]]) -> str:
    """A row for each fleet, with the ratio to the compile of the real fleet without patches and resources."""
    start = next(iter(rows.values()))["compile"]
    columns = list(rows["both"])
    ratios = "compile, in multiples of the first row | kustomize, in multiples of compile"
    lines = [f"| fleet | {' | '.join(columns)} | {ratios} |"]
    lines.append("|---|" + "---|" * (len(columns) + 2))
    for name, found in rows.items():
        cells = [str(found[column]) if column in found else "" for column in columns]
        took, loop = found["compile"], found.get(columns[-1])
        cells += [in_those_of(took, start), in_those_of(loop, took) if loop else ""]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="100x500", help="clusters x services")
    parser.add_argument("--repeats", type=int, default=3, help="runs whose median is shown; kustomize runs once")
    parser.add_argument("--write", action="store_true", help=f"write the table into {PAGE.name}")
    asked = parser.parse_args()
    clusters, services = map(int, asked.size.split("x"))
    rows: dict[str, dict[str, Run]] = {}
    with tempfile.TemporaryDirectory() as top:
        folder, rivals, friendly = (Path(tempfile.mkdtemp(dir=top)) for _ in range(3))
        recipient, names = make_fleet(folder, clusters, services)
        for name, overrides in variants(names).items():
            print(f"{name} ...", file=sys.stderr, flush=True)
            (folder / "mesh.yaml").write_text(mesh_text(clusters, services, recipient, overrides))
            rows[name] = row(folder, rivals, asked.repeats, loop=name in _LOOPED)
        subprocess.run(["git", "init", "-q", friendly], check=True)
        (friendly / "mesh.yaml").write_text(fleet(clusters, services))
        rows["the fleet of the first table"] = row(friendly, rivals, asked.repeats, loop=False)
    head = f"{asked.size}; medians of {asked.repeats} runs (kustomize: one run). In brackets: processor seconds."
    text = f"{head}\n\n{table(rows)}"
    if asked.write:
        PAGE.write_text(_MARKS.sub(lambda _: text, PAGE.read_text()))
    else:
        print(text)


if __name__ == "__main__":
    main()
