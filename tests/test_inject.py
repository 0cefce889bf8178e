"""`meshc inject`: a stand-in for istioctl records what it is given. No real one is at hand."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from support.cases import find_case
from support.paths import ROOT
from support.processes import Run, meshc, said
from support.tools import find_helm, find_tool

pytestmark = pytest.mark.thorough

CHARTS = find_case("charts-of-istiod")
MESH = ROOT / "examples/classic/mesh.yaml"
APP = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ratings}\n"
    "spec: {template: {spec: {containers: [{name: a}]}}}\n"
)
STAND_IN = """#!{python}
import json, pathlib, sys
if "--help" in sys.argv:
    print("{help}")
    sys.exit()
if "version" in sys.argv:
    print("{version}")
    sys.exit()
files = [word for word in sys.argv[1:] if word.startswith("/")]
record = {{"argv": sys.argv[1:], "files": {{path: pathlib.Path(path).read_text() for path in files}}}}
record["stdin"] = sys.stdin.read()
pathlib.Path("{record}").write_text(json.dumps(record))
if "refuse" in record["stdin"]:
    sys.exit("Error: no such kind")
print(record["stdin"] + "# injected")
"""


def istioctl(folder: Path, flags: str = "--injectConfigFile --meshConfigFile", version: str = "") -> Path:
    """A program that stands in for istioctl; it writes what it was given to `record` beside it."""
    program = folder / "istioctl"
    program.write_text(STAND_IN.format(python=sys.executable, help=flags, version=version, record=folder / "record"))
    program.chmod(0o755)
    return program


def inject(*words: str, program: Path | str, stdin: str = "") -> Run:
    find_tool("kubectl")
    return meshc("inject", *words, "-f", str(MESH), cwd=Path(), stdin=stdin, MESHC_ISTIOCTL=str(program))


def test_istioctl_gets_the_compiled_config_maps_and_the_manifest(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text(APP)
    done = inject(str(tmp_path / "app.yaml"), "--cluster", "branch", program=istioctl(tmp_path))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{APP}# injected\n"

    record = json.loads((tmp_path / "record").read_text())
    inject_file, mesh_file = record["files"]

    assert record["argv"] == [
        "kube-inject",
        *("--injectConfigFile", inject_file),
        *("--meshConfigFile", mesh_file),
        *("-f", "-"),
    ]
    assert record["stdin"] == APP
    assert not Path(inject_file).exists()

    objects = yaml.safe_load_all((MESH.parent / "output/branch/istio-remote.yaml").read_text())
    compiled = {one["metadata"]["name"]: one["data"] for one in objects if one["kind"] == "ConfigMap"}

    assert record["files"][inject_file] == compiled["istio-sidecar-injector"]["config"]
    assert record["files"][mesh_file] == compiled["istio"]["mesh"]


def test_a_manifest_from_standard_input(tmp_path: Path) -> None:
    done = inject("-", "-c", "branch", program=istioctl(tmp_path), stdin=APP)

    assert (done.returncode, done.stdout) == (0, f"{APP}# injected\n")


@pytest.mark.parametrize(
    ("words", "stdin", "code", "said"),
    [
        (["-", "-c", "nowhere"], APP, 2, 'there is no cluster "nowhere"'),
        (["-", "-c", "main"], APP, 3, "the injection template comes with the chart of primary main"),
        (["no-such.yaml", "-c", "branch"], APP, 2, "can't be read: No such file"),
        (["-", "-c", "branch"], "refuse", 4, "Error: no such kind"),
    ],
)
def test_what_goes_wrong_is_told(tmp_path: Path, words: list[str], stdin: str, code: int, said: str) -> None:
    done = inject(*words, program=istioctl(tmp_path), stdin=stdin)

    assert done.returncode == code
    assert done.stdout == ""
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_istioctl_of_a_later_version_is_refused(tmp_path: Path) -> None:
    done = inject("-", "-c", "branch", program=istioctl(tmp_path, "--injectConfigFile --valuesFile"), stdin=APP)

    assert done.returncode == 4
    assert "belongs to an Istio later than 1.0" in done.stderr


def test_an_istioctl_that_is_missing(tmp_path: Path) -> None:
    done = inject("-", "-c", "branch", program=tmp_path / "none", stdin=APP)

    assert (done.returncode, "which is not an executable program" in done.stderr) == (4, True)


def test_istiod_says_what_it_needs(tmp_path: Path) -> None:
    done = meshc("inject", "-", "-c", "edge-1", "-f", str(ROOT / "mesh.yaml"), cwd=tmp_path, stdin=APP)

    assert done.returncode == 3
    assert "edge-1: the injection template comes with the chart of primary hub, and mesh.yaml names none" in done.stderr


INJECTOR = """
apiVersion: v1
kind: ConfigMap
metadata: {name: istio-sidecar-injector{{ with .Values.revision }}-{{ . }}{{ end }}}
data:
  config: "templates: {}"
  values: {{ .Values | toJson | quote }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: istio{{ with .Values.revision }}-{{ . }}{{ end }}}
