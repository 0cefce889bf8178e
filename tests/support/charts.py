"""The releases of Istio below MESHC_CHARTS. Tests choose by the versions that are there."""

from __future__ import annotations

import os
from pathlib import Path

from meshc.kube import Version

FOLDER = os.environ.get("MESHC_CHARTS", "")


VERSIONS = sorted(path.name for path in Path(FOLDER).iterdir() if Version.parse(path.name)) if FOLDER else []


CLASSIC = [version for version in VERSIONS if version.startswith("1.0.")]


ISTIOD = [version for version in VERSIONS if not version.startswith("1.0.")]
