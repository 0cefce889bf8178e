"""Who puts output/ together: apart from what does it, so that `--help` imports none of that."""

from __future__ import annotations

from enum import StrEnum


class Link(StrEnum):
    """Who makes output/ of overlays/: kustomize for everything, or only where more than meshc's own objects is in."""

    AUTO = "auto"
    KUSTOMIZE = "kustomize"
