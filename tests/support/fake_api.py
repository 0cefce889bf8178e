"""A fake API server with the parts of Kubernetes' API that meshc and kubectl use: TLS on loopback, objects in memory.

It checks tokens, creates tokens for accounts like the controller of its version, splits lists into pages, and
misbehaves on request.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import yaml
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from support.throwaway import Authority, make_root

ADMIN = "admin-token-of-the-kubeconfig"
Body = dict[str, Any]
Key = tuple[str, str, str]
"""Plural, namespace, name."""
CORE = {
    "namespaces": "Namespace",
    "services": "Service",
    "pods": "Pod",
    "secrets": "Secret",
    "serviceaccounts": "ServiceAccount",
    "configmaps": "ConfigMap",
    "nodes": "Node",
}
GROUPS = {
    "apps": {"deployments": "Deployment"},
    "security.istio.io": {"peerauthentications": "PeerAuthentication"},
    "rbac.authorization.k8s.io": {"clusterroles": "ClusterRole", "clusterrolebindings": "ClusterRoleBinding"},
    "admissionregistration.k8s.io": {"mutatingwebhookconfigurations": "MutatingWebhookConfiguration"},
    "discovery.k8s.io": {"endpointslices": "EndpointSlice"},
    "multicluster.x-k8s.io": {"clusterprofiles": "ClusterProfile"},
    "cluster.x-k8s.io": {"clusters": "Cluster"},
}
"""Kinds outside the core group, as far as kubectl needs them."""
UNPLACED = ("nodes", "namespaces", "clusterroles", "clusterrolebindings", "mutatingwebhookconfigurations")
"""Kinds without a namespace."""


def jwt(name: str, expires: int | None = None) -> str:
    """A token in the shape of Kubernetes' own; a different `name` gives a different token. Its signature isn't
    valid."""
    claims = {"iss": "kubernetes/serviceaccount", "sub": name, **({"exp": expires} if expires else {})}
    parts = [{"alg": "RS256", "kid": "test"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, base64.urlsafe_b64encode(f"signature of {name}".encode()).decode().rstrip("=")])


class Asked(NamedTuple):
    """A request, with the terms of an RBAC rule."""

    verb: str
    group: str
    plural: str
    namespace: str
    name: str


@dataclass
class FakeCluster:
    """A cluster: its objects, the rights of its tokens, and how it misbehaves."""

    name: str
    version: str = "v1.34.1"
    authority: Authority = field(default_factory=make_root)
    objects: dict[Key, Body] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=lambda: {ADMIN})
    forbidden: set[tuple[str, str]] = field(default_factory=set)
    """Verb and plural."""
    manners: dict[str, str] = field(default_factory=dict)
    """The misbehaviour for a plural or a path: hang, trickle, half, garbage, gone."""
    roles: dict[str, list[tuple[str, Body]]] = field(default_factory=dict)
    """The rules of a token, each with its namespace. A token without an entry may do everything."""
    used: set[tuple[str, str, str, str]] = field(default_factory=set)
    """The rights that were used: verb, group, plural and namespace."""
    refuses: dict[str, int] = field(default_factory=dict)
    """The HTTP status with which an apply of a plural is refused, as a policy or a webhook would."""
    texts: dict[str, str] = field(default_factory=dict)
    """The answers for paths that aren't objects, such as the proxy to a pod."""
    longest: int = 10**9
    """The maximum lifetime of a token in seconds, because clouds limit it."""
    asked: list[str] = field(default_factory=list)
    port: int = 0
    made: int = 0
    tls: ssl.SSLContext = field(default_factory=lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), repr=False)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def grants(self, token: str, asked: Asked) -> bool:
        """True if a rule allows the request. As in Kubernetes, a list and a new object have no name."""
        if token not in self.roles or asked.group == "authorization.k8s.io":
            return True
        for place, rule in self.roles[token]:
            names = rule.get("resourceNames")
            if (
                place in ("", asked.namespace)
                and asked.verb in rule["verbs"]
                and asked.group in rule["apiGroups"]
                and asked.plural in rule["resources"]
                and (not names or asked.name in names)
            ):
                self.used.add((asked.verb, asked.group, asked.plural, place))
                return True
        return False

    @property
    def minor(self) -> int:
        return int(self.version.split(".")[1])

    def put(self, plural: str, name: str, namespace: str = "", **fields: Any) -> Body:
        """Stores an object, with the fields that a server adds."""
        self.made += 1
        metadata = {
            "name": name,
            **({"namespace": namespace} if namespace else {}),
            "uid": f"00000000-0000-4000-8000-{self.made:012d}",
            "resourceVersion": str(self.made),
            "creationTimestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_700_000_000 + self.made)),
            **fields.pop("metadata", {}),
        }
        self.objects[plural, namespace, name] = {**fields, "metadata": metadata}
        return self.objects[plural, namespace, name]

    def account(self, name: str, namespace: str = "istio-system") -> None:
        """Creates a service account; before 1.24 also a token Secret, as Kubernetes did."""
        self.put("serviceaccounts", name, namespace)
        if self.minor < 24:
            secret = self.token_secret(f"{name}-token-x7f2k", name, namespace)
            self.objects["serviceaccounts", namespace, name]["secrets"] = [{"name": secret}]

    def token_secret(self, name: str, account: str, namespace: str = "istio-system", filled: bool = True) -> str:
        uid = self.objects["serviceaccounts", namespace, account]["metadata"]["uid"]
        noted = {"kubernetes.io/service-account.name": account, "kubernetes.io/service-account.uid": uid}
        self.put(
            "secrets", name, namespace, type="kubernetes.io/service-account-token", metadata={"annotations": noted}
        )
        if filled:
            self.fill(name, namespace)
        return name

    def fill(self, name: str, namespace: str) -> None:
        """Fills in a token Secret, like the token controller."""
        token = jwt(f"{self.name}/{name}/{self.made}")
        self.tokens.add(token)
        data = {"token": token.encode(), "ca.crt": self.authority.cert_pem, "namespace": namespace.encode()}
        self.objects["secrets", namespace, name]["data"] = {k: base64.b64encode(v).decode() for k, v in data.items()}

    def token(self, name: str, namespace: str = "istio-system") -> str:
        return base64.b64decode(self.objects["secrets", namespace, name]["data"]["token"]).decode()

    def trust_another(self, authority: Authority) -> None:
        """Replaces the cluster's CA: in the server's certificate, in the CA for pods, and in token Secrets."""
        self.authority = authority
        certify(self)
        for (plural, _, name), body in self.objects.items():
            if plural == "configmaps" and name == "kube-root-ca.crt":
                body["data"]["ca.crt"] = authority.cert_pem.decode()
            if body.get("type") == "kubernetes.io/service-account-token":
                body["data"]["ca.crt"] = base64.b64encode(authority.cert_pem).decode()

    def revoke(self, name: str, namespace: str = "istio-system") -> None:
        """Deletes the token Secret, so that its token is no longer accepted."""
        self.tokens.discard(self.token(name, namespace))
        del self.objects["secrets", namespace, name]


