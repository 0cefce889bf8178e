"""adopt turns the objects of clusters that run a mesh already into a first mesh.yaml for it, and the files it names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from meshc.capture import living
from meshc.capture.services import cleaned, manifest
from meshc.kube import LABEL, at
from meshc.mesh.claims import not_copied
from meshc.mesh.hosts import ip_version
from meshc.trust import tls_form
from meshc.yamltext.edit import inline

if TYPE_CHECKING:
    from meshc.capture.dump import Dump
    from meshc.kube import Body

_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Pod")


@dataclass(slots=True)
class Adopted:
    """The text of mesh.yaml, the files beside it, and what a person has to look at."""

    mesh: str
    files: dict[str, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def adopt(dumps: Sequence[Dump]) -> Adopted:
    """Never raises for what is in the objects: what they don't tell is a note."""
    made = Adopted("")
    homes = [living.Home.of(dump) for dump in dumps]
    namespace = next((home.namespace for home in homes if home.primary), "istio-system")
    primaries = [home for home in homes if home.primary]
    if not primaries:
        made.notes.append("no cluster has a Deployment of istiod or Pilot: which one is the primary isn't known")
    version = next((home.istio for home in primaries if home.istio), "")
    if not version:
        made.notes.append("the version of Istio isn't told by an image's tag")
    names = [home.name for home in homes]
    for home in homes:
        if home.name != home.dump.cluster:
            made.notes.append(f"{home.dump.cluster} calls itself {home.name} (CLUSTER_ID): that is its name here")
    lines = [
        "# yaml-language-server: $schema=mesh.schema.json",
        "# What was found in clusters that run already. Look at each line, then: meshc compile, meshc adopt --diff",
        "apiVersion: meshc/v1alpha1",
        "kind: Mesh",
        "metadata:",
        f"  name: {inline(_mesh_name(primaries))}",
        "spec:",
        "  istio:",
        f"    version: {inline(version or '1.29.6')}",
        *_given("    namespace", namespace, "istio-system"),
        *_given("    trustDomain", _first(home.mesh_config.get("trustDomain") for home in primaries), "cluster.local"),
        *_given("    revision", _first(home.revision for home in primaries), "default"),
        *_security(homes, made, namespace),
        *_networks(homes),
        "  clusters:",
    ]
    for home in homes:
        lines += _cluster(home, homes, version, made)
    lines += _namespaces(homes, names)
    lines += _services(homes, names, namespace, made)
    made.mesh = "\n".join(lines) + "\n"
    return made


def _mesh_name(primaries: Sequence[living.Home]) -> str:
    name = _first(at(home.mesh_config, "defaultConfig", "meshId") for home in primaries)
    return name if name and LABEL.fullmatch(name) else "mesh"


def _security(homes: Sequence[living.Home], made: Adopted, namespace: str) -> list[str]:
    modes = [
        str(at(body, "spec", "mtls", "mode")).lower()
        for home in homes
        for body in home.dump.all("PeerAuthentication", namespace, "default")
    ]
    mode = next((one for one in modes if one in ("strict", "permissive")), "disabled" if modes else "permissive")
    lines = ["  security:", f"    mutualTLS: {mode}", "    ca:"]
    plugged = False
    for home in homes:
        for secret in home.dump.all("Secret", namespace, "cacerts"):
            public = {key: text for key, text in secret["public"].items() if text}
            parts = {key: text for key, text in public.items() if key.endswith(".pem")}
            if certificate := public.get(tls_form.CERTIFICATE):
                made_of = tls_form.certificates_of(certificate.encode(), public.get(tls_form.ROOTS, "").encode())
                parts = {key: data.decode() for key, data in made_of.items() if data}
            for key in ("ca-cert.pem", "cert-chain.pem") if {"ca-cert.pem", "root-cert.pem"} <= parts.keys() else ():
                made.files[f"certificates/{home.name}/{key}"] = parts.get(key, "").encode()
                plugged = True
            root = parts.get("root-cert.pem", "").encode()
            if root and made.files.setdefault("certificates/root-cert.pem", root) != root:
                made.notes.append(f"{home.name} has another root-cert.pem than the clusters before it: trust is broken")
    if plugged:
        made.notes.append(
            "the keys of the CAs aren't read: kubectl get secret cacerts -o yaml | "
            "meshc secrets seal - --cluster CLUSTER"
        )
    sealing = "    # secrets: {recipients: [age1...]}   # who can open what is sealed: the age keys of Argo CD or Flux"
    return [*lines, f"      type: {'plugged-in' if plugged else 'self-signed'}", sealing]