data: {mesh: "trustDomain: cluster.local"}
"""


@pytest.fixture
def istiod_mesh(tmp_path: Path) -> Path:
    """A mesh with a chart of istiod whose ConfigMaps tell what it was given."""
    find_helm()
    folder = tmp_path / "mesh"
    shutil.copytree(CHARTS, folder, ignore=shutil.ignore_patterns("expected", ".meshc", "charts.lock.yaml"))
    (folder / ".git").mkdir()
    (folder / "vendor/istiod/templates/all.yaml").write_text(INJECTOR)
    text = (folder / "mesh.yaml").read_text()
    (folder / "mesh.yaml").write_text(
        text.replace("version: 1.30.3", "version: 1.30.3\n    revision: canary")
        .replace("networks: [{name: corp}]", "networks: [{name: corp, gateway: {address: 203.0.113.7}}]")
        .replace("name: hub\n", "name: hub\n      network: corp\n")
        .replace("name: edge-1\n", "name: edge-1\n      network: corp\n      sidecarInjection: manual\n")
    )
    said("vendor", cwd=folder)
    return folder


def inject_edge(mesh: Path, program: Path) -> Run:
    return meshc("inject", "-", "-c", "edge-1", cwd=mesh, stdin=APP, MESHC_ISTIOCTL=str(program))


def test_a_remote_of_istiod_is_injected_by_its_primarys_chart(tmp_path: Path, istiod_mesh: Path) -> None:
    done = inject_edge(istiod_mesh, istioctl(tmp_path, "--injectConfigFile --valuesFile", "client version: 1.29.2"))

    assert (done.returncode, done.stderr) == (0, "")
    record = json.loads((tmp_path / "record").read_text())
    files = dict(zip(record["argv"][1:7:2], record["files"].values(), strict=True))
    values = json.loads(files["--valuesFile"])

    assert record["argv"][7:] == ["--revision", "canary", "-f", "-"]
    assert (files["--injectConfigFile"], files["--meshConfigFile"]) == ("templates: {}", "trustDomain: cluster.local")
    # the primary's values, as its webhook would use them for this cluster
    assert values["global"]["externalIstiod"]
    assert values["global"]["multiCluster"]["clusterName"] == "edge-1"
    assert values["global"]["network"] == "corp"


def test_a_namespace_on_another_revision_is_injected_by_that_control_plane(tmp_path: Path, istiod_mesh: Path) -> None:
    text = (istiod_mesh / "mesh.yaml").read_text()
    text = text.replace("revision: canary", "revision: stable\n    controlPlanes: [{revision: canary}]").replace(
        "    revision: stable\n", "    revision: stable\n    revisionTags: {next: canary}\n"
    )
    text = text.replace("{istiod: 10.0.5.20}", "{istiod: 10.0.5.20, istiod-canary: 10.0.5.21}")
    (istiod_mesh / "mesh.yaml").write_text(text.rstrip() + "\n  namespaces: [{name: shop, revision: next}]\n")
    program = istioctl(tmp_path, "--injectConfigFile --valuesFile", "client version: 1.29.2")
    words = ("inject", "-", "-c", "edge-1")
    own = meshc(*words, cwd=istiod_mesh, stdin=APP, MESHC_ISTIOCTL=str(program))
    assert (own.returncode, _asked(tmp_path)) == (0, ["--revision", "stable"]), own.stderr
    meshc(*words, "-n", "shop", cwd=istiod_mesh, stdin=APP, MESHC_ISTIOCTL=str(program))
    assert _asked(tmp_path) == ["--revision", "canary"]

    both = f"{APP}---\n{APP.replace('name: ratings', 'name: ratings, namespace: shop')}"
    done = meshc(*words, cwd=istiod_mesh, stdin=both, MESHC_ISTIOCTL=str(program))
    assert done.returncode == 2
    assert "namespaces of several revisions: canary (shop) and stable (default)" in done.stderr


def _asked(folder: Path) -> list[str]:
    found: list[str] = json.loads((folder / "record").read_text())["argv"][7:9]
    return found


@pytest.mark.parametrize(
    ("flags", "version", "said"),
    [
        ("--injectConfigFile --meshConfigFile", "", "belongs to an Istio earlier than 1.5"),
        ("--injectConfigFile --valuesFile", "client version: 1.28.4", "is of Istio 1.28, too far from 1.30"),
    ],
)
def test_an_istioctl_of_another_time(tmp_path: Path, istiod_mesh: Path, flags: str, version: str, said: str) -> None:
    done = inject_edge(istiod_mesh, istioctl(tmp_path, flags, version))

    assert (done.returncode, said in done.stderr) == (4, True)