@contextmanager
def serving(*clusters: FakeCluster) -> Iterator[None]:
    """Serves each cluster on its own port, while the block runs."""
    servers = []
    for cluster in clusters:
        server = _Server(("127.0.0.1", 0), _Handler)
        server.cluster = cluster
        certify(cluster)
        server.socket = cluster.tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        cluster.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
    try:
        yield
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def kubeconfig(path: Path, *clusters: FakeCluster, ca: bytes = b"", token: str = ADMIN) -> Path:
    """Writes a kubeconfig with a context for each cluster, which has the cluster's name."""
    entries: dict[str, Any] = {"clusters": [], "contexts": [], "users": []}
    for one in clusters:
        data = base64.b64encode(ca or one.authority.cert_pem).decode()
        entries["clusters"].append(
            {"name": one.name, "cluster": {"server": one.url, "certificate-authority-data": data}}
        )
        entries["contexts"].append({"name": one.name, "context": {"cluster": one.name, "user": one.name}})
        entries["users"].append({"name": one.name, "user": {"token": token}})
    path.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", "current-context": "none", **entries}))
    return path


class _Server(ThreadingHTTPServer):
    cluster: FakeCluster
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores errors, because a client that trusts another CA closes the connection."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        self._answer("get", None)

    def do_POST(self) -> None:
        self._answer("create", json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def do_PATCH(self) -> None:
        self._answer("patch", json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def do_DELETE(self) -> None:
        self._answer("delete", json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, verb: str, sent: Body | None) -> None:
        cluster, parts = self.server.cluster, urlsplit(self.path)
        cluster.asked.append(f"{self.command} {self.path}")
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or token not in cluster.tokens:
            self._status(401, "Unauthorized")
            return
        found = _discovery(cluster, parts.path)
        if found is not None:
            self._send(200, found)
            return
        plural, namespace, name, sub = _split(parts.path)
        verb = "list" if verb == "get" and not name else verb
        group = parts.path.split("/")[2] if parts.path.startswith("/apis/") else ""
        asked = Asked(verb, group, f"{plural}/{sub}" if sub else plural, namespace, name)
        if (text := cluster.texts.get(parts.path)) is not None and cluster.grants(token, asked):
            self._raw(text.encode())
            return
        if (verb, plural) in cluster.forbidden or not cluster.grants(token, asked):
            self._status(403, "Forbidden")
            return
        if manner := cluster.manners.get(plural):
            if manner == "gone" and "continue=" in self.path:
                del cluster.manners[plural]
                self._status(410, "Expired")
                return
            if manner != "gone":
                self._misbehave(manner)
                return
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if sent is not None and verb == "delete":
            self._delete(plural, namespace, name, sent)
        elif sent is not None and verb == "patch":
            self._try(plural, namespace, name, sent, query)
        elif sent is not None:
            self._create(plural, namespace, name, sub, sent)
        elif name:
            body = cluster.objects.get((plural, namespace, name))
            self._send(200, _typed(plural, body)) if body else self._status(404, "NotFound")
        else:
            self._send(200, _page(cluster, plural, namespace, query))

    def _create(self, plural: str, namespace: str, name: str, sub: str, sent: Body) -> None:
        cluster = self.server.cluster
        if plural in ("selfsubjectrulesreviews", "selfsubjectaccessreviews"):
            self._send(201, {**sent, "status": _rights(cluster, sent["spec"])})
            return
        if sub == "token":
            seconds = min(sent["spec"].get("expirationSeconds", 3600), cluster.longest)
            until = int(time.time()) + seconds
            token = jwt(f"{cluster.name}/{name}/requested", until)
            cluster.tokens.add(token)
            ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until))
            self._send(201, {**sent, "status": {"token": token, "expirationTimestamp": ends}})
            return
        metadata = dict(sent["metadata"])
        wanted = metadata.pop("name", None) or f"{metadata.pop('generateName')}q{cluster.made:04d}"
        if (plural, namespace, wanted) in cluster.objects:
            self._status(409, "AlreadyExists")
            return
        metadata.pop("namespace", None)
        body = cluster.put(plural, wanted, namespace, **{**sent, "metadata": metadata})
        if body.get("type") == "kubernetes.io/service-account-token":
            threading.Timer(0.3, cluster.fill, (wanted, namespace)).start()
        self._send(201, _typed(plural, body))

    def _try(self, plural: str, namespace: str, name: str, sent: Body, query: Mapping[str, str]) -> None:
        """Answers a server-side dry run. Refuses any apply that isn't a dry run."""
        assert (query["dryRun"], query["force"]) == ("All", "true")
        assert self.headers["Content-Type"] == "application/apply-patch+yaml"
        if code := self.server.cluster.refuses.get(plural):
            self._status(code, "Refused")
            return
        there = self.server.cluster.objects[plural, namespace, name]
        self._send(200, _merged(_typed(plural, there), sent))

    def _delete(self, plural: str, namespace: str, name: str, sent: Body) -> None:
        body = self.server.cluster.objects.get((plural, namespace, name))
        if body is None:
            self._status(404, "NotFound")
        elif body["metadata"]["uid"] != sent["preconditions"]["uid"]:
            self._status(409, "Conflict")
        else:
            self.server.cluster.revoke(name, namespace)
            self._send(200, {"kind": "Status", "status": "Success"})

    def _misbehave(self, manner: str) -> None:
        whole = json.dumps({"items": [], "padding": "x" * 5000}).encode()
        if manner == "hang":
            time.sleep(30)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(whole)))
        self.end_headers()
        if manner == "garbage":
            self.wfile.write(b"\x1b[2J<html>" + b"x" * (len(whole) - 10))
        for at in range(100 if manner == "trickle" else 0):
            self.wfile.write(whole[at : at + 1])
            self.wfile.flush()
            time.sleep(0.3)
        if manner == "half":
            self.wfile.write(whole[:700])
        self.close_connection = True

    def _raw(self, data: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _status(self, code: int, reason: str) -> None:
        said = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code}
        self._send(code, {**said, "message": f"{reason}: you sent {self.headers.get('Authorization')}"})

    def _send(self, code: int, body: Mapping[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _merged(there: Any, sent: Any) -> Any:
    """Merges an applied object like Kubernetes: lists by the name or the port of their items, other lists as a
    whole."""
    if isinstance(there, dict) and isinstance(sent, dict):
        return {**there, **{key: _merged(there.get(key), one) for key, one in sent.items()}}
    if isinstance(there, list) and isinstance(sent, list):
        for key in ("port", "name"):
            if all(isinstance(one, dict) and key in one for one in (*there, *sent)):
                wanted = {one[key]: one for one in sent}
                kept = [_merged(one, wanted.pop(one[key], {})) for one in there]
                return [*kept, *wanted.values()]
    return sent


def _split(path: str) -> tuple[str, str, str, str]:
    """Plural, namespace, name and subresource."""
    steps = path.strip("/").split("/")
    steps = steps[2:] if steps[0] == "api" else steps[3:]
    namespace = ""
    if len(steps) > 2 and steps[0] == "namespaces":
        namespace, steps = steps[1], steps[2:]
    steps += ["", "", ""]
    return steps[0], namespace, steps[1], steps[2]


def _discovery(cluster: FakeCluster, path: str) -> Body | None:
    """The answer to kubectl's requests for API discovery; None for another path."""
    if path == "/version":
        major, minor = cluster.version.removeprefix("v").split(".")[:2]
        return {"major": major, "minor": minor, "gitVersion": cluster.version, "platform": "linux/amd64"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        versions = [{"groupVersion": f"{group}/v1", "version": "v1"} for group in GROUPS]
        groups = [{"name": g, "versions": [v], "preferredVersion": v} for g, v in zip(GROUPS, versions, strict=True)]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
    if path == "/api/v1":
        return _resources("v1", CORE)
    group = path.removeprefix("/apis/").removesuffix("/v1")
    return _resources(f"{group}/v1", GROUPS[group]) if group in GROUPS else None


def _resources(version: str, kinds: Mapping[str, str]) -> Body:
    found = [
        {"name": plural, "namespaced": plural not in UNPLACED, "kind": kind, "verbs": ["get", "list"]}
        for plural, kind in kinds.items()
    ]
    return {"kind": "APIResourceList", "groupVersion": version, "resources": found}


def _rights(cluster: FakeCluster, asked: Body) -> Body:
    """The answer to a self-review of access or of rules: everything except the forbidden rights."""
    if "resourceAttributes" in asked:
        wanted = asked["resourceAttributes"]
        return {"allowed": (wanted["verb"], wanted["resource"]) not in cluster.forbidden}
    every = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
    return {"resourceRules": [] if cluster.forbidden else [every], "incomplete": bool(cluster.forbidden)}


def _page(cluster: FakeCluster, plural: str, namespace: str, query: Mapping[str, str]) -> Body:
    every = [
        body
        for (kind, where, _), body in sorted(cluster.objects.items())
        if kind == plural and (not namespace or where == namespace) and _selected(body, query)
    ]
    first = int(query.get("continue") or 0)
    last = first + int(query.get("limit") or len(every) or 1)
    more = {"continue": str(last), "remainingItemCount": len(every) - last} if last < len(every) else {}
    kind = _kind(plural)["kind"]  # items of a list have no kind, as with a real server
    metadata = {"resourceVersion": str(cluster.made), **more}
    return {**_kind(plural), "kind": f"{kind}List", "metadata": metadata, "items": every[first:last]}


def _selected(body: Body, query: Mapping[str, str]) -> bool:
    labels = body["metadata"].get("labels") or {}
    wanted = [pair.split("=", 1) for pair in query.get("labelSelector", "").split(",") if pair]
    fields = [pair.split("=", 1) for pair in query.get("fieldSelector", "").split(",") if pair]
    return all(labels.get(key) == value for key, value in wanted) and all(
        body.get(key) == value for key, value in fields
    )


def _typed(plural: str, body: Body) -> Body:
    return {**_kind(plural), **body}


def _kind(plural: str) -> Body:
    known = ({"kind": names[plural], "apiVersion": f"{g}/v1"} for g, names in GROUPS.items() if plural in names)
    return next(known, {"kind": CORE.get(plural, "Thing"), "apiVersion": "v1"})


def certify(cluster: FakeCluster) -> None:
    """A TLS context with a certificate from the cluster's CA. The key is in a file, because Python reads it only from
    there."""
    import tempfile

    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    leaf = cluster.authority.issue(
        cluster.name,
        "kube-apiserver",
        ca=False,
        san=None,
        extra=[(here, False)],
        purposes=[ExtendedKeyUsageOID.SERVER_AUTH],
    )
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(leaf.cert_pem + leaf.key_pem)
        file.flush()
        cluster.tls.load_cert_chain(file.name)
