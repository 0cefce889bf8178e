"""What meshc links by itself is what kustomize builds, byte for byte; and kustomize is asked where it must be."""

from __future__ import annotations

import json
import os
import random
import string
from pathlib import Path
from typing import Any

import pytest

from meshc.disk.repository import Repository
from meshc.kube import Version
from meshc.output.kustomize import find
from meshc.output.native import is_tested
from meshc.output.order import place_of
from meshc.output.split import head_of
from meshc.overlays.kustomization import kustomization
from meshc.supported import KUSTOMIZE
from meshc.yamltext.write import write
from support.processes import Run, meshc
from support.tools import find_tool

pytestmark = pytest.mark.thorough

KINDS = [
    *(
        "v1 Namespace",
        "v1 ResourceQuota",
        "v1 ServiceAccount",
        "v1 ConfigMap",
        "v1 Secret",
        "v1 Endpoints",
        "v1 Service",
    ),
    *("apps/v1 Deployment", "apps/v1 DaemonSet", "apps/v1 StatefulSet", "batch/v1 Job", "batch/v1 CronJob"),
    *("rbac.authorization.k8s.io/v1 Role", "rbac.authorization.k8s.io/v1 ClusterRole", "policy/v1 PodDisruptionBudget"),
    *("rbac.authorization.k8s.io/v1 RoleBinding", "rbac.authorization.k8s.io/v1 ClusterRoleBinding"),
    *("admissionregistration.k8s.io/v1 MutatingWebhookConfiguration", "discovery.k8s.io/v1 EndpointSlice"),
    *("admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration", "networking.k8s.io/v1 NetworkPolicy"),
    *("networking.istio.io/v1 Gateway", "networking.istio.io/v1beta1 Gateway", "gateway.networking.k8s.io/v1 Gateway"),
    *(
        "security.istio.io/v1 PeerAuthentication",
        "bitnami.com/v1alpha1 SealedSecret",
        "authentication.istio.io/v1alpha1 MeshPolicy",
    ),
]
CLUSTERED = {"Namespace", "ClusterRole", "ClusterRoleBinding", "MeshPolicy"}
CLUSTERED |= {"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}


@pytest.mark.parametrize("seed", range(200 if os.environ.get("MESHC_TEST_LONG") == "1" else 4))
def test_objects_are_put_in_the_order_of_kustomize(tmp_path: Path, seed: int) -> None:
    """Names with dashes, dots and digits in them, namespaces that begin alike, and none at all."""
    find_tool("kubectl")
    chance = random.Random(seed)
    names = [
        f"{head}{chance.choice(('', '-', '.', ''))}{tail}" for head in ("a", "b1", "b10") for tail in ("1", "x", "2b")
    ]
    bodies: dict[tuple[str, str, str], dict[str, Any]] = {}
    for _ in range(150):
        api_version, kind = chance.choice(KINDS).split()
        namespace = "" if kind in CLUSTERED else chance.choice(("", "a", "a-b", "ab", "b"))
        metadata = {"name": chance.choice(names), **({"namespace": namespace} if namespace else {})}
        group = api_version.rpartition("/")[0]
        same = (f"{group} {kind}", namespace, metadata["name"])
        bodies.setdefault(same, {"apiVersion": api_version, "kind": kind, "metadata": metadata})
    texts = [write(body) for body in bodies.values()]
    chance.shuffle(texts)
    files = {f"o/{number}.yaml": text.encode() for number, text in enumerate(texts)}
    files["o/kustomization.yaml"] = kustomization(sorted(path.removeprefix("o/") for path in files))
    repository = Repository.around(tmp_path)

    built = find(repository).build(files, "o", repository).decode()

    assert built == "---\n".join(sorted(texts, key=lambda text: place_of(*head_of(text))))


def said(*words: str, cwd: Path, code: int = 0, **environment: str) -> str:
    done: Run = meshc(*words, cwd=cwd, **environment)

    assert done.returncode == code, done.stdout + done.stderr

    return done.stdout + done.stderr


@pytest.fixture
def mesh(tmp_path: Path) -> Path:
    find_tool("kubectl")
    (tmp_path / ".git").mkdir()
    said("init", ".", cwd=tmp_path)
    return tmp_path


def test_both_ways_give_the_same_trees(mesh: Path) -> None:
    """With labels and annotations that are awkward to write, in a manifest of the user's."""
    odd = [
        "1",
        "1e3",
        "on",
        "~",
        " x",
        "x: y",
        "# x",
        "'",
        '"',
        "é",
        "\u2028",
        "a\tb",
        "a\nb\n",
        "{a}",
        "- x",
        "%",
        "x" * 200,
    ]
    chance = random.Random(7)
    ports = "ports: [{name: http, port: 80}]"
    services = []
    for number in range(60):
        values = {f"note{i}": "".join(chance.choice([*odd, *string.ascii_letters]) for _ in range(4)) for i in range(3)}
        note = json.dumps({f"networking.istio.io/{key}": value for key, value in values.items()})
        services.append(
            f"apiVersion: v1\nkind: Service\nmetadata: {{name: s{number}, namespace: shop, annotations: {note}}}\n"
            f"spec: {{{ports}}}\n"
        )
    (mesh / "apps.yaml").write_text("---\n".join(services))
    text = (mesh / "mesh.yaml").read_text()
    head = text[: text.index("  services:")] if "  services:" in text else text
    (mesh / "mesh.yaml").write_text(head + "  services:\n    - {name: s, manifests: apps.yaml, clusters: [hub]}\n")

    said("compile", cwd=mesh)

    assert said("check", "--link", "kustomize", cwd=mesh).startswith("up to date")
    assert "equal to kustomize" in said("verify", cwd=mesh)
    assert json.loads(said("verify", "--sample", "1", "--format", "json", cwd=mesh))["clusters"] == ["hub"]


def test_kustomize_is_started_only_where_it_has_something_to_do(mesh: Path) -> None:
    log = mesh / "log"
    program = mesh / "kustomize"
    program.write_text(f'#!/bin/sh\necho "$*" >>{log}\nexec {find_tool("kubectl")} "$@"\n')
    program.chmod(0o755)
    said("compile", cwd=mesh, MESHC_KUSTOMIZE=str(program))

    assert "kustomize hub" not in log.read_text()
    assert "kustomize edge-1" not in log.read_text()

    (mesh / "patch.yaml").write_text(
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: istio-system, labels: {extra: label}}\n"
    )
    text = (mesh / "mesh.yaml").read_text().replace("role: primary", "role: primary\n      patches: [patch.yaml]", 1)
    (mesh / "mesh.yaml").write_text(text)

    assert "1 overlay built because of your patches, resources or components" in said(
        "compile", cwd=mesh, MESHC_KUSTOMIZE=str(program)
    )
    assert "kustomize unit" in log.read_text()
    assert "kustomize hub" not in log.read_text()
    assert "kustomize edge-1" not in log.read_text()