def _networks(homes: Sequence[living.Home]) -> list[str]:
    names = sorted({home.network for home in homes if home.network})
    rows = []
    for name in names:
        address = _first(home.gateway for home in homes if home.network == name) if len(names) > 1 else None
        kind = "address" if address and ip_version(address) else "hostname"
        rows.append(f"    - {{name: {inline(name)}{f', gateway: {{{kind}: {inline(address)}}}' if address else ''}}}")
    return ["  networks:", *rows] if rows else []


def _cluster(home: living.Home, homes: Sequence[living.Home], version: str, made: Adopted) -> list[str]:
    lines = [f"    - name: {inline(home.name)}", f"      role: {'primary' if home.primary else 'remote'}"]
    holders = [one for one in homes if home.name in one.remotes]
    if home.kubernetes:
        lines.append(f"      kubernetesVersion: {inline(home.kubernetes)}")
    else:
        made.notes.append(f"{home.name}: its Kubernetes version isn't told (nodes): write kubernetesVersion")
    server = _first(one.remotes[home.name] for one in holders)
    lines += [f"      apiServer: {inline(server)}"] if server else []
    lines += [f"      network: {inline(home.network)}"] if home.network else []
    lines += [f"      podCIDRs: {inline(home.pods)}"] if home.pods else []
    lines += [f"      serviceCIDRs: {inline(home.services)}"] if home.services else []
    runs = home if home.primary else _primary_of(home, homes)  # a remote tells no version of its own
    if runs and runs.istio not in ("", version):
        lines.append(f"      istio: {{version: {inline(runs.istio)}}}")
    others = [one.name for one in homes if one.name != home.name]
    if unknown := sorted(home.remotes.keys() - {*others}):
        made.notes.append(f"{home.name} holds credentials of {', '.join(unknown)}, of which there are no objects here")
    return [*lines, *(_as_primary(home, homes, made) if home.primary else _as_remote(home, homes, holders, made))]


def _as_primary(home: living.Home, homes: Sequence[living.Home], made: Adopted) -> list[str]:
    """Where it is reached; needed by those that are no primaries themselves, and told where it is known."""
    mine = [one for one in homes if not one.primary and _primary_of(one, homes) in (home, None)]
    addresses = home.addresses or _first_of(one.reached for one in mine)
    if mine and addresses:
        return ["      controlPlane:", f"        addresses: {inline(addresses)}"]
    if mine:
        made.notes.append(f"{home.name}: where remotes reach its control plane isn't told: write controlPlane")
    return []


def _as_remote(
    home: living.Home, homes: Sequence[living.Home], holders: Sequence[living.Home], made: Adopted
) -> list[str]:
    primaries = [one.name for one in homes if one.primary]
    found = _primary_of(home, homes)
    if not holders:
        made.notes.append(f"{home.name}: no primary has a remote secret for it")
    if found is None and len(primaries) > 1:
        made.notes.append(f"{home.name}: it isn't told which is its primary, of {', '.join(primaries)}: write primary")
    return [f"      primary: {inline(found.name)}"] if found else []


