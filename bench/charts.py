"""Times a fleet rendered from Istio's charts: python bench/charts.py RELEASE [CLUSTERS]

RELEASE is a folder of a release or checkout of Istio 1.30.3. For each size: every cluster with values of its own (its
name), a first validate, which renders charts, and a second one, which remembers; then helm alone for as many renders.
What it prints is a Markdown table.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fleet import fleet
from measuring import MESHC, measure

VERSION = "1.30.3"
DISCOVERY = "istio/manifests/charts/istio-control/istio-discovery"


def prepared(folder: Path, release: Path, clusters: int) -> None:
    """A fleet whose charts lie beside mesh.yaml, pinned."""
    shutil.copytree(release / "manifests/charts", folder / "istio/manifests/charts")
    text = fleet(clusters, 1).replace("{version: 1.30.3}", f"{{version: {VERSION}, charts: {{source: istio}}}}")
    (folder / "mesh.yaml").write_text(text.replace("{istio: {version: 1.29.6}}", "{}"))
    measure(*MESHC, "vendor", cwd=folder)


def helm_alone(folder: Path, renders: int) -> float:
    """Seconds that helm takes for so many renders of istiod's chart, in parallel, with nothing else to do."""
    program = os.environ.get("MESHC_HELM") or "helm"

    def render(number: int) -> None:
        settings = f"profile=remote,global.multiCluster.clusterName=c{number},global.remotePilotAddress=192.0.2.10"
        command = [program, "template", "istiod", DISCOVERY, "--set", settings]
        subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=True)

    start = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(render, range(renders)))
    return time.perf_counter() - start


def row(release: Path, clusters: int) -> str:
    """One fleet, measured in a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepared(folder, release, clusters)
        first, second = (measure(*MESHC, "validate", cwd=folder) for _ in range(2))
        alone = helm_alone(folder, clusters)
        compiled, again = (measure(*MESHC, "compile", cwd=folder) for _ in range(2))
    return f"| {clusters} | {first} | {second} | {alone:.1f} s | {compiled} | {again} |"


if __name__ == "__main__":
    print("| clusters | validate | again | helm alone | compile | again |\n|---|---|---|---|---|---|")
    for size in [int(word) for word in sys.argv[2:]] or [10, 100]:
        print(row(Path(sys.argv[1]).resolve(), size), flush=True)
