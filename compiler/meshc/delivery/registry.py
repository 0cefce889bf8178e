"""The engines, by their name in mesh.yaml. This is the only list of them."""

from __future__ import annotations

from meshc.delivery import argo_cd, flux
from meshc.delivery.contract import Engine

ENGINES: dict[str, Engine] = {
    "argo-cd": argo_cd,
    "flux": flux,
}