def _primary_of(remote: living.Home, homes: Sequence[living.Home]) -> living.Home | None:
    """The one that it reaches; else the only one that it is controlled by, or that holds credentials of it.

    Of several primaries each holds credentials of every remote, so that alone tells nothing then.
    """
    primaries = [one for one in homes if one.primary]
    there = {*remote.reached.values()}
    reached = [one for one in primaries if there & {*one.addresses.values(), one.gateway}]
    told = [one for one in primaries if one.name in remote.controlled]
    holding = [one for one in primaries if remote.name in one.remotes]
    return next((found[0] for found in (reached, told, holding) if len(found) == 1), None)


def _namespaces(homes: Sequence[living.Home], names: Sequence[str]) -> list[str]:
    found: dict[str, list[str]] = {}
    for home in homes:
        for name in home.dataplanes:
            found.setdefault(name, []).append(home.name)
    ambient = {name for home in homes for name, dataplane in home.dataplanes.items() if dataplane == "ambient"}
    rows = [
        f"    - {{name: {inline(name)}{', dataplane: ambient' if name in ambient else ''}"
        f"{'' if len(where) == len(names) else f', clusters: {inline(where)}'}}}"
        for name, where in sorted(found.items())
    ]
    return ["  namespaces:", *rows] if rows else []


def _services(homes: Sequence[living.Home], names: Sequence[str], istio: str, made: Adopted) -> list[str]:
    """One entry for those of a namespace that run in the same clusters, and are known in the same others."""
    where: dict[tuple[str, str], tuple[dict[str, Body], list[str]]] = {}
    for home in homes:
        for body in home.dump.all("Service"):
            namespace, name = str(at(body, "metadata", "namespace")), str(at(body, "metadata", "name"))
            if namespace in home.dataplanes and not not_copied(namespace, name, istio, body):
                runs, copies = where.setdefault((namespace, name), ({}, []))
                if _runs(home.dump, namespace, at(body, "spec", "selector")):
                    runs[home.name] = body
                else:
                    copies.append(home.name)
    groups: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[Body]] = {}
    for (namespace, name), (runs, copies) in sorted(where.items()):
        if not runs:
            made.notes.append(f"Service {namespace}/{name}: nothing that runs is selected by it, so no entry is made")
        elif copies:
            groups.setdefault((namespace, (*runs,), (*copies,)), []).append(cleaned(next(iter(runs.values()))))
    if alone := [f"{space}/{name}" for (space, name), (runs, copies) in where.items() if runs and not copies]:
        shown = ", ".join(sorted(alone)[:5]) + (", ..." if len(alone) > 5 else "")
        made.notes.append(f"known only where they run, so no entry is made: {shown}")
    lines: list[str] = []
    taken: set[str] = set()
    for (namespace, runs_in, copied), bodies in groups.items():
        name = namespace if namespace not in taken else f"{namespace}-{len(taken) + 1}"
        taken.add(name)
        made.files[f"apps/{name}/services.yaml"] = manifest(bodies)
        lines += [f"    - name: {inline(name)}", f"      manifests: apps/{name}"]
        lines += [f"      clusters: {inline(list(runs_in))}"]
        if len(runs_in) + len(copied) < len(names):
            lines.append(f"      copyTo: {inline(list(copied))}")
    return ["  services:", *lines] if lines else []


def _runs(dump: Dump, namespace: str, selector: Any) -> bool:
    """Whether a Service has something behind it; where no workload was dumped at all, a selector is taken for it."""
    if not isinstance(selector, dict) or not selector:
        return False
    workloads = [body for kind in _WORKLOADS for body in dump.all(kind, namespace)]
    pods = [at(body, "spec", "template", "metadata", "labels") or at(body, "metadata", "labels") for body in workloads]
    everywhere = any(dump.all(kind) for kind in _WORKLOADS)
    return not everywhere or any(selector.items() <= (labels or {}).items() for labels in pods)


def _given(key: str, value: str | None, default: str) -> list[str]:
    return [f"{key}: {inline(value)}"] if value and value != default else []


def _first(values: Iterable[Any]) -> str | None:
    return next((str(value) for value in values if value), None)


def _first_of(values: Iterable[Mapping[str, str]]) -> Mapping[str, str]:
    return next((value for value in values if value), {})
