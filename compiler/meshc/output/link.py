"""The choice of the renderer for output/; a separate module, so that `--help` imports little."""

from __future__ import annotations

from enum import StrEnum


class Link(StrEnum):
    """The renderer of output/: kustomize for everything, or kustomize only for overlays that have more than meshc's own
    objects."""

    AUTO = "auto"
    KUSTOMIZE = "kustomize"
