"""Charts: what helm is asked and how often, what vendor pulls and pins, and what an archive may hold."""

from __future__ import annotations

import functools
import http.server
import json
import shutil
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

import pytest
import yaml

from meshc.charts.rules import every_rule
from meshc.commands.compiling import compiled_unrendered
from meshc.commands.listener import Silent
from meshc.commands.opened import Opened
from support.archives import chart
from support.cases import find_case
from support.commands import invoke
from support.paths import ROOT
from support.tools import find_helm

pytestmark = pytest.mark.thorough
CASE = find_case("charts-of-istiod")


@pytest.fixture
def mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The case's mesh in a repository of its own, where the test stands."""
    find_helm()
    folder = tmp_path / "mesh"
    shutil.copytree(CASE, folder, ignore=shutil.ignore_patterns("expected", ".meshc"))
    (folder / ".git").mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("NO_COLOR", "1")
    return folder


@pytest.fixture
def asked(tmp_path: Path, mesh: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with the arguments and surroundings of every helm that was started."""
    log, wrapper = tmp_path / "asked", tmp_path / "helm"
    real = find_helm().program
    wrapper.write_text(f'#!/bin/sh\necho "$@ HOME=$HOME" $(env | cut -d= -f1) >> {log}\nexec {real} "$@"\n')
    wrapper.chmod(0o755)
    log.write_text("")
    monkeypatch.setenv("MESHC_HELM", str(wrapper))
    return log


def templates(log: Path) -> list[str]:
    return [line for line in log.read_text().splitlines() if line.startswith("template")]


def test_equal_renders_are_shared_and_remembered(mesh: Path, asked: Path) -> None:
    text = (mesh / "mesh.yaml").read_text()
    edges = "".join(
        f"    - {{name: e{n}, role: remote, kubernetesVersion: '1.34', podCIDRs: [10.{20 + n}.0.0/16]}}\n"
        for n in range(9)
    )
    (mesh / "mesh.yaml").write_text(text + edges)

    assert invoke("compile").exit_code == 0
    first = templates(asked)
    assert invoke("compile").exit_code == 0

    # base with the mesh's values and with those of edge-1; istiod in each, as each has its name among its values
    assert sorted(line.split()[1] for line in first) == ["istio-base"] * 2 + ["istiod"] * 11
    assert templates(asked) == first


def test_each_chart_that_is_rendered_is_a_step(mesh: Path) -> None:
    told: list[str] = []

    class Counting(Silent):
        @contextmanager
        def steps(self, what: str, total: int) -> Iterator[Callable[[], None]]:
            told.append(f"{what} {total}")
            yield lambda: told.append("done")

    compiled_unrendered(Opened(mesh / "mesh.yaml", listener=Counting()))

    assert told[0].startswith("rendering charts ")
    assert told[1:] == ["done"] * int(told[0].split()[-1])


def test_what_helm_sees(mesh: Path, asked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELM_PLUGINS", "/plugins")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com")
    text = (mesh / "mesh.yaml").read_text()
    (mesh / "mesh.yaml").write_text(text.replace("{traceSampling: 5}", "{traceSampling: 5, note: not-in-arguments}"))

    assert invoke("compile").exit_code == 0
    for line in templates(asked):
        assert "meshc-" in line.partition("HOME=")[2]
        assert "HELM_PLUGINS" not in line
        assert "PROXY" not in line
        assert "not-in-arguments" not in line
        assert "--kube-version 1.34.0" in line


def test_no_helm_is_told_before_anything_is_written(mesh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MESHC_HELM")
    monkeypatch.setenv("PATH", str(mesh))
    result = invoke("validate")

    assert result.exit_code == 4
    assert "no helm was found on PATH" in result.stderr
    assert not (mesh / "output").exists()


def test_a_program_that_is_no_helm(mesh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESHC_HELM", shutil.which("true") or "true")

    assert invoke("compile").exit_code == 4


def archive(folder: Path, name: str) -> bytes:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return chart({path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}, name)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        del args


@pytest.fixture
def repository(mesh: Path, tmp_path: Path) -> Iterator[Path]:
    """A chart repository on loopback, and mesh.yaml that names it."""
    folder = tmp_path / "published"
    folder.mkdir()
    entries = {}
    for name in ("base", "istiod"):
        data = archive(mesh / "vendor" / name, name)
        (folder / f"{name}-1.30.3.tgz").write_bytes(data)
        entry = {"apiVersion": "v2", "name": name, "version": "1.30.3", "urls": [f"{name}-1.30.3.tgz"]}
        entries[name] = [{**entry, "digest": sha256(data).hexdigest()}]
    (folder / "index.yaml").write_text(yaml.safe_dump({"apiVersion": "v1", "entries": entries}))
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        text = (mesh / "mesh.yaml").read_text().replace("source: vendor", f"source: '{address}'")
        (mesh / "mesh.yaml").write_text(text)
        yield folder
        server.shutdown()


def test_vendor_pulls_and_pins_and_compile_needs_no_network(mesh: Path, repository: Path) -> None:
    missing = invoke("compile")
    pulled = invoke("vendor")
    lock = yaml.safe_load((mesh / "charts.lock.yaml").read_text())["charts"]
    again = invoke("vendor")
    for path in repository.iterdir():
        path.unlink()

    assert "MESH620" in missing.stderr
    assert pulled.exit_code == 0, pulled.stderr
    assert [(one["chart"], one["path"]) for one in lock] == [
        ("base", "charts/base-1.30.3.tgz"),
        ("istiod", "charts/istiod-1.30.3.tgz"),
    ]
    for one in lock:
        assert one["digest"] == f"sha256:{sha256((mesh / one['path']).read_bytes()).hexdigest()}"
    assert again.stdout.endswith("nothing changed\n")
    assert invoke("compile").exit_code == 0
    assert (mesh / "output/hub/istiod.yaml").exists()


class Registry(http.server.BaseHTTPRequestHandler):
    """As much of an OCI registry as a pull asks for; `content` by the end of the path."""

    content: ClassVar[dict[str, bytes]] = {}
    wants: ClassVar[str] = ""

    def do_GET(self) -> None:
        if self.wants and self.headers["Authorization"] != f"Basic {self.wants}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="charts"')
            self.end_headers()
            return
        data = next((data for end, data in self.content.items() if self.path.endswith(end)), None)
        self.send_response(200 if data is not None else 404)
        data = data or b""
        if "/manifests/" in self.path:
            self.send_header("Content-Type", "application/vnd.oci.image.manifest.v1+json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Docker-Content-Digest", digest(data))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    do_HEAD = do_GET  # noqa: N815 # as http.server calls it

    def log_message(self, *args: object) -> None:
        del args


def digest(data: bytes) -> str:
    return f"sha256:{sha256(data).hexdigest()}"


def described(kind: str, data: bytes) -> dict[str, object]:
    return {"mediaType": f"application/vnd.{kind}", "digest": digest(data), "size": len(data)}


@pytest.mark.parametrize("password", ["", "a password"])
def test_vendor_pulls_from_a_registry(
    mesh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    login = b64encode(f"me:{password}".encode()).decode()
    monkeypatch.setattr(Registry, "wants", login if password else "")
    monkeypatch.setenv("HELM_REGISTRY_CONFIG", str(tmp_path / "login.json"))
    for name in ("base", "istiod"):
        chart = archive(mesh / "vendor" / name, name)
        config = json.dumps({"apiVersion": "v2", "name": name, "version": "1.30.3"}).encode()
        manifest = {
            "schemaVersion": 2,
            **described("oci.image.manifest.v1+json", b""),
            "config": described("cncf.helm.config.v1+json", config),
            "layers": [described("cncf.helm.chart.content.v1.tar+gzip", chart)],
        }
        document = json.dumps({key: manifest[key] for key in manifest if key not in ("digest", "size")}).encode()
        Registry.content |= {f"/{name}/manifests/1.30.3": document, f"/{name}/manifests/{digest(document)}": document}
        Registry.content |= {digest(chart): chart, digest(config): config}
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        source = f"source: 'oci://localhost:{server.server_port}/charts'"
        (tmp_path / "login.json").write_text(
            json.dumps({"auths": {f"localhost:{server.server_port}": {"auth": login}}})
        )
        (mesh / "mesh.yaml").write_text((mesh / "mesh.yaml").read_text().replace("source: vendor", source))
        pulled = invoke("vendor")
        server.shutdown()

    assert pulled.exit_code == 0, pulled.stderr
    assert (mesh / "charts/istiod-1.30.3.tgz").read_bytes() == archive(mesh / "vendor/istiod", "istiod")
    assert invoke("compile").exit_code == 0


def test_vendor_writes_all_or_nothing(mesh: Path, repository: Path) -> None:
    before = (mesh / "charts.lock.yaml").read_bytes()
    (repository / "istiod-1.30.3.tgz").write_bytes(b"not an archive")
    result = invoke("vendor")

    assert result.exit_code in (3, 4)
    assert not (mesh / "charts").exists()
    assert (mesh / "charts.lock.yaml").read_bytes() == before


def test_vendor_takes_away_what_it_pulled_and_nothing_needs(mesh: Path, repository: Path) -> None:
    assert invoke("vendor").exit_code == 0
    (mesh / "charts/mine.tgz").write_bytes(b"somebody's")
    text = (mesh / "mesh.yaml").read_text()
    shutil.copytree(CASE / "vendor", mesh / "vendor", dirs_exist_ok=True)
    address = text.partition("source: '")[2].partition("'")[0]
    (mesh / "mesh.yaml").write_text(text.replace(f"'{address}'", "vendor"))

    assert invoke("vendor").exit_code == 0
    assert [path.name for path in (mesh / "charts").iterdir()] == ["mine.tgz"]


def test_a_folder_of_archives_is_a_source(mesh: Path) -> None:
    for name in ("base", "istiod"):
        (mesh / f"vendor/{name}-1.30.3.tgz").write_bytes(archive(mesh / "vendor" / name, name))
        shutil.rmtree(mesh / "vendor" / name)

    assert invoke("vendor").exit_code == 0
    assert invoke("compile").exit_code == 0


def test_a_link_among_the_files_of_a_chart_is_refused(mesh: Path) -> None:
    (mesh / "vendor/istiod/templates/more.yaml").symlink_to("/etc/passwd")
    result = invoke("compile")

    assert result.exit_code == 5
    assert "MESH603" in result.stderr


def test_values_of_the_user_win_and_are_deep(mesh: Path) -> None:
    text = (
        (mesh / "mesh.yaml")
        .read_text()
        .replace("{pilot: {traceSampling: 1}}", "{global: {logAsJson: true, multiCluster: {enabled: true}}}", 1)
    )
    (mesh / "mesh.yaml").write_text(text)
    values = yaml.safe_load(invoke("values", "hub", "--chart", "istiod").stdout)["global"]

    assert values["logAsJson"] is True
    assert values["multiCluster"] == {"clusterName": "hub", "enabled": True}


def test_the_document_tells_every_rule() -> None:
    text = (ROOT / "docs/charts.md").read_text()

    assert [rule.name for rule in every_rule() if f"| {rule.name} |" not in text] == []


def test_nothing_is_left_in_the_temporary_folder(mesh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "temporary"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))

    assert invoke("compile").exit_code == 0
    assert list(scratch.iterdir()) == []
    assert (mesh / "output/hub/istiod.yaml").exists()
