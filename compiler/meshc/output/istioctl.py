"""Adds sidecars to a manifest with the compiled ConfigMaps of a cluster. Connects to no cluster."""

from __future__ import annotations

import json
import os
import re
import shutil
from typing import TYPE_CHECKING

from meshc import codes
from meshc.disk.scratch import scratch
from meshc.errors import MeshcError, ToolError
from meshc.process import Command, CommandError, run
from meshc.scanning.guard import plaintext_in
from meshc.tree import FileTree
from meshc.yamltext.read import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from meshc.kube import Version
    from meshc.plan.ir import ClusterPlan

_CONFIG, _MESH, _VALUES = "--injectConfigFile", "--meshConfigFile", "--valuesFile"
_CLASSIC = (1, 0)
_SKEW = 1
"""The number of minor versions by which istioctl may differ from the control plane, by Istio's support policy."""


def find(istio: Version) -> str:
    """The istioctl to use for this version: MESHC_ISTIOCTL, else the one on PATH. Raises ToolError if there is none.

    Templates of 1.0 differ from those of 1.5 and later, which have a separate file of values.
    """
    named = os.environ.get("MESHC_ISTIOCTL")
    path = shutil.which(named or "istioctl")
    wanted = ".".join(map(str, istio.line))
    hint = f"name the istioctl of Istio {wanted} with MESHC_ISTIOCTL"
    if path is None:
        if named:
            raise ToolError(f'MESHC_ISTIOCTL is "{named}", which is not an executable program')
        raise ToolError("no istioctl was found on PATH", hint)
    is_later = _VALUES.encode() in run(Command((path, "kube-inject", "--help"), timeout=20))
    if is_later and istio.line == _CLASSIC:
        raise ToolError(f"{path} belongs to an Istio later than 1.0, which has other injection templates", hint)
    if not is_later and istio.line != _CLASSIC:
        raise ToolError(f"{path} belongs to an Istio earlier than 1.5, which has other injection templates", hint)
    if is_later and (told := _minor_of(path)) is not None and abs(told - istio.minor) > _SKEW:
        raise ToolError(f"{path} is of Istio 1.{told}, too far from {wanted} for its injection template", hint)
    return path


def _minor_of(program: str) -> int | None:
    """The minor version of an istioctl; None for custom builds, which report "unknown"."""
    said = run(Command((program, "version", "--remote=false", "--short"), timeout=20))
    found = re.search(rb"\b1\.(\d+)\.\d+", said)
    return int(found[1]) if found else None


def kube_inject(program: str, configs: Mapping[str, str], revision: str, manifest: bytes) -> bytes:
    """The manifest with sidecars. `configs` are the configuration files of istioctl, by the flag of each.

    The manifest goes through standard input: it may contain Secrets, and is never written to disk. Raises CommandError
    with the message of istioctl.
    """
    files = FileTree({f"{flag.strip('-')}.yaml": text.encode() for flag, text in configs.items()})
    with scratch(files) as folder:
        named = [word for flag in configs for word in (flag, str(folder / f"{flag.strip('-')}.yaml"))]
        asked = () if revision == "default" else ("--revision", revision)
        try:
            return run(Command((program, "kube-inject", *named, *asked, "-f", "-"), cwd=folder, stdin=manifest))
        except CommandError as error:
            if any(plaintext_in(error.said.encode(), "istioctl", codes.PLAINTEXT)):
                raise ToolError(f"{program} failed, and what it says holds a key or token") from None
            raise


def configs_in(tree: FileTree, cluster: ClusterPlan) -> dict[str, str]:
    """The injection settings for `cluster`, from a rendered cluster: its own for classic Istio, its primary's for
    istiod.

    In a live cluster, the request to the webhook adds the cluster's ID and network to istiod's values. Here, this
    function adds them (1.30 pkg/kube/inject, updateClusterEnvs). Raises MeshcError if a text is missing.
    """
    suffix = "" if cluster.revision == "default" else f"-{cluster.revision}"
    mesh, injector = f"istio{suffix}", f"istio-sidecar-injector{suffix}"
    wanted = {_CONFIG: (injector, "config"), _MESH: (mesh, "mesh")}
    if cluster.istio.line != _CLASSIC:
        wanted[_VALUES] = (injector, "values")
    maps = dict(_config_maps(tree))
    found = {flag: maps.get(name, {}).get(key) for flag, (name, key) in wanted.items()}
    for flag, (name, key) in wanted.items():
        if not found[flag]:
            raise MeshcError(f"ConfigMap {name} has no {key}", "look for a patch that takes it away")
    texts = {flag: str(text) for flag, text in found.items()}
    if _VALUES in texts:
        texts[_VALUES] = _values_for(cluster, texts[_VALUES])
    return texts


def _config_maps(tree: FileTree) -> Iterator[tuple[str, Mapping[str, str]]]:
    for path, data in tree.items():
        for document in read(data, path)[0]:
            if document.data["kind"] == "ConfigMap":
                yield document.data["metadata"]["name"], document.data.get("data") or {}


def _values_for(cluster: ClusterPlan, text: str) -> str:
    try:
        values = json.loads(text)
        values["global"].setdefault("multiCluster", {})["clusterName"] = cluster.id
        values["global"]["network"] = cluster.network_label or ""
    except (ValueError, TypeError, KeyError, AttributeError):
        raise MeshcError("the values of ConfigMap istio-sidecar-injector can't be read as those of istiod") from None
    return json.dumps(values)
