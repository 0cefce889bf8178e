"""Plays what a node does: starts what a pod asks for, fills its volumes from the API server, and tells its state.

Programs are told by a container's name, as there are no images: `discovery`, `istio-proxy`, `istio-init`, `app`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from proof.api import Body
from proof.cluster import Cluster
from proof.container import Container, command_of, environment_of, prepare_root
from proof.network import Pod
from proof.running import FailedError, Running, run, start
from proof.services import Proxy, hosts_of
from proof.volumes import Volumes

_PAUSE = 0.4


class Kubelet:
    """The loop of one node. It ends with `end`, and everything that it started with it."""

    def __init__(self, cluster: Cluster, scratch: Path) -> None:
        self.cluster = cluster
        self.pods: dict[str, PodRun] = {}
        self.faults: list[str] = []
        self._scratch = scratch / cluster.name
        self.proxy = Proxy(cluster)
        self._stop = threading.Event()
        self._frozen = threading.Event()
        _make_node(cluster)
        self._thread = threading.Thread(target=self._loop, name=f"{cluster.name}-kubelet", daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._stop.set()
        self._thread.join(30)
        for pod in list(self.pods.values()):
            pod.end()

    def find(self, app: str) -> PodRun:
        """The pod with a label app, once it runs."""
        found = [pod for pod in self.pods.values() if pod.labels.get("app") == app and pod.ready]
        if not found:
            raise FailedError(f"{self.cluster.name}: no pod {app} is ready: {[p.state for p in self.pods.values()]}")
        return found[-1]

    def _loop(self) -> None:
        while not self._stop.wait(_PAUSE):
            try:
                self._round()
            except (FailedError, OSError, KeyError) as error:
                self.faults.append(f"{self.cluster.name}: {error}")

    def _round(self) -> None:
        self.proxy.refresh()
        bodies = self.cluster.api.items("/api/v1/pods")
        living = {str(body["metadata"]["uid"]) for body in bodies}
        for uid in set(self.pods) - living:
            self.pods.pop(uid).end()
        for body in bodies:
            uid = str(body["metadata"]["uid"])
            if body["metadata"].get("deletionTimestamp"):
                if pod := self.pods.pop(uid, None):
                    pod.end()
                self.cluster.api.delete(_path(body), at_once=True)
            elif uid not in self.pods:
                self.pods[uid] = PodRun(self.cluster, body, self._scratch / uid)
        for pod in self.pods.values():
            pod.look(self.proxy.names)


class PodRun:
    """One pod: its network namespace, its volumes, its containers."""

    def __init__(self, cluster: Cluster, body: Body, folder: Path) -> None:
        self.cluster, self.body, self.folder = cluster, body, folder
        self.name = str(body["metadata"]["name"])
        self.labels: Mapping[str, str] = body["metadata"].get("labels") or {}
        self.net: Pod = cluster.node.pod()
        self.running: dict[str, Running] = {}
        self.ready = False
        self.state = f"{self.name}: starting"
        self._volumes = Volumes(cluster, body, folder / "volumes")
        self._names = ""
        self._ended = False
        self._again = 0.0
        self._commands: dict[str, tuple[list[str], dict[str, str]]] = {}
        folder.mkdir(parents=True)
        self._hosts = folder / "hosts"
        self._hosts.write_text("127.0.0.1 localhost\n")
        self._thread = threading.Thread(target=self._start, name=self.name, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._ended = True
        for running in self.running.values():
            running.end()
        self._thread.join(20)
        self.net.remove()

    def look(self, names: Mapping[str, str]) -> None:
        """Brings names and volumes up to date, and tells whether the pod is ready."""
        if (text := hosts_of(names)) != self._names:
            self._hosts.write_text(text)
            self._names = text
        self._volumes.refresh()
        self._start_again()
        ready = not self._thread.is_alive() and bool(self.running) and self._probe()
        if ready != self.ready:
            self.ready = ready
            self._tell()

    def _start_again(self) -> None:
        """A container that ended by itself is started again, as its pod says by default."""
        if self._thread.is_alive():
            return
        for name, running in list(self.running.items()):
            if running.ended and time.monotonic() > self._again:
                self.state = f"{self.name}: {name} ended: {running.tail(3)}"
                self._again = time.monotonic() + 3
                self.running[name] = start(
                    running.name, self._commands[name][0], self.cluster.logs, self.net.name, self._commands[name][1]
                )

    def folder_of(self, container: str) -> Path:
        """The root of a container, as the harness sees it."""
        return self.folder / container

    def _start(self) -> None:
        try:
            self._bind()
            spec = self.body["spec"]
            for each in spec.get("initContainers") or []:
                self._run(each, to_end=each.get("restartPolicy") != "Always")
            for each in spec["containers"]:
                self._run(each, to_end=False)
            self.state = f"{self.name}: started"
        except (FailedError, OSError, KeyError) as error:
            self.state = f"{self.name}: {error}"

    def _bind(self) -> None:
        if not self.body["spec"].get("nodeName"):
            target = {"apiVersion": "v1", "kind": "Node", "name": self.cluster.name}
            metadata = {"name": self.name, "namespace": self.body["metadata"]["namespace"]}
            body = {"apiVersion": "v1", "kind": "Binding", "metadata": metadata, "target": target}
            self.cluster.api.create(f"{_path(self.body)}/binding", body)
        self._tell()

    def _run(self, body: Body, *, to_end: bool) -> None:
        """Starts a container once its volumes can be filled; waits for its end, or for its start-up probe."""
        name = str(body["name"])
        until = time.monotonic() + 120
        while missing := self._volumes.missing(body):
            self.state = f"{self.name}: {name} waits for {missing}"
            if self._ended or time.monotonic() > until:
                raise FailedError(f"{name} waited in vain for {missing}")
            time.sleep(_PAUSE)
        root = self.folder / name
        container = Container(self.cluster, self.body, body, root, self.net.address)
        prepare_root(root, self._hosts, self._volumes.mounts(body))
        log = f"{self.cluster.name}.{self.name}.{name}"
        self._commands[name] = command_of(container), environment_of(container)
        running = start(log, self._commands[name][0], self.cluster.logs, self.net.name, self._commands[name][1])
        self.running[name] = running
        if to_end:
            if running.process.wait(60):
                raise FailedError(f"{name} ended with {running.process.returncode}: {running.tail()}")
            del self.running[name]
        elif probe := body.get("startupProbe"):
            until = time.monotonic() + 90
            while not self._ask(probe) and not self._ended and time.monotonic() < until and not running.ended:
                time.sleep(_PAUSE)

    def _probe(self) -> bool:
        spec = self.body["spec"]
        bodies = [*(spec.get("initContainers") or []), *spec["containers"]]
        probes = [body["readinessProbe"] for body in bodies if "readinessProbe" in body]
        return not any(each.ended for each in self.running.values()) and all(self._ask(probe) for probe in probes)

    def _ask(self, probe: Mapping[str, Any]) -> bool:
        if "httpGet" not in probe:
            return True
        bodies = self.body["spec"]["containers"]
        ports = {each.get("name"): each["containerPort"] for body in bodies for each in body.get("ports") or []}
        port = probe["httpGet"]["port"]
        url = f"http://{self.net.address}:{ports.get(port, port)}{probe['httpGet'].get('path', '/')}"
        try:
            argv = ("curl", "-s", "-o", "/dev/null", "-m", "2", "-w", "%{http_code}", url)
            return run(*argv, namespace=self.cluster.name) == "200"
        except FailedError:
            return False

    def _tell(self) -> None:
        word = "True" if self.ready else "False"
        kinds = {"PodScheduled": "True", "Initialized": word, "ContainersReady": word, "Ready": word}
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        address, host = self.net.address, self.cluster.node.address
        status = {
            "phase": "Running" if self.ready else "Pending",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "hostIP": host,
            "hostIPs": [{"ip": host}],
            "startTime": now,
            "conditions": [{"type": kind, "status": value, "lastTransitionTime": now} for kind, value in kinds.items()],
            "containerStatuses": [
                {
                    "name": each["name"],
                    "image": each["image"],
                    "imageID": "",
                    "ready": self.ready,
                    "started": self.ready,
                    "restartCount": 0,
                    "state": {"running": {"startedAt": now}},
                }
                for each in self.body["spec"]["containers"]
            ],
        }
        self.cluster.api.merge(f"{_path(self.body)}/status", {"status": status})


def _path(body: Body) -> str:
    return f"/api/v1/namespaces/{body['metadata']['namespace']}/pods/{body['metadata']['name']}"


def _make_node(cluster: Cluster) -> None:
    labels = {"topology.kubernetes.io/region": cluster.shape.region, "topology.kubernetes.io/zone": cluster.name}
    spec = {"podCIDR": cluster.shape.pods, "podCIDRs": [cluster.shape.pods]}
    metadata = {"name": cluster.name, "labels": labels}
    cluster.api.create("/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": spec})
    status = {
        "addresses": [{"type": "InternalIP", "address": cluster.node.address}],
        "conditions": [{"type": "Ready", "status": "True"}],
        "capacity": {"cpu": "2", "memory": "4Gi", "pods": "50"},
        "allocatable": {"cpu": "2", "memory": "4Gi", "pods": "50"},
    }
    cluster.api.merge(f"/api/v1/nodes/{cluster.name}/status", {"status": status})
    # the taint that admission gives to a node that isn't ready yet, and that the node controller would take away
    cluster.api.merge(f"/api/v1/nodes/{cluster.name}", {"spec": {"taints": None}})
