"""A cluster: a real API server and its controllers in the namespace of its node. One etcd serves all, a prefix each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from proof import keys, programs
from proof.api import Api
from proof.network import Node, make_node
from proof.running import Running, run, start, wait_for

_CONTROLLERS = (
    "serviceaccount-controller,serviceaccount-token-controller,namespace-controller,"
    "root-ca-certificate-publisher-controller,endpoints-controller,endpointslice-controller,"
    "endpointslice-mirroring-controller,garbage-collector-controller,clusterrole-aggregation-controller,"
    "deployment-controller,replicaset-controller,disruption-controller"
)


@dataclass(frozen=True)
class Shape:
    """What mesh.yaml says of a cluster's addresses."""

    name: str
    address: str
    pods: str
    services: str
    network: str = "corp"
    region: str = "eu-west"
    kubernetes: programs.Module = programs.KUBERNETES


@dataclass
class Cluster:
    """The programs of a cluster, and how to call it."""

    shape: Shape
    node: Node
    folder: Path
    logs: Path
    api: Api
    kubeconfig: Path
    running: dict[str, Running] = field(default_factory=dict)
    server: Sequence[str] = ()

    @property
    def name(self) -> str:
        return self.shape.name

    def kubectl(self, *arguments: str | Path, stdin: str | None = None, limit: float = 120) -> str:
        """What kubectl prints, as the cluster's administrator."""
        return run(programs.system("kubectl"), "--kubeconfig", self.kubeconfig, *arguments, stdin=stdin, limit=limit)

    def start_server(self, *more: str) -> None:
        """Starts the API server, with more arguments than before; one that runs is ended first."""
        if "api" in self.running:
            self.running.pop("api").end()
        running = start(f"{self.name}-api", [*self.server, *more], self.logs, self.name)
        self.running = {"api": running, **self.running}
        wait_for(f"{self.name}: the API server is ready", lambda: _ready(self), 120)

    def end(self) -> None:
        for running in reversed(self.running.values()):
            running.end()


def start_etcd(folder: Path, logs: Path, address: str) -> Running:
    """etcd for all clusters: nothing here outlives the run, so it doesn't wait for the disk."""
    client = f"http://{address}:2379"
    peer = "http://127.0.0.1:2380"
    argv = [
        *(programs.system("etcd"), "--name", "proof", "--data-dir", str(folder / "etcd"), "--unsafe-no-fsync"),
        *("--listen-client-urls", client, "--advertise-client-urls", client, "--log-level", "error"),
        *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"proof={peer}"),
    ]
    return start("etcd", argv, logs)


def start_cluster(shape: Shape, folder: Path, logs: Path, etcd: str) -> Cluster:
    """Starts the API server and its controllers, and waits until it is ready."""
    home = folder / shape.name
    home.mkdir(parents=True)
    node = make_node(shape.name, shape.address, shape.pods)
    api = _write_keys(shape, home)
    server = _server(shape, home, etcd)
    cluster = Cluster(shape, node, home, logs, api, home / "admin.kubeconfig", server=server)
    cluster.start_server()
    controllers = start(f"{shape.name}-controllers", _controllers(shape, home), logs, shape.name)
    cluster.running["controllers"] = controllers
    wait_for(
        f"{shape.name}: the controllers are at work",
        lambda: api.get("/api/v1/namespaces/default/configmaps/kube-root-ca.crt"),
        60,
    )
    return cluster


def _ready(cluster: Cluster) -> bool:
    if cluster.running["api"].ended:
        raise AssertionError(cluster.running["api"].tail(15))
    return run("curl", "-sk", f"https://{cluster.shape.address}:6443/readyz", limit=10) == "ok"


def _write_keys(shape: Shape, home: Path) -> Api:
    authority = keys.Authority(shape.name)
    first = shape.services.rsplit(".", 1)[0] + ".1"
    names = (shape.address, first, "127.0.0.1", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
    pairs = {
        "server": authority.issue("kube-apiserver", names=names),
        "admin": authority.issue("admin", "system:masters"),
        "controllers": authority.issue("system:kube-controller-manager"),
    }
    (home / "ca.crt").write_bytes(authority.certificate)
    for name, pair in pairs.items():
        (home / f"{name}.crt").write_bytes(pair.certificate)
        (home / f"{name}.key").write_bytes(pair.key)
    private, public = keys.account_keys()
    (home / "accounts.key").write_bytes(private)
    (home / "accounts.pub").write_bytes(public)
    url = f"https://{shape.address}:6443"
    for name in ("admin", "controllers"):
        keys.write_kubeconfig(home / f"{name}.kubeconfig", shape.name, url, authority.certificate, pairs[name])
    return Api(shape.address, home / "ca.crt", home / "admin.crt", home / "admin.key")


def _server(shape: Shape, home: Path, etcd: str) -> list[str]:
    issuer = f"https://{shape.name}.example"
    return [
        str(programs.find(shape.kubernetes, "kube-apiserver")),
        *(f"--etcd-servers={etcd}", f"--etcd-prefix=/{shape.name}"),
        *(f"--bind-address={shape.address}", f"--advertise-address={shape.address}", "--secure-port=6443"),
        *(f"--tls-cert-file={home}/server.crt", f"--tls-private-key-file={home}/server.key"),
        *(f"--client-ca-file={home}/ca.crt", f"--service-cluster-ip-range={shape.services}"),
        *(f"--service-account-key-file={home}/accounts.pub", f"--service-account-issuer={issuer}"),
        *(f"--service-account-signing-key-file={home}/accounts.key", f"--api-audiences={issuer},istio-ca"),
        *("--authorization-mode=Node,RBAC", "--allow-privileged=true", "--enable-priority-and-fairness=false"),
    ]


def _controllers(shape: Shape, home: Path) -> list[str]:
    kubeconfig = home / "controllers.kubeconfig"
    return [
        str(programs.find(shape.kubernetes, "kube-controller-manager")),
        *(f"--kubeconfig={kubeconfig}", f"--authentication-kubeconfig={kubeconfig}"),
        *(f"--authorization-kubeconfig={kubeconfig}", f"--root-ca-file={home}/ca.crt"),
        *(f"--service-account-private-key-file={home}/accounts.key", "--use-service-account-credentials=true"),
        *("--leader-elect=false", "--bind-address=127.0.0.1", f"--controllers={_CONTROLLERS}"),
    ]
