"""The engines, by their word in mesh.yaml. The only list of them."""

from __future__ import annotations

from meshc.delivery import argo_cd, flux
from meshc.delivery.contract import Engine

ENGINES: dict[str, Engine] = {
    "argo-cd": argo_cd,
    "flux": flux,
}