def test_an_unknown_kustomize_builds_everything(mesh: Path) -> None:
    program = mesh / "kustomize"
    program.write_text(
        "#!/bin/sh\n"
        'if [ "$1" = version ]; then echo v5.99.0; exit; fi\n'
        f'shift; exec {find_tool("kubectl")} kustomize "$@"\n'
    )
    program.chmod(0o755)
    compiled = said("compile", cwd=mesh, MESHC_KUSTOMIZE=str(program))

    assert "note: kustomize 5.99.0 isn't one from 5.5 up to 5.9: it builds all overlays" in compiled
    assert "2 overlays built" in compiled
    assert [is_tested(version) for version in (Version(5, 4), *KUSTOMIZE, Version(5, 8, 1))] == [
        False,
        True,
        False,
        True,
    ]


def test_verify_tells_what_differs(mesh: Path) -> None:
    """A kustomize that is not itself: every build gets one line more."""
    program = mesh / "kustomize"
    program.write_text(
        "#!/bin/sh\n"
        'if [ "$1" = version ]; then echo v5.8.0; exit; fi\n'
        f'{find_tool("kubectl")} kustomize "$2" | sed "s/istio-injection: enabled/istio-injection: disabled/"\n'
    )
    program.chmod(0o755)

    assert "differs: output/edge-1/namespaces.yaml" in said("verify", cwd=mesh, code=1, MESHC_KUSTOMIZE=str(program))
