"""Flux's kustomize-controller, which applies what the compiled root.yaml says. The harness serves it the commits."""

from __future__ import annotations

import functools
import hashlib
import json
import subprocess
import threading
import time
from collections.abc import Sequence
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from proof import programs
from proof.api import Body
from proof.cluster import Cluster
from proof.mesh import Mesh
from proof.running import FailedError, start, wait_for

NAMESPACE = "flux-system"
_GIT = f"/apis/source.toolkit.fluxcd.io/v1/namespaces/{NAMESPACE}/gitrepositories"
KUSTOMIZATIONS = f"/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/{NAMESPACE}/kustomizations"


class Flux:
    """The engine in one cluster, for all clusters of the mesh."""

    def __init__(self, hub: Cluster, mesh: Mesh, scratch: Path) -> None:
        self.hub, self._mesh, self._folder = hub, mesh, scratch / "artifacts"
        self._folder.mkdir()
        handler = functools.partial(_Quiet, directory=str(self._folder))
        self._address = hub.node.gate.rsplit(".", 1)[0] + ".1"
        self._server = ThreadingHTTPServer((self._address, 9080), handler)
        threading.Thread(target=self._server.serve_forever, name="artifacts", daemon=True).start()
        self._install()
        self.start()

    def _install(self) -> None:
        for module in (programs.FLUX, programs.SOURCES):
            self.hub.kubectl("apply", "--server-side", "-f", programs.source(module) / "config/crd/bases")
        self.hub.kubectl("create", "namespace", NAMESPACE)
        name = f"mesh.agekey={self._mesh.identity}"
        self.hub.kubectl("-n", NAMESPACE, "create", "secret", "generic", "sops-age", f"--from-file={name}")
        wait_for("Flux's kinds are served", lambda: self.hub.api.get(_GIT) and self.hub.api.get(KUSTOMIZATIONS), 30)

    def start(self) -> None:
        """Starts the engine, or starts it again after it was killed."""
        argv = [
            str(programs.find(programs.FLUX, "kustomize-controller")),
            *("--events-addr=", "--enable-leader-election=false", "--metrics-addr=127.0.0.1:18080"),
            *("--health-addr=127.0.0.1:19440", "--log-level=info", "--requeue-dependency=2s", "--concurrent=4"),
        ]
        environment = {
            "KUBECONFIG": str(self.hub.kubeconfig),
            "RUNTIME_NAMESPACE": NAMESPACE,
            "HOME": str(self._folder),
            "PATH": "/usr/bin:/bin",
            "TMPDIR": str(self._folder.parent),
        }
        self.hub.running["flux"] = start("flux", argv, self.hub.logs, self.hub.name, environment)

    def end(self) -> None:
        self.hub.running.pop("flux").end()
        self._server.shutdown()
        self._server.server_close()

    def know(self, cluster: Cluster) -> None:
        """A person gives Flux the kubeconfig of one more cluster."""
        value = f"value={cluster.kubeconfig}"
        name = f"{cluster.name}-kubeconfig"
        self.hub.kubectl("-n", NAMESPACE, "create", "secret", "generic", name, f"--from-file={value}")

    def take_root(self) -> None:
        """A person applies root.yaml, once."""
        self.hub.kubectl("apply", "-f", self._mesh.folder / "output/_delivery/flux/root.yaml")

    def offer(self, commit: str) -> None:
        """Plays source-controller: an archive of the commit, and its address in the GitRepository's status."""
        target = self._folder / f"{commit}.tar.gz"
        argv = ["git", "-C", str(self._mesh.folder), "archive", "--format=tar.gz", f"--output={target}", commit]
        subprocess.run(argv, check=True, timeout=60)
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        for repository in self.hub.api.items(_GIT):
            name = repository["metadata"]["name"]
            artifact = {
                "digest": f"sha256:{hashlib.sha256(target.read_bytes()).hexdigest()}",
                "lastUpdateTime": now,
                "path": target.name,
                "revision": f"main@sha1:{commit}",
                "size": target.stat().st_size,
                "url": f"http://{self._address}:9080/{target.name}",
            }
            ready = {"type": "Ready", "status": "True", "reason": "Succeeded", "message": "", "lastTransitionTime": now}
            self.hub.api.merge(f"{_GIT}/{name}/status", {"status": {"artifact": artifact, "conditions": [ready]}})

    def applied(self, commit: str, *clusters: str, seconds: float = 240, later: bool = True) -> float:
        """Waits until Flux has applied a commit to these clusters and found it healthy; how long that took.

        Without `later` what comes after istiod isn't waited for: a remote's gateway needs the credentials first.
        """
        began = time.monotonic()
        wait_for("Flux applied the root", functools.partial(self._is_at, "proof", commit), seconds)
        for name in self._names(clusters) if later else [f"proof.{cluster}" for cluster in clusters]:
            wait_for(f"Flux applied {name}", functools.partial(self._is_at, name, commit), seconds)
        return time.monotonic() - began

    def _is_at(self, name: str, commit: str) -> bool:
        body = self.hub.api.get(f"{KUSTOMIZATIONS}/{name}")
        if body is None:
            raise FailedError("no such Kustomization")
        status = body.get("status") or {}
        ready = {each["type"]: each for each in status.get("conditions") or []}.get("Ready") or {}
        if ready.get("status") == "True" and str(status.get("lastAppliedRevision", "")).endswith(commit):
            return True
        raise FailedError(f"{ready.get('reason')}: {str(ready.get('message'))[:600]}")

    def state(self, name: str) -> str:
        """What Flux says of a Kustomization."""
        body: Body = self.hub.api.get(f"{KUSTOMIZATIONS}/{name}") or {}
        return json.dumps((body.get("status") or {}).get("conditions"))

    def apply_now(self, *clusters: str, seconds: float = 240) -> None:
        """Asks for the commit that it has to be applied again, and waits until it is."""
        mark = str(time.time())
        names = self._names(clusters)
        for name in names:
            change = {"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": mark}}}
            self.hub.api.merge(f"{KUSTOMIZATIONS}/{name}", change)
        for name in names:
            wait_for(f"Flux applied {name} again", functools.partial(self._did, name, mark), seconds)

    def _names(self, clusters: Sequence[str]) -> list[str]:
        """The Kustomizations of these clusters, those that come later among them."""
        found = [str(body["metadata"]["name"]) for body in self.hub.api.items(KUSTOMIZATIONS)]
        return [name for cluster in clusters for name in found if f"{name}.".startswith(f"proof.{cluster}.")]

    def _did(self, name: str, mark: str) -> bool:
        status = (self.hub.api.get(f"{KUSTOMIZATIONS}/{name}") or {}).get("status") or {}
        ready = {each["type"]: each for each in status.get("conditions") or []}.get("Ready") or {}
        if status.get("lastHandledReconcileAt") == mark and ready.get("status") == "True":
            return True
        raise FailedError(f"{ready.get('reason')}: {str(ready.get('message'))[:600]}")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return
