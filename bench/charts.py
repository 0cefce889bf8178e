"""Times a fleet rendered from Istio's charts: python bench/charts.py RELEASE [CLUSTERS]

RELEASE is a folder of a release or checkout of Istio 1.29.6. Every cluster is rendered with the chart base, whose
values are the same in all clusters, and with istiod, whose values contain the cluster's name, and in every twentieth
cluster its own address. For each size, it measures the number of renders by helm, a first validate, which renders
charts, a second one, which uses the cache, and helm alone for the same renders. Prints a Markdown table.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fleet import fleet
from measuring import MESHC, measure

VERSION = "1.29.6"
_ISTIO = re.compile(r"^  istio: \{version: .*\}\n", re.MULTILINE)
_OTHER_VERSION = re.compile(r"^    - \{clusters: .*, set: \{istio: .*\}\n", re.MULTILINE)
FOLDERS = {"istio-base": "base", "istiod": "istio-control/istio-discovery"}


def prepared(folder: Path, release: Path, clusters: int) -> None:
    """Makes a fleet with pinned charts next to mesh.yaml."""
    shutil.copytree(release / "manifests/charts", folder / "istio/manifests/charts")
    text, changed = _ISTIO.subn(f"  istio: {{version: {VERSION}, charts: {{source: istio}}}}\n", fleet(clusters, 1))
    assert changed == 1, "bench/fleet.py has no line for Istio's version any more"
    (folder / "mesh.yaml").write_text(_OTHER_VERSION.sub("", text))
    measure(*MESHC, "vendor", cwd=folder)


def counting(folder: Path) -> Path:
    """A wrapper of helm that writes the release of each render into the file `renders`."""
    program = shutil.which(os.environ.get("MESHC_HELM") or "helm")
    wrapper = folder / "helm"
    wrapper.write_text(f'#!/bin/sh\n[ "$1" = template ] && echo "$2" >>{folder}/renders\nexec {program} "$@"\n')
    wrapper.chmod(0o755)
    return wrapper


def helm_alone(folder: Path, releases: list[str]) -> float:
    """The seconds that helm takes for these renders, in parallel, without meshc."""
    program = os.environ.get("MESHC_HELM") or "helm"

    def render(number: int, release: str) -> None:
        settings = f"profile=remote,global.multiCluster.clusterName=c{number},global.remotePilotAddress=192.0.2.10"
        command = [program, "template", release, f"istio/manifests/charts/{FOLDERS[release]}", "--set", settings]
        subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=True)

    start = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(render, range(len(releases)), releases))
    return time.perf_counter() - start


def row(release: Path, clusters: int) -> str:
    """Measures one fleet, in its own folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepared(folder, release, clusters)
        variables = {"MESHC_HELM": str(counting(folder))}
        first, second = (measure(*MESHC, "validate", cwd=folder, variables=variables) for _ in range(2))
        compiled, again = (measure(*MESHC, "compile", cwd=folder, variables=variables) for _ in range(2))
        releases = (folder / "renders").read_text().split()
        alone = helm_alone(folder, releases)
    renders = f"{len(releases)} of {len(FOLDERS) * clusters}"
    return f"| {clusters} | {renders} | {first} | {second} | {alone:.1f} s | {compiled} | {again} |"


if __name__ == "__main__":
    print("| clusters | renders | validate | again | helm alone | compile | again |\n|---|---|---|---|---|---|---|")
    for size in [int(word) for word in sys.argv[2:]] or [10, 100]:
        print(row(Path(sys.argv[1]).resolve(), size), flush=True)
