"""Times the CAs of a fleet: python bench/authorities.py [CLUSTERS]

Makes a root, then an intermediate for every cluster, sealed by sops for one recipient. Then runs the same again, when
nothing is due. Prints a Markdown table.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pyrage
import yaml

from fleet import fleet
from measuring import MESHC, measure


def row(clusters: int) -> str:
    """Measures one fleet, in its own Git repository."""
    recipient = pyrage.x25519.Identity.generate().to_public()
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as keys:
        folder = Path(name)
        subprocess.run(["git", "init", "-q", name], check=True)
        settings = f"{{ca: {{type: plugged-in}}, secrets: {{recipients: [{recipient}]}}}}"
        text = fleet(clusters, 10).replace("{ca: {type: self-signed}}", settings)
        (folder / "mesh.yaml").write_text(text)
        names = [cluster["name"] for cluster in yaml.safe_load(text)["spec"]["clusters"]]
        measure(*MESHC, "ca", "init", "--key-out", f"{keys}/root.key", cwd=folder)
        runs = [measure(*MESHC, "ca", "issue", *names, "--root-key", f"{keys}/root.key", cwd=folder) for _ in range(2)]
        runs.append(measure(*MESHC, "ca", "status", cwd=folder))
    return f"| {clusters} | {' | '.join(map(str, runs))} |"


if __name__ == "__main__":
    print("| clusters | ca issue, all of them | again, nothing due | ca status |\n|---|---|---|---|")
    print(row(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
