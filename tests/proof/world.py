"""Everything that a story has at hand: clusters, the mesh's repository, Flux, workloads and their requests."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proof import network
from proof.cluster import Cluster, Shape, start_cluster, start_etcd
from proof.flux import Flux
from proof.kubelet import Kubelet
from proof.mesh import Mesh
from proof.running import FailedError, Running, run, wait_for
from proof.written import SHOP

_ETCD = "100.66.0.1"  # an address of the router's, which every node reaches


@dataclass
class Counts:
    """What a steady stream of requests came to."""

    count: int
    by: Mapping[str, int]
    failed: Sequence[Mapping[str, Any]]


@dataclass
class World:
    """One run. What is started here ends with `end`."""

    scratch: Path
    logs: Path
    clusters: dict[str, Cluster] = field(default_factory=dict)
    kubelets: dict[str, Kubelet] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    requests: int = 0

    def __post_init__(self) -> None:
        network.prepare()
        keys = self.scratch / "keys"
        keys.mkdir(mode=0o700)
        self.mesh = Mesh(self.scratch / "repository", keys)
        self.flux: Flux | None = None
        run("ip", "addr", "replace", f"{_ETCD}/32", "dev", "lo")
        self._etcd: Running = start_etcd(self.scratch, self.logs, _ETCD)

    def end(self) -> None:
        if self.flux:
            self.flux.end()
        for kubelet in self.kubelets.values():
            kubelet.end()
        for cluster in self.clusters.values():
            cluster.end()
        self._etcd.end()
        network.clear()

    def saw(self, what: str) -> None:
        """Notes for the table what was seen to hold."""
        self.seen.append(what)
        print(f"    {what}", flush=True)

    def start(self, *shapes: Shape) -> None:
        """Starts clusters; those of one network are joined."""
        for shape in shapes:
            cluster = start_cluster(shape, self.scratch / "clusters", self.logs, f"http://{_ETCD}:2379")
            fellows = [each for each in self.clusters.values() if each.shape.network == shape.network]
            for fellow in fellows:
                network.join((fellow.node, cluster.node))
            self.clusters[shape.name] = cluster
            self.kubelets[shape.name] = Kubelet(cluster, self.scratch / "pods")
            if self.flux:
                self.flux.know(cluster)
        self.mesh.contexts(list(self.clusters.values()))

    def lose(self, name: str) -> None:
        """A whole cluster is gone at once: its pods, its API server, its lines."""
        self.clusters[name].node.cut_all()
        self.kubelets.pop(name).end()
        self.clusters.pop(name).end()

    def start_flux(self, hub: str) -> Flux:
        self.flux = Flux(self.clusters[hub], self.mesh, self.scratch)
        for cluster in self.clusters.values():
            if cluster.name != hub:
                self.flux.know(cluster)
        return self.flux

    def running_flux(self) -> Flux:
        if self.flux is None:
            raise FailedError("no Flux runs in this world")
        return self.flux

    def apply(self, message: str) -> float:
        """Commits, and waits until Flux has applied the commit to every cluster of the mesh."""
        commit = self.mesh.commit(message)
        names = [each["name"] for each in self.mesh.read()["clusters"]]
        self.running_flux().offer(commit)
        return self.running_flux().applied(commit, *names)

    def endpoints(self, cluster: str, app: str, name: str) -> list[str]:
        """The addresses that a sidecar has for a cluster of Envoy's, by that name."""
        for status in self.sidecar(cluster, app, "clusters?format=json").get("cluster_statuses") or []:
            if status["name"] == name:
                found = [each["address"]["socket_address"] for each in status.get("host_statuses") or []]
                return sorted(f"{each['address']}:{each['port_value']}" for each in found)
        return []

    def deploy(
        self,
        cluster: str,
        app: str,
        namespace: str = SHOP,
        *,
        injected: bool = True,
        replicas: int = 1,
        forced: bool = False,
        **more: Any,
    ) -> None:
        """A workload and its Service, of the user's own: nothing of it comes from meshc."""
        labels = {"app": app, "sidecar.istio.io/inject": str(injected).lower()}
        container = {"name": "app", "image": "app", "ports": [{"containerPort": 8080, "name": "http"}]}
        spec = {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": app}},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        }
        metadata = {"name": app, "namespace": namespace}
        body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
        ports = [{"name": "http", "port": 8080}]
        ways = {"selector": {"app": app}, "ports": ports, **more}
        own = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": ways}
        both = {"apiVersion": "v1", "kind": "List", "items": [body, own]}
        force = ["--force-conflicts"] if forced else []
        self.clusters[cluster].kubectl("apply", "--server-side", *force, "-f", "-", stdin=json.dumps(both))

    def ready(self, cluster: str, app: str, seconds: float = 120) -> None:
        pod = wait_for(f"{cluster}: {app} is ready", lambda: self.kubelets[cluster].find(app), seconds)
        wait_for(f"{cluster}: {app} takes orders", (pod.folder_of("app") / "run/orders").exists, 20)

    def sidecar(self, cluster: str, app: str, path: str) -> dict[str, Any]:
        """What the Envoy beside a workload says of itself on its administration port, which is on loopback only."""
        pod = self.kubelets[cluster].find(app)
        return dict(json.loads(run("curl", "-s", "-m", "10", f"http://127.0.0.1:15000/{path}", namespace=pod.net.name)))

    def call(self, cluster: str, app: str, host: str, port: int = 8080) -> dict[str, Any]:
        """One request from a workload to a Service by its name, resolved as its own cluster resolves it."""
        return self.call_address(cluster, app, self.resolve(cluster, host), host, port)

    def call_address(self, cluster: str, app: str, address: str, host: str, port: int = 8080) -> dict[str, Any]:
        """One request from a workload to an address, whoever has it."""
        self.requests += 1
        return self._order(cluster, app, {"do": "call", "address": address, "port": port, "host": host})

    def resolve(self, cluster: str, host: str) -> str:
        """The cluster IP of a Service in one cluster."""
        name, namespace = host.split(".")[:2]
        body = self.clusters[cluster].api.get(f"/api/v1/namespaces/{namespace}/services/{name}")
        if body is None:
            raise FailedError(f"{cluster} has no Service {host}")
        return str(body["spec"]["clusterIP"])

    @contextmanager
    def stream(self, cluster: str, app: str, host: str, port: int = 8080, pause: float = 0.05) -> Iterator[Counts]:
        """Requests one after the other while the block runs; what they came to is filled in at its end."""
        counts = Counts(0, {}, [])
        name = f"{app}-{host}-{time.monotonic()}"
        order = {"do": "stream", "name": name, "address": self.resolve(cluster, host), "port": port, "host": host}
        self._order(cluster, app, {**order, "pause": pause})
        try:
            yield counts
        finally:
            found = self._order(cluster, app, {"do": "finish", "name": name})
            counts.count, counts.by, counts.failed = found["count"], found["by"], found["failed"]
            self.requests += counts.count

    def _order(self, cluster: str, app: str, order: Mapping[str, Any]) -> dict[str, Any]:
        pod = self.kubelets[cluster].find(app)
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(30)
            here = Path(f"/proc/self/cwd/{pod.folder_of('app').relative_to(Path.cwd())}", "run/orders")
            line.connect(str(here))
            line.sendall(json.dumps(order).encode() + b"\n")
            with line.makefile() as answer:
                return dict(json.loads(answer.readline()))

    def versions(self, cluster: str) -> dict[str, str]:
        """The resourceVersion of everything that Flux or kubectl applied from output/ to a cluster."""
        found: dict[str, str] = {}
        for path in sorted((self.mesh.folder / "output" / cluster).glob("*.yaml")):
            if path.name == "kustomization.yaml":
                continue
            text = self.clusters[cluster].kubectl("get", "-f", path, "-o", "json", "--ignore-not-found")
            body = json.loads(text) if text.strip() else {"items": []}
            for each in body.get("items", [body]):
                metadata = each["metadata"]
                key = f"{each['kind']}/{metadata.get('namespace', '')}/{metadata['name']}"
                found[key] = metadata["resourceVersion"]
        return found
