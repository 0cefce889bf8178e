"""The choice of the renderer for output/; a separate module, so that `--help` imports little."""

from __future__ import annotations

from enum import StrEnum


class Link(StrEnum):
    """Who makes output/ of overlays/: kustomize for everything, or only where more than meshc's own objects is in."""

    AUTO = "auto"
    KUSTOMIZE = "kustomize"
