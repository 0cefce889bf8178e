"""`meshc inject`: a stand-in for istioctl records what it is given. The real one of Istio 1.0 is not at hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from conftest import ROOT, find_tool

MESH = ROOT / "examples/classic/mesh.yaml"
APP = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ratings}\n"
STAND_IN = """#!{python}
import json, pathlib, sys
if "--help" in sys.argv:
    print("{help}")
    sys.exit()
files = [word for word in sys.argv[1:] if word.startswith("/")]
record = {{"argv": sys.argv[1:], "files": {{path: pathlib.Path(path).read_text() for path in files}}}}
record["stdin"] = sys.stdin.read()
pathlib.Path("{record}").write_text(json.dumps(record))
if "refuse" in record["stdin"]:
    sys.exit("Error: no such kind")
print(record["stdin"] + "# injected")
"""


def istioctl(folder: Path, flags: str = "--injectConfigFile --meshConfigFile") -> Path:
    """A program that stands in for istioctl; it writes what it was given to `record` beside it."""
    program = folder / "istioctl"
    program.write_text(STAND_IN.format(python=sys.executable, help=flags, record=folder / "record"))
    program.chmod(0o755)
    return program


def inject(*words: str, program: Path | str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    find_tool("kubectl")
    environment = {**os.environ, "MESHC_ISTIOCTL": str(program), "NO_COLOR": "1"}
    argv = [sys.executable, "-m", "meshc", "inject", *words, "-f", str(MESH)]
    return subprocess.run(argv, input=stdin, capture_output=True, text=True, env=environment, check=False)


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
        (["-", "-c", "main"], APP, 3, "a primary's injection template comes with its chart"),
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
    assert "is of a later Istio than 1.0" in done.stderr


def test_an_istioctl_that_is_missing(tmp_path: Path) -> None:
    done = inject("-", "-c", "branch", program=tmp_path / "none", stdin=APP)

    assert (done.returncode, "which is no program" in done.stderr) == (4, True)


def test_istiod_says_what_it_needs(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "meshc", "inject", "-", "-c", "edge-1", "-f", str(ROOT / "mesh.yaml")]
    done = subprocess.run(argv, input=APP, capture_output=True, text=True, check=False)

    assert done.returncode == 3
    assert "istiod's injection template comes with its primary's chart" in done.stderr
