"""A container: a root of its own with the system's programs, what the pod mounts, and the program of its name."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proof import programs
from proof.api import Body
from proof.cluster import Cluster

_SHARED = ("bin", "sbin", "lib", "lib64", "usr")
_SHUTTLE = Path(__file__).with_name("app.py")
_PROXY = 1337  # the user of the sidecar, whose own traffic isn't redirected


@dataclass(frozen=True)
class Container:
    """A container of a pod, and where it runs."""

    cluster: Cluster
    pod: Body
    body: Body
    root: Path
    address: str


def prepare_root(root: Path, hosts: Path, mounts: Sequence[tuple[Path, str]]) -> None:
    """Writes the script that lays out the container's root within a mount namespace of its own."""
    agent = programs.find(programs.ISTIO, "pilot-agent")
    places = [
        *((Path("/") / name, name) for name in _SHARED if not (Path("/") / name).is_symlink()),
        (Path("/dev"), "dev"),
        (Path("/sys"), "sys"),
        (agent.parent, "opt/istio"),
        (programs.envoy().parent, "opt/envoy"),
        *([(programs.SEALED.folder, "opt/sealed-secrets")] if root.name == "controller" else []),
        (_SHUTTLE.parent, "opt/app"),
        (Path(sys.base_prefix), sys.base_prefix.lstrip("/")),
        (hosts, "etc/hosts"),
        *((folder, path.lstrip("/")) for folder, path in mounts),
    ]
    for name in ("tmp", "etc/istio/proxy", "etc/ssl", "var/lib/istio/data", "var/run", "proc", "run"):
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name).chmod(0o777)
    for name in _SHARED:
        if (Path("/") / name).is_symlink() and not (root / name).is_symlink():
            (root / name).symlink_to((Path("/") / name).readlink())
    bootstrap = programs.source(programs.ISTIO) / "tools/packaging/common/envoy_bootstrap.json"
    (root / "var/lib/istio/envoy").mkdir(parents=True, exist_ok=True)
    (root / "var/lib/istio/envoy/envoy_bootstrap_tmpl.json").write_bytes(bootstrap.read_bytes())
    (root / "etc/passwd").write_text(f"root:x:0:0::/:/bin/sh\nistio-proxy:x:{_PROXY}:{_PROXY}::/tmp:/bin/sh\n")
    (root / "etc/nsswitch.conf").write_text("hosts: files\n")
    (root / "etc/hosts").touch()
    (root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\n")  # nobody answers there; hosts has all names
    lines = ["set -e"]
    for source, path in places:
        if source != hosts and not (root / path).is_dir():
            lines.append(f"mkdir -p {shlex.quote(str(root / path))}")
        lines.append(f"mount --rbind {shlex.quote(str(source))} {shlex.quote(str(root / path))}")
    (root.parent / f"{root.name}.sh").write_text("\n".join([*lines, f"mount -t proc proc {root}/proc", 'exec "$@"\n']))


def command_of(container: Container) -> list[str]:
    """The program in its root, as the user that the container runs as."""
    body, root = container.body, container.root
    name = str(body["name"])
    user = (body.get("securityContext") or {}).get("runAsUser")
    environment = environment_of(container)
    arguments = [_expand(each, environment) for each in body.get("args") or []]
    program = {
        "discovery": ["/opt/istio/pilot-discovery"],
        "istio-proxy": ["/opt/istio/pilot-agent"],
        "istio-init": ["/opt/istio/pilot-agent"],
        "controller": ["/opt/sealed-secrets/controller"],
        "app": [os.path.realpath(sys.executable), "/opt/app/app.py"],
    }[name]
    who = 1000 if user is None and name != "discovery" else user if user is not None else _PROXY
    script = str(root.parent / f"{root.name}.sh")
    return [
        *("unshare", "--mount", "--propagation", "private", "sh", script),
        *("chroot", f"--userspec={who}:{who}", str(root), *program, *arguments),
    ]


def environment_of(container: Container) -> dict[str, str]:
    """The container's variables, and those that every container has."""
    first = container.cluster.shape.services.rsplit(".", 1)[0] + ".1"
    found = {
        "PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/tmp",
        "HOSTNAME": str(container.pod["metadata"]["name"]),
        "KUBERNETES_SERVICE_HOST": first,
        "KUBERNETES_SERVICE_PORT": "443",
        "CLUSTER_NAME": container.cluster.name,
    }
    for name, value in _variables(container):
        found[name] = _expand(value, found)
    return found


def _variables(container: Container) -> Iterator[tuple[str, str]]:
    for variable in container.body.get("env") or []:
        origin = variable.get("valueFrom") or {}
        if "fieldRef" in origin:
            yield variable["name"], _field(container, origin["fieldRef"]["fieldPath"])
        elif "resourceFieldRef" in origin:
            yield variable["name"], "2" if origin["resourceFieldRef"]["resource"].endswith("cpu") else "1073741824"
        elif not origin:
            yield variable["name"], variable.get("value") or ""


def _field(container: Container, path: str) -> str:
    pod = container.pod
    own = {"status.podIP": container.address, "status.hostIP": container.cluster.node.address}
    own |= {"spec.nodeName": container.cluster.name}
    if path in own:
        return own[path]
    if found := re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path):
        return str((pod["metadata"].get(found[1]) or {}).get(found[2], ""))
    value: Any = pod
    for part in path.split("."):
        value = value[part]
    return str(value)


def _expand(text: str, environment: Mapping[str, str]) -> str:
    return re.sub(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)", lambda found: environment.get(found[1], found[0]), text)
